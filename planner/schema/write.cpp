// Writes plan::Film as JSON: keys in the order of schema/fields.h, optional fields only if they differ from their default.
#include <charconv>
#include <nlohmann/json.hpp>

#include "planner/schema/fields.h"
#include "planner/schema/schema.h"

namespace fabula::plan {
namespace {

using nlohmann::ordered_json;

enum class Defaults { left_out, written };

template <typename S>
ordered_json write(const S& object, Defaults defaults);

ordered_json to_value(const std::string& text, Defaults) { return text; }
ordered_json to_value(int number, Defaults) { return number; }
ordered_json to_value(bool flag, Defaults) { return flag; }
template <typename S>
requires requires { Fields<S>::name; }
ordered_json to_value(const S& object, Defaults defaults) { return write(object, defaults); }
template <typename T>
ordered_json to_value(const std::optional<T>& number, Defaults) {
  return number ? ordered_json(*number) : ordered_json();
}
template <typename T>
ordered_json to_value(const std::vector<T>& entries, Defaults defaults) {
  ordered_json list = ordered_json::array();
  for (const T& entry : entries) list.push_back(to_value(entry, defaults));
  return list;
}

template <typename S>
class Writer {
 public:
  Writer(const S& object, Defaults defaults) : object_(object), defaults_(defaults) {}

  void constant(const char* key, const char* text) { json_[key] = text; }

  template <typename M>
  void need(const char* key, M S::*member, const char*, const Limits& = {}) {
    json_[key] = to_value(object_.*member, defaults_);
  }

  template <typename M>
  void may(const char* key, M S::*member, const char* meaning, const Limits& = {}) {
    if (defaults_ == Defaults::written || !is_default(object_, member)) need(key, member, meaning);
  }

  ordered_json json_ = ordered_json::object();

 private:
  const S& object_;
  Defaults defaults_;
};

template <typename S>
ordered_json write(const S& object, Defaults defaults) {
  Writer<S> writer(object, defaults);
  Fields<S>::list(writer);
  return std::move(writer.json_);
}

// Follows the ".key" or "[3]" at the start of the path and removes it from the path; null if the path is malformed or leads nowhere.
const ordered_json* step(const ordered_json& value, std::string_view& path) {
  if (path[0] == '[') {
    std::size_t index = 0;
    const auto [end, problem] = std::from_chars(path.data() + 1, path.data() + path.size(), index);
    if (problem != std::errc() || end == path.data() + path.size() || *end != ']' || !value.is_array() || index >= value.size())
      return nullptr;
    path.remove_prefix(static_cast<std::size_t>(end + 1 - path.data()));
    return &value[index];
  }
  if (path[0] != '.' || !value.is_object()) return nullptr;
  const std::string key(path.substr(1, path.find_first_of(".[", 1) - 1));
  path.remove_prefix(1 + key.size());
  const auto field = value.find(key);
  return field == value.end() ? nullptr : &*field;
}

}  // namespace

std::string to_json(const Film& film) { return write(film, Defaults::left_out).dump(2); }

std::string to_compact_json(const Film& film) {
  ordered_json root = write(film, Defaults::left_out);
  root.erase("prompt");
  return root.dump();
}

std::optional<std::string> value_at(const Shot& shot, std::string_view path) {
  const ordered_json root = write(shot, Defaults::written);
  const std::string whole = "." + std::string(path);
  std::string_view rest = whole;
  const ordered_json* value = &root;
  while (value != nullptr && !rest.empty()) value = step(*value, rest);
  return value == nullptr ? std::nullopt : std::optional(value->dump());
}

}  // namespace fabula::plan
