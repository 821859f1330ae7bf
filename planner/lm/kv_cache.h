// Keys and values of the tokens that a decoder has read: pages of one pool, which many sequences may share.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "kernels/tensor.h"

namespace fabula {

struct Qwen3Config;

/// Where a token stands on the rotary axes. Text takes one step on all three at once.
struct RopePosition {
  std::int32_t time = 0, height = 0, width = 0;
};

/// The pages of every layer. Pages may be taken and given back from any thread; views are for one.
class KvPool {
 public:
  static constexpr std::int64_t page_tokens = 16;

  /// `pages` are allocated here and never more; 0: the pool grows by doubling. dry: pages without memory, for the dry run.
  explicit KvPool(const Qwen3Config&, std::int64_t pages = 0, bool dry = false);
  KvPool(const KvPool&) = delete;
  KvPool& operator=(const KvPool&) = delete;

  /// Memory of so many tokens, in whole pages: layers · kv_heads · head_dim · 8 bytes each.
  [[nodiscard]] static std::size_t bytes(const Qwen3Config&, std::int64_t tokens);
  [[nodiscard]] static std::int64_t pages_of(std::int64_t tokens) { return (tokens + page_tokens - 1) / page_tokens; }

  [[nodiscard]] std::int64_t pages() const { return pages_; }  ///< allocated so far
  [[nodiscard]] std::int64_t free() const;                     ///< of them
  /// A page, its contents undefined. Throws Error(out_of_memory) when a pool that does not grow has none left. Invalidates views.
  [[nodiscard]] std::int32_t take();
  void give_back(std::int32_t page);

  /// After rope, (pages, kv_heads, head_dim, page_tokens): what a query meets lies side by side.
  [[nodiscard]] Tensor keys(std::int64_t layer) {
    return view(keys_[static_cast<std::size_t>(layer)], {pages_, kv_heads_, head_dim_, page_tokens});
  }
  /// (pages, kv_heads, page_tokens, head_dim)
  [[nodiscard]] Tensor values(std::int64_t layer) {
    return view(values_[static_cast<std::size_t>(layer)], {pages_, kv_heads_, page_tokens, head_dim_});
  }

 private:
  [[nodiscard]] Tensor view(std::vector<float>& floats, const Shape& shape) const {
    return {.data = dry_ ? nullptr : floats.data(), .shape = shape};
  }
  void grow(std::int64_t pages);

  std::int64_t kv_heads_, head_dim_, pages_ = 0;
  bool grows_, dry_;
  std::vector<std::vector<float>> keys_, values_;  // by layer
  mutable std::mutex mutex_;                       // of what is free
  std::vector<std::int32_t> free_;
};

/// One sequence: which pages hold its tokens. Refers to the pool, which must outlive it and gets the pages back.
class KvCache {
 public:
  explicit KvCache(KvPool& pool) : pool_(pool) {}
  ~KvCache() { truncate(0); }
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;

  [[nodiscard]] KvPool& pool() const { return pool_; }
  [[nodiscard]] std::int64_t length() const { return static_cast<std::int64_t>(next_.size()); }
  /// Where text goes on: one beyond the largest position so far. An image takes fewer steps than it has tokens.
  [[nodiscard]] std::int32_t next_position() const { return next_.empty() ? 0 : next_.back(); }
  /// Room for tokens at these positions; the contents are undefined until a layer writes them. Throws Error as KvPool::take does.
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
