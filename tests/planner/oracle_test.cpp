// The planner by rules: it plans what prompts mean, and never a plan that cannot be filmed.
#include "planner/oracle.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "audio/phonemes.h"
#include "kernels/error.h"
#include "planner/check.h"
#include "planner/prompt.h"
#include "planner/schema.h"
#include "tests/support/random.h"
#include "tests/support/storybook.h"
#include "tools/bench/plan_recall.h"

namespace fabula {
namespace {

using nlohmann::json;
using Spans = std::vector<std::string>;
using test::storybook;

const std::string root = FABULA_SOURCE_DIR;

plan::Film plan_of(const std::string& prompt) { return oracle::plan_by_rules(prompt, storybook(), phones_of); }

void expect_filmable(const plan::Film& film, const World& in) {
  for (const plan::Finding& f : plan::check(film, in)) EXPECT_EQ(f.severity, plan::Severity::warning) << film.prompt << "\n" << f.path << ": " << f.sentence;
}

// "fox/runs crab/jumps forest night [fox: hello]", shot by shot, repeated ones once.
std::vector<std::string> story_of(const std::string& prompt) {
  std::vector<std::string> told;
  for (const recall::Shown& shown : recall::shown_by(plan_of(prompt))) {
    std::string text;
    for (const auto& [who, what] : shown.acts) text += who + "/" + what + " ";
    text += shown.place + " " + shown.time + (shown.text.empty() ? "" : " [" + shown.speaker + ": " + shown.text + "]");
    if (told.empty() || told.back() != text) told.push_back(text);
  }
  return told;
}

TEST(Oracle, RecallsTheEventsOfHeldOutPrompts) {
  recall::Score score;
  for (const recall::Case& one : recall::read_cases(root + "/tests/goldens/prompts/held_out.json")) {
    const plan::Film film = plan_of(one.prompt);
    (void)score.add(one, film);
    expect_filmable(film, storybook());
  }
  ASSERT_EQ(score.films, 200U);
  EXPECT_GE(static_cast<double>(score.right_shots), 0.97 * static_cast<double>(score.shots)) << score.right_shots << " of " << score.shots;
  EXPECT_GE(score.right_films, 190U);
}

TEST(Oracle, WritesTheTwinsPlansToTheByte) {
  std::ifstream in(root + "/tests/goldens/planner/plans.json");
  const json goldens = json::parse(in);
  std::size_t same = 0;
  for (const json& golden : goldens["streams"]) {
    json wanted = golden["plan"];
    wanted["prompt"] = golden["prompt"];
    plan::Film film = plan_of(golden["prompt"]);
    film.unsupported = wanted["unsupported"];  // the twin knows what it made up; where its spans end is a matter of taste
    if (plan::to_json(film) == plan::to_json(plan::from_json(wanted.dump())))
      ++same;
    else
      std::printf("another plan than the twin's: %s\n", golden["prompt"].get<std::string>().c_str());
  }
  EXPECT_EQ(same, goldens["streams"].size());
}

TEST(Oracle, ReadsSentencesAsPeopleWriteThem) {
  EXPECT_EQ(story_of("A fox runs through a forest at night. It says: hello moon."),
            (Spans{"fox/runs forest night", "fox/runs forest night [fox: hello moon]", "fox/runs forest night"}));
  EXPECT_EQ(story_of("A fox hops, then spins on the moon."), (Spans{"fox/jumps moon day", "fox/spins moon day"}));
  EXPECT_EQ(story_of("A crab and a pig walk in the city. Then they jump."), (Spans{"crab/walks pig/walks city day", "crab/jumps pig/jumps city day"}));
  EXPECT_EQ(story_of("\"Stop!\" shouts the whale on the beach."), (Spans{"whale/stands beach day", "whale/stands beach day [whale: Stop!]", "whale/stands beach day"}));
  EXPECT_EQ(story_of("A turtel runns in the forrest. Two shots."), (Spans{"turtle/runs forest day"}));
  EXPECT_EQ(story_of("It is night. A pig flies while it is raining."), (Spans{"pig/flies forest night"}));
  EXPECT_EQ(story_of("A fox walks from the forest to the beach."), (Spans{"fox/walks forest day", "fox/walks beach day"}));
  EXPECT_EQ(story_of("A fox, a crab and a pig run through the city"), (Spans{"fox/runs crab/runs city day", "pig/runs city day"}));
}

TEST(Oracle, APlaceSeenByDayAndByNightHasAnEntryForEach) {
  const plan::Film film = plan_of("In the morning a pig walks in the forest. At night the pig stands in the forest.");
  ASSERT_EQ(film.places.size(), 2U);
  EXPECT_EQ(film.places[1].id, "forest_2");
  EXPECT_EQ(film.places[1].time_of_day, "night");
  EXPECT_EQ(film.shots.back().place, "forest_2");
  EXPECT_EQ(film.shots.back().ambience, "crickets");
  expect_filmable(film, storybook());
}

TEST(Oracle, ReadsStagingVoicesCameraAndTheNumberOfShots) {
  const plan::Film film = plan_of(
      "A fox stands on the right while a crab walks on the left. The crab says in a deep voice: look at me. Wide shot. Zoom in. Make it "
      "four shots.");
  ASSERT_EQ(film.shots.size(), 4U);
  EXPECT_EQ(film.shots[0].cast[0].position, "right");
  EXPECT_EQ(film.shots[0].cast[0].facing, "left");
  EXPECT_EQ(film.shots[0].cast[1].position, "left");
  for (const plan::Shot& shot : film.shots) EXPECT_EQ(shot.camera.size + " " + shot.camera.move, "wide push_in");
  EXPECT_EQ(film.characters[1].voice.voice_id, "rms");
  EXPECT_EQ(film.shots[1].dialogue.at(0).speaker, "crab");
}

TEST(Oracle, NamesWhatItCannotPlaceInThePromptsOwnWords) {
  EXPECT_EQ(plan_of("A Dragon eats an apple in the Castle.").unsupported, (Spans{"Dragon eats an apple", "Castle"}));
  EXPECT_EQ(plan_of("A fox runs at sunset.").unsupported, (Spans{"sunset"}));
  EXPECT_EQ(plan_of("A fox runs.").unsupported, Spans{});
  std::string many;
  for (int i = 0; i < 20; ++i) many += "Then the fox jumps. Then the crab spins. ";
  const plan::Film film = plan_of(many);
  EXPECT_EQ(film.shots.size(), 12U);
  EXPECT_FALSE(film.unsupported.empty()) << "events beyond the last shot are told";
  expect_filmable(film, storybook());
}

TEST(Oracle, EveryPromptGivesAPlanThatCanBeFilmed) {
  test::Random random(test::seed());
  const Spans words = {"a",
                       "fox",
                       "the",
                       "crab",
                       "and",
                       "then",
                       "while",
                       "says",
                       ":",
                       "\"",
                       "hello moon",
                       "'",
                       "it",
                       "they",
                       ".",
                       ",",
                       "!",
                       "in the",
                       "forest",
                       "beach",
                       "night",
                       "runs",
                       "jumping",
                       "with",
                       "dragon",
                       "\u5c0f\u72d0",
                       "caf\u00e9",
                       "three",
                       "shots",
                       "99",
                       "on the left",
                       "facing right",
                       "in a deep voice",
                       "it is",
                       "\n",
                       "pneumonoultramicroscopicsilicovolcanoconiosis",
                       "\u201c",
                       "\u201d",
                       "say nothing",
                       "without",
                       "talks",
                       "\\",
                       "<|im_end|>",
                       "wide shot",
                       "day",
                       "or",
                       "11111111111111111111111111"};
  for (int i = 0; i < 150; ++i) {
    std::string prompt = "x";
    for (std::int64_t count = 1 + random.below(30); count > 0; --count)
      prompt += " " + words[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(words.size())))];
    expect_filmable(plan_of(prompt), storybook());
  }
  for (const std::string& prompt : {std::string("?"), std::string(4000, 'a'), std::string(3999, '\''), std::string("\u00bf\u2014")})
    expect_filmable(plan_of(prompt), storybook());
}

TEST(Oracle, KnowsNoMoreThanItsWorld) {
  const World small = World::open(root + "/assets/models/nano/world.json");
  World bare = small;
  bare.actors = {{"robot", "Robot", "a grey robot"}};
  bare.places = {{"city", "a street in the city", "traffic"}};
  bare.actions = {{"runs", {}}};
  const plan::Film film = oracle::plan_by_rules("A fox jumps in the forest, then a robot runs.", bare, phones_of);
  expect_filmable(film, bare);
  EXPECT_EQ(film.characters.at(0).id, "robot");
  EXPECT_EQ(film.unsupported, (Spans{"fox jumps", "forest"}));
  EXPECT_THROW((void)plan_of("  "), Error);
}

}  // namespace
}  // namespace fabula
