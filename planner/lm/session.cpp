#include "planner/lm/session.h"

#include <algorithm>

namespace fabula {

Session::Session(const Qwen3& model, std::int64_t tap_layer, const Kernels& kernels, ThreadPool* pool)
    : model_(model), tap_layer_(tap_layer), kernels_(kernels), exec_{.pool = pool},
      arena_(forward_footprint(model, static_cast<std::int64_t>(chunk), Logits::last)), cache_(model.config) {}

StateReceiver Session::keep() {
  return [this](std::int64_t layer, Tensor states) {
    if (layer == tap_layer_) states_.insert(states_.end(), states.f32(), states.f32() + states.elements());
  };
}

std::span<const float> Session::read(std::span<const std::int32_t> tokens, Logits wanted) {
  Context ctx{kernels_, arena_, exec_};
  logits_.clear();
  while (!tokens.empty()) {
    const std::size_t count = std::min(chunk, tokens.size());
    const bool last = count == tokens.size();
    const Arena::Scope scope(arena_);
    const Tensor logits = forward(ctx, model_, cache_, {.tokens = tokens.first(count)}, last ? wanted : Logits::none, keep());
    if (!logits.absent()) logits_.assign(logits.f32(), logits.f32() + logits.elements());
    tokens = tokens.subspan(count);
  }
  return logits_;
}

std::span<const float> Session::read_by(const Forward& forward, std::size_t footprint) {
  Arena arena(footprint);
  Context ctx{kernels_, arena, exec_};
  const Tensor logits = forward(ctx, cache_, keep());
  logits_.assign(logits.f32(), logits.f32() + logits.elements());
  return logits_;
}

void Session::truncate(std::size_t tokens) {
  cache_.truncate(static_cast<std::int64_t>(tokens));
  states_.resize(std::min(states_.size(), tokens * static_cast<std::size_t>(width())));
}

}  // namespace fabula
