// Reads the source of a film, once and within a limit, and tells prompts from paths.
#include "library/source.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "library/output.h"
#include "planner/schema/schema.h"
#include "planner/screenplay/prose.h"

namespace fabula {

namespace fs = std::filesystem;

namespace {

constexpr const char* blanks = " \t\r\n";

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// ".txt", but neither the end of a sentence nor "2.5".
bool has_file_ending(const std::string& word) {
  constexpr std::size_t longest = 8;
  const std::size_t dot = word.rfind('.');
  if (dot == std::string::npos) return false;
  const std::string ending = word.substr(dot + 1);
  const bool digits_only = std::all_of(ending.begin(), ending.end(), [](char c) { return c >= '0' && c <= '9'; });
  return !ending.empty() && ending.size() <= longest && !digits_only && std::all_of(ending.begin(), ending.end(), is_alphanumeric);
}

Source source_of_screenplay(const std::string& text, const std::string& name) {
  constexpr std::size_t most_notes = 20;
  const screenplay::Prose prose = screenplay::prose_of_fountain(text);
  Source source{.prompt = prose.prompt, .title = prose.title, .fades = {prose.fades_in, prose.fades_out}};
  for (std::size_t i = 0; i < prose.left_out.size() && i < most_notes; ++i) source.notes.push_back(name + ": " + prose.left_out[i]);
  if (prose.left_out.size() > most_notes)
    source.notes.push_back(name + ": and " + std::to_string(prose.left_out.size() - most_notes) + " more");
  return source;
}

// What a text is by its first words.
Format format_of(const std::string& text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first != std::string::npos && text[first] == '{') return Format::plan;
  return screenplay::looks_like_fountain(text) ? Format::fountain : Format::prompt;
}

[[noreturn]] void refuse_path(const std::string& given) {
  std::error_code ignored;
  if (fs::is_directory(given, ignored)) throw Error(ExitCode::input_missing, given + " is a folder, not a prompt, plan or screenplay");
  if (fs::exists(given, ignored)) {
    throw Error(ExitCode::input_missing,
                given + " is neither a plan (.json) nor a screenplay (.fountain); `fabula render - <" + given + "` films the prompt in it");
  }
  throw Error(ExitCode::input_missing, "there is no file " + given + "; a prompt that looks like a path is read with `fabula render -`");
}

}  // namespace

Source source_of_text(const std::string& text, Format format, const std::string& name) {
  switch (format == Format::automatic ? format_of(text) : format) {
    case Format::plan:
      return {.prompt = {}, .is_plan = true, .film = plan::from_json(text)};
    case Format::fountain:
      return source_of_screenplay(text, name);
    default:
      return {.prompt = text};
  }
}

bool is_source_file(const std::string& given) { return ending_of(given) == ".fountain" || ending_of(given) == ".json"; }

bool names_a_file(const std::string& given) {
  std::error_code ignored;
  if (fs::exists(given, ignored)) return true;
  const bool one_word = given.find_first_of(blanks) == std::string::npos;
  return one_word && (given.find('/') != std::string::npos || has_file_ending(given));
}

std::string read_input(const std::string& given, const std::string& what, std::size_t most_bytes) {
  return given == "-" ? read_standard_input(most_bytes, what) : read_file(given, most_bytes, what);
}

Source read_plan_file(const std::string& file) {
  return source_of_text(read_file(file, plan::largest_file, "the plan"), Format::plan, file);
}

Source read_screenplay_file(const std::string& file) {
  return source_of_text(read_file(file, screenplay::largest_screenplay, "the screenplay"), Format::fountain, file);
}

Source read_source(const std::string& given, Format format) {
  const std::string ending = ending_of(given);
  if (ending == ".fountain") return read_screenplay_file(given);
  if (given.ends_with(".fabula.json"))
    throw Error(ExitCode::usage, given + " is the receipt of a film; `fabula render --from-receipt " + given + "` makes the film again");
  if (ending == ".json") return read_plan_file(given);
  if (given == "-") return source_of_text(read_standard_input(plan::largest_file, "the prompt"), format, "standard input");
  if (format == Format::automatic && names_a_file(given)) refuse_path(given);
  if (format == Format::fountain || format == Format::plan)
    return source_of_text(read_file(given, plan::largest_file, "the source"), format, given);
  return source_of_text(given, format == Format::automatic && given.find('\n') == std::string::npos ? Format::prompt : format,
                        "the prompt");
}

}  // namespace fabula
