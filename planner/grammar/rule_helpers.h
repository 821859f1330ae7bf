// Helpers of the rules: lengths of texts, views of the film so far, and the parts of rules that a world's film and any other film share.
#pragma once

#include <string>
#include <vector>

#include "planner/grammar/film_rules.h"
#include "planner/text/names.h"

namespace fabula::film_rules {

using Names = std::vector<std::string>;

/// Tighter than the schema, so that a rambling model comes to an end.
constexpr std::size_t most_entities = 6, most_short_lists = 3;
constexpr std::size_t long_text_bytes = 120, phrase_bytes = 60, short_text_bytes = 40, word_bytes = 24, id_bytes = 32;

// ---- What a value may be.

[[nodiscard]] inline Legal free_text(std::size_t cap) { return Legal::text(cap, Alphabet::utf8); }
[[nodiscard]] inline Legal number_from(std::int64_t low, std::int64_t high) { return Legal::number({{low, high}}); }
[[nodiscard]] inline Count at_most(std::size_t most) { return {0, most}; }
[[nodiscard]] inline Count optional_if(bool possible) { return {0, possible ? std::size_t{1} : 0}; }
[[nodiscard]] inline Count at_most_three(const FilmRules&, std::size_t) { return at_most(most_short_lists); }

// ---- The film so far.

[[nodiscard]] inline const plan::Shot& current_shot(const FilmRules& r) { return r.film.shots.back(); }
/// Null in the first shot.
[[nodiscard]] inline const plan::Shot* previous_shot(const FilmRules& r) {
  return r.film.shots.size() < 2 ? nullptr : &r.film.shots[r.film.shots.size() - 2];
}
[[nodiscard]] inline int shot_end_ms(const FilmRules& r) { return current_shot(r).start_ms + current_shot(r).duration_ms; }
[[nodiscard]] inline const plan::Line& current_line(const FilmRules& r) { return current_shot(r).dialogue.back(); }
/// How long the first `shots` shots last together.
[[nodiscard]] int length_of_shots(const FilmRules&, std::size_t shots);

/// All entries but the last, which is the one being written.
[[nodiscard]] inline Names all_but_last(Names names) {
  if (!names.empty()) names.pop_back();
  return names;
}
template <typename Entries>
[[nodiscard]] Names earlier_ids(const Entries& entries) {
  return all_but_last(ids_of(entries));
}

// ---- Beats: shots show them in the order of the list.

/// How many beats the first `shots` shots show; they are the first ones of the list.
[[nodiscard]] std::size_t beats_shown(const FilmRules&, std::size_t shots);
/// How many beats no shot before the current one shows.
[[nodiscard]] std::size_t beats_left(const FilmRules&);
/// What the current shot may show: the next beat, and any that has begun and that no begun beat requires to be over. The next one alone if
/// it `must_begin`.
[[nodiscard]] Names possible_beats(const FilmRules&, bool must_begin);
[[nodiscard]] inline Count beat_count(const FilmRules& r, bool must_begin) {
  return must_begin ? Count{1, 1} : optional_if(!possible_beats(r, must_begin).empty());
}

// ---- Who is seen and speaks.

/// The characters who are at `place`, or whose place the film's world does not fix.
[[nodiscard]] Names present_at(const FilmRules&, const std::string& place);
/// Those of `ids` who may speak after the complete lines of the current shot: they have time left, and the shot has room for another active
/// character or has them already.
[[nodiscard]] Names possible_speakers(const FilmRules&, Names ids, std::size_t complete_lines);
/// One more line if there are fewer than `most` and one of `speakers` may speak.
[[nodiscard]] Count line_count(const FilmRules&, const Names& speakers, std::size_t written, std::size_t most);
/// When the current line may start: after the speaker's previous line ends, and not before the preceding line starts.
[[nodiscard]] int earliest_line_ms(const FilmRules&);
/// How many letters the current line's speaker can say before the shot ends.
[[nodiscard]] std::size_t letters_for_line(const FilmRules&);
/// The least time for the current line in `language`.
[[nodiscard]] int needed_line_ms(const FilmRules&, const std::string& language);
/// An end of the current line up to `latest` that leaves time to speak it.
[[nodiscard]] Legal line_end(const FilmRules&, int latest);

/// The size that the two shots before the current one share, if it would be one too many in a row.
[[nodiscard]] Names overused_sizes(const FilmRules&);

// ---- The simulated world (planner/check/simulate.h).

/// What a fact says before the current shot; empty if it says nothing.
[[nodiscard]] std::string value_before_shot(const FilmRules&, const std::string& entity, const std::string& attribute);

}  // namespace fabula::film_rules
