// Reads plan::Film from JSON. Reports all faults at once, each by its path.
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json_fields.h"
#include "planner/schema/schema.h"
#include "planner/schema/values.h"

namespace fabula::plan {
namespace {

using nlohmann::json;

using Findings = std::vector<Finding>;

constexpr std::size_t deepest = 32;         // no field is half as deep
constexpr std::size_t most_findings = 100;  // nobody reads more, and a hostile file can have millions

[[noreturn]] void refuse(const std::string& path, const std::string& rule, const std::string& sentence) {
  throw PlanError("the plan cannot be read", {finding(path, rule, sentence)});
}

// ---- the text as JSON

// Tracks the parser's path, and the keys of each object: JSON with a key twice is ambiguous, and nlohmann/json would silently keep the
// last.
class Watch {
 public:
  bool operator()(json::parse_event_t event, const json& value) {
    using Event = json::parse_event_t;
    if (event == Event::key) {
      key(value.get_ref<const std::string&>());
    } else if (event == Event::object_end || event == Event::array_end) {
      levels_.pop_back();
    } else {
      if (!levels_.empty() && levels_.back().is_list) ++levels_.back().index;
      if (event != Event::value) open(event == Event::array_start);
    }
    return true;
  }

 private:
  struct Level {
    bool is_list;
    std::size_t index = std::numeric_limits<std::size_t>::max();  // of the current entry; wraps to 0 at the first
    std::string key = {};
    std::set<std::string> keys = {};
  };

  std::string path() const {
    std::string all;
    for (const Level& level : levels_) all = level.is_list ? at(all, level.index) : all + (all.empty() ? "" : ".") + level.key;
    return all;
  }

  void key(const std::string& name) {
    Level& level = levels_.back();
    level.key = name;
    if (!level.keys.insert(name).second) refuse(path(), "duplicate-key", "appears twice");
  }

  void open(bool is_list) {
    if (levels_.size() == deepest) refuse("", "not-json", "the file is nested deeper than a plan can be");
    levels_.push_back({is_list});
  }

  std::vector<Level> levels_;
};

json parse(std::string_view text) {
  if (text.size() > largest_file) refuse("", "not-json", "the file is larger than " + std::to_string(largest_file >> 20U) + " MB");
  Watch watch;
  try {
    return json::parse(text.begin(), text.end(), [&](int, json::parse_event_t event, const json& value) { return watch(event, value); });
  } catch (const json::exception&) {
    refuse("", "not-json", "the file is not JSON in UTF-8: " + json_fault(text));
  }
}

// ---- the JSON as a film

// Reads the fields of one object and reports all other keys as unknown.
template <typename S>
class Reader {
 public:
  Reader(const json& value, std::string path, S& object, Findings& findings)
      : value_(value), path_(std::move(path)), object_(object), findings_(findings) {}

  void run() {
    if (!value_.is_object()) return find(path_, "wrong-type", "is not an object");
    Fields<S>::list(*this);
    for (const auto& [key, field] : value_.items()) {
      if (!known_.contains(key)) find(below(key), "unknown-field", "is not a field of a plan");
    }
  }

  void constant(const char* key, const char*) { known_.insert(key); }  // checked by check_version

  template <typename M>
  void need(const char* key, M S::*member, const char*, const Limits& limits = {}) {
    if (!may_read(key, member, limits)) find(below(key), "missing-field", "is missing");
  }

  template <typename M>
  void may(const char* key, M S::*member, const char*, const Limits& limits = {}) {
    may_read(key, member, limits);
  }

 private:
  std::string below(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

  void find(const std::string& path, const std::string& rule, const std::string& sentence) {
    if (findings_.size() < most_findings) findings_.push_back(finding(path, rule, sentence));
  }

  void keep(const std::optional<Finding>& found) {
    if (found && findings_.size() < most_findings) findings_.push_back(*found);
  }

  template <typename M>
  bool may_read(const char* key, M S::*member, const Limits& limits) {
    known_.insert(key);
    const auto field = value_.find(key);
    if (field == value_.end()) return false;
    read(*field, below(key), limits, object_.*member);
    return true;
  }

  void read(const json& value, const std::string& path, const Limits& limits, std::string& text) {
    if (!value.is_string()) return find(path, "wrong-type", "is not a string");
    text = value;
    keep(fault(path, text, limits));
  }

  void read(const json& value, const std::string& path, const Limits&, bool& flag) {
    if (!value.is_boolean()) return find(path, "wrong-type", "is neither true nor false");
    flag = value;
  }

  template <std::integral T>
  void read(const json& value, const std::string& path, const Limits& limits, T& number) {
    if (!value.is_number_integer()) return find(path, "wrong-type", "is not an integer");
    const bool is_huge =
        value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const auto wide = is_huge ? std::numeric_limits<std::int64_t>::max() : value.get<std::int64_t>();
    if (const auto found = fault(path, wide, limits)) return keep(found);
    number = static_cast<T>(wide);  // every field's range fits its member's type
  }

  template <typename T>
  void read(const json& value, const std::string& path, const Limits& limits, std::optional<T>& number) {
    number.emplace();
    read(value, path, limits, *number);
  }

  template <typename T>
  void read(const json& value, const std::string& path, const Limits& limits, std::vector<T>& entries) {
    if (!value.is_array()) return find(path, "wrong-type", "is not a list");
    if (value.size() > longest_list)
      return find(path, "out-of-range",
                  "has " + std::to_string(value.size()) + " entries, at most " + std::to_string(longest_list) + " are read");
    entries.resize(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) read(value[i], at(path, i), limits, entries[i]);
  }

  template <typename T>
  requires requires { Fields<T>::name; }
  void read(const json& value, const std::string& path, const Limits&, T& object) { Reader<T>(value, path, object, findings_).run(); }

  const json& value_;
  std::string path_;
  S& object_;
  Findings& findings_;
  std::set<std::string> known_;
};

// Checked before the fields: another version may have others.
void check_version(const json& value) {
  const auto version = value.is_object() ? value.find("version") : value.end();
  if (version == value.end()) refuse("version", "version", "is missing: this is not a plan");
  if (*version != plan_version) {
    refuse("version", "version",
           "is " + (version->is_string() ? "\"" + version->get<std::string>().substr(0, 40) + "\"" : "no string") +
               ", this program reads \"" + plan_version + "\"");
  }
}

}  // namespace

Film from_json(std::string_view text) {
  const json value = parse(text);
  check_version(value);
  Film film;
  Findings findings;
  Reader<Film>(value, "", film, findings).run();
  if (!findings.empty()) throw PlanError("the plan cannot be read", findings);
  return film;
}

}  // namespace fabula::plan
