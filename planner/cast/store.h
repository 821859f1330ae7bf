// The cast in one SQLite file. What a call has written when it returns is on the disk: a killed process loses nothing of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "planner/cast/character.h"
#include "planner/cast/sqlite.h"

namespace fabula::cast {

class Store {
 public:
  enum class Open { existing, create };

  /// Throws Error: input_missing (existing: the file is not there), cannot_create, bad_data (no cast file, damaged, of a newer Fabula), io.
  /// Several processes may have it open; a Store is for one thread at a time.
  explicit Store(const std::filesystem::path& file, Open);

  /// In the order of their ids. Like all that reads: Error(bad_data) where the file holds what could not have been written.
  [[nodiscard]] std::vector<Character> list() const;
  /// Throws Error(input_missing) when there is no such character; so do all functions below that take an id.
  [[nodiscard]] Character find(const std::string& id) const;
  [[nodiscard]] Origin origin_of(const std::string& id) const;
  [[nodiscard]] std::vector<Memory> memory_of(const std::string& id) const;

  /// Throws Error: bad_data as require_valid, cannot_create when the id is taken.
  void add(const Character&, const Origin& = {});
  /// Overwrites a character, or adds it; its memory stays, and its origin too when the new one is empty.
  void replace(const Character&, const Origin& = {});
  /// With its memory.
  void remove(const std::string& id);
  /// Returns the memory's number.
  std::int64_t remember(const std::string& id, const Memory&);
  /// Those of the memories (of the character with this id) that are not there yet, whenever they were made; all or none of them.
  void remember_once(const std::vector<std::pair<std::string, Memory>>&);

 private:
  void write(const Character&, const Origin&);
  void require(const std::string& id) const;
  void insert(const std::string& id, const Memory&);

  Database database_;
};

}  // namespace fabula::cast
