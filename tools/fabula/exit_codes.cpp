// The table of exit codes and the lists made from it.
#include "tools/fabula/exit_codes.h"

#include <algorithm>
#include <array>

namespace fabula::cli {

namespace {

constexpr std::array<ExitCodeEntry, 16> table = {{
    {0, "done", "The command did what it was asked.", "Nothing is left to do."},
    {1, "unexpected error", "An error that Fabula has no code of its own for.", "Read the sentence on standard error."},
    {2, "usage", "The command line is wrong: an option, a value or an argument.",
     "Run the command with --help for its options and an example."},
    {3, "some jobs failed", "A batch is done, but some of its jobs failed.",
     "Look for \"failed\" in the output and run the same command again: films that are done are not made again; -n keeps plans."},
    {65, "bad plan or data", "A plan, prompt, model or media file is malformed.",
     "Read the sentence: it names the file and the field. `fabula plan --check FILE.json` lists everything wrong with a plan."},
    {66, "input missing", "A named input does not exist or cannot be read.", "Check the path and its permissions."},
    {69, "no model", "No model bundle was found, or this build lacks something that the command needs.",
     "Name a bundle with --model DIR; `fabula models` shows the one in use."},
    {70, "a defect in Fabula", "Fabula has contradicted itself.", "Please report it with the command and the sentence."},
    {71, "out of memory", "The film needs more memory than is free.", "Close other programs, or use a smaller model."},
    {73, "cannot create the output, or it exists already", "The output cannot be created, or a file of that name exists.",
     "Name another file with -o; -y replaces the file that is there, -n keeps it."},
    {74, "read or write failed, standard output included", "Reading or writing failed half-way, for example on a full disk.",
     "Make room and run the command again; no half-written file is left behind."},
    {75, "shots are missing", "A film was to be assembled, but some of its shots are not in the store yet.",
     "Make them with `fabula render PLAN --shots IDS`, then assemble again."},
    {76, "the film failed its check",
     "A film was read back and is not what it should be: frames, sound or labels are missing, or its bytes are not those of its receipt.",
     "Make it again; the sentence says what differs. If a new film fails twice, please report it."},
    {78, "configuration",
     "A configuration file or a FABULA_ variable is wrong, or nothing says where the cast or the store of shots is kept.",
     "Read the sentence: it names the file or the variable; `fabula doctor` lists those in use. Without a home, set HOME, or name the file "
     "with --cast CAST.db or the folder with --store DIR."},
    {130, "interrupted", "The run was stopped by SIGINT (Ctrl-C).", "Run it again; no half-written file is left behind."},
    {143, "terminated", "The run was stopped by SIGTERM.", "Run it again; no half-written file is left behind."},
}};

}  // namespace

std::span<const ExitCodeEntry> exit_codes() { return table; }

std::string exit_code_list(std::initializer_list<int> codes) {
  constexpr std::size_t longest_line = 110;
  std::string list, line = "Exit codes:";
  for (const ExitCodeEntry& entry : table) {
    if (codes.size() > 0 && std::find(codes.begin(), codes.end(), entry.code) == codes.end()) continue;
    const std::string text = " " + std::to_string(entry.code) + " " + entry.brief + ",";
    if (line.size() + text.size() > longest_line) {
      list += line + "\n";
      line = "           ";
    }
    line += text;
  }
  line.back() = '.';
  return list + line;
}

std::string footer(const std::string& examples, std::initializer_list<int> codes) {
  return "Examples:\n" + examples + "\n\n" + exit_code_list(codes) + "\n`fabula explain CODE` says what to do about one.";
}

}  // namespace fabula::cli
