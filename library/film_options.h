// How a film is made: plain data, and how it is spelt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "library/delivery.h"
#include "library/film_format.h"
#include "library/film_receipt.h"
#include "library/options.h"
#include "library/output.h"
#include "library/store_choice.h"

namespace CLI {
class App;
}  // namespace CLI

namespace fabula {

struct FilmOptions {
  PlanningOptions planning;
  std::string output;                 ///< empty: named after the film's title
  OverwriteOptions overwriting;       ///< of all that is written
  std::optional<std::uint64_t> seed;  ///< absent: the plan's, or 0
  std::string sampler = "euler";      ///< a name of engine/sample/samplers.h
  std::optional<int> crf;             ///< of the picture's encoder; absent: the format's own
  FormatChoice format;
  int steps = 0;         ///< of the sampler per shot; 0: what the bundle says
  int scale = 0;         ///< size of the film over the model's canvas; 0: the smallest with at least 480 lines
  bool no_gate = false;  ///< every shot is taken as it comes: see engine/film/gate.h
  StoreChoice store;
  DeliveryChoice delivery;
  bool assemble = false;  ///< only of shots that the store has
  ReceiptOptions receipt;
  std::string frames_out;  ///< a folder for the frames before they are encoded; empty: none
};
/// How shots are made and stored: what films and timelines share.
void add_making_options(CLI::App&, FilmOptions&);
/// How a film is made: everything but its source, where it goes and what becomes of a file that is there.
void add_film_options(CLI::App&, FilmOptions&);

}  // namespace fabula
