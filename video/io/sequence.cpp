// Names with a number in them, and the sink that counts.
#include "video/io/sequence.h"

#include <algorithm>
#include <cstdio>
#include <regex>
#include <utility>

#include "base/error.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

SequenceName required_name(const fs::path& output) {
  if (auto name = sequence_name(output)) return std::move(*name);
  throw Error(ExitCode::usage, "pictures of a film need a number in their name: " + output.stem().string() + ".####" +
                                   output.extension().string() + " (or %04d), not " + output.string());
}

}  // namespace

fs::path SequenceName::file(std::int64_t number) const {
  std::string text = std::to_string(number);
  if (std::ssize(text) < digits) text.insert(0, static_cast<std::size_t>(digits) - text.size(), '0');
  return folder / (before + text + after);
}

std::vector<fs::path> SequenceName::existing() const {
  std::vector<std::pair<std::string, fs::path>> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, failed)) {
    const std::string name = entry.path().filename();
    if (name.size() < before.size() + after.size() + static_cast<std::size_t>(digits)) continue;
    const std::string number = name.substr(before.size(), name.size() - before.size() - after.size());
    if (name.starts_with(before) && name.ends_with(after) && number.find_first_not_of("0123456789") == std::string::npos)
      found.emplace_back(std::string(20 - std::min<std::size_t>(number.size(), 20), '0') + number, folder / name);
  }
  std::sort(found.begin(), found.end());
  std::vector<fs::path> files;
  for (auto& [number, file] : found) files.push_back(std::move(file));
  return files;
}

std::optional<SequenceName> sequence_name(const fs::path& output) {
  static const std::regex number(R"(#+|%0(\d)d|%d|\$F(\d?))");
  const std::string name = output.filename();
  const std::sregex_iterator first(name.begin(), name.end(), number), none;
  if (first == none) return {};
  if (std::next(first) != none) throw Error(ExitCode::usage, "the name " + output.string() + " has more than one place for a number");
  const std::smatch& match = *first;
  const std::string text = match.str(), digits = match[1].matched ? match[1].str() : match[2].str();
  const int width = text[0] == '#' ? static_cast<int>(text.size()) : digits.empty() ? 1 : digits[0] - '0';
  if (width < 1 || width > 9) throw Error(ExitCode::usage, "the name " + output.string() + " needs a number of 1 to 9 digits");
  return SequenceName{output.parent_path(), match.prefix().str(), match.suffix().str(), width};
}

SequenceSink::SequenceSink(Write write, fs::path output, SinkOptions options)
    : write_(write),
      output_(std::move(output)),
      options_(std::move(options)),
      name_(required_name(output_)),
      files_(name_.folder, options_.existing) {
  if (options_.existing != Existing::replace && !name_.existing().empty())
    throw Error(ExitCode::cannot_create, name_.existing().front().string() + " exists already; -y (--overwrite) replaces the sequence");
  if (options_.sign) throw Error(ExitCode::usage, "--c2pa signs one file, and " + output_.string() + " is one per frame");
  if (options_.crf) throw Error(ExitCode::usage, "--crf: pictures of a sequence have no constant rate factor");
}

void SequenceSink::frame(const Image& image) {
  if (options_.width == 0) {
    options_.width = image.width;
    options_.height = image.height;
  }
  const FrameNote note{timecode_of(first_frame_number(options_.rate) + frames_, options_.rate), options_.rate, options_.labels};
  const SequenceName scratch{files_.scratch(), name_.before, name_.after, name_.digits};
  write_(scratch.file(sequence_start + frames_), framed(image, options_.width, options_.height, options_.fit), note);
  ++frames_;
}

void SequenceSink::finish() {
  if (frames_ == 0) throw Error(ExitCode::internal, "a film without frames cannot be finished");
  if (options_.check) options_.check(files_.scratch() / output_.filename());
  std::vector<fs::path> older = name_.existing();
  files_.commit();
  // What is left of a longer sequence would be taken for the end of this one.
  for (std::int64_t i = 0; i < frames_; ++i) std::erase(older, name_.file(sequence_start + i));
  for (const fs::path& file : older) fs::remove(file);
}

}  // namespace fabula
