// The limits that the validator checks and the grammar keeps to while it writes: one table, so that a written film is valid by
// construction.
#pragma once

#include <cstddef>

namespace fabula::plan {

/// Of any film.
struct ShotLimits {
  static constexpr std::size_t actors = 3;              ///< characters who act or speak in one shot; more freeze the picture
  static constexpr std::size_t actions = 3;             ///< action beats in one shot
  static constexpr std::size_t same_size_in_a_row = 2;  ///< consecutive shots of one camera size
  static constexpr int quiet_end_ms = 1500;             ///< no action begins in the last of the film: nobody would see it
};

/// Of a film that the model of a world makes: it has one format only.
struct ModelFormat {
  static constexpr const char *aspect = "16:9", *fps = "24", *language = "en", *music = "none", *line_mode = "on_screen";
};

/// Values of facts with a meaning of their own (simulate.h).
constexpr const char* destroyed = "destroyed";  ///< of the attribute "state"
constexpr const char* nobody = "none";          ///< of the attribute "holder"

}  // namespace fabula::plan
