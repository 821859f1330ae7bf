// Conditioning: the rows that a shot is made from, all of them states of the planner.
#pragma once

#include <cstdint>
#include <vector>

namespace fabula {

/// A tensor of latents on the host, row-major.
struct LatentTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  bool operator==(const LatentTensor&) const = default;
};

/// A picture, a sound or a film that a clip is led by, as normalised latents.
struct GivenLatents {
  enum class Kind : std::uint8_t { first_frame, last_frame, image, audio, video } kind = Kind::image;
  LatentTensor video = {};  ///< (channels, frames, height, width); empty for a sound
  LatentTensor audio = {};  ///< rows as CleanLatents has them; empty where there is no sound
};

struct Conditioning {
  std::int64_t dim = 0;                  ///< width of a state
  std::vector<float> states;             ///< (rows, dim): the untimed rows first, then the score's
  std::vector<double> score_start;       ///< seconds from the shot's start, one for each score row
  std::vector<std::int32_t> tags = {};   ///< the family's modality tag of each row; empty: all are text
  std::vector<GivenLatents> given = {};  ///< in the order in which the text names them
  /// The shot begins with the last picture of the shot before it. These rows were made with a black picture in its place: they size the
  /// shot and name it in the store, and PlannedFilm::continued makes those that it is made from.
  bool goes_on = false;

  [[nodiscard]] std::int64_t rows() const { return dim == 0 ? 0 : static_cast<std::int64_t>(states.size()) / dim; }
  [[nodiscard]] std::int64_t untimed() const { return rows() - static_cast<std::int64_t>(score_start.size()); }
};

}  // namespace fabula
