// What fabula.json says for this family alone.
#pragma once

#include "engine/bundle.h"
#include "video/h3/denoise.h"

namespace fabula::h3 {

struct BundleBlock {
  Prediction prediction = Prediction::velocity;  ///< "prediction_type": "velocity" or "x0"

  /// Reads the bundle's fabula.json. Throws Error(bad_data) naming the field.
  static BundleBlock read(const Bundle&);
};

}  // namespace fabula::h3
