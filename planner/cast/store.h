// The cast in one SQLite file. Whatever a call has written is on disk when it returns; a killed process loses none of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/sqlite.h"
#include "planner/cast/character.h"

namespace fabula::cast {

class Store {
 public:
  enum class Open { existing, create };

  /// Throws Error: input_missing (`existing`, but there is no file), cannot_create, bad_data (not a cast file, damaged, or of a newer
  /// Fabula), io. Several processes may open the file; use a Store from one thread at a time.
  explicit Store(const std::filesystem::path& file, Open);

  /// Ordered by id. Like all reading functions, throws Error(bad_data) if the file holds values that Store would not write.
  [[nodiscard]] std::vector<Character> list() const;
  /// Throws Error(input_missing) if there is no such character, like all functions below that take an id.
  [[nodiscard]] Character find(const std::string& id) const;
  [[nodiscard]] Origin origin_of(const std::string& id) const;
  [[nodiscard]] std::vector<Memory> memory_of(const std::string& id) const;

  /// Throws Error: bad_data like require_valid, cannot_create if the id is taken.
  void add(const Character&, const Origin& = {});
  /// Overwrites or adds a character. Keeps its memories, and its origin if the new one is empty.
  void replace(const Character&, const Origin& = {});
  /// Gives a character another id; everything else of it stays. Throws Error: bad_data for a malformed id, cannot_create if it is taken.
  void rename(const std::string& id, const std::string& new_id);
  /// Removes the character and its memories.
  void remove(const std::string& id);
  /// Returns the memory's number.
  std::int64_t remember(const std::string& id, const Memory&);
  /// Adds (id, memory) pairs in one transaction, skipping memories that the character already has, regardless of their creation time.
  void remember_once(const std::vector<std::pair<std::string, Memory>>&);

 private:
  void write(const Character&, const Origin&);
  void write_lists(const Character&);
  void write_origin(const std::string& id, const Origin&);
  void require(const std::string& id) const;
  void require_free(const std::string& id) const;
  void insert(const std::string& id, const Memory&);

  Database database_;
};

}  // namespace fabula::cast
