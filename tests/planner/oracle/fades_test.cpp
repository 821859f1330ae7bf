// Fades at a film's ends, from a prompt to its plan.
#include "planner/oracle/fades.h"

#include <gtest/gtest.h>

namespace fabula::oracle {
namespace {

TEST(Fades, AreReadFromTheFirstAndTheLastSentence) {
  EXPECT_TRUE(fades_of("Fade in on a fox in the forest. It runs.").in);
  EXPECT_TRUE(fades_of("A fox runs. The film fades to black.").out);
  EXPECT_TRUE(fades_of("A fox runs. FADE OUT.").out);
  const Fades both = fades_of("A fox runs, fades in and fades out");
  EXPECT_TRUE(both.in && both.out);
}

TEST(Fades, AreNotReadElsewhereOrFromSpeech) {
  for (const char* prompt :
       {"A fox runs. Fade to black. Then a crab walks.", "A fox says \"fade to black\"", "Fox: fade in", "A fox runs.", ""}) {
    const Fades fades = fades_of(prompt);
    EXPECT_FALSE(fades.in || fades.out) << prompt;
  }
}

TEST(Fades, TakeASecondAndNoWord) {
  plan::Film film;
  film.total_ms = 4000;
  film.shots.resize(2);
  for (plan::Shot& shot : film.shots) shot.duration_ms = 2000;
  film.shots[1].dialogue.resize(1);
  film.shots[1].dialogue[0].end_ms = 3400;
  set_fades(film, {true, true});
  EXPECT_EQ(film.shots[0].transition, (plan::Transition{"fade", 1000}));
  EXPECT_EQ(film.ending, (plan::Transition{"fade", 600}));
  film.shots[1].dialogue[0].end_ms = 4000;
  film.ending = {};
  set_fades(film, {false, true});
  EXPECT_EQ(film.ending.ms, 250) << "shorter would look like a cut";
}

}  // namespace
}  // namespace fabula::oracle
