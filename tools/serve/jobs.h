// The videos that were asked for and what became of them, in one SQLite file. What add() has returned for survives a kill.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/sqlite.h"

namespace fabula::serve {

enum class Status : std::uint8_t { queued, in_progress, completed, failed };
/// "in_progress"
[[nodiscard]] const char* name_of(Status);

/// A video, as it was asked for and as it is. Times are seconds since 1970, 0 for none.
struct Job {
  std::string id;           ///< "video_" and 32 hexadecimal digits
  std::int64_t number = 0;  ///< in the order of asking, from 1; given by add()
  Status status = Status::queued;
  std::int64_t created = 0, started = 0, finished = 0;
  std::int64_t attempts = 0;                   ///< how often it was begun
  std::string prompt;                          ///< of a remix: of the plan
  std::string plan;                            ///< JSON to film instead of a prompt; may be empty
  std::map<std::string, std::string> options;  ///< of `fabula render`, as this video's client asked: "duration" -> "4"
  std::string remixed_from;                    ///< id; may be empty
  std::string error_code, error_message;       ///< of a failed one
  std::string result;                          ///< of a completed one: what `render --progress json` said, a JSON object
};

/// A limit that add() keeps. 0 is none.
struct Limits {
  std::int64_t queued = 0;  ///< videos that wait or are being made
  std::int64_t kept = 0;    ///< videos in all
};

/// May be used from any thread. All members throw Error as Database does.
class JobStore {
 public:
  /// Makes the file if there is none, and holds it: a second service on it is Error(io). What was being made when the last service ended is
  /// queued again, or failed once it was begun `most_attempts` times.
  JobStore(const std::filesystem::path& file, std::int64_t most_attempts);

  enum class Added : std::uint8_t { yes, queue_is_full, store_is_full };
  /// Puts a new job at the end of the queue; on disk when it returns yes. Sets job.number.
  [[nodiscard]] Added add(Job& job, const Limits&);
  [[nodiscard]] std::optional<Job> find(const std::string& id) const;
  /// Up to `limit` jobs behind `after` (empty: from the beginning), the newest first unless `ascending`.
  [[nodiscard]] std::vector<Job> list(const std::string& after, std::int64_t limit, bool ascending) const;
  /// How many videos wait in front of this one.
  [[nodiscard]] std::int64_t ahead_of(const Job&) const;
  [[nodiscard]] std::map<Status, std::int64_t> counts() const;
  [[nodiscard]] std::vector<std::string> ids() const;

  /// The oldest queued job, which is in progress from here on.
  [[nodiscard]] std::optional<Job> take();
  /// Back into the queue, where it was. The attempt does not count: the service ended it.
  void requeue(const std::string& id);
  void complete(const std::string& id, const std::string& result);
  void fail(const std::string& id, const std::string& code, const std::string& message);
  /// False if there is none.
  bool remove(const std::string& id);

 private:
  [[nodiscard]] std::optional<Job> found(const std::string& id) const;

  mutable std::mutex mutex_;
  Database database_;
};

/// Seconds since 1970.
[[nodiscard]] std::int64_t now_s();

}  // namespace fabula::serve
