// Keys and values of the tokens that a decoder has read, in pages of one pool that many sequences share.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "kernels/device.h"
#include "kernels/tensor.h"

namespace fabula {

struct Qwen3Config;

/// A token's position on the rotary axes. Text advances on all three at once.
struct RopePosition {
  std::int32_t time = 0, height = 0, width = 0;
};

/// The pages of every layer. Any thread may take and return pages; views are for one thread.
class KvPool {
 public:
  static constexpr std::int64_t page_tokens = 16;

  /// Allocates exactly `pages`; 0: the pool grows by doubling. dry: pages without memory, for dry runs. stream (Exec's): on whose device
  /// the pages lie; null: on the host.
  explicit KvPool(const Qwen3Config&, std::int64_t pages = 0, bool dry = false, void* stream = nullptr);
  KvPool(const KvPool&) = delete;
  KvPool& operator=(const KvPool&) = delete;

  /// Bytes for `tokens`, rounded up to whole pages: layers · kv_heads · head_dim · 8 per token.
  [[nodiscard]] static std::size_t bytes(const Qwen3Config&, std::int64_t tokens);
  [[nodiscard]] static std::int64_t pages_of(std::int64_t tokens) { return (tokens + page_tokens - 1) / page_tokens; }

  [[nodiscard]] std::int64_t pages() const { return pages_; }  ///< allocated so far
  [[nodiscard]] std::int64_t free() const;                     ///< free pages
  /// Returns a page with undefined contents. Throws Error(out_of_memory) if the pool is full and does not grow. Invalidates views.
  [[nodiscard]] std::int32_t take();
  void give_back(std::int32_t page);

  /// After rope, (pages, kv_heads, head_dim, page_tokens): a query reads contiguous tokens per channel.
  [[nodiscard]] Tensor keys(std::int64_t layer) {
    return view(keys_[static_cast<std::size_t>(layer)], {pages_, kv_heads_, head_dim_, page_tokens});
  }
  /// (pages, kv_heads, page_tokens, head_dim)
  [[nodiscard]] Tensor values(std::int64_t layer) {
    return view(values_[static_cast<std::size_t>(layer)], {pages_, kv_heads_, page_tokens, head_dim_});
  }

 private:
  // Keys or values of a layer, on the host or on the device.
  struct Memory {
    std::vector<float> host;
    Buffer device;
  };
  [[nodiscard]] Tensor view(Memory& memory, const Shape& shape) const {
    if (dry_) return {.data = nullptr, .shape = shape};
    if (stream_) return {.data = memory.device.data(), .shape = shape, .device = DeviceKind::cuda};
    return {.data = memory.host.data(), .shape = shape};
  }
  void grow(std::int64_t pages);
  void resize(Memory& memory, std::size_t floats) const;

  std::int64_t kv_heads_, head_dim_, pages_ = 0;
  bool grows_, dry_;
  void* stream_;                       // null: the host
  std::vector<Memory> keys_, values_;  // by layer
  mutable std::mutex mutex_;           // of the free list
  std::vector<std::int32_t> free_;
};

/// One sequence: the pages that hold its tokens. Refers to the pool, which must outlive it; returns the pages on destruction.
class KvCache {
 public:
  explicit KvCache(KvPool& pool) : pool_(pool) {}
  ~KvCache() { truncate(0); }
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;

  [[nodiscard]] KvPool& pool() const { return pool_; }
  [[nodiscard]] std::int64_t length() const { return static_cast<std::int64_t>(next_.size()); }
  /// The position of the next text token: one beyond the largest so far. An image advances it by less than its number of tokens.
  [[nodiscard]] std::int32_t next_position() const { return next_.empty() ? 0 : next_.back(); }
  /// Makes room for tokens at these positions, undefined until a layer writes them. Throws Error like KvPool::take.
  void extend(std::span<const RopePosition> positions);
  /// Forgets all but the first `tokens`.
  void truncate(std::int64_t tokens);

  [[nodiscard]] std::span<const std::int32_t> pages() const { return pages_; }

 private:
  KvPool& pool_;
  std::vector<std::int32_t> pages_;
  std::vector<std::int32_t> next_;  // next_position() after each token
};

}  // namespace fabula
