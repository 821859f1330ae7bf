// The film pipeline: shots one by one from the model, their frames and sound straight into the sink. Memory does not grow with the film.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/clip_model.h"
#include "engine/film/stems.h"
#include "engine/film/store.h"
#include "engine/film/transitions.h"
#include "engine/media_sink.h"
#include "engine/planner.h"

namespace fabula {

struct FilmRequest {
  std::uint64_t seed = 0;
  ClipSettings settings = {};
  ShotStore* store = nullptr;  ///< finished shots; null: every shot is made
  bool only_stored = false;    ///< make none: see render_film
  bool gate = true;            ///< shots that engine/film/gate.h refuses are made again
  const StemRequest* stems = nullptr;
};

struct FilmProgress {
  std::size_t shot = 0;  ///< index of the shot in work
  std::size_t shots = 0;
  double fraction = 0.0;    ///< of the whole film's work, never falling
  int attempt = 0;          ///< index of the attempt at the shot
  int done = 0, total = 0;  ///< of this attempt, in steps and decoded chunks
};

/// Joins a shot's sound to those before it: 48 kHz stereo, interleaved, exactly `count` sample frames. Called once per shot, in order.
using SoundJoin = std::function<std::vector<float>(const Sound&, const SoundEdges&)>;

/// Film frames shown before time `ms`. Shots are cut on these, so that they tile the film whatever their lengths are.
[[nodiscard]] std::int64_t frames_before(std::int64_t ms, int fps);
/// 48 kHz sample frames that belong to film frames [0, frames).
[[nodiscard]] std::int64_t samples_before(std::int64_t frames, int fps);
/// The shortest length the model can make that covers `frames` film frames; Error(bad_data) when none does.
[[nodiscard]] int model_frames(std::int64_t frames, int film_fps, int model_fps, const std::vector<int>& legal);
/// A shot's own seed: changes of one shot leave the noise of the others alone.
[[nodiscard]] std::uint64_t shot_seed(std::uint64_t film_seed, std::size_t shot);
/// The seed of a film of this shot alone in which it has the seed that it has in the whole film.
[[nodiscard]] std::uint64_t seed_alone(std::uint64_t film_seed, std::size_t shot);

/// How often a shot is made until the gate lets it pass.
constexpr int most_attempts = 3;
/// The seed of an attempt (an index) at a shot with this seed.
[[nodiscard]] std::uint64_t attempt_seed(std::uint64_t seed, int attempt);

/// What the model is asked for each shot of a film. The planned film must outlive them.
[[nodiscard]] std::vector<ClipRequest> clip_requests(const PlannedFilm&, const ClipFormat&, const std::vector<int>& legal_frames,
                                                     const FilmRequest&);

/// Of each shot, how many of its attempts the request's store has, from the first on; 0: the shot is to be made.
[[nodiscard]] std::vector<int> kept_attempts(const PlannedFilm&, const ClipModel&, const std::vector<int>& legal_frames,
                                             const FilmRequest&);

/// How a shot came about.
struct ShotReport {
  std::string id;
  ShotStore::Outcome outcome;
  std::uint64_t seed = 0;
  std::string profile = {};      ///< of the processor that made it, where the store says
  std::int64_t held_frames = 0;  ///< of the transition after it, over which its last picture stands still: the model makes no longer shot
  /// Attempts that the gate refused, in order. Where it refused all, the first is the shot, and its seed is among these.
  struct Refused {
    std::uint64_t seed;
    std::string fault;
  };
  std::vector<Refused> refused = {};
  [[nodiscard]] bool was_remade() const { return !refused.empty() && seed != refused.front().seed; }
};

/// Makes the shots with these indices into the request's store, and those that they go on from, one shot after another. A shot's colours
/// are compared with those of the first shot of its place where the store has that one. progress as render_film's.
std::vector<ShotReport> make_shots(const PlannedFilm&, ClipModel&, const std::vector<int>& legal_frames,
                                   const std::vector<std::size_t>& indices, const FilmRequest&,
                                   const std::function<bool(const FilmProgress&)>& progress);

/// Renders all shots of the planned film into the sink and finishes it. A shot that the gate refuses is made again with a seed that follows
/// from its own, unless its seed is the plan's; which attempt is filmed follows from the plan and the model alone, whatever the store has.
/// progress returning false stops with Error(interrupted); the sink is then not finished. `legal_frames`: lengths the model can make
/// (Bundle::shot_frames). With request.only_stored a film with shots that are not in the store is Error(checkpointed), which names them.
std::vector<ShotReport> render_film(const PlannedFilm&, ClipModel&, const std::vector<int>& legal_frames, MediaSink&, const SoundJoin&,
                                    const FilmRequest&, const std::function<bool(const FilmProgress&)>& progress);

}  // namespace fabula
