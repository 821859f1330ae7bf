// Options from files and from the environment.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace fabula::cli {

/// The files that options are read from, the first first; they need not exist: ./fabula.toml, $XDG_CONFIG_HOME/fabula/config.toml (else
/// ~/.config/…), /etc/fabula/config.toml.
[[nodiscard]] std::vector<std::filesystem::path> configuration_files();

/// "FABULA_NO_STORE" of "no-store".
[[nodiscard]] std::string variable_of(std::string option);

/// Arguments with what the environment and the files add to them.
struct Configured {
  std::vector<std::string> arguments;
  std::map<std::string, std::string> origins;  ///< of what was added: "--steps" -> "FABULA_STEPS" or a file
};

/// Adds each option that the arguments' command has and the arguments lack: from FABULA_NAME in the environment (--no-store is
/// FABULA_NO_STORE), else from the first file that has it, in a section named after the command or above all sections. An option that
/// excludes one that was given, or needs one that was not, is left out. What a command writes, and what it replaces, is said on the command
/// line alone. Throws Error(configuration) for a file with a key that no command has.
[[nodiscard]] Configured with_configuration(const CLI::App&, const std::vector<std::string>& arguments);

}  // namespace fabula::cli
