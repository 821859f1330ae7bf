// Matches cast members to a prompt's names and a world's actors, and copies their texts into a plan.
#include "planner/cast/join.h"

#include <algorithm>
#include <map>

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

std::vector<std::string> words_as_written(std::string_view text) {
  std::vector<std::string> words;
  for (const TextSpan& word : words_of(text)) words.emplace_back(word.of(text));
  return words;
}

// A name that may be in a prompt, and whose it is.
struct Name {
  std::size_t member;  // index in the cast
  std::vector<std::string> words;
  bool any_case;
};

// The words of a prompt, of which each belongs to one name.
class PromptWords {
 public:
  explicit PromptWords(const std::string& prompt)
      : written_(words_as_written(prompt)), lower_(oracle::split_words(prompt)), taken_(written_.size(), false) {}

  // Whether the name is there; its words are then taken, wherever they are.
  bool take(const Name& name) {
    const std::vector<std::string>& text = name.any_case ? lower_ : written_;
    bool found = false;
    for (std::size_t at = 0; !name.words.empty() && at + name.words.size() <= text.size(); ++at) {
      const auto begin = static_cast<std::ptrdiff_t>(at), end = begin + std::ssize(name.words);
      const bool is_free = std::find(taken_.begin() + begin, taken_.begin() + end, true) == taken_.begin() + end;
      if (!is_free || !std::equal(name.words.begin(), name.words.end(), text.begin() + begin)) continue;
      std::fill(taken_.begin() + begin, taken_.begin() + end, true);
      found = true;
    }
    return found;
  }

 private:
  std::vector<std::string> written_, lower_;
  std::vector<bool> taken_;
};

