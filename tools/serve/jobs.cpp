// The table of videos. One connection under one mutex: requests are few beside the seconds that a film takes.
#include "tools/serve/jobs.h"

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace fabula::serve {

namespace {

constexpr std::int64_t application = 0x66616273;  // "fabs"
constexpr std::int64_t version = 1;
constexpr std::array<const char*, 4> names = {"queued", "in_progress", "completed", "failed"};

constexpr const char* table = R"(CREATE TABLE video (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, status INTEGER NOT NULL, created INTEGER NOT NULL, started INTEGER NOT NULL,
  finished INTEGER NOT NULL, attempts INTEGER NOT NULL, prompt TEXT NOT NULL, plan TEXT NOT NULL, options TEXT NOT NULL,
  remixed_from TEXT NOT NULL, error_code TEXT NOT NULL, error_message TEXT NOT NULL, result TEXT NOT NULL))";
constexpr const char* by_status = "CREATE INDEX video_by_status ON video (status, number)";

// "SELECT everything that job_of reads FROM video …"
std::string select(const char* rest) {
  return std::string(
             "SELECT number, id, status, created, started, finished, attempts, prompt, plan, options, remixed_from, error_code, "
             "error_message, result FROM video ") +
         rest;
}

Job job_of(const Statement& row) {
  Job job;
  job.number = row.number(0);
  job.id = row.text(1);
  job.status = static_cast<Status>(row.number(2));
  job.created = row.number(3);
  job.started = row.number(4);
  job.finished = row.number(5);
  job.attempts = row.number(6);
  job.prompt = row.text(7);
  job.plan = row.text(8);
  const nlohmann::json options = nlohmann::json::parse(row.text(9));
  for (const auto& [name, value] : options.items()) job.options[name] = value.get<std::string>();
  job.remixed_from = row.text(10);
  job.error_code = row.text(11);
  job.error_message = row.text(12);
  job.result = row.text(13);
  return job;
}

void run(Statement& statement) {
  while (statement.step()) {
  }
}

std::int64_t number_of(Status status) { return static_cast<std::int64_t>(status); }

}  // namespace

const char* name_of(Status status) { return names.at(static_cast<std::size_t>(status)); }

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

JobStore::JobStore(const std::filesystem::path& file, std::int64_t most_attempts) : database_(file, true, "list of videos") {
  database_.run("PRAGMA locking_mode = EXCLUSIVE");
  database_.run("PRAGMA busy_timeout = 0");  // whoever holds the file holds it for hours
  Transaction transaction(database_);
  if (database_.number("SELECT count(*) FROM sqlite_master") == 0) {
    database_.run(table);
    database_.run(by_status);
    database_.run(("PRAGMA application_id = " + std::to_string(application)).c_str());
    database_.run(("PRAGMA user_version = " + std::to_string(version)).c_str());
  }
  if (database_.number("PRAGMA application_id") != application)
    throw Error(ExitCode::bad_data, database_.file() + " is not the list of videos of a service");
  if (database_.number("PRAGMA user_version") != version)
    throw Error(ExitCode::bad_data, "the list of videos " + database_.file() + " is of another version of Fabula");
  Statement give_up(database_,
                    "UPDATE video SET status = ?, finished = ?, error_code = 'gave_up', error_message = 'the service ended every time that "
                    "it made this video' WHERE status = ? AND attempts >= ?");
  give_up.bind(number_of(Status::failed)).bind(now_s()).bind(number_of(Status::in_progress)).bind(most_attempts);
  run(give_up);
  Statement again(database_, "UPDATE video SET status = ?, started = 0 WHERE status = ?");
  again.bind(number_of(Status::queued)).bind(number_of(Status::in_progress));
  run(again);
  transaction.commit();
}

JobStore::Added JobStore::add(Job& job, const Limits& limits) {
  const std::scoped_lock lock(mutex_);
  Transaction transaction(database_);
  if (limits.queued > 0 && database_.number("SELECT count(*) FROM video WHERE status <= 1") >= limits.queued) return Added::queue_is_full;
  if (limits.kept > 0 && database_.number("SELECT count(*) FROM video") >= limits.kept) return Added::store_is_full;
  const std::string options = nlohmann::json(job.options).dump();
  Statement insert(database_,
                   "INSERT INTO video (id, status, created, started, finished, attempts, prompt, plan, options, remixed_from, error_code, "
                   "error_message, result) VALUES (?, ?, ?, 0, 0, 0, ?, ?, ?, ?, '', '', '')");
  insert.bind(job.id).bind(number_of(Status::queued)).bind(job.created).bind(job.prompt).bind(job.plan).bind(options);
  insert.bind(job.remixed_from);
  run(insert);
  job.number = database_.last_inserted();
  transaction.commit();
  return Added::yes;
}

