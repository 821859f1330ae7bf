// How MiniMax-H3's text encoder reads a request: labels and vision blocks of what is given, then the prompt, word for word. Reference:
// MiniMaxH3TextEncoderStep, MiniMaxH3FL2VATextEncoderStep, MiniMaxH3Ref2VATextEncoderStep (diffusers).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/given_media.h"
#include "planner/lm/picture.h"
#include "planner/lm/tokenizer.h"

namespace fabula::h3 {

/// What reads: tokenizer and the two processors of a published folder.
struct PromptReader {
  Tokenizer tokenizer;
  PictureConfig pictures, videos;
  std::int32_t vision_start = 0, vision_end = 0, image_pad = 0, video_pad = 0;

  /// Throws Error: input_missing; bad_data, also where the tokenizer lacks one of the four tokens.
  static PromptReader open(const std::filesystem::path& tokenizer_folder, const std::filesystem::path& processor_folder);
};

struct Presentation {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> tags;  ///< of each token: 1 text, 0 a row of a vision block
  /// The blocks in the order of their placeholders, and whether each is of a video.
  std::vector<Patches> blocks;
  std::vector<bool> is_video;
};

/// `media` as they are after normalisation: pictures as they are encoded, videos at `fps`. Special tokens in the prompt are parsed. Throws
/// Error(bad_data) for a prompt that is not UTF-8 and for a video too short for one block.
[[nodiscard]] Presentation present(const PromptReader&, const std::string& prompt, const GivenMedia& media, int fps);

}  // namespace fabula::h3
