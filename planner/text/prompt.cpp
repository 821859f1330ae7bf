// Checks and normalises a prompt.
#include "planner/text/prompt.h"

#include "base/error.h"
#include "planner/text/unicode.h"

namespace fabula {
namespace {

constexpr const char* white = " \t\r\n\v\f";

}  // namespace

std::string prompt_fault(std::string_view prompt) {
  if (prompt.find_first_not_of(white) == std::string_view::npos) return "is empty";
  if (!is_utf8(prompt)) return "is not UTF-8 text";
  if (prompt.size() > longest_prompt)
    return "is " + std::to_string(prompt.size()) + " bytes long, at most " + std::to_string(longest_prompt) + " are read";
  return {};
}

std::string prepare_prompt(std::string_view prompt) {
  const std::size_t begin = prompt.find_first_not_of(white);
  if (begin == std::string_view::npos)
    throw Error(ExitCode::usage, "the prompt is empty: say what is to be seen, for example \"A fox runs through a forest.\"");
  prompt = prompt.substr(begin, prompt.find_last_not_of(white) + 1 - begin);
  if (!is_utf8(prompt)) throw Error(ExitCode::bad_data, "the prompt " + prompt_fault(prompt));
  std::string prepared = nfc(prompt);
  if (const std::string fault = prompt_fault(prepared); !fault.empty()) throw Error(ExitCode::bad_data, "the prompt " + fault);
  return prepared;
}

}  // namespace fabula