std::optional<Job> JobStore::found(const std::string& id) const {
  Statement row(database_, select("WHERE id = ?").c_str());
  row.bind(id);
  if (!row.step()) return std::nullopt;
  return job_of(row);
}

std::optional<Job> JobStore::find(const std::string& id) const {
  const std::scoped_lock lock(mutex_);
  return found(id);
}

std::vector<Job> JobStore::list(const std::string& after, std::int64_t limit, bool ascending) const {
  const std::scoped_lock lock(mutex_);
  const std::optional<Job> from = after.empty() ? std::nullopt : found(after);
  constexpr std::int64_t beyond = std::int64_t{1} << 62U;
  Statement rows(database_,
                 select(ascending ? "WHERE number > ? ORDER BY number LIMIT ?" : "WHERE number < ? ORDER BY number DESC LIMIT ?").c_str());
  rows.bind(from ? from->number : ascending ? 0 : beyond).bind(limit);
  std::vector<Job> jobs;
  while (rows.step()) jobs.push_back(job_of(rows));
  return jobs;
}

std::int64_t JobStore::ahead_of(const Job& job) const {
  const std::scoped_lock lock(mutex_);
  Statement row(database_, "SELECT count(*) FROM video WHERE status = ? AND number < ?");
  row.bind(number_of(Status::queued)).bind(job.number);
  return row.step() ? row.number(0) : 0;
}

std::map<Status, std::int64_t> JobStore::counts() const {
  const std::scoped_lock lock(mutex_);
  std::map<Status, std::int64_t> counts = {{Status::queued, 0}, {Status::in_progress, 0}, {Status::completed, 0}, {Status::failed, 0}};
  Statement rows(database_, "SELECT status, count(*) FROM video GROUP BY status");
  while (rows.step()) counts[static_cast<Status>(rows.number(0))] = rows.number(1);
  return counts;
}

std::vector<std::string> JobStore::ids() const {
  const std::scoped_lock lock(mutex_);
  Statement rows(database_, "SELECT id FROM video");
  std::vector<std::string> ids;
  while (rows.step()) ids.push_back(rows.text(0));
  return ids;
}

std::optional<Job> JobStore::take() {
  const std::scoped_lock lock(mutex_);
  std::optional<Job> job;
  {
    Statement row(database_, select("WHERE status = ? ORDER BY number LIMIT 1").c_str());
    row.bind(number_of(Status::queued));
    if (!row.step()) return std::nullopt;
    job = job_of(row);
  }
  job->status = Status::in_progress;
  job->started = now_s();
  ++job->attempts;
  Statement update(database_, "UPDATE video SET status = ?, started = ?, attempts = ? WHERE id = ?");
  update.bind(number_of(job->status)).bind(job->started).bind(job->attempts).bind(job->id);
  run(update);
  return job;
}

void JobStore::requeue(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  Statement update(database_, "UPDATE video SET status = ?, started = 0, attempts = attempts - 1 WHERE id = ?");
  update.bind(number_of(Status::queued)).bind(id);
  run(update);
}

void JobStore::complete(const std::string& id, const std::string& result) {
  const std::scoped_lock lock(mutex_);
  Statement update(database_, "UPDATE video SET status = ?, finished = ?, result = ? WHERE id = ?");
  update.bind(number_of(Status::completed)).bind(now_s()).bind(result).bind(id);
  run(update);
}

void JobStore::fail(const std::string& id, const std::string& code, const std::string& message) {
  const std::scoped_lock lock(mutex_);
  Statement update(database_, "UPDATE video SET status = ?, finished = ?, error_code = ?, error_message = ? WHERE id = ?");
  update.bind(number_of(Status::failed)).bind(now_s()).bind(code).bind(message).bind(id);
  run(update);
}

bool JobStore::remove(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  if (!found(id)) return false;
  Statement statement(database_, "DELETE FROM video WHERE id = ?");
  statement.bind(id);
  run(statement);
  return true;
}

}  // namespace fabula::serve
