// A sink that works beside the model: what it is given is written by a thread of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/media_sink.h"

namespace fabula {

/// Passes everything on to another sink, in order, in a thread of its own, so that encoding and computing share the processors. At most
/// `most_bytes` of frames wait, or one frame; then frame() does. Use it from one thread. The inner sink is used by no other until wait()
/// has returned.
class BackgroundSink final : public MediaSink {
 public:
  /// The inner sink is kept as long as this one.
  explicit BackgroundSink(std::unique_ptr<MediaSink> inner, std::size_t most_bytes = std::size_t{32} << 20U);
  /// Drops what has not been written yet.
  ~BackgroundSink() override;
  BackgroundSink(const BackgroundSink&) = delete;
  BackgroundSink& operator=(const BackgroundSink&) = delete;

  /// Throws what the inner sink has thrown.
  void frame(const Image&) override;
  void samples(std::span<const float> interleaved_stereo) override;
  /// Returns at once: see wait().
  void finish() override;
  /// Until the inner sink has finished. Throws what it has thrown.
  void wait();

 private:
  void add(std::function<void()> work, std::size_t bytes);
  void run();

  std::unique_ptr<MediaSink> inner_;
  const std::size_t most_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  struct Work {
    std::function<void()> run;
    std::size_t bytes;  // of a frame; 0 for anything else
  };
  std::deque<Work> waiting_;
  std::size_t bytes_ = 0;  // in waiting_
  bool busy_ = false, stopped_ = false;
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace fabula
