// The tables of the cast file, and the queries on them.
#include "planner/cast/store.h"

#include "base/error.h"

namespace fabula::cast {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t application = 0x46434153;  // "FCAS" in the file's header
constexpr std::int64_t version = 1;

constexpr const char* schema[] = {
    "CREATE TABLE character (id TEXT PRIMARY KEY, name TEXT NOT NULL, look TEXT NOT NULL, wardrobe TEXT NOT NULL, voice_id TEXT NOT NULL, "
    "voice_description TEXT NOT NULL,"
    " age TEXT NOT NULL, pitch TEXT NOT NULL, timbre TEXT NOT NULL, pace TEXT NOT NULL, accent TEXT NOT NULL) STRICT",
    "CREATE TABLE reference (character TEXT NOT NULL REFERENCES character ON DELETE CASCADE, kind TEXT NOT NULL, position INTEGER NOT "
    "NULL, path TEXT NOT NULL,"
    " PRIMARY KEY (character, kind, position)) STRICT",
    "CREATE TABLE field (character TEXT NOT NULL REFERENCES character ON DELETE CASCADE, position INTEGER NOT NULL, key TEXT NOT NULL, "
    "text TEXT NOT NULL,"
    " PRIMARY KEY (character, key)) STRICT",
    "CREATE TABLE memory (number INTEGER PRIMARY KEY AUTOINCREMENT, character TEXT NOT NULL REFERENCES character ON DELETE CASCADE, type "
    "TEXT NOT NULL, text TEXT NOT NULL,"
    " film TEXT NOT NULL, shot TEXT NOT NULL, time_ms INTEGER NOT NULL, created TEXT NOT NULL) STRICT",
    "CREATE INDEX memory_of ON memory (character, number)",
    "CREATE TABLE card (character TEXT PRIMARY KEY REFERENCES character ON DELETE CASCADE, json TEXT NOT NULL, picture BLOB NOT NULL) "
    "STRICT",
    "CREATE TABLE asset (character TEXT NOT NULL REFERENCES character ON DELETE CASCADE, position INTEGER NOT NULL, path TEXT NOT NULL, "
    "data BLOB NOT NULL,"
    " PRIMARY KEY (character, position)) STRICT",
    "PRAGMA application_id = 1178812755",
    "PRAGMA user_version = 1",
};
static_assert(application == 1178812755 && version == 1, "as the schema says");

// Checks the path before SQLite creates a file there or takes one for an empty database.
std::string checked(const fs::path& file, Store::Open mode) {
  if (mode == Store::Open::existing && !fs::exists(file))
    throw Error(ExitCode::input_missing, "there is no cast file " + file.string() + "; `fabula cast add` makes one");
  if (fs::is_directory(file)) throw Error(ExitCode::bad_data, file.string() + " is a folder, not a cast file");
  return file.string();
}

}  // namespace

Store::Store(const fs::path& file, Open mode) : database_(checked(file, mode), mode == Open::create, "cast file") {
  constexpr const char* count = "SELECT count(*) FROM sqlite_master";
  if (mode == Open::create && database_.number(count) == 0) {
    Transaction transaction(database_);
    if (database_.number(count) == 0) {  // unless another process has created it meanwhile
      for (const char* sql : schema) database_.run(sql);
    }
    transaction.commit();
  }
  if (database_.number("PRAGMA application_id") != application) throw Error(ExitCode::bad_data, database_.file() + " is not a cast file");
  if (database_.number("PRAGMA user_version") != version) throw Error(ExitCode::bad_data, database_.file() + " was made by a newer Fabula");
}

std::vector<Character> Store::list() const {
  std::vector<std::string> ids;
  Statement statement(database_, "SELECT id FROM character ORDER BY id");
  while (statement.step()) ids.push_back(statement.text(0));
  std::vector<Character> all;
  for (const std::string& id : ids) all.push_back(find(id));
  return all;
}

