// From a plan to a film's file: what the commands that make films and the C API share.
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
#include "library/film_options.h"
#include "library/tee_sink.h"
#include "video/io/sinks.h"

namespace fabula {

/// What makes films: loaded once, for any number of them.
struct Studio {
  Bundle bundle;
  bool is_published = false;         ///< a published folder: it films anything, and its clips are made in the shape of the film
  std::unique_ptr<ShotStore> store;  ///< null: none
  std::unique_ptr<ClipModel> model;  ///< null until load_model
};
/// Throws Error as load_clip_model does.
void load_model(Studio&, const FilmOptions&);

/// Bytes of memory that programs can still get; 0: unknown.
[[nodiscard]] std::size_t available_memory();

/// What the shots of this film are asked of the model. The studio must outlive it.
[[nodiscard]] FilmRequest film_request(const FilmOptions&, const Studio&, const plan::Film&);

/// Throws Error(out_of_memory) if a shot of the film needs more memory than is free.
void check_memory(const Studio&, const PlannedFilm&, const FilmRequest&);

/// Before any work: whether the film `options.output` (empty: its name comes with the plan), and all that goes beside it, can be written.
/// False if --no-clobber keeps a film that is there. Throws Error: usage, cannot_create.
[[nodiscard]] bool check_outputs(const FilmOptions&, const std::vector<std::string>& inputs);

/// Size, rate, quality and overwriting of the film's file. A small canvas is enlarged by a whole number, which players would do worse.
[[nodiscard]] SinkOptions sink_options(const FilmOptions&, const Studio&, int fps);
/// How long a film is written after its last shot was made: that shot's pictures are encoded, then all of the sound. Roughly, by what was
/// seen of default films on an AVX2 core; it hardly counts where shots take long.
[[nodiscard]] double writing_seconds(const plan::Film&, const SinkOptions&);

/// What goes with a film: its subtitles, stems and receipt. Some of it refers to the rest, so it stays where it is.
struct BesideTheFilm {
  FilmOptions options;
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
  FileSink* file = nullptr;                     ///< of `writing`, to be asked once it has finished
  std::optional<double> stem_residual_db = {};  ///< how far the stems add up to the mix, where they are written
  std::unique_ptr<BesideTheFilm> beside;
  std::unique_ptr<BackgroundSink> writing;  ///< last: its thread uses the others
};
struct FilmHooks {
  std::function<bool(const FilmProgress&)> progress;  ///< false stops
  std::function<void(const Image&)> on_picture;       ///< gets a small picture of each shot, as it is made; may be empty
  /// Gets the film, checked, before it takes its name, in the thread that writes it; may be empty.
  std::function<void(const std::filesystem::path&)> on_whole;
  MediaReceiver media = {};  ///< gets every frame in the model's own size, and the sound, as the shots have them: without cards
};
/// Makes the shots of a film. `output`: its name.
[[nodiscard]] FilmInTheMaking make_film(const FilmOptions&, Studio&, const PlannedFilm&, const std::string& output, const FilmHooks&);

/// Waits until the film has its name, then writes what goes beside it; the receipt comes last. Throws what the writing of the film threw.
void complete(FilmInTheMaking&);

}  // namespace fabula