// The words of a name that name its owner alone: no titles, no words of the language.
std::vector<std::string> parts_of_name(const std::string& name, const oracle::Lexicon& lexicon) {
  static const std::vector<std::string> titles = {"mr",       "mrs",    "ms",     "miss",      "mister",  "madam", "sir",     "lady",
                                                  "lord",     "dr",     "doctor", "professor", "captain", "king",  "queen",   "prince",
                                                  "princess", "uncle",  "aunt",   "grandpa",   "grandma", "saint", "general", "old",
                                                  "young",    "little", "big",    "great",     "the",     "of",    "from",    "and"};
  std::vector<std::string> parts;
  const std::vector<std::string> words = words_as_written(name);
  for (const std::string& word : words) {
    const std::string lower = lowercase(word);
    if (words.size() > 1 && word != lower && !has(titles, lower) && !lexicon.knows(lower)) parts.push_back(word);
  }
  return parts;
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
  std::vector<std::optional<std::string>> actors;
  std::vector<Name> names;
  std::map<std::string, std::vector<std::size_t>> owners;  // of a part of a name
  for (std::size_t i = 0; i < cast.size(); ++i) {
    actors.push_back(actor_of(cast[i], world));
    if (!actors[i]) continue;
    const std::vector<std::string> words = oracle::split_words(cast[i].name);
    const auto match = lexicon.longest(words);
    const bool is_word = match && match->words == words.size();
    const bool is_own = is_word && match->meaning.kind == oracle::Kind::actor && match->meaning.id == *actors[i];
    if (is_own || !is_word) names.push_back({i, is_own ? words : words_as_written(cast[i].name), is_own});
    for (const std::string& part : parts_of_name(cast[i].name, lexicon)) owners[part].push_back(i);
  }
  std::stable_sort(names.begin(), names.end(), [](const Name& a, const Name& b) { return a.words.size() > b.words.size(); });

  PromptWords text(prompt);
  std::map<std::size_t, std::string> called;  // by member
  for (const Name& name : names) {
    if (text.take(name)) called[name.member] = cast[name.member].name;
  }
  for (const auto& [part, members] : owners) {
    if (members.size() == 1 && !called.contains(members[0]) && text.take({members[0], {part}, false})) called[members[0]] = part;
  }
  std::vector<Part> parts;
  for (const auto& [member, name] : called) {
    const std::string& actor = *actors[member];
    if (std::none_of(parts.begin(), parts.end(), [&](const Part& p) { return p.actor == actor; }))
      parts.push_back({actor, cast[member], name});
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

std::vector<std::string> not_shown(const Character& c, const World& world) {
  std::vector<std::string> sentences;
  const std::optional<std::string> actor = actor_of(c, world);
  if (!actor) {
    sentences.push_back("the model has nobody to play " + printable(c.name) + ": it has " + joined(ids_of(world.actors)) +
                        "; `fabula cast edit " + c.id + " --field actor=" + world.actors.front().id + "` chooses one");
  } else {
    const auto known = std::find_if(world.actors.begin(), world.actors.end(), [&](const World::Actor& a) { return a.id == *actor; });
    std::vector<std::string> shown = oracle::split_words(known->look);
    for (const std::string& word : known->words) shown.push_back(word);
    for (const std::string& word : {*actor, std::string("a"), std::string("an"), std::string("the")}) shown.push_back(word);
    if (!without(oracle::split_words(c.look), shown).empty())
      sentences.push_back("in this model's pictures a " + *actor + " is always \"" + known->look + "\"");
  }
  if (!c.wardrobe.empty()) sentences.emplace_back("this model shows no clothes, so the wardrobe is not seen");
  if (!c.voice.voice_id.empty() && world.voice(c.voice.voice_id) == nullptr)
    sentences.push_back("the model has no voice \"" + printable(c.voice.voice_id) + "\": it has " + joined(ids_of(world.voices)));
  const bool is_described = std::any_of(voice_parts.begin(), voice_parts.end(), [&](const VoicePart& part) {
    return part.text != &Voice::voice_id && part.text != &Voice::pace && !(c.voice.*part.text).empty();
  });
  if (is_described)
    sentences.push_back("this model speaks with a voice's id alone (" + joined(ids_of(world.voices)) + "), not with its description");
  if (!c.ref_images.empty() || !c.ref_audio.empty())
    sentences.emplace_back("this model does not look at pictures of a character or listen to recordings");
  return sentences;
}

namespace {

// What a character does in a shot: "walks and jumps, forest, night"; empty if nothing.
std::string deeds_in(const plan::Shot& shot, const plan::Film& film, const std::string& who) {
  std::string deeds;
  for (const plan::ActionBeat& beat : shot.action_beats) {
    if (beat.who == who) deeds += (deeds.empty() ? "" : " and ") + beat.what;
  }
  const auto place = std::find_if(film.places.begin(), film.places.end(), [&](const plan::Place& p) { return p.id == shot.place; });
  return deeds.empty() || place == film.places.end() ? deeds : deeds + ", " + oracle::spaced(place->id) + ", " + place->time_of_day;
}

}  // namespace

std::vector<std::pair<std::string, Memory>> memories_of(const plan::Film& film, const std::string& created) {
  std::vector<std::pair<std::string, Memory>> memories;
  const std::string title = prompt_words(film.title, longest_name);
  for (const plan::Character& c : film.characters) {
    if (c.cast_id.empty()) continue;
    const auto keep = [&](const std::string& type, const std::string& text, const std::string& shot, std::int64_t time_ms) {
      if (const std::string words = prompt_words(text, longest_name); !words.empty())
        memories.push_back({c.cast_id, {0, type, words, title, shot, time_ms, created}});
    };
    std::string before;  // a deed that lasts several shots is one event
    for (const plan::Shot& shot : film.shots) {
      const std::string deeds = deeds_in(shot, film, c.id);
      if (deeds != before) keep("event", deeds, shot.id, shot.start_ms);
      before = deeds;
      for (const plan::Line& line : shot.dialogue) {
        if (line.speaker == c.id) keep("said", line.text, shot.id, line.start_ms);
      }
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
