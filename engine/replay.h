// Work that is done again and again on the same addresses, as an evaluation is at every step: on CUDA a graph of it is launched.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "engine/context.h"
#include "kernels/device.h"

namespace fabula {

/// The graphs of one piece of work in one arena. What the work reads that changes between its runs must be in device memory that lies
/// where it lay before, written outside the work.
class Replay {
 public:
  /// Does `work`, which launches kernels, copies within the device and takes tensors from the arena, but neither allocates nor waits nor
  /// copies from or to the host. Its first run from a given height of the arena is an ordinary one, which loads kernels and lets libraries
  /// choose; the second is captured; from then on the graph is launched and `work` is not called. Without CUDA, on the dry device or
  /// without exec.graphs it is called every time, and so it is once CUDA has refused to capture it.
  void run(Context& ctx, const std::function<void()>& work);

  /// Why there are no graphs, in a sentence; empty if nothing was refused.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  [[nodiscard]] const Graph* graph_of(Context& ctx, const std::function<void()>& work);

  std::map<std::size_t, std::optional<Graph>> graphs_;  // by the bytes of the arena in use at the start
  std::string refusal_;
};

}  // namespace fabula
