// What a command is given to film: a prompt, a screenplay or a plan.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "planner/oracle/fades.h"

namespace fabula {

struct Source {
  std::string prompt;
  std::string title = {};    ///< of a screenplay: the film's
  oracle::Fades fades = {};  ///< of a screenplay
  bool is_plan = false;      ///< `film` is given, with its own prompt inside
  plan::Film film = {};
  std::vector<std::string> notes = {};  ///< what a prompt cannot say of a screenplay
};

/// What is on standard input, or in a file whose name does not tell.
enum class Format { automatic, prompt, fountain, plan };

/// `given` is a prompt, a plan (FILE.json), a screenplay (FILE.fountain), or "-" for any of them on standard input, seen by its first words
/// unless `format` says it. Throws Error: input_missing, also where `given` names_a_file() of another kind; bad_data.
[[nodiscard]] Source read_source(const std::string& given, Format format = Format::automatic);
/// As read_source, of a text itself; `name` is what its notes call it.
[[nodiscard]] Source source_of_text(const std::string& text, Format format, const std::string& name);
/// The plan in a file, whatever its name. Throws Error: input_missing, bad_data.
[[nodiscard]] Source read_plan_file(const std::string& file);
/// The screenplay in a file, whatever its name. Throws Error: input_missing, bad_data.
[[nodiscard]] Source read_screenplay_file(const std::string& file);

/// Whether `given` ends in .json or .fountain.
[[nodiscard]] bool is_source_file(const std::string& given);
/// Whether `given` is the path of a file or folder, or looks like one: it has no blanks, and a slash or an ending such as ".txt".
[[nodiscard]] bool names_a_file(const std::string& given);

/// read_file, or read_standard_input if `given` is "-".
[[nodiscard]] std::string read_input(const std::string& given, const std::string& what, std::size_t most_bytes);

}  // namespace fabula
