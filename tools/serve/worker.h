// Makes the videos of the queue, each by a program of its own, so that a film that fails takes nothing else with it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tools/serve/answers.h"
#include "tools/serve/board.h"
#include "tools/serve/child.h"
#include "tools/serve/jobs.h"

namespace fabula::serve {

struct WorkerOptions {
  std::string program;                         ///< fabula, an absolute path
  std::filesystem::path folder;                ///< gets a folder for each video
  std::map<std::string, std::string> options;  ///< of `fabula render`, for every video; a video's own win
  int at_once = 1;
  std::chrono::seconds longest{0};  ///< that a video may take; 0: no limit
};

/// What a renderer has said: its result as JSON, or why there is none.
struct Said {
  std::string result, error;
};

/// May be used from any thread.
class Worker {
 public:
  /// Starts to work. Folders of videos that the store does not know are removed. Store, board and counters must outlive it.
  Worker(WorkerOptions, JobStore&, Board&, Counters&);
  /// Stops the videos that are being made, within a step of each, and puts them back into the queue.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// There is a new job in the store.
  void wake();
  enum class Stopped : std::uint8_t { no_such_video, had_ended, yes };
  /// The video fails as cancelled: at once if it waits, else after its current step.
  Stopped cancel(const std::string& id);
  /// Removes the video with its files; one that is being made is cancelled, and its files go after its current step. False if there is
  /// none.
  bool remove(const std::string& id);

  [[nodiscard]] std::filesystem::path folder_of(const std::string& id) const { return options_.folder / id; }

 private:
  struct Making {
    bool cancelled = false, removed = false;
  };
  void work();
  [[nodiscard]] std::optional<Job> next();  // waits for one; none: the service stops
  void make(const Job&);
  void settle(const Job&, const Ending&, const Said&, double seconds);
  void finish(const Job&);
  [[nodiscard]] std::vector<std::string> arguments_for(const Job&) const;
  void prepare(const Job&) const;
  [[nodiscard]] Making making(const std::string& id) const;
  [[nodiscard]] bool is_stopping() const;

  WorkerOptions options_;
  JobStore& store_;
  Board& board_;
  Counters& counters_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::map<std::string, Making> making_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace fabula::serve