Character Store::find(const std::string& id) const {
  Statement row(database_,
                "SELECT name, look, wardrobe, voice_id, voice_description, age, pitch, timbre, pace, accent FROM character WHERE id = ?");
  if (!row.bind(id).step()) throw Error(ExitCode::input_missing, "there is no character \"" + id + "\" in " + database_.file());
  Character c;
  c.id = id;
  c.name = row.text(0);
  c.look = row.text(1);
  c.wardrobe = row.text(2);
  int column = 3;
  for (const VoicePart& part : voice_parts) c.voice.*part.text = row.text(column++);
  Statement references(database_, "SELECT kind, path FROM reference WHERE character = ? ORDER BY kind, position");
  references.bind(id);
  while (references.step()) (references.text(0) == "image" ? c.ref_images : c.ref_audio).push_back(references.text(1));
  Statement fields(database_, "SELECT key, text FROM field WHERE character = ? ORDER BY position");
  fields.bind(id);
  while (fields.step()) c.fields.push_back({fields.text(0), fields.text(1)});
  require_valid(c);
  return c;
}

Origin Store::origin_of(const std::string& id) const {
  require(id);
  Origin origin;
  Statement card(database_, "SELECT json, picture FROM card WHERE character = ?");
  if (!card.bind(id).step()) return origin;
  origin.json = card.text(0);
  origin.picture = card.text(1);
  Statement assets(database_, "SELECT path, data FROM asset WHERE character = ? ORDER BY position");
  assets.bind(id);
  while (assets.step()) origin.assets.push_back({assets.text(0), assets.text(1)});
  return origin;
}

std::vector<Memory> Store::memory_of(const std::string& id) const {
  require(id);
  std::vector<Memory> all;
  Statement row(database_, "SELECT number, type, text, film, shot, time_ms, created FROM memory WHERE character = ? ORDER BY number");
  row.bind(id);
  while (row.step()) {
    all.push_back({row.number(0), row.text(1), row.text(2), row.text(3), row.text(4), row.number(5), row.text(6)});
    require_valid(all.back());
  }
  return all;
}

void Store::require(const std::string& id) const {
  Statement row(database_, "SELECT 1 FROM character WHERE id = ?");
  if (!row.bind(id).step()) throw Error(ExitCode::input_missing, "there is no character \"" + id + "\" in " + database_.file());
}

void Store::require_free(const std::string& id) const {
  Statement row(database_, "SELECT 1 FROM character WHERE id = ?");
  if (row.bind(id).step())
    throw Error(ExitCode::cannot_create,
                "there is a character \"" + id + "\" already; `fabula cast edit` changes it, --replace overwrites it");
}

void Store::add(const Character& character, const Origin& origin) {
  require_valid(character);
  Transaction transaction(database_);
  require_free(character.id);
  write(character, origin);
  transaction.commit();
}

void Store::replace(const Character& character, const Origin& origin) {
  require_valid(character);
  Transaction transaction(database_);
  write(character, origin);
  transaction.commit();
}

// Call within a transaction. Updates the row instead of replacing it, because its memories refer to it.
void Store::write(const Character& c, const Origin& origin) {
  Statement row(database_,
                "INSERT INTO character (id, name, look, wardrobe, voice_id, voice_description, age, pitch, timbre, pace, accent) VALUES "
                "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET name = excluded.name, look = excluded.look, wardrobe = excluded.wardrobe, voice_id = "
                "excluded.voice_id,"
                " voice_description = excluded.voice_description, age = excluded.age, pitch = excluded.pitch, timbre = excluded.timbre, "
                "pace = excluded.pace,"
                " accent = excluded.accent");
  row.bind(c.id).bind(c.name).bind(c.look).bind(c.wardrobe);
  for (const VoicePart& part : voice_parts) row.bind(c.voice.*part.text);
  row.step();
  write_lists(c);
  if (!origin.json.empty()) write_origin(c.id, origin);
}

