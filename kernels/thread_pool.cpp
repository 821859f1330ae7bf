// Threads that take the pieces of an index range in turn.
#include "kernels/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace fabula {

struct ThreadPool::Impl {
  using Body = std::function<void(std::int64_t, std::int64_t)>;

  // How long a worker watches for the next call before it sleeps: about the pause between two ops of a network.
  static constexpr int polls_before_sleep = 2000;

  std::vector<std::thread> workers;
  std::mutex mutex;
  std::condition_variable call_opened, worker_left;
  std::atomic<std::uint64_t> calls{0};  // counts for_each; workers watch it
  // Of the current call. A worker enters and leaves under the mutex, so that one which wakes too late finds it closed.
  bool open = false, stopping = false;
  int inside = 0;
  const Body* body = nullptr;
  std::int64_t count = 0, grain = 1, pieces = 0;
  std::atomic<std::int64_t> next{0};
  std::exception_ptr failure;

  void take_pieces() {
    for (;;) {
      const std::int64_t piece = next.fetch_add(1, std::memory_order_relaxed);
      if (piece >= pieces) return;
      try {
        (*body)(piece * grain, std::min(count, (piece + 1) * grain));
      } catch (...) {
        next.store(pieces, std::memory_order_relaxed);
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  }

  void work() {
    std::uint64_t seen = 0;
    for (;;) {
      for (int poll = 0; poll < polls_before_sleep && calls.load(std::memory_order_relaxed) == seen; ++poll) std::this_thread::yield();
      std::unique_lock lock(mutex);
      call_opened.wait(lock, [&] { return stopping || calls.load(std::memory_order_relaxed) != seen; });
      if (stopping) return;
      seen = calls.load(std::memory_order_relaxed);
      if (!open) continue;
      ++inside;
      lock.unlock();
      take_pieces();
      lock.lock();
      if (--inside == 0) worker_left.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : impl_(std::make_unique<Impl>()) {
  for (int i = 1; i < threads; ++i) impl_->workers.emplace_back([this] { impl_->work(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->calls.fetch_add(1);
  }
  impl_->call_opened.notify_all();
  for (std::thread& worker : impl_->workers) worker.join();
}

int ThreadPool::threads() const { return static_cast<int>(impl_->workers.size()) + 1; }

void ThreadPool::for_each(std::int64_t count, std::int64_t grain, const Impl::Body& body) {
  grain = std::max<std::int64_t>(1, grain);
  const std::int64_t pieces = (count + grain - 1) / grain;
  if (pieces <= 1 || impl_->workers.empty()) {
    for (std::int64_t piece = 0; piece < pieces; ++piece) body(piece * grain, std::min(count, (piece + 1) * grain));
    return;
  }
  Impl& pool = *impl_;
  {
    const std::lock_guard lock(pool.mutex);
    pool.body = &body;
    pool.count = count;
    pool.grain = grain;
    pool.pieces = pieces;
    pool.next.store(0, std::memory_order_relaxed);
    pool.open = true;
    pool.calls.fetch_add(1);
  }
  pool.call_opened.notify_all();
  pool.take_pieces();
  std::unique_lock lock(pool.mutex);
  pool.open = false;
  pool.worker_left.wait(lock, [&] { return pool.inside == 0; });
  if (pool.failure) std::rethrow_exception(std::exchange(pool.failure, nullptr));
}

}  // namespace fabula
