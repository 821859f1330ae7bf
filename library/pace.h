// The time that work still takes, by its pace so far.
#pragma once

#include <algorithm>
#include <chrono>

namespace fabula {

class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  /// A stretch of the work, in fractions of the whole, that goes at one pace.
  struct Stretch {
    double begin = 0.0, end = 1.0;
    double first = 0.0;         ///< share of its first part, a film's first shot, beside which nothing is encoded yet
    double last_seconds = 0.0;  ///< how long the work behind it takes
  };

  /// The pace is that from here on: what came before was of another kind.
  void begin(const Stretch& stretch) {
    start_ = Clock::now();
    stretch_ = stretch;
  }
  /// Seconds, when `fraction` is done; negative: not known yet.
  [[nodiscard]] double left(double fraction, Clock::time_point now) const {
    constexpr double least = 0.01;  // an estimate from less would only jump about
    if (fraction >= stretch_.end) return stretch_.end < 1.0 && fraction >= 1.0 ? 0.0 : stretch_.last_seconds;
    if (fraction - stretch_.begin < least) return -1.0;
    const double done = weight(fraction), all = weight(stretch_.end);
    return std::chrono::duration<double>(now - start_).count() / done * (all - done) + stretch_.last_seconds;
  }

 private:
  [[nodiscard]] double weight(double fraction) const {
    constexpr double later = 1.15;  // seen of films of four to eight shots on two cores
    const double done = fraction - stretch_.begin, of_first = std::min(done, stretch_.first);
    return of_first + later * (done - of_first);
  }

  Clock::time_point start_ = Clock::now();
  Stretch stretch_;
};

}  // namespace fabula
