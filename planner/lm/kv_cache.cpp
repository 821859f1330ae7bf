// The pool of pages, and the page table of one sequence.
#include "planner/lm/kv_cache.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/error.h"
#include "planner/lm/qwen3.h"

namespace fabula {

KvPool::KvPool(const Qwen3Config& config, std::int64_t pages, bool dry, void* stream)
    : kv_heads_(config.kv_heads), head_dim_(config.head_dim), grows_(pages == 0), dry_(dry), stream_(stream) {
  keys_.resize(static_cast<std::size_t>(config.layers));
  values_.resize(static_cast<std::size_t>(config.layers));
  grow(pages);
}

std::size_t KvPool::bytes(const Qwen3Config& config, std::int64_t tokens) {
  return static_cast<std::size_t>(pages_of(tokens) * page_tokens * config.layers * config.kv_heads * config.head_dim) * 2 * sizeof(float);
}

void KvPool::grow(std::int64_t pages) {
  if ((pages_ + pages) * page_tokens > std::numeric_limits<std::int32_t>::max())
    throw Error(ExitCode::out_of_memory, "the language model's cache has no room for more tokens");
  for (std::int64_t page = pages_ + pages; page > pages_; --page)
    free_.push_back(static_cast<std::int32_t>(page - 1));  // so that the first page is taken first
  pages_ += pages;
  if (dry_) return;
  const auto floats = static_cast<std::size_t>(pages_ * page_tokens * kv_heads_ * head_dim_);
  for (auto* tables : {&keys_, &values_}) {
    for (Memory& memory : *tables) resize(memory, floats);
  }
}

// What was there stays.
void KvPool::resize(Memory& memory, std::size_t floats) const {
  if (!stream_) return memory.host.resize(floats);
  Buffer larger(floats * sizeof(float), Buffer::Place::device);
  if (memory.device.bytes() > 0) copy_on_device(larger.data(), memory.device.data(), memory.device.bytes(), stream_);
  std::swap(memory.device, larger);  // giving memory back waits for the copy
}

std::int64_t KvPool::free() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(free_.size());
}

void KvPool::give_back(std::int32_t page) {
  const std::lock_guard lock(mutex_);
  free_.push_back(page);
}

std::int32_t KvPool::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty() && !grows_)
    throw Error(ExitCode::out_of_memory, "the language model's cache of " + std::to_string(pages_ * page_tokens) + " tokens is full");
  if (free_.empty()) grow(std::max<std::int64_t>(pages_, 16));
  const std::int32_t page = free_.back();
  free_.pop_back();
  return page;
}

void KvCache::extend(std::span<const RopePosition> positions) {
  const std::int64_t needed = KvPool::pages_of(length() + static_cast<std::int64_t>(positions.size()));
  while (static_cast<std::int64_t>(pages_.size()) < needed) pages_.push_back(pool_.take());
  for (const RopePosition& at : positions) next_.push_back(std::max({next_position(), at.time + 1, at.height + 1, at.width + 1}));
}

void KvCache::truncate(std::int64_t tokens) {
  next_.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(tokens, 0, length())));
  while (static_cast<std::int64_t>(pages_.size()) > KvPool::pages_of(length())) {
    pool_.give_back(pages_.back());
    pages_.pop_back();
  }
}

}  // namespace fabula
