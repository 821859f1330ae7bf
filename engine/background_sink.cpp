// One thread takes work from a bounded queue.
#include "engine/background_sink.h"

#include <vector>

namespace fabula {

BackgroundSink::BackgroundSink(std::unique_ptr<MediaSink> inner, std::size_t most_bytes)
    : inner_(std::move(inner)), most_bytes_(most_bytes), thread_([this] { run(); }) {}

BackgroundSink::~BackgroundSink() {
  const std::lock_guard lock(mutex_);
  waiting_.clear();
  stopped_ = true;
  changed_.notify_all();
}

void BackgroundSink::frame(const Image& image) {
  add([this, image] { inner_->frame(image); }, image.rgb.size());
}

void BackgroundSink::samples(std::span<const float> interleaved_stereo) {
  add([this, copy = std::vector<float>(interleaved_stereo.begin(), interleaved_stereo.end())] { inner_->samples(copy); }, 0);
}

void BackgroundSink::finish() {
  add([this] { inner_->finish(); }, 0);
}

void BackgroundSink::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !busy_; });
  if (failure_) std::rethrow_exception(failure_);
}

void BackgroundSink::add(std::function<void()> work, std::size_t bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return bytes == 0 || bytes_ == 0 || bytes_ + bytes <= most_bytes_ || failure_; });
  if (failure_) std::rethrow_exception(failure_);
  waiting_.push_back({std::move(work), bytes});
  bytes_ += bytes;
  changed_.notify_all();
}

void BackgroundSink::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !waiting_.empty() || stopped_; });
    if (stopped_) return;
    const Work work = std::move(waiting_.front());
    waiting_.pop_front();
    bytes_ -= work.bytes;
    busy_ = true;
    changed_.notify_all();
    lock.unlock();
    std::exception_ptr failure;
    try {
      work.run();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    busy_ = false;
    if (failure) {
      failure_ = failure;
      waiting_.clear();
      bytes_ = 0;
    }
    changed_.notify_all();
  }
}

}  // namespace fabula
