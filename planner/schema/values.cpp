// Checks a single value against the limits of its field.
#include "planner/schema/values.h"

#include <algorithm>

#include "planner/text/unicode.h"

namespace fabula::plan {
namespace {

// ^[a-z][a-z0-9_]{0,31}$
bool is_id(const std::string& id) {
  return !id.empty() && id.size() <= 32 && id[0] >= 'a' && id[0] <= 'z' &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

// A text in quotation marks, shortened to fit into a sentence.
std::string quoted(const std::string& text) {
  constexpr std::size_t shown = 60;
  std::size_t broken = 0;
  return text.size() <= shown ? "\"" + text + "\"" : "\"" + text.substr(0, well_formed_prefix(text.substr(0, shown), broken)) + "…\"";
}

}  // namespace

std::optional<Finding> fault(const std::string& path, const std::string& text, const Limits& limits) {
  if (text.empty()) return limits.may_be_empty ? std::nullopt : std::optional(finding(path, "empty-text", "is empty"));
  if (text.size() > longest_text) {
    return finding(path, "out-of-range",
                   "is " + std::to_string(text.size()) + " bytes long, at most " + std::to_string(longest_text) + " are read");
  }
  if (!is_utf8(text)) return finding(path, "bad-text", "is not UTF-8");
  if (text.find('\0') != std::string::npos) return finding(path, "bad-text", "holds a NUL character");
  if (limits.is_id && !is_id(text))
    return finding(path, "id-pattern", quoted(text) + " is not an id (a-z, 0-9 and _, a letter first, at most 32)");
  if (!limits.choices.empty() && std::find(limits.choices.begin(), limits.choices.end(), text) == limits.choices.end()) {
    std::string words;
    for (const char* word : limits.choices) words += (words.empty() ? "" : ", ") + std::string(word);
    return finding(path, "unknown-choice", quoted(text) + " is not one of: " + words);
  }
  return std::nullopt;
}

std::optional<Finding> fault(const std::string& path, std::int64_t number, const Limits& limits) {
  if (number >= limits.low && number <= limits.high) return std::nullopt;
  return finding(path, "out-of-range",
                 "is " + std::to_string(number) + ", not from " + std::to_string(limits.low) + " to " + std::to_string(limits.high));
}

}  // namespace fabula::plan
