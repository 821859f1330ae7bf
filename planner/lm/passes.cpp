// Cuts requests into passes, and keeps the tap layer's states and the logits of each.
#include "planner/lm/passes.h"

#include <algorithm>
#include <utility>

namespace fabula {

Passes::Passes(const Qwen3& model, std::int64_t tap_layer, Machine machine)
    : model_(model), tap_layer_(tap_layer), machine_(std::move(machine)), arena_(forward_footprint(model, size_), machine_.device) {}

void Passes::fit(const PassSize& needed) {
  if (needed.logit_rows <= size_.logit_rows && needed.table <= size_.table) return;
  while (size_.logit_rows < needed.logit_rows) size_.logit_rows *= 2;
  while (size_.table < needed.table) size_.table *= 2;
  arena_ = Arena(0);
  arena_ = Arena(forward_footprint(model_, size_), machine_.device);
}

// Runs one pass; parts[i] belongs to requests[i].
void Passes::pass(std::span<Request* const> requests, std::span<const Part> parts) {
  PassSize size;
  std::vector<std::int64_t> before;
  for (const Part& part : parts) {
    before.push_back(part.cache.length());
    size.logit_rows += part.logit_rows;
    size.table = std::max(size.table, KvPool::pages_of(before.back() + static_cast<std::int64_t>(part.reading.tokens.size())));
  }
  size.table *= static_cast<std::int64_t>(parts.size());
  const Exec exec = machine_.exec();  // first: from here on this thread's memory lies on the machine's device
  fit(size);
  const auto width = static_cast<std::size_t>(model_.config.hidden), vocabulary = static_cast<std::size_t>(model_.config.vocabulary);
  Context ctx{machine_.kernels, arena_, exec};
  const auto keep = [&](std::int64_t layer, Tensor states) {
    if (layer != tap_layer_) return;
    const std::vector<float> values = to_host(ctx, states);
    auto row = values.begin();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::size_t count = parts[i].reading.tokens.size(), known = requests[i]->states.size() / width;
      const std::size_t again =
          std::min(count, known - std::min(known, static_cast<std::size_t>(before[i])));  // states kept before the cache lost its pages
      const auto end = row + static_cast<std::ptrdiff_t>(count * width);
      requests[i]->states.insert(requests[i]->states.end(), row + static_cast<std::ptrdiff_t>(again * width), end);
      row = end;
    }
  };
  const Arena::Scope scope(arena_);
  try {
    const Tensor logits = forward(ctx, model_, parts, keep);
    const std::vector<float> values = to_host(ctx, logits);
    auto row = values.begin();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto end = row + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(parts[i].logit_rows) * vocabulary);
      requests[i]->logits.insert(requests[i]->logits.end(), row, end);
      row = end;
    }
  } catch (...) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      parts[i].cache.truncate(before[i]);
      requests[i]->states.resize(std::min(requests[i]->states.size(), static_cast<std::size_t>(before[i]) * width));
    }
    throw;
  }
}

std::int64_t Passes::run(std::span<Request* const> requests) {
  for (Request* request : requests) request->logits.clear();
  for (std::int64_t passes = 0;; ++passes) {
    std::vector<Request*> asking;
    std::vector<Part> parts;
    std::int64_t room = most_rows;
    for (Request* request : requests) {
      const std::int64_t all = static_cast<std::int64_t>(request->tokens.size()), at = request->cache.length(),
                         end = std::min(all, at + room);
      if (end == at) continue;
      room -= end - at;
      const std::int64_t logit_rows = std::max<std::int64_t>(0, end - std::max(at, all - request->logit_rows));
      asking.push_back(request);
      parts.push_back({request->cache,
                       {.tokens = request->tokens.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(end - at))},
                       logit_rows});
    }
    if (parts.empty()) return passes;
    pass(asking, parts);
  }
}

}  // namespace fabula
