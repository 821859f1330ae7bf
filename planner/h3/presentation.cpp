// Tokens of labels, blocks and prompt, each tokenised by itself.
#include "planner/h3/presentation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>

#include "base/error.h"

namespace fabula::h3 {
namespace {

constexpr std::int32_t text_row = 1, vision_row = 0;
constexpr double frames_per_second_seen = 2.0;  // of a video: in no file

class Presenter {
 public:
  Presenter(const PromptReader& reader, int fps) : reader_(reader), fps_(fps) {}

  void text(const std::string& text) { append(reader_.tokenizer.encode(text), text_row); }

  void picture(const Image& image) {
    label("Picture", ++pictures_);
    const Patches patches =
        patches_of(reader_.pictures, std::span(&image, 1), resized(reader_.pictures, {image.width, image.height}), FixedPoint::torchvision);
    block(patches, reader_.pictures, reader_.image_pad);
  }

  void video(const std::vector<Image>& frames) {
    label("Video", ++videos_);
    const std::vector<Image> seen = sampled(frames);
    const auto count = static_cast<std::int64_t>(seen.size()), together = reader_.videos.temporal_patch;
    const PictureSize size = resized_video(reader_.videos, count, {seen.front().width, seen.front().height});
    for (std::int64_t first = 0; first < count; first += together) {
      const std::int64_t last = std::min(first + together, count) - 1;
      seconds(first, last);
      const auto some = std::span(seen).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first + 1));
      block(patches_of(reader_.videos, some, size, FixedPoint::torchvision), reader_.videos, reader_.video_pad);
    }
  }

  void reference(const GivenReference& given) {
    if (given.has_sound()) label("Audio", ++sounds_);  // before the label of the video that it belongs to
    if (given.kind == GivenReference::Kind::image) picture(given.pictures.front());
    if (given.kind == GivenReference::Kind::video) video(given.pictures);
  }

  Presentation take() { return std::move(result_); }

 private:
  void append(const std::vector<std::int32_t>& tokens, std::int32_t tag) {
    result_.tokens.insert(result_.tokens.end(), tokens.begin(), tokens.end());
    result_.tags.insert(result_.tags.end(), tokens.size(), tag);
  }

  void label(const char* kind, int number) { text("<" + std::string(kind) + " " + std::to_string(number) + ">: "); }

  // The mean time of a block's first and last frame; printf rounds ties to even, so the first pair is at <0.2 seconds>.
  void seconds(std::int64_t first, std::int64_t last) {
    char words[64];
    const double mean = (static_cast<double>(first) / frames_per_second_seen + static_cast<double>(last) / frames_per_second_seen) / 2.0;
    std::snprintf(words, sizeof words, "<%.1f seconds>", mean);
    text(words);
  }

  void block(Patches patches, const PictureConfig& config, std::int32_t placeholder) {
    const auto rows = static_cast<std::size_t>(patches.grid.patches() / (config.merge * config.merge));
    std::vector<std::int32_t> tokens(rows + 2, placeholder);
    tokens.front() = reader_.vision_start;
    tokens.back() = reader_.vision_end;
    append(tokens, vision_row);
    result_.blocks.push_back(std::move(patches));
    result_.is_video.push_back(placeholder == reader_.video_pad);
  }

  [[nodiscard]] std::vector<Image> sampled(const std::vector<Image>& frames) const {
    const double stride = static_cast<double>(fps_) / frames_per_second_seen;
    std::vector<Image> seen;
    std::optional<std::size_t> last;
    for (double at = 0.0; std::nearbyint(at) < static_cast<double>(frames.size()); at += stride) {
      const auto index = static_cast<std::size_t>(std::nearbyint(at));
      if (last && index <= *last) continue;
      seen.push_back(frames[index]);
      last = index;
    }
    const std::int64_t together = reader_.videos.temporal_patch;
    if (static_cast<std::int64_t>(seen.size()) < together) {
      const long fewest = std::lrint(static_cast<double>(together - 1) * stride) + 1;
      throw Error(ExitCode::bad_data, "a reference video must last at least " + std::to_string(fewest) + " frames at " +
                                          std::to_string(fps_) + " a second; this one has " + std::to_string(frames.size()));
    }
    return seen;
  }

  const PromptReader& reader_;
  int fps_;
  int pictures_ = 0, videos_ = 0, sounds_ = 0;
  Presentation result_;
};

std::int32_t token_named(const Tokenizer& tokenizer, const char* content, const std::filesystem::path& folder) {
  const auto id = tokenizer.added(content);
  if (!id) throw Error(ExitCode::bad_data, folder.string() + ": the tokenizer has no token " + content);
  return *id;
}

}  // namespace

PromptReader PromptReader::open(const std::filesystem::path& tokenizer_folder, const std::filesystem::path& processor_folder) {
  PromptReader reader{.tokenizer = Tokenizer::open_folder(tokenizer_folder),
                      .pictures = PictureConfig::open(processor_folder),
                      .videos = PictureConfig::open_video(processor_folder)};
  const auto named = [&](const char* content) { return token_named(reader.tokenizer, content, tokenizer_folder); };
  reader.vision_start = named("<|vision_start|>");
  reader.vision_end = named("<|vision_end|>");
  reader.image_pad = named("<|image_pad|>");
  reader.video_pad = named("<|video_pad|>");
  return reader;
}

Presentation present(const PromptReader& reader, const std::string& prompt, const GivenMedia& media, int fps) {
  Presenter presenter(reader, fps);
  for (const std::optional<Image>* keyframe : {&media.first_frame, &media.last_frame}) {
    if (*keyframe) presenter.picture(**keyframe);
  }
  for (const GivenReference& reference : media.references) presenter.reference(reference);
  presenter.text(prompt);
  return presenter.take();
}

}  // namespace fabula::h3
