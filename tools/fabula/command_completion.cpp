// `fabula completion`: a script that completes commands and options in a shell, made from the commands themselves.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "tools/fabula/arguments.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"

namespace fabula::cli {

namespace {

// Calls visit(path, command) for the program ("") and every command below it ("cast add").
template <typename Visit>
void walk(const CLI::App& command, const std::string& path, const Visit& visit) {
  visit(path, command);
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App* one) { return !one->get_name().empty(); }))
    walk(*sub, path + (path.empty() ? "" : " ") + sub->get_name(), visit);
}

std::string join(const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

// The words before the cursor give the path of the command; files complete where nothing else does.
std::string bash(const CLI::App& app) {
  std::string paths, cases;
  walk(app, "", [&](const std::string& path, const CLI::App& command) {
    if (!path.empty()) paths += (paths.empty() ? "\"" : "|\"") + path + "\"";
    std::vector<std::string> words = command_names(command);
    for (const std::string& option : option_names(command)) words.push_back(option);
    cases += "    \"" + path + "\") words=\"" + join(words) + "\" ;;\n";
  });
  return "_fabula() {\n"
         "  local path=\"\" longer words i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    longer=\"${path:+$path }${COMP_WORDS[i]}\"\n"
         "    case \"$longer\" in\n      " +
         paths +
         ") path=\"$longer\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -o default -F _fabula fabula\n";
}

std::string zsh(const CLI::App& app) { return "#compdef fabula\nautoload -U +X bashcompinit && bashcompinit\n" + bash(app); }

std::string quoted_for_fish(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return quoted + "'";
}

std::string fish(const CLI::App& app) {
  std::string script;
  walk(app, "", [&](const std::string& path, const CLI::App& command) {
    std::string condition = "__fish_use_subcommand";
    if (!path.empty()) {
      const std::size_t blank = path.find(' ');
      condition = "__fish_seen_subcommand_from " + path.substr(0, blank);
      if (blank != std::string::npos) condition += "; and __fish_seen_subcommand_from " + path.substr(blank + 1);
    }
    const std::string start = "complete -c fabula -n " + quoted_for_fish(condition);
    for (const CLI::App* sub : command.get_subcommands([](const CLI::App* one) { return !one->get_name().empty(); }))
      script += start + " -a " + sub->get_name() + " -d " + quoted_for_fish(sub->get_description()) + "\n";
    for (const CLI::Option* option : command.get_options()) {
      if (option->get_lnames().empty() && option->get_snames().empty()) continue;
      script += start;
      for (const std::string& name : option->get_lnames()) script += " -l " + name;
      for (const std::string& name : option->get_snames()) script += " -s " + name;
      script += (option->get_expected_min() > 0 ? " -r -d " : " -d ") + quoted_for_fish(option->get_description()) + "\n";
    }
  });
  return script;
}

}  // namespace

void add_completion_command(CLI::App& app) {
  CLI::App* completion = app.add_subcommand("completion", "Print a script that completes commands and options in your shell");
  completion->footer(
      footer("  source <(fabula completion bash)        (in ~/.bashrc)\n"
             "  source <(fabula completion zsh)         (in ~/.zshrc)\n"
             "  fabula completion fish >~/.config/fish/completions/fabula.fish",
             {0, 2, 74}));
  const auto shell = std::make_shared<std::string>();
  completion->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&app, shell] {
    const std::string script = *shell == "bash" ? bash(app) : *shell == "zsh" ? zsh(app) : fish(app);
    std::fputs(script.c_str(), stdout);
  });
}

}  // namespace fabula::cli
