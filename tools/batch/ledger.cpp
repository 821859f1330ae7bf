// The table of finished films.
#include "tools/batch/ledger.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/sha256.h"

namespace fabula::batch {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::int64_t application = 0x66616262;  // "fabb"
constexpr std::int64_t version = 1;

constexpr const char* table = R"(CREATE TABLE film (
  fingerprint TEXT NOT NULL, occurrence INTEGER NOT NULL, output TEXT NOT NULL, title TEXT NOT NULL, prompt TEXT NOT NULL,
  bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, seed TEXT NOT NULL, milliseconds INTEGER NOT NULL, unsupported TEXT NOT NULL,
  warnings TEXT NOT NULL, poster BLOB NOT NULL, finished TEXT NOT NULL, PRIMARY KEY (fingerprint, occurrence)))";

std::string text_of(const std::vector<std::string>& list) { return json(list).dump(-1, ' ', false, json::error_handler_t::replace); }

std::vector<std::string> list_of(const std::string& text) {
  std::vector<std::string> list;
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_array()) return list;
  for (const json& one : parsed) {
    if (one.is_string()) list.push_back(one);
  }
  return list;
}

}  // namespace

Ledger::Ledger(const fs::path& file) : database_(file, true, "ledger") {
  database_.run("PRAGMA locking_mode = EXCLUSIVE");
  Transaction transaction(database_);
  const bool is_new = database_.number("SELECT count(*) FROM sqlite_master") == 0;
  if (is_new) {
    database_.run(table);
    database_.run(("PRAGMA application_id = " + std::to_string(application)).c_str());
    database_.run(("PRAGMA user_version = " + std::to_string(version)).c_str());
  }
  if (database_.number("PRAGMA application_id") != application)
    throw Error(ExitCode::bad_data, database_.file() + " is not the ledger of a batch");
  if (database_.number("PRAGMA user_version") != version)
    throw Error(ExitCode::bad_data, "the ledger " + database_.file() + " is of another version of Fabula");
  transaction.commit();
}

std::optional<FilmRecord> Ledger::find(const JobKey& key) const {
  Statement row(database_,
                "SELECT output, title, prompt, bytes, sha256, seed, milliseconds, unsupported, warnings, poster, finished FROM film "
                "WHERE fingerprint = ? AND occurrence = ?");
  row.bind(key.fingerprint).bind(key.occurrence);
  if (!row.step()) return std::nullopt;
  return FilmRecord{.output = row.text(0),
                    .title = row.text(1),
                    .prompt = row.text(2),
                    .bytes = row.number(3),
                    .sha256 = row.text(4),
                    .seed = row.text(5),
                    .milliseconds = row.number(6),
                    .unsupported = list_of(row.text(7)),
                    .warnings = list_of(row.text(8)),
                    .poster = row.text(9),
                    .finished = row.text(10)};
}

void Ledger::put(const JobKey& key, const FilmRecord& film) {
  const std::string unsupported = text_of(film.unsupported), warnings = text_of(film.warnings);
  Statement insert(database_, "INSERT OR REPLACE INTO film VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind(key.fingerprint).bind(key.occurrence).bind(film.output).bind(film.title).bind(film.prompt).bind(film.bytes);
  insert.bind(film.sha256).bind(film.seed).bind(film.milliseconds).bind(unsupported).bind(warnings);
  insert.bind_blob(film.poster).bind(film.finished);
  while (insert.step()) {
  }
}

bool is_whole(const FilmRecord& film) {
  std::error_code failed;
  const auto bytes = fs::file_size(film.output, failed);
  if (failed || static_cast<std::int64_t>(bytes) != film.bytes) return false;
  try {
    return sha256_of(film.output) == film.sha256;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace fabula::batch
