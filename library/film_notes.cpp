// What there is to say about how shots and films came about.
#include "library/film_notes.h"

#include <array>
#include <cstdio>

namespace fabula {

namespace {

// What became of a shot that the gate refused.
std::string gate_note(const ShotReport& shot) {
  const std::string what = "shot " + shot.id + " " + shot.refused.front().fault;
  const std::size_t attempts = shot.refused.size();
  if (shot.was_remade()) return what + "; it was made again with seed " + std::to_string(shot.seed);
  if (attempts > 1) return what + ", and " + std::to_string(attempts - 1) + " more attempts did not pass either; the first was filmed";
  return what + "; its seed is the plan's, so it was filmed as it is";
}

}  // namespace

std::vector<std::string> shot_notes(const std::vector<ShotReport>& shots, const Studio& studio) {
  std::vector<std::string> notes;
  for (const ShotReport& shot : shots) {
    if (!shot.refused.empty()) notes.push_back(gate_note(shot));
  }
  std::string held;  // shots for whose transitions the model made too few frames
  for (const ShotReport& shot : shots) {
    if (shot.held_frames > 0) held += (held.empty() ? "" : ", ") + shot.id;
  }
  if (!held.empty())
    notes.push_back("the model makes no longer shots, so the last picture of " + held + " stands still under the transition after it");
  for (const ShotReport& shot : shots) {
    if (shot.outcome == ShotStore::Outcome::made_again)
      notes.push_back("the store's copy of shot " + shot.id + " was damaged; the shot was made again");
    if (shot.outcome == ShotStore::Outcome::made_for_this_profile)
      notes.push_back("shot " + shot.id + " had been made by another kind of processor and was made again; --any-machine reuses it");
  }
  if (const ShotStore* store = studio.store.get(); store != nullptr && !store->failure().empty())
    notes.push_back("a finished shot could not be kept: " + store->failure());
  if (!studio.model) return notes;
  for (const std::string& note : studio.model->notes()) notes.push_back(note);
  return notes;
}

std::vector<std::string> film_notes(const FilmInTheMaking& film, const Studio& studio) {
  std::vector<std::string> notes = shot_notes(film.shots, studio);
  if (film.stem_residual_db) {
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "the mix less dialogue and effects is at %.1f dB of the mix", *film.stem_residual_db);
    notes.emplace_back(text.data());
  }
  const std::vector<std::string> more[] = {subtitle_notes(film.beside->subtitles, film.beside->options.delivery, *film.container),
                                           loudness_notes(film.how.loudness, film.file->mastered()), format_notes(*film.container)};
  for (const std::vector<std::string>& part : more) notes.insert(notes.end(), part.begin(), part.end());
  return notes;
}

}  // namespace fabula
