// How a picture of one shape fills one of another.
#pragma once

#include "engine/clip_model.h"

namespace fabula {

enum class Fit {
  pad,   ///< all of it is shown, with black beside it
  crop,  ///< it fills the film, and what is too much on two sides is cut off
};

struct Rectangle {
  int x = 0, y = 0, width = 0, height = 0;
  bool operator==(const Rectangle&) const = default;
};

/// The part `from` of a picture is scaled to the part `to` of the film's; the rest of that is black.
struct Framing {
  Rectangle from, to;
};
/// Both wholes, where the shapes are the same. `to` is at even positions and of even size: the chroma is halved.
[[nodiscard]] Framing framing_of(int source_width, int source_height, int width, int height, Fit);

/// The picture at the film's size, in 8-bit RGB. One of that size already is unchanged.
[[nodiscard]] Image framed(const Image&, int width, int height, Fit);

}  // namespace fabula