void Store::write_lists(const Character& c) {
  Statement(database_, "DELETE FROM reference WHERE character = ?").bind(c.id).step();
  Statement(database_, "DELETE FROM field WHERE character = ?").bind(c.id).step();
  const auto references = [&](std::string_view kind, const std::vector<std::string>& paths) {
    for (std::size_t i = 0; i < paths.size(); ++i) {
      Statement(database_, "INSERT INTO reference (character, kind, position, path) VALUES (?, ?, ?, ?)")
          .bind(c.id)
          .bind(kind)
          .bind(static_cast<std::int64_t>(i))
          .bind(paths[i])
          .step();
    }
  };
  references("image", c.ref_images);
  references("audio", c.ref_audio);
  for (std::size_t i = 0; i < c.fields.size(); ++i) {
    Statement(database_, "INSERT INTO field (character, position, key, text) VALUES (?, ?, ?, ?)")
        .bind(c.id)
        .bind(static_cast<std::int64_t>(i))
        .bind(c.fields[i].key)
        .bind(c.fields[i].text)
        .step();
  }
}

void Store::write_origin(const std::string& id, const Origin& origin) {
  Statement(database_, "DELETE FROM card WHERE character = ?").bind(id).step();
  Statement(database_, "DELETE FROM asset WHERE character = ?").bind(id).step();
  Statement(database_, "INSERT INTO card (character, json, picture) VALUES (?, ?, ?)")
      .bind(id)
      .bind(origin.json)
      .bind_blob(origin.picture)
      .step();
  for (std::size_t i = 0; i < origin.assets.size(); ++i) {
    Statement(database_, "INSERT INTO asset (character, position, path, data) VALUES (?, ?, ?, ?)")
        .bind(id)
        .bind(static_cast<std::int64_t>(i))
        .bind(origin.assets[i].path)
        .bind_blob(origin.assets[i].data)
        .step();
  }
}

void Store::rename(const std::string& id, const std::string& new_id) {
  Character renamed = find(id);
  renamed.id = new_id;
  require_valid(renamed);
  Transaction transaction(database_);
  require(id);
  require_free(new_id);
  database_.run("PRAGMA defer_foreign_keys = ON");  // until the commit: the rows below refer to one another
  Statement(database_, "UPDATE character SET id = ? WHERE id = ?").bind(new_id).bind(id).step();
  for (const char* sql : {"UPDATE reference SET character = ? WHERE character = ?", "UPDATE field SET character = ? WHERE character = ?",
                          "UPDATE memory SET character = ? WHERE character = ?", "UPDATE card SET character = ? WHERE character = ?",
                          "UPDATE asset SET character = ? WHERE character = ?"})
    Statement(database_, sql).bind(new_id).bind(id).step();
  transaction.commit();
}

void Store::remove(const std::string& id) {
  Transaction transaction(database_);
  require(id);
  Statement(database_, "DELETE FROM character WHERE id = ?").bind(id).step();
  transaction.commit();
}

std::int64_t Store::remember(const std::string& id, const Memory& memory) {
  require_valid(memory);
  Transaction transaction(database_);
  insert(id, memory);
  const std::int64_t number = database_.last_inserted();
  transaction.commit();
  return number;
}

void Store::remember_once(const std::vector<std::pair<std::string, Memory>>& memories) {
  for (const auto& [id, memory] : memories) require_valid(memory);
  Transaction transaction(database_);
  for (const auto& [id, m] : memories) {
    Statement same(database_,
                   "SELECT 1 FROM memory WHERE character = ? AND type = ? AND text = ? AND film = ? AND shot = ? AND time_ms = ?");
    if (!same.bind(id).bind(m.type).bind(m.text).bind(m.film).bind(m.shot).bind(m.time_ms).step()) insert(id, m);
  }
  transaction.commit();
}

void Store::insert(const std::string& id, const Memory& memory) {
  require(id);
  Statement(database_, "INSERT INTO memory (character, type, text, film, shot, time_ms, created) VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(id)
      .bind(memory.type)
      .bind(memory.text)
      .bind(memory.film)
      .bind(memory.shot)
      .bind(memory.time_ms)
      .bind(memory.created)
      .step();
}

}  // namespace fabula::cast
