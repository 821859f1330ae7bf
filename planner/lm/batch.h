// Texts of several threads, read in common passes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <list>
#include <mutex>

#include "planner/lm/passes.h"

namespace fabula {

/// Whoever has a seat asks, and waits; once all who have seats wait, one pass reads for them, on the thread that came last. Seats come and
/// go at any time. Where the pool has no pages for all, the longest seated go first: they take the pages of the latest, whose texts are
/// read again from the beginning when there is room (the same bytes). So one of them always goes on, and nobody waits for ever.
class Batch {
 public:
  /// Refers to both, which must outlive it. The pool is one that does not grow.
  Batch(Passes& passes, KvPool& pool) : passes_(passes), pool_(pool) {}

  class Seat {
   public:
    explicit Seat(Batch& batch);
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    /// As Passes::run. Throws Error(out_of_memory) when the pool is too small for this text alone.
    std::int64_t read(Request& request);

   private:
    friend class Batch;
    Batch& batch_;
    std::list<Seat*>::iterator place_;
    Request* request_ = nullptr;  // unmet
    std::int64_t passes_taken_ = 0;
    std::exception_ptr error_;
  };

  /// Passes so far, and how often a text had to give its pages up.
  [[nodiscard]] std::int64_t passes() const { return passes_run_; }
  [[nodiscard]] std::int64_t preempted() const { return preempted_; }

 private:
  void run_if_all_wait();
  [[nodiscard]] std::vector<Seat*> admit();
  [[nodiscard]] bool make_room(const Seat& seat, std::int64_t pages);

  Passes& passes_;
  KvPool& pool_;
  std::mutex mutex_;
  std::condition_variable met_;
  std::list<Seat*> seats_;  // the longest seated first
  std::size_t waiting_ = 0;
  std::int64_t passes_run_ = 0, preempted_ = 0;
};

}  // namespace fabula
