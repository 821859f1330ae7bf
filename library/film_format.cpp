// Turns the options of a film's format into those of its sink.
#include "library/film_format.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/output_file.h"
#include "library/output.h"
#include "library/two_numbers.h"

namespace fabula {

namespace fs = std::filesystem;

namespace {

std::string fault_of_size(const std::string& text) {
  const auto [width, height] = two_numbers<int>(text, 'x').value_or(std::pair(0, 0));
  if (width < 16 || height < 16 || width > 8192 || height > 8192 || width % 2 != 0 || height % 2 != 0)
    return text + " is not WIDTHxHEIGHT, such as 1920x1080: both even, from 16 to 8192";
  return {};
}

std::string fault_of_aspect(const std::string& text) {
  const auto [width, height] = two_numbers<int>(text, ':').value_or(std::pair(0, 0));
  return width < 1 || height < 1 || width > 100 || height > 100 ? text + " is not WIDTH:HEIGHT, such as 16:9" : std::string();
}

std::string codec_names() {
  std::string text;
  for (const Container& c : containers())
    text += std::string(text.empty() ? "" : "; ") + c.codec + " (" + c.extension + ": " + c.what + ")";
  return text;
}

std::set<std::string> codecs() {
  std::set<std::string> names;
  for (const Container& c : containers()) names.insert(c.codec);
  return names;
}

std::vector<std::string> rate_names() {
  std::vector<std::string> names;
  for (const NamedRate& rate : delivery_rates) names.emplace_back(rate.name);
  return names;
}

// The nearest even number to value · numerator / denominator.
int scaled_even(int value, int numerator, int denominator) { return (value * numerator + denominator) / (2 * denominator) * 2; }

// The smallest picture of this shape around the film's, or the largest inside.
void reshape(SinkOptions& sink, std::pair<int, int> aspect) {
  const auto [across, down] = aspect;
  const bool becomes_wider = std::int64_t{sink.width} * down < std::int64_t{sink.height} * across;
  if (becomes_wider == (sink.fit == Fit::pad))
    sink.width = scaled_even(sink.height, across, down);
  else
    sink.height = scaled_even(sink.width, down, across);
}

}  // namespace

void add_format_options(CLI::App& command, FormatChoice& choice) {
  command.add_option("--codec", choice.codec, "What the film is stored as: " + codec_names())
      ->check(CLI::IsMember(codecs()))
      ->type_name("NAME");
  command.add_option("--fps", choice.fps, "Frames a second of the file; frames are repeated or left out (default: the plan's)")
      ->check(CLI::IsMember(rate_names()));
  CLI::Option* size = command.add_option("--size", choice.size, "Size of the film (default: see --scale)")
                          ->check(CLI::Validator(fault_of_size, ""))
                          ->type_name("WIDTHxHEIGHT");
  CLI::Option* aspect =
      command.add_option("--aspect", choice.aspect, "Shape of the film, such as 16:9 (default: that of the model's canvas)")
          ->check(CLI::Validator(fault_of_aspect, ""))
          ->type_name("W:H")
          ->excludes(size);
  static_cast<void>(aspect);
  command.add_option("--fit", choice.fit, "How the picture fills another shape: pad (black beside it) or crop")
      ->check(CLI::IsMember({"pad", "crop"}))
      ->capture_default_str();
}

const Container& container_for(const fs::path& output, const FormatChoice& choice) {
  const std::string ending = ending_of(output);
  const bool has_name = !output.empty() && !(container_of(ending) == nullptr && is_stream(output));
  if (has_name) {
    if (container_of(ending) == nullptr)
      throw Error(ExitCode::usage, "the output " + output.string() + " does not end in " + container_extensions());
    if (const Container* found = container_of(ending, choice.codec)) return *found;
    throw Error(ExitCode::usage, "a " + ending + " does not hold " + choice.codec + ": --codec's help says what goes where");
  }
  const auto all = containers();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Container& c) { return choice.codec.empty() || choice.codec == c.codec; });
  return *found;
}

std::string ending_for(const FormatChoice& choice) {
  const Container& container = container_for({}, choice);
  return std::string(container.holds == Container::Holds::picture ? ".####" : "") + container.extension;
}

void set_format(const FormatChoice& choice, int film_fps, SinkOptions& sink) {
  sink.rate = {film_fps, 1};
  for (const NamedRate& rate : delivery_rates) {
    if (choice.fps == rate.name) sink.rate = rate.rate;
  }
  sink.fit = choice.fit == "crop" ? Fit::crop : Fit::pad;
  if (!choice.size.empty()) std::tie(sink.width, sink.height) = two_numbers<int>(choice.size, 'x').value();
  if (!choice.aspect.empty()) reshape(sink, two_numbers<int>(choice.aspect, ':').value());
}

std::vector<std::string> format_notes(const Container& container) {
  if (&container == &containers().front()) return {};
  std::vector<std::string> notes = {
      "the film is stored as " + std::string(container.what) +
      (container.holds == Container::Holds::sound ? "" : "; its pictures are made in 8 bits, and nothing is dithered")};
  if (container.holds == Container::Holds::picture)
    notes.emplace_back("its sound is not in the pictures: the same command with -o NAME.wav writes it, of the same shots");
  return notes;
}

}  // namespace fabula
