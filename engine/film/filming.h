// One shot of a film: its attempts, from latents to a take that the gate lets pass, and how far they are. Used by film.cpp alone.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/film/film.h"
#include "engine/film/gate.h"

namespace fabula {

/// Turns the model's progress within a shot into the film's, which never falls: shots that are kept are less work than others, and
/// attempts at one shot share its part.
class FilmWork {
 public:
  using Report = std::function<bool(const FilmProgress&)>;
  /// `is_kept`: of each shot, whether it is in the store. `report` must outlive this.
  FilmWork(const Report& report, const std::vector<bool>& is_kept);

  /// For one attempt at a shot. This object must outlive it.
  [[nodiscard]] ClipModel::Progress of(std::size_t shot, int steps, int attempt);

 private:
  const Report& report_;
  std::vector<bool> is_kept_;
  std::vector<double> begins_;  // of the shots and of the film's end, as parts of all work
  double furthest_ = 0.0;
};

/// The last picture that a shot shows, and its name in the keys of a shot that goes on from it.
struct Ending {
  Image picture;
  std::string name;
};

/// What one shot is made from.
class ShotRows {
 public:
  /// `before`: how the shot before ends; null where this one does not go on from it. Both must outlive this.
  ShotRows(const PlannedFilm& planned, std::size_t shot, const Ending* before) : planned_(planned), shot_(shot), before_(before) {}

  /// Those of a shot that goes on are made at the first call: the store may have the shot.
  [[nodiscard]] const Conditioning& get();
  /// ClipRequest::before.
  [[nodiscard]] std::string before() const { return before_ == nullptr ? "" : before_->name; }

 private:
  const PlannedFilm& planned_;
  std::size_t shot_;
  const Ending* before_;
  std::optional<Conditioning> made_;
};

/// What makes shots; the model's fingerprint matters with a store only.
struct ShotMaker {
  ClipModel& model;
  std::string fingerprint;
  const FilmRequest& request;
};

struct FilmedShot {
  ClipRequest clip;  ///< with the seed of the attempt that is filmed
  ShotStore::Clip made;
  Take take;
  TakeMeasures measures;  ///< unless the request has no gate
  std::vector<ShotReport::Refused> refused;
  bool passed = true;  ///< the gate
};
/// Makes a shot until the gate lets it pass, at most `attempts` times; if it never does, the first attempt is the shot.
/// `progress_of`: of an attempt. Throws Error(checkpointed) for an attempt that only_stored forbids to make.
[[nodiscard]] FilmedShot film_shot(const ShotMaker&, const ClipRequest&, ShotRows&, const TakeExpected&, int attempts,
                                   const std::function<ClipModel::Progress(int attempt)>& progress_of);

}  // namespace fabula
