// Whom planning and filming talk to while they run.
#pragma once

#include <functional>
#include <string>

namespace fabula {

/// Empty members: nobody listens, and nobody stops the work.
struct Caller {
  std::function<void(const std::string&)> say;  ///< gets sentences that a person should read
  std::function<bool()> is_waiting;             ///< false stops the work with Error(interrupted)

  void tell(const std::string& sentence) const {
    if (say) say(sentence);
  }
  [[nodiscard]] bool waits() const { return !is_waiting || is_waiting(); }
};

}  // namespace fabula
