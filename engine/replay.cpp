// Captures the second run from each height of the arena.
#include "engine/replay.h"

#include "base/error.h"

namespace fabula {

const Graph* Replay::graph_of(Context& ctx, const std::function<void()>& work) {
  const auto [at, is_first] = graphs_.try_emplace(ctx.arena.used());
  if (is_first) return nullptr;
  if (!at->second) at->second = Graph::capture(ctx.exec.stream, work);
  return &*at->second;
}

void Replay::run(Context& ctx, const std::function<void()>& work) {
  const bool launches = ctx.exec.stream != nullptr && ctx.exec.graphs && !ctx.arena.is_dry() && refusal_.empty();
  const Graph* graph = nullptr;
  try {
    if (launches) graph = graph_of(ctx, work);
  } catch (const Error& error) {
    if (error.code() != ExitCode::unavailable && error.code() != ExitCode::out_of_memory) throw;
    refusal_ = "no CUDA graph was made, so the transformer's kernels are launched one by one: " + std::string(error.what());
  }
  if (graph != nullptr)
    graph->launch(ctx.exec.stream);
  else
    work();
}

}  // namespace fabula
