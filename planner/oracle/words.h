// The meaning of English words in a world: its own names and their synonyms.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/world.h"

namespace fabula::oracle {

enum class Kind {
  actor,
  action,
  place,
  time,
  weather,
  mood,
  prop,
  position,
  facing,
  voice,
  size,
  move,     // id: which one
  pronoun,  // id: "it", "he", "she" or "they"
  chased,   // "chased by": the chaser follows
  say,
  joint,
  meanwhile,
  then,
  with,
  among,  // says; and; while; then; with; in, at, near …
  article,
  copula,
  shot,
  opener,
  remove,  // "without", "no": what follows must not be seen
  deny,    // "not", "never": neither must what follows it directly
  until,   // what follows comes later
  seconds,
  add,
  silent,  // the; is; shots; "a film of"; without; also; "says nothing"
  small,   // a word without consequences
};

struct Meaning {
  Kind kind;
  std::string id = {};
};

struct Synonyms;

/// Words are in lower case.
class Lexicon {
 public:
  explicit Lexicon(const World&);

  struct Match {
    Meaning meaning;
    std::size_t words = 0;
  };
  /// The longest known phrase at the start of the words.
  [[nodiscard]] std::optional<Match> longest(std::span<const std::string> words) const;
  /// The word with a typing slip corrected: a letter too few or too many, two neighbours exchanged or, in long words, a wrong letter.
  [[nodiscard]] std::string corrected(const std::string& word) const;
  [[nodiscard]] bool knows(const std::string& word) const { return words_.contains(word); }
  /// Whether a prompt with this word asks for nothing beyond the world: a plain word of it, in the plural or with a typing slip.
  [[nodiscard]] bool is_plain(const std::string& word) const;
  /// The voice implied by "he" or "she"; empty: any.
  [[nodiscard]] std::string voice_heard(const std::string& pronoun) const;
  /// Whether an unknown noun is a person or an animal.
  [[nodiscard]] static bool is_alive(std::string_view noun);

 private:
  void add(const std::string& phrase, Meaning meaning);
  void add_verbs(std::string_view table, const Meaning& meaning);
  void add_table(std::span<const Synonyms> table, Kind kind, const std::vector<std::string>& ids);
  void add_world(const World&);
  void add_names(const World&);
  void add_voices(const World&);
  void add_synonyms(const World&);
  void add_english(const World&);

  /// The time of day that a clock shows, if the world has it: "2am", "23:45".
  [[nodiscard]] std::optional<Meaning> read_clock(const std::string& word) const;

  static constexpr std::size_t longest_phrase = 6;  // words
  std::vector<std::string> times_;
  std::unordered_map<std::string, Meaning> phrases_;
  std::unordered_set<std::string> words_;
  std::unordered_map<std::string, std::string> heard_;  // pronoun -> voice
  std::vector<std::string> plain_;
  std::vector<std::string> correctable_;  // the words of all known phrases, in order of their addition
};

/// "a way to Say it" -> its words, in lower case.
[[nodiscard]] std::vector<std::string> split_words(std::string_view text);
/// The number that a word names: "three" or "3"; 0: none.
[[nodiscard]] int number_of(const std::string& word);
/// "push_in" -> "push in"
[[nodiscard]] std::string spaced(std::string id);

}  // namespace fabula::oracle
