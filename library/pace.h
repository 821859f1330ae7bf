// The time that work still takes, by its pace so far.
#pragma once

#include <chrono>

namespace fabula {

class Pace {
 public:
  using Clock = std::chrono::steady_clock;
  /// The pace is that from here on, where `fraction` of the work is done: what came before was of another kind.
  void begin(double fraction) {
    start_ = Clock::now();
    fraction_ = fraction;
  }
  /// Seconds, when `fraction` is done; negative: not known yet.
  [[nodiscard]] double left(double fraction, Clock::time_point now) const {
    constexpr double least = 0.01;  // an estimate from less would only jump about
    const double done = fraction - fraction_;
    return done < least ? -1.0 : std::chrono::duration<double>(now - start_).count() / done * (1.0 - fraction);
  }

 private:
  Clock::time_point start_ = Clock::now();
  double fraction_ = 0.0;
};

}  // namespace fabula
