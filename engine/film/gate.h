// The gate that a finished shot passes before it goes into the film: it finds what no shot should look or sound like.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "engine/clip_model.h"
#include "engine/conditioning.h"
#include "engine/plan.h"

namespace fabula {

/// A shot as it was decoded.
struct Take {
  std::vector<Image> frames;
  Sound sound;
};

/// The share of a take's pixels in each of 64 colours: four levels each of red, green and blue.
using Colours = std::array<double, 64>;

/// What the gate knows of a take.
struct TakeMeasures {
  double brightness = 0.0;  ///< mean of the brightest frame, 0 to 255 (BT.709 weights)
  double motion = 0.0;      ///< largest mean difference of two neighbouring frames, 0 to 255
  double level_dbfs = 0.0;  ///< RMS of the sound; -infinity for digital silence
  double clipped = 0.0;     ///< share of the samples at full scale
  Colours colours = {};
};
[[nodiscard]] TakeMeasures measures_of(const Take&);

/// How unlike two takes' colours are: 0 alike, 1 no colour in common.
[[nodiscard]] double colour_distance(const Colours&, const Colours&);

/// What a shot must be, by its plan.
struct TakeExpected {
  bool moves = false;              ///< somebody acts, or the camera moves
  bool sounds = false;             ///< its score has sounds or phones
  const Colours* place = nullptr;  ///< of the first shot of its place; null: this is it, or it is not known
};
[[nodiscard]] TakeExpected expected_of(const plan::Shot&, const Conditioning&);

/// Why the take cannot be the shot, as the end of a sentence that begins with the shot ("is black"); empty: it can.
[[nodiscard]] std::string fault_of(const TakeMeasures&, const TakeExpected&);

}  // namespace fabula
