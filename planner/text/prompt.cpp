// Checks and normalises a prompt.
#include "planner/text/prompt.h"

#include "base/error.h"
#include "planner/text/text.h"
#include "planner/text/unicode.h"

namespace fabula {

std::string prompt_fault(std::string_view prompt) {
  if (trimmed(prompt).empty()) return "is empty";
  if (!is_utf8(prompt)) return "is not UTF-8 text";
  if (prompt.size() > longest_prompt)
    return "is " + std::to_string(prompt.size()) + " bytes long, at most " + std::to_string(longest_prompt) + " are read";
  return {};
}

std::string prepare_prompt(std::string_view prompt) {
  prompt = trimmed(prompt);
  if (prompt.empty())
    throw Error(ExitCode::usage, "the prompt is empty: say what is to be seen, for example \"A fox runs through a forest.\"");
  if (!is_utf8(prompt)) throw Error(ExitCode::bad_data, "the prompt " + prompt_fault(prompt));
  std::string prepared = nfc(prompt);
  if (const std::string fault = prompt_fault(prepared); !fault.empty()) throw Error(ExitCode::bad_data, "the prompt " + fault);
  return prepared;
}

}  // namespace fabula
