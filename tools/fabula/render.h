// From a plan to a film's file: what `render`, `assemble` and `batch` share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/background_sink.h"
#include "engine/bundle.h"
#include "engine/film/film.h"
#include "engine/world.h"
#include "tools/fabula/delivery.h"
#include "tools/fabula/film_format.h"
#include "tools/fabula/film_receipt.h"
#include "tools/fabula/h3_options.h"
#include "tools/fabula/options.h"
#include "tools/fabula/output.h"
#include "tools/fabula/progress.h"
#include "tools/fabula/store_choice.h"
#include "video/io/sinks.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace fabula::cli {

struct RenderOptions {
  PlanningOptions planning;
  std::string source;                 ///< what read_source takes
  std::string output;                 ///< empty: named after the film's title
  std::string save_plan;              ///< empty: the plan is not kept
  OverwriteOptions overwriting;       ///< of both
  std::optional<std::uint64_t> seed;  ///< absent: the plan's, or 0
  std::string sampler = "euler";      ///< a name of engine/sample/samplers.h
  std::optional<int> crf;             ///< of the picture's encoder; absent: the format's own
  FormatChoice format;
  int steps = 0;  ///< of the sampler per shot; 0: what the bundle says
  int scale = 0;  ///< size of the film over the model's canvas; 0: the smallest with at least 480 lines
  bool quiet = false, json = false;
  bool preview = false;  ///< a contact sheet beside the film, anew with every shot
  bool no_gate = false;  ///< every shot is taken as it comes: see engine/film/gate.h
  bool dry_run = false;  ///< nothing is made or written: see print_dry_run
  ProgressOptions progress;
  StoreChoice store;
  DeliveryChoice delivery;
  std::string shots;         ///< ids and ranges of ids: only these are made, into the store; empty: a film is made
  bool assemble = false;     ///< only of shots that the store has
  std::string from_receipt;  ///< a receipt whose film is made again; empty: none
  ReceiptOptions receipt;
  ClipChoice clip;         ///< for a published folder
  std::string frames_out;  ///< a folder for the frames before they are encoded; empty: none
};
/// -o/--output, and what becomes of a file that is there.
void add_output_options(CLI::App&, RenderOptions&);
/// How shots are made and stored: what films and timelines share.
void add_making_options(CLI::App&, RenderOptions&);
/// How a film is made: everything but its source, where it goes and what becomes of a file that is there.
void add_film_options(CLI::App&, RenderOptions&);
/// --save-plan
CLI::Option* add_save_plan_option(CLI::App&, RenderOptions&);
/// The options that the film of `given.from_receipt` was made with, and those of `given` that say where things are. Throws Error(usage) if
/// `given` has options that the receipt settles, and as read_receipt does.
[[nodiscard]] RenderOptions options_of_receipt(const RenderOptions& given);

/// What makes films: loaded once, for any number of them.
struct Studio {
  Bundle bundle;
  std::unique_ptr<ShotStore> store;  ///< null: none
  std::unique_ptr<ClipModel> model;  ///< null until load_model
};
/// Of a published folder the bundle comes with the plan. Throws Error as Bundle::open and open_store do.
[[nodiscard]] Studio open_studio(const RenderOptions&);
/// Throws Error as load_clip_model does.
void load_model(Studio&, const RenderOptions&);

/// Bytes of memory that programs can still get; 0: unknown.
[[nodiscard]] std::size_t available_memory();

/// What the shots of this film are asked of the model. The studio must outlive it.
[[nodiscard]] FilmRequest film_request(const RenderOptions&, const Studio&, const plan::Film&);

/// Throws Error(out_of_memory) if a shot of the film needs more memory than is free.
void check_memory(const Studio&, const PlannedFilm&, const FilmRequest&);

/// Size, rate, quality and overwriting of the film's file. A small canvas is enlarged by a whole number, which players would do worse.
[[nodiscard]] SinkOptions sink_options(const RenderOptions&, const ClipFormat&, int fps);

/// What goes with a film: its subtitles, stems and receipt. Some of it refers to the rest, so it stays where it is.
struct BesideTheFilm {
  RenderOptions options;
  plan::Film film;
  World world;
  Subtitles subtitles = {};
  std::optional<StemRecording> stems = {};
  std::optional<FilmReceipt> receipt = {};
};

/// A film whose shots are made and whose file may still be being written.
struct FilmInTheMaking {
  std::string output;
  std::vector<ShotReport> shots;
  SinkOptions how;
  const Container* container = nullptr;
  FileSink* file = nullptr;  ///< of `writing`, to be asked once it has finished
  std::unique_ptr<BesideTheFilm> beside;
  std::unique_ptr<BackgroundSink> writing;  ///< last: its thread uses the others
};
struct FilmHooks {
  std::function<bool(const FilmProgress&)> progress;  ///< false stops
  std::function<void(const Image&)> on_picture;       ///< gets a small picture of each shot, as it is made; may be empty
  /// Gets the film, checked, before it takes its name, in the thread that writes it; may be empty.
  std::function<void(const std::filesystem::path&)> on_whole;
};
/// Makes the shots of a film. `output`: its name.
[[nodiscard]] FilmInTheMaking make_film(const RenderOptions&, Studio&, const PlannedFilm&, const std::string& output, const FilmHooks&);

/// Waits until the film has its name, then writes what goes beside it; the receipt comes last. Throws what the writing of the film threw.
void complete(FilmInTheMaking&);

}  // namespace fabula::cli
