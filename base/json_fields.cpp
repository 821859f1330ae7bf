// JSON fields within limits: one sentence form for every configuration file.
#include "base/json_fields.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace fabula {

using nlohmann::json;

namespace {

[[noreturn]] void refuse_file(const std::string& name, const std::string& sentence) {
  throw Error(ExitCode::bad_data, name + ": " + sentence);
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string shown(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", number);
  return text;
}

// A value as a sentence can hold it: on one line and short. Lists and objects are counted, since dump() recurses and their depth is
// whatever the file says.
std::string shown(const json& value) {
  if (value.is_array()) return "a list of " + std::to_string(value.size()) + (value.size() == 1 ? " value" : " values");
  if (value.is_object()) return "an object";
  constexpr std::size_t longest = 40;
  const std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
  return text.size() <= longest ? text : text.substr(0, longest) + "…";
}

std::string range(std::size_t least, std::size_t most) {
  return std::to_string(least) + (least == most ? "" : " to " + std::to_string(most));
}

// One object, its name for complaints, and the key that is being read.
struct Field {
  const std::string& name;
  const std::string& key;

  [[noreturn]] void refuse(const json& value, const std::string& expected) const {
    refuse_file(name, quoted(key) + " holds " + shown(value) + ", expected " + expected);
  }

  [[nodiscard]] const json& of(const json& object) const {
    const auto found = object.find(key);
    if (found == object.end()) refuse_file(name, "the field " + quoted(key) + " is missing");
    return *found;
  }

  [[nodiscard]] std::int64_t integer(const json& value, std::int64_t low, std::int64_t high) const {
    const bool is_signed_64 = value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
    if (!is_signed_64 || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high)
      refuse(value, "an integer from " + std::to_string(low) + " to " + std::to_string(high));
    return value.get<std::int64_t>();
  }

  [[nodiscard]] double real(const json& value, double low, double high) const {
    if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high))
      refuse(value, "a number from " + shown(low) + " to " + shown(high));
    return value.get<double>();
  }

  [[nodiscard]] const json& list(const json& value, std::size_t least, std::size_t most) const {
    if (!value.is_array() || value.size() < least || value.size() > most) refuse(value, "a list of " + range(least, most) + " values");
    return value;
  }

  [[nodiscard]] std::vector<std::int64_t> integers(const json& value, std::size_t least, std::size_t most, std::int64_t low,
                                                   std::int64_t high) const {
    std::vector<std::int64_t> values;
    for (const json& entry : list(value, least, most)) values.push_back(integer(entry, low, high));
    return values;
  }
};

}  // namespace

std::string json_fault(std::string_view text, std::size_t first_line) {
  const auto keep_nothing = [](int, json::parse_event_t, const json&) { return false; };
  try {
    const json nothing = json::parse(text.begin(), text.end(), keep_nothing);
    return {};
  } catch (const json::parse_error& error) {
    const std::string_view read = text.substr(0, error.byte == 0 ? 0 : error.byte - 1);
    const std::size_t line = first_line + static_cast<std::size_t>(std::count(read.begin(), read.end(), '\n'));
    const std::string_view rest = read.substr(read.rfind('\n') + 1);  // npos + 1 is 0
    const auto column =
        1 + std::count_if(rest.begin(), rest.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
    return "there is an error at line " + std::to_string(line) + ", column " + std::to_string(column);
  } catch (const json::exception&) {  // 1e999
    return "it holds a number that is too large";
  }
}

struct JsonFields::Object {
  json value;
};

JsonFields JsonFields::open(const std::filesystem::path& file) { return parse(read_file(file), file.string()); }

JsonFields JsonFields::parse(std::string_view text, const std::string& name) {
  auto object = std::make_shared<Object>();
  object->value = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (object->value.is_discarded()) throw Error(ExitCode::bad_data, name + " is not JSON: " + json_fault(text));
  if (!object->value.is_object()) refuse_file(name, "holds " + shown(object->value) + ", expected a JSON object");
  return {name, std::move(object)};
}

void JsonFields::refuse(const std::string& sentence) const { refuse_file(name_, sentence); }

bool JsonFields::has(const std::string& key) const {
  const auto found = object_->value.find(key);
  return found != object_->value.end() && !found->is_null();
}

double JsonFields::real(const std::string& key, double low, double high) const {
  const Field field{name_, key};
  return field.real(field.of(object_->value), low, high);
}

std::string JsonFields::text(const std::string& key) const {
  const Field field{name_, key};
  const json& value = field.of(object_->value);
  if (!value.is_string()) field.refuse(value, "a string");
  return value.get<std::string>();
}

std::string JsonFields::choice(const std::string& key, std::initializer_list<const char*> allowed) const {
  const Field field{name_, key};
  const json& value = field.of(object_->value);
  const bool fits = value.is_string() && std::find(allowed.begin(), allowed.end(), value.get<std::string>()) != allowed.end();
  if (fits) return value.get<std::string>();
  std::string expected;
  for (const char* const* one = allowed.begin(); one != allowed.end(); ++one)
    expected += (one == allowed.begin() ? "" : one + 1 == allowed.end() ? " or " : ", ") + quoted(*one);
  field.refuse(value, expected);
}

bool JsonFields::flag_or(const std::string& key, bool otherwise) const {
  if (!has(key)) return otherwise;
  const Field field{name_, key};
  const json& value = field.of(object_->value);
  if (!value.is_boolean()) field.refuse(value, "true or false");
  return value.get<bool>();
}

std::vector<float> JsonFields::reals(const std::string& key, std::size_t count, double low, double high) const {
  const Field field{name_, key};
  std::vector<float> values;
  for (const json& value : field.list(field.of(object_->value), count, count))
    values.push_back(static_cast<float>(field.real(value, low, high)));
  return values;
}

JsonFields JsonFields::object(const std::string& key) const {
  const Field field{name_, key};
  const json& value = field.of(object_->value);
  if (!value.is_object()) field.refuse(value, "an object");
  return {name_ + ": " + key, std::make_shared<Object>(Object{value})};
}

std::map<std::string, std::string> JsonFields::texts(const std::string& key) const {
  const JsonFields inner = object(key);
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : inner.object_->value.items()) texts[name] = inner.text(name);
  return texts;
}

std::int64_t JsonFields::wide(const std::string& key, std::int64_t low, std::int64_t high) const {
  const Field field{name_, key};
  return field.integer(field.of(object_->value), low, high);
}

std::vector<std::int64_t> JsonFields::wide_list(const std::string& key, std::size_t least, std::size_t most, std::int64_t low,
                                                std::int64_t high) const {
  const Field field{name_, key};
  return field.integers(field.of(object_->value), least, most, low, high);
}

std::vector<std::vector<std::int64_t>> JsonFields::wide_lists(const std::string& key, std::size_t least, std::size_t most, std::int64_t low,
                                                              std::int64_t high) const {
  const Field field{name_, key};
  std::vector<std::vector<std::int64_t>> lists;
  for (const json& list : field.list(field.of(object_->value), least, most)) lists.push_back(field.integers(list, least, most, low, high));
  return lists;
}

}  // namespace fabula
