// The time that work still takes, by its pace so far.
#pragma once

#include <chrono>

namespace fabula {

class Pace {
 public:
  using Clock = std::chrono::steady_clock;
  /// The pace is that from here on, where `fraction` of the work is done (what came before was of another kind), until `end`; what comes
  /// behind `end` takes `last_seconds`.
  void begin(double fraction, double end = 1.0, double last_seconds = 0.0) {
    start_ = Clock::now();
    fraction_ = fraction;
    end_ = end;
    last_seconds_ = last_seconds;
  }
  /// Seconds, when `fraction` is done; negative: not known yet.
  [[nodiscard]] double left(double fraction, Clock::time_point now) const {
    constexpr double least = 0.01;  // an estimate from less would only jump about
    if (fraction >= end_) return end_ < 1.0 && fraction >= 1.0 ? 0.0 : last_seconds_;
    const double done = fraction - fraction_;
    return done < least ? -1.0 : std::chrono::duration<double>(now - start_).count() / done * (end_ - fraction) + last_seconds_;
  }

 private:
  Clock::time_point start_ = Clock::now();
  double fraction_ = 0.0, end_ = 1.0, last_seconds_ = 0.0;
};

}  // namespace fabula
