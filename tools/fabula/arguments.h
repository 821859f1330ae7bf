// What the command line means beyond the options of each command: the command that a bare prompt implies, and what a mistake was meant to
// be.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace fabula::cli {

/// The arguments with the command that they imply. A prompt or a file without a command is rendered; --version and -V are the command
/// `version`. Throws Error(usage) for a single word that is no command, naming the nearest one.
[[nodiscard]] std::vector<std::string> with_command(const CLI::App&, std::vector<std::string> arguments);

/// One sentence about a command line that could not be parsed; for an unknown command or option it names the nearest one.
[[nodiscard]] std::string usage_sentence(const CLI::App&, const CLI::ParseError&);

/// "fabula cast add": the command that was being parsed.
[[nodiscard]] std::string parsed_command(const CLI::App&);

/// The names of the commands of `command` (all that are not hidden), and of its options with their dashes.
[[nodiscard]] std::vector<std::string> command_names(const CLI::App& command);
[[nodiscard]] std::vector<std::string> option_names(const CLI::App& command);

}  // namespace fabula::cli
