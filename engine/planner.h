// What the film pipeline asks of a planner.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/conditioning.h"
#include "engine/plan.h"

namespace fabula {

/// How a plan came about.
struct Origin {
  int repairs = 0;                       ///< how often the model was told what is wrong with its plan and wrote it anew
  bool by_rules = false;                 ///< its plans still had faults: the rules have planned
  std::vector<std::string> faults = {};  ///< of the last of them, "PATH: sentence"
};

/// A plan and the states kept for it, one conditioning a shot.
struct Direction {
  plan::Film film;
  std::vector<Conditioning> shots;
  Origin origin = {};
};

class Planner {
 public:
  virtual ~Planner() = default;
  /// progress(tokens so far); returning false stops with Error(interrupted).
  using Progress = std::function<bool(int tokens)>;
  /// Writes a plan for a prompt. The states are those of the generation itself.
  [[nodiscard]] virtual Direction direct(const std::string& prompt, const Progress& progress) = 0;
  /// The states of a plan that exists (read from a file, edited): one prefill of its tokens.
  [[nodiscard]] virtual Direction direct(const plan::Film& film, const Progress& progress) = 0;
};

}  // namespace fabula
