// RAII wrappers of SQLite that check every call: database, statement, transaction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace fabula {

/// One connection. Nothing in the file's schema may run: no triggers, no views, no functions.
class Database {
 public:
  /// `what` names the file's kind in errors, e.g. "cast file". Throws Error like fail(). This and all later calls wait up to five seconds
  /// for other processes.
  Database(const std::string& file, bool create, std::string what);

  /// Throws Error with SQLite's message and a code by the kind of failure: cannot_create, io, bad_data, out_of_memory, internal.
  [[noreturn]] void fail() const;
  /// The result of a statement that returns one number.
  [[nodiscard]] std::int64_t number(const char* sql) const;
  void run(const char* sql) const;
  [[nodiscard]] std::int64_t last_inserted() const;
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  struct Close {
    void operator()(sqlite3*) const;
  };
  std::string file_, what_;
  std::unique_ptr<sqlite3, Close> handle_;
};

class Statement {
 public:
  Statement(const Database&, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Binds the next question mark of the statement. Texts must live until the last step().
  Statement& bind(std::string_view text);
  Statement& bind_blob(std::string_view bytes);
  Statement& bind(std::int64_t number);

  /// Moves to the next row; false if there is none.
  bool step();
  [[nodiscard]] std::string text(int column) const;  ///< or blob
  [[nodiscard]] std::int64_t number(int column) const;

 private:
  void check(int code) const;

  const Database& database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

/// Rolls back on destruction unless committed.
class Transaction {
 public:
  explicit Transaction(const Database&);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  const Database& database_;
  bool committed_ = false;
};

}  // namespace fabula
