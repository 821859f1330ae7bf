// Reads the texts of several threads in shared passes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <list>
#include <mutex>

#include "planner/lm/passes.h"

namespace fabula {

/// Each seated thread submits a request and blocks. When all are blocked, the last one runs a single pass for all. Threads may take and
/// leave seats at any time. If the pool has too few pages, the longest seated take precedence: they get the pages of the latest, whose
/// texts are read again from the start (to the same bytes) once there is room. So the first always advances and no thread starves.
class Batch {
 public:
  /// Refers to both, which must outlive it. The pool must not grow.
  Batch(Passes& passes, KvPool& pool) : passes_(passes), pool_(pool) {}

  class Seat {
   public:
    explicit Seat(Batch& batch);
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    /// Like Passes::run. Throws Error(out_of_memory) if the pool is too small for this text alone.
    std::int64_t read(Request& request);

   private:
    friend class Batch;
    Batch& batch_;
    std::list<Seat*>::iterator place_;
    Request* request_ = nullptr;  // not yet met
    std::int64_t passes_taken_ = 0;
    std::exception_ptr error_;
  };

  /// The number of passes so far, and how often a text lost its pages.
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
  std::list<Seat*> seats_;  // longest seated first
  std::size_t waiting_ = 0;
  std::int64_t passes_run_ = 0, preempted_ = 0;
};

}  // namespace fabula
