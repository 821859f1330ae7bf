// One thread per video that is made at a time; each waits for its program and says what becomes of the job.
#include "tools/serve/worker.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "base/output_file.h"
#include "base/stopwatch.h"

namespace fabula::serve {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::chrono::seconds grace{20};  // a step of a large model takes seconds
constexpr const char *asked_file = "asked.txt", *messages_file = "messages.txt";

void write_text(const fs::path& file, const std::string& text) {
  write_whole_file(file, std::as_bytes(std::span(text)), Existing::replace);
}

// How a film that was not made is called, by render's exit code.
const char* code_of(const Ending& ending) {
  if (ending.timed_out) return "timed_out";
  if (ending.signal != 0) return "crashed";
  switch (static_cast<ExitCode>(ending.code)) {
    case ExitCode::bad_data:
    case ExitCode::usage:
      return "invalid_prompt";
    case ExitCode::unavailable:
      return "model_unavailable";
    case ExitCode::out_of_memory:
      return "out_of_memory";
    case ExitCode::cannot_create:
    case ExitCode::io:
      return "disk";
    case ExitCode::check_failed:
      return "check_failed";
    default:
      return "failed";
  }
}

// The last thing that the program said.
std::string last_line(const fs::path& messages) {
  constexpr std::size_t most = std::size_t{1} << 20U;
  std::string text;
  try {
    text = read_file(messages, most);
  } catch (const Error&) {
    return {};
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  text.erase(0, text.rfind('\n') + 1);
  return text.starts_with("fabula: ") ? text.substr(8) : text;
}

// Reads a line of `render --progress json`.
void take_line(const std::string& line, const std::string& id, Board& board, Said& said) {
  const json event = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!event.is_object() || !event.contains("event")) return;
  if (event["event"] == "result") said.result = line;
  if (event["event"] == "error") said.error = event.value("error", "");
  if (event["event"] != "progress") return;
  board.show(id, {.progress = event.value("progress", 0.0),
                  .stage = event.value("stage", ""),
                  .shot = event.value("shot", 0),
                  .shots = event.value("shots", 0),
                  .attempt = event.value("attempt", 0),
                  .seconds_left = event.value("seconds_left", -1.0)});
}

}  // namespace

Worker::Worker(WorkerOptions options, JobStore& store, Board& board, Counters& counters)
    : options_(std::move(options)), store_(store), board_(board), counters_(counters) {
  const std::vector<std::string> ids = store_.ids();
  const std::set<std::string> known(ids.begin(), ids.end());
  std::vector<fs::path> strange;
  for (const auto& entry : fs::directory_iterator(options_.folder)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("video_") && !known.contains(name)) strange.push_back(entry.path());
  }
  std::error_code ignored;
  for (const fs::path& folder : strange) fs::remove_all(folder, ignored);
  for (int i = 0; i < options_.at_once; ++i) threads_.emplace_back([this] { work(); });
}

Worker::~Worker() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Worker::is_stopping() const {
  const std::scoped_lock lock(mutex_);
  return stopping_;
}

void Worker::wake() {
  const std::scoped_lock lock(mutex_);
  work_.notify_one();
}

Worker::Making Worker::making(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = making_.find(id);
  return found == making_.end() ? Making{} : found->second;
}

Worker::Stopped Worker::cancel(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  const std::optional<Job> job = store_.find(id);
  if (!job) return Stopped::no_such_video;
  if (const auto found = making_.find(id); found != making_.end()) {
    found->second.cancelled = true;
    return Stopped::yes;
  }
  if (job->status != Status::queued) return Stopped::had_ended;
  store_.fail(id, "cancelled", "the video was cancelled");
  ++counters_.cancelled;
  board_.touch(id);
  return Stopped::yes;
}

bool Worker::remove(const std::string& id) {
  {
    const std::scoped_lock lock(mutex_);
    if (!store_.remove(id)) return false;
    ++counters_.removed;
    if (const auto found = making_.find(id); found != making_.end()) {
      found->second.removed = true;  // its thread removes the files
      board_.touch(id);
      return true;
    }
  }
  std::error_code ignored;
  fs::remove_all(folder_of(id), ignored);
  board_.touch(id);
  return true;
}

