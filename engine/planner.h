// What the film pipeline asks of a planner.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/clip_model.h"
#include "engine/conditioning.h"
#include "engine/plan.h"

namespace fabula {

/// How a plan came about.
struct Origin {
  int repairs = 0;                       ///< rounds in which the model rewrote its plan after being shown its faults
  bool by_rules = false;                 ///< the model's last plan still had faults, so the rules planned instead
  std::vector<std::string> faults = {};  ///< those of the model's last plan, "PATH: sentence"
  std::vector<std::string> notes = {};   ///< sentences about it that a person should read
};

/// A plan and the states kept for it: one conditioning per shot.
struct PlannedFilm {
  plan::Film film;
  std::vector<Conditioning> shots;
  Origin origin = {};
  std::optional<plan::Film> plan = {};  ///< what was planned, where the shots of `film` are clips that hold several of its shots
  /// The rows of a shot that goes on (Conditioning), from the last picture that the shot before it shows. Empty where no shot does.
  std::function<Conditioning(std::size_t shot, const Image& before)> continued = {};

  [[nodiscard]] const plan::Film& as_planned() const { return plan ? *plan : film; }
};

class Planner {
 public:
  virtual ~Planner() = default;
  /// progress(tokens so far); returning false stops with Error(interrupted).
  using Progress = std::function<bool(int tokens)>;
  /// Plans a film from a prompt. The states are those of the generation itself.
  [[nodiscard]] virtual PlannedFilm plan_film(const std::string& prompt, const Progress& progress) = 0;
  /// Reads an existing plan (from a file, or edited) for its states: one prefill of its tokens.
  [[nodiscard]] virtual PlannedFilm read_plan(const plan::Film& film, const Progress& progress) = 0;
};

}  // namespace fabula
