// What changes while videos are made, for those who watch: progress, and which videos are worth looking at again. In memory only.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>

namespace fabula::serve {

/// How far a video is.
struct Live {
  double progress = 0.0;  ///< of the whole, in [0, 1]
  std::string stage;      ///< "planning", "shots", "writing"
  int shot = 0, shots = 0, attempt = 0;
  double seconds_left = -1.0;  ///< negative: not known
};

/// May be used from any thread.
class Board {
 public:
  /// Something about the video has changed.
  void touch(const std::string& id);
  void show(const std::string& id, const Live&);  ///< and touches it
  void clear(const std::string& id);              ///< it is no longer being made; touches it
  [[nodiscard]] Live live(const std::string& id) const;

  struct Changes {
    std::uint64_t version = 0;  ///< to be passed on the next time
    bool all = false;           ///< too much has changed: look at every video
    std::set<std::string> ids;
  };
  [[nodiscard]] std::uint64_t version() const;
  /// Waits until something has changed since `version`, close() is called, or the time is over.
  [[nodiscard]] Changes wait(std::uint64_t version, std::chrono::milliseconds longest);
  /// Nobody waits from here on.
  void close();
  [[nodiscard]] bool is_closed() const;

 private:
  void add(const std::string& id);  // with the mutex held

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Live> live_;
  std::deque<std::string> log_;  // the video of each version, the last one being that of version_
  std::uint64_t version_ = 0;
  bool closed_ = false;
};

}  // namespace fabula::serve
