// Runs one pass for all blocked threads, and takes pages from the latest if memory is short.
#include "planner/lm/batch.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace fabula {
namespace {

std::int64_t pages_wanted(const Request& request) {
  return KvPool::pages_of(static_cast<std::int64_t>(request.tokens.size())) - static_cast<std::int64_t>(request.cache.pages().size());
}

}  // namespace

Batch::Seat::Seat(Batch& batch) : batch_(batch) {
  const std::lock_guard lock(batch_.mutex_);
  place_ = batch_.seats_.insert(batch_.seats_.end(), this);
}

Batch::Seat::~Seat() {
  const std::lock_guard lock(batch_.mutex_);
  batch_.seats_.erase(place_);
  batch_.run_if_all_wait();
}

std::int64_t Batch::Seat::read(Request& request) {
  std::unique_lock lock(batch_.mutex_);
  request_ = &request;
  error_ = nullptr;
  ++batch_.waiting_;
  batch_.run_if_all_wait();
  batch_.met_.wait(lock, [this] { return request_ == nullptr; });
  if (error_) std::rethrow_exception(error_);
  return passes_taken_;
}

// Frees `pages` more pages if the seats after this one hold them.
bool Batch::make_room(const Seat& seat, std::int64_t pages) {
  for (auto latest = seats_.rbegin(); pages > 0 && *latest != &seat; ++latest) {
    KvCache& cache = (*latest)->request_->cache;
    if (cache.pages().empty()) continue;
    pages -= static_cast<std::int64_t>(cache.pages().size());
    cache.truncate(0);
    ++preempted_;
  }
  return pages <= 0;
}

// The seats that take part in the next pass.
std::vector<Batch::Seat*> Batch::admit() {
  constexpr std::int64_t spare = 4;  // pages that each admitted seat may need soon, so that a newcomer need not leave at once
  std::vector<Seat*> in;
  std::int64_t promised = 0;
  for (Seat* seat : seats_) {
    const std::int64_t wanted = pages_wanted(*seat->request_);
    const bool comes_in = seat->request_->cache.length() == 0;
    const std::int64_t needed = promised + wanted + (comes_in ? spare * static_cast<std::int64_t>(in.size()) : 0);
    if (!make_room(*seat, needed - pool_.free())) continue;
    promised += wanted;
    in.push_back(seat);
  }
  return in;
}

// Call with the lock held. Meets at least one request, possibly with an error.
void Batch::run_if_all_wait() {
  if (seats_.empty() || waiting_ < seats_.size()) return;
  std::vector<Seat*> in;
  std::exception_ptr error;
  std::int64_t passes = 0;
  try {
    in = admit();
    if (in.empty()) {
      in = {seats_.front()};
      throw Error(ExitCode::out_of_memory, "the language model's cache of " + std::to_string(pool_.pages() * KvPool::page_tokens) +
                                               " tokens is too small for this text");
    }
    std::vector<Request*> requests;
    for (const Seat* seat : in) requests.push_back(seat->request_);
    passes = passes_.run(requests);
  } catch (...) {
    error = std::current_exception();
  }
  passes_run_ += passes;
  for (Seat* seat : in) {
    seat->request_ = nullptr;
    seat->passes_taken_ = passes;
    seat->error_ = error;
    --waiting_;
  }
  met_.notify_all();
}

}  // namespace fabula
