// The options of clips.
#include "tools/fabula/h3_options.h"

#include <CLI/CLI.hpp>
#include <map>

namespace fabula::cli {
namespace {

// Option, kind.
constexpr const char* reference_options[][2] = {{"--ref-image", "image"}, {"--ref-audio", "audio"}, {"--ref-video", "video"}};

void add_references(CLI::App& command, const std::string& name, std::vector<std::string>& files, const std::string& what) {
  command.add_option(name, files, what + " that the clip follows; may be repeated, and the order of all references counts")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group("Clips of a published folder");
}

}  // namespace

void add_clip_options(CLI::App& command, ClipChoice& choice) {
  const std::string group = "Clips of a published folder";
  command.add_option("--first-frame", choice.first_frame, "The picture that the clip begins with")->type_name("FILE")->group(group);
  command.add_option("--last-frame", choice.last_frame, "The picture that the clip ends with")->type_name("FILE")->group(group);
  add_references(command, "--ref-image", choice.images, "A picture");
  add_references(command, "--ref-audio", choice.audios, "A sound");
  add_references(command, "--ref-video", choice.videos, "A film");
  CLI::Option* frames =
      command.add_option("--frames", choice.frames, "Frames of the clip at 24 a second, rounded up to 17n + 5 (default: 124)")
          ->check(CLI::Range(1, 100000))
          ->group(group);
  command.add_option("--seconds", choice.seconds, "The same in seconds: 5 to 15")
      ->check(CLI::Range(0.1, 3600.0))
      ->excludes(frames)
      ->group(group);
  command
      .add_option(
          "--planner", choice.planner,
          "Plan the prompt first, then film the plan clip by clip: own (the folder's text encoder plans), lm (the model of --lm) or rules "
          "(default: the prompt is filmed word for word as one clip)")
      ->check(CLI::IsMember({"own", "lm", "rules"}))
      ->group(group);
  command.add_option("--lm", choice.lm, "Folder of the published language model that plans, for --planner lm")
      ->type_name("DIR")
      ->group(group);
}

void keep_reference_order(const CLI::App& command, ClipChoice& choice) {
  const std::map<std::string, const std::vector<std::string>*> files = {
      {"--ref-image", &choice.images}, {"--ref-audio", &choice.audios}, {"--ref-video", &choice.videos}};
  std::map<std::string, std::size_t> taken;
  const auto take = [&](const char* const(&one)[2]) {
    const std::vector<std::string>& all = *files.at(one[0]);
    if (taken[one[0]] < all.size()) choice.references.push_back({one[1], all[taken[one[0]]++]});
  };
  choice.references.clear();
  for (const CLI::Option* option : command.parse_order()) {
    for (const auto& one : reference_options) {
      if (option->check_name(one[0])) take(one);
    }
  }
  // What came from elsewhere than the command line.
  for (const auto& one : reference_options) {
    for (std::size_t left = files.at(one[0])->size() - taken[one[0]]; left > 0; --left) take(one);
  }
}

}  // namespace fabula::cli
