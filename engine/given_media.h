// Pictures and sounds that a clip is given beside its text, as they are in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/clip_model.h"

namespace fabula {

/// A picture, a sound, or a film with or without a sound, that a clip follows.
struct GivenReference {
  enum class Kind : std::uint8_t { image, audio, video } kind = Kind::image;
  std::vector<Image> pictures = {};  ///< one of an image, the frames of a video
  double fps = 0.0;                  ///< of a video
  Sound sound = {};                  ///< no samples: silent

  [[nodiscard]] bool has_sound() const { return !sound.samples.empty(); }
};

struct GivenMedia {
  std::optional<Image> first_frame = {}, last_frame = {};
  std::vector<GivenReference> references = {};  ///< in reading order

  [[nodiscard]] bool empty() const { return !first_frame && !last_frame && references.empty(); }
};

}  // namespace fabula