void Worker::work() {
  for (;;) {
    try {
      const std::optional<Job> job = next();
      if (!job) return;
      make(*job);
    } catch (const std::exception& error) {  // the list of videos cannot be written: the disk is full, for example
      std::fprintf(stderr, "fabula: %s; trying again\n", error.what());
      std::unique_lock lock(mutex_);
      work_.wait_for(lock, std::chrono::seconds(5), [&] { return stopping_; });
    }
  }
}

std::optional<Job> Worker::next() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::optional<Job> job = store_.take();
    if (job) {
      making_[job->id] = {};
      return job;
    }
    work_.wait(lock);
  }
  return std::nullopt;
}

std::vector<std::string> Worker::arguments_for(const Job& job) const {
  std::map<std::string, std::string> options = options_.options;
  for (const auto& [name, value] : job.options) options[name] = value;
  if (job.options.contains("size")) options.erase("scale");
  if (!options.contains("subtitles")) options["subtitles"] = "srt,vtt";
  if (!options.contains("cast")) options["no-cast"] = "true";
  std::vector<std::string> arguments = {options_.program, "render",           "-", "--output=film.mp4", "-y", "--progress=json",
                                        "--preview",      "--posters=posters"};
  arguments.push_back(job.plan.empty() ? "--format=prompt" : "--format=plan");
  if (job.plan.empty()) arguments.emplace_back("--save-plan=plan.json");
  for (const auto& [name, value] : options) arguments.push_back("--" + name + (value == "true" ? "" : "=" + value));
  return arguments;
}

// What an earlier attempt has left is removed: it was not complete.
void Worker::prepare(const Job& job) const {
  const fs::path folder = folder_of(job.id);
  fs::remove_all(folder);
  fs::create_directories(folder / "posters");
  fs::permissions(folder, fs::perms::owner_all);
  write_text(folder / asked_file, job.plan.empty() ? job.prompt : job.plan);
  if (!job.plan.empty()) write_text(folder / "plan.json", job.plan);
}

// What becomes of a job whose program has ended. It is counted first: whoever sees that it ended finds it among those that did.
void Worker::settle(const Job& job, const Ending& ending, const Said& said, double seconds) {
  const Making now = making(job.id);
  if (ending.code == 0 && !said.result.empty() && !now.removed) {
    ++counters_.completed;
    counters_.render_ms += static_cast<std::int64_t>(seconds * 1000.0);
    store_.complete(job.id, said.result);
  } else if (now.cancelled || now.removed) {
    ++counters_.cancelled;
    store_.fail(job.id, "cancelled", "the video was cancelled");
  } else if (!ending.timed_out && is_stopping()) {
    store_.requeue(job.id);
  } else {
    std::string message = said.error.empty() ? last_line(folder_of(job.id) / messages_file) : said.error;
    if (ending.signal != 0) message = "the renderer was ended by signal " + std::to_string(ending.signal);
    if (ending.timed_out) message = "the video took longer than " + std::to_string(options_.longest.count()) + " seconds";
    ++counters_.failed;
    store_.fail(job.id, code_of(ending), message.empty() ? "the renderer ended with " + std::to_string(ending.code) : message);
  }
}

void Worker::make(const Job& job) {
  board_.show(job.id, {.stage = "planning"});
  const fs::path folder = folder_of(job.id);
  const Stopwatch watch;
  try {
    prepare(job);
    Said said;
    const Command command{
        .arguments = arguments_for(job), .folder = folder, .messages = folder / messages_file, .input = folder / asked_file};
    const Ending ending = run_child(
        command, [&](const std::string& line) { take_line(line, job.id, board_, said); },
        [&] {
          const Making now = making(job.id);
          return now.cancelled || now.removed || is_stopping();
        },
        options_.longest, grace);
    settle(job, ending, said, watch.seconds());
  } catch (const std::exception& error) {
    ++counters_.failed;
    store_.fail(job.id, "failed", error.what());
  }
  finish(job);
}

void Worker::finish(const Job& job) {
  bool is_removed = false;
  {
    const std::scoped_lock lock(mutex_);
    is_removed = making_[job.id].removed;
    making_.erase(job.id);
  }
  std::error_code ignored;
  if (is_removed) fs::remove_all(folder_of(job.id), ignored);
  board_.clear(job.id);
}

}  // namespace fabula::serve
