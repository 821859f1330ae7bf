// A pool of threads that splits an index range. No result may depend on how many threads there are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace fabula {

/// One run uses it at a time. Kernels cut their work into pieces of a size that does not depend on the
/// number of threads, so that 1, 2 and 3 threads give the same bytes.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int threads() const;

  /// Calls body(begin, end) on pieces of [0, count) of `grain` items (the last may be shorter), each exactly once, in any order and on
  /// any thread; returns when all are done. An exception from a body is rethrown here. Not reentrant.
  void for_each(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fabula
