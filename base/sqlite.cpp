// Wraps SQLite: opens hardened, checks every call, turns failures into Error.
#include "base/sqlite.h"

#include <sqlite3.h>

#include "base/error.h"

namespace fabula {
namespace {

constexpr int patience_ms = 5000;
constexpr int largest_value = 257 << 20;  // bytes of one text or blob

}  // namespace

void Database::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

Database::Database(const std::string& file, bool create, std::string what) : file_(file), what_(std::move(what)) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0), nullptr);
  handle_.reset(opened);
  const auto check = [&](int result) {
    if (result != SQLITE_OK) fail();
  };
  check(code);
  for (const auto& [setting, value] : {std::pair(SQLITE_DBCONFIG_DEFENSIVE, 1), std::pair(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
                                       std::pair(SQLITE_DBCONFIG_ENABLE_TRIGGER, 0), std::pair(SQLITE_DBCONFIG_ENABLE_VIEW, 0)}) {
    check(sqlite3_db_config(opened, setting, value, nullptr));
  }
  sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, largest_value);
  check(sqlite3_busy_timeout(opened, patience_ms));
  run("PRAGMA foreign_keys = ON");
}

void Database::fail() const {
  if (handle_ == nullptr) throw Error(ExitCode::out_of_memory, "out of memory");
  const std::string what = std::string(": ") + sqlite3_errmsg(handle_.get());
  switch (sqlite3_errcode(handle_.get()) & 0xff) {
    case SQLITE_CANTOPEN:
      throw Error(ExitCode::cannot_create, "cannot open or create the " + what_ + " " + file_ + what);
    case SQLITE_READONLY:
    case SQLITE_PERM:
      throw Error(ExitCode::cannot_create, "cannot write the " + what_ + " " + file_ + what);
    case SQLITE_ERROR:  // while preparing: a table of this version is missing or malformed
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      throw Error(ExitCode::bad_data, file_ + " is not a " + what_ + ", or is damaged" + what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error(ExitCode::io, "the " + what_ + " " + file_ + " is in use by another program; try again");
    case SQLITE_FULL:
    case SQLITE_IOERR:
      throw Error(ExitCode::io, "cannot read or write the " + what_ + " " + file_ + " (is the disk full?)" + what);
    case SQLITE_TOOBIG:
      throw Error(ExitCode::bad_data, "a value is too large for the " + what_ + " " + file_ + what);
    case SQLITE_NOMEM:
      throw Error(ExitCode::out_of_memory, "out of memory");
    default:
      throw Error(ExitCode::internal, "the " + what_ + " " + file_ + what);
  }
}

std::int64_t Database::number(const char* sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.number(0) : 0;
}

void Database::run(const char* sql) const {
  Statement statement(*this, sql);
  while (statement.step()) {
  }
}

std::int64_t Database::last_inserted() const { return sqlite3_last_insert_rowid(handle_.get()); }

Statement::Statement(const Database& database, const char* sql) : database_(database) {
  check(sqlite3_prepare_v2(database.handle(), sql, -1, &statement_, nullptr));
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::check(int code) const {
  if (code != SQLITE_OK) database_.fail();
}

// A null pointer would bind NULL.
Statement& Statement::bind(std::string_view text) {
  check(sqlite3_bind_text64(statement_, ++bound_, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_blob(std::string_view bytes) {
  check(sqlite3_bind_blob64(statement_, ++bound_, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind(std::int64_t number) {
  check(sqlite3_bind_int64(statement_, ++bound_, number));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) database_.fail();
  return code == SQLITE_ROW;
}

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int length = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_, column); }

// IMMEDIATE takes the lock before the first read, so that nothing read can change before the write.
Transaction::Transaction(const Database& database) : database_(database) { database.run("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (!committed_)
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);  // in a destructor: the failure has already been reported
}

void Transaction::commit() {
  database_.run("COMMIT");
  committed_ = true;
}

}  // namespace fabula
