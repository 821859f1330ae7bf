// Matches cast members to a prompt's names and a world's actors, and copies their texts into a plan.
#include "planner/cast/join.h"

#include <algorithm>

#include "base/error.h"
#include "planner/oracle/words.h"
#include "planner/schema/caps.h"
#include "planner/schema/fields.h"
#include "planner/schema/finding.h"
#include "planner/text/names.h"
#include "planner/text/spans.h"
#include "planner/text/text.h"

namespace fabula::cast {
namespace {

constexpr std::size_t most_words = 200;  // bytes of a text that the plan itself does not limit

// Whether the words of `name` are in a text, in a row.
bool stands_in(const std::vector<std::string>& text, const std::vector<std::string>& name) {
  return !name.empty() && std::search(text.begin(), text.end(), name.begin(), name.end()) != text.end();
}

std::vector<std::string> words_as_written(std::string_view text) {
  std::vector<std::string> words;
  for (const TextSpan& word : words_of(text)) words.emplace_back(word.of(text));
  return words;
}

void take(std::string& into, const std::string& text, std::size_t most_bytes) {
  if (std::string words = prompt_words(text, most_bytes); !words.empty()) into = std::move(words);
}

}  // namespace

std::optional<std::string> actor_of(const Character& character, const World& world) {
  const std::vector<std::string> actors = ids_of(world.actors);
  if (has(actors, character.id)) return character.id;
  for (const Field& field : character.fields) {
    if (field.key == "actor" && has(actors, field.text)) return field.text;
  }
  const oracle::Lexicon lexicon(world);
  const std::vector<std::string> look = oracle::split_words(character.look);
  std::optional<std::string> found;
  for (std::size_t at = 0; at < look.size(); ++at) {
    const auto match = lexicon.longest(std::span(look).subspan(at));
    if (!match || match->meaning.kind != oracle::Kind::actor || match->meaning.id == found) continue;
    if (found) return std::nullopt;  // "a fox on a pig"
    found = match->meaning.id;
  }
  return found;
}

std::vector<Part> parts_in(const std::string& prompt, const std::vector<Character>& cast, const World& world) {
  const oracle::Lexicon lexicon(world);
  const std::vector<std::string> written = words_as_written(prompt), lower = oracle::split_words(prompt);
  std::vector<Part> parts;
  for (const Character& character : cast) {
    const std::optional<std::string> actor = actor_of(character, world);
    const bool is_taken = std::any_of(parts.begin(), parts.end(), [&](const Part& p) { return p.actor == actor; });
    if (!actor || is_taken) continue;
    const std::vector<std::string> name = oracle::split_words(character.name);
    const auto match = lexicon.longest(name);
    const bool is_word = match && match->words == name.size();
    const bool is_own = is_word && match->meaning.kind == oracle::Kind::actor && match->meaning.id == *actor;
    if (is_own ? stands_in(lower, name) : !is_word && stands_in(written, words_as_written(character.name)))
      parts.push_back({*actor, character});
  }
  return parts;
}

bool bind(plan::Film& film, const std::vector<Part>& parts, const World& world) {
  bool any = false;
  for (plan::Character& c : film.characters) {
    const auto part = std::find_if(parts.begin(), parts.end(), [&](const Part& p) { return p.actor == c.id; });
    if (part == parts.end()) continue;
    c.cast_id = part->character.id;
    fill(c, part->character, world);
    any = true;
  }
  return any;
}

void fill(plan::Character& c, const Character& from, const World& world) {
  take(c.name, from.name, PlanCaps::name);
  take(c.look, from.look, PlanCaps::look);
  take(c.wardrobe, from.wardrobe, most_words);
  if (world.voice(from.voice.voice_id) != nullptr) c.voice.voice_id = from.voice.voice_id;
  take(c.voice.age, from.voice.age, most_words);
  take(c.voice.pitch, from.voice.pitch, most_words);
  take(c.voice.timbre, from.voice.timbre, most_words);
  take(c.voice.accent, from.voice.accent, most_words);
  take(c.voice.description, from.voice.description, most_words);
  if (std::find(std::begin(plan::limits::paces), std::end(plan::limits::paces), from.voice.pace) != std::end(plan::limits::paces))
    c.voice.pace = from.voice.pace;
  if (!from.ref_images.empty()) c.ref_images = from.ref_images;
  if (!from.ref_audio.empty()) c.voice.ref_audio = from.ref_audio;
}

void fill(plan::Film& film, const Store& store, const World& world) {
  const std::vector<Character> cast = store.list();
  for (std::size_t i = 0; i < film.characters.size(); ++i) {
    plan::Character& c = film.characters[i];
    if (c.cast_id.empty()) continue;
    const auto found = std::find_if(cast.begin(), cast.end(), [&](const Character& member) { return member.id == c.cast_id; });
    if (found == cast.end()) {
      throw Error(ExitCode::bad_data, plan::at("characters", i) + ".cast_id: there is no \"" + printable(c.cast_id) +
                                          "\" in the cast; add one with `fabula cast add`, or take the plan as it is with --no-cast");
    }
    fill(c, *found, world);
  }
}

std::vector<std::pair<std::string, Memory>> memories_of(const plan::Film& film, const std::string& created) {
  std::vector<std::pair<std::string, Memory>> memories;
  const std::string title = prompt_words(film.title, longest_name);
  for (const plan::Character& c : film.characters) {
    if (c.cast_id.empty()) continue;
    const auto keep = [&](const std::string& type, const std::string& text, const std::string& shot, std::int64_t time_ms) {
      if (const std::string words = prompt_words(text, longest_name); !words.empty())
        memories.push_back({c.cast_id, {0, type, words, title, shot, time_ms, created}});
    };
    keep("wardrobe", c.wardrobe, "", 0);
    for (const plan::Shot& shot : film.shots) {
      const std::int64_t after = std::int64_t{shot.start_ms} + shot.duration_ms;
      for (const plan::Fact& fact : shot.effects) {
        if (fact.entity == c.id)
          keep(fact.attribute, fact.value, shot.id, after);
        else if (fact.value == c.id)
          keep(fact.attribute == "holder" ? "possession" : fact.attribute, fact.entity, shot.id, after);
      }
    }
  }
  return memories;
}

}  // namespace fabula::cast
