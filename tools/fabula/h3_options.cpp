// The options of clips.
#include "tools/fabula/h3_options.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/error.h"

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

// How the model's weights are held, and what is changed of them.
void add_weight_options(CLI::App& command, ClipChoice& choice, const std::string& group) {
  command
      .add_option(
          "--memory", choice.memory,
          "Memory for weights and activations, such as 16G: what does not fit is read from the files as it is needed, with the same "
          "result (default: what is free)")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::PositiveNumber)
      ->type_name("SIZE")
      ->group(group);
  command
      .add_option("--weights", choice.weights,
                  "int8: the matrices of text encoder and transformer in 8 bits, a quarter of fp32's memory (default: as --precision)")
      ->check(CLI::IsMember({"int8"}))
      ->group(group);
  command
      .add_option("--lora", choice.loras,
                  "A LoRA file in diffusers' form, and how much of it (default: 1); may be repeated, added in order")
      ->type_name("FILE[:scale]")
      ->allow_extra_args(false)
      ->group(group);
  const auto add_shift = [&](const char* name, std::optional<double>& shift, const std::string& track) {
    command
        .add_option(name, shift,
                    "Shift of the " + track + "'s schedule: a larger one spends more of the steps on noise (default: the folder's own)")
        ->check(CLI::Range(1e-6, 1e6))
        ->group(group);
  };
  add_shift("--shift", choice.shift, "picture");
  add_shift("--audio-shift", choice.audio_shift, "sound");
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
  add_weight_options(command, choice, group);
}

std::pair<std::string, double> lora_of(const std::string& choice) {
  const std::size_t colon = choice.rfind(':');
  if (colon == std::string::npos || std::filesystem::exists(choice)) return {choice, 1.0};  // a file's own name may have a colon
  const std::string number = choice.substr(colon + 1);
  char* end = nullptr;
  const double scale = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != 0 || !std::isfinite(scale))
    throw Error(ExitCode::usage, "--lora takes FILE or FILE:scale with a number for the scale, not " + choice);
  return {choice.substr(0, colon), scale};
}

std::vector<std::string> lora_files(const ClipChoice& choice) {
  std::vector<std::string> files;
  for (const std::string& lora : choice.loras) files.push_back(lora_of(lora).first);
  return files;
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
