// The rules planner: plans what prompts mean, and only plans that can be filmed.
#include "planner/oracle/oracle.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "audio/phonemes.h"
#include "base/error.h"
#include "planner/check/check.h"
#include "planner/schema/schema.h"
#include "planner/text/prompt.h"
#include "tests/support/random.h"
#include "tests/support/storybook.h"
#include "tools/bench/plan_recall.h"

namespace fabula {
namespace {

using nlohmann::json;
using Spans = std::vector<std::string>;
using test::edition;
using test::storybook;

const std::string root = FABULA_SOURCE_DIR;

plan::Film plan_of(const std::string& prompt) { return oracle::plan_by_rules(prompt, storybook(), phones_of); }

void expect_filmable(const plan::Film& film, const World& in) {
  for (const plan::Finding& f : plan::check(film, in))
    EXPECT_EQ(f.severity, plan::Severity::warning) << film.prompt << "\n" << f.path << ": " << f.sentence;
}

// "fox/runs crab/jumps forest night [fox: hello]", shot by shot, without repeats.
std::vector<std::string> story_in(const std::string& prompt, const World& world) {
  std::vector<std::string> shots;
  for (const recall::Shown& shown : recall::shown_by(oracle::plan_by_rules(prompt, world, phones_of))) {
    std::string text;
    for (const auto& [who, what] : shown.acts) text += who + "/" + what + " ";
    text += shown.place + " " + shown.time + (shown.text.empty() ? "" : " [" + shown.speaker + ": " + shown.text + "]");
    if (shots.empty() || shots.back() != text) shots.push_back(text);
  }
  return shots;
}

std::vector<std::string> story_of(const std::string& prompt) { return story_in(prompt, storybook()); }

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
    film.unsupported = wanted["unsupported"];  // the twin knows which words it invented; the exact span borders do not matter
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
  EXPECT_EQ(story_of("A crab and a pig walk in the city. Then they jump."),
            (Spans{"crab/walks pig/walks city day", "crab/jumps pig/jumps city day"}));
  EXPECT_EQ(story_of("\"Stop!\" shouts the whale on the beach."),
            (Spans{"whale/stands beach day", "whale/stands beach day [whale: Stop!]", "whale/stands beach day"}));
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
  EXPECT_FALSE(film.unsupported.empty()) << "events beyond the last shot are reported";
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

// ---- A world with weathers, moods and props.

plan::Film film_of(const std::string& prompt) {
  plan::Film film = oracle::plan_by_rules(prompt, edition(), phones_of);
  expect_filmable(film, edition());
  return film;
}

std::string treatment_of(const std::string& prompt) { return film_of(prompt).treatment; }

TEST(EditionOracle, TellsMoodsWeathersAndPlacesInTheTreatment) {
  EXPECT_EQ(treatment_of("A sad fox walks through the forest in the rain."), "The sad fox walks in the forest by day in the rain.");
  EXPECT_EQ(treatment_of("The girl and the boy dance in a field at sunset while it is snowing."),
            "The girl dances with the boy in the meadow by dusk in the snowfall.");
  EXPECT_EQ(treatment_of("A whale swims under the sea."), "The whale swims underwater by day.");
  EXPECT_EQ(treatment_of("An owl sleeps indoors in the evening."), "The owl sleeps in the room by dusk.");
  EXPECT_EQ(treatment_of("A dragon flies over the castle. It is angry."), "The angry dragon flies in the castle by day.");
  EXPECT_EQ(treatment_of("A dog runs in the snow."), "The dog runs in the snow by day.") << "a place, not a weather";
  EXPECT_EQ(treatment_of("On a snowy day a dog runs in the city."), "The dog runs in the city by day in the snowfall.");
  EXPECT_EQ(film_of("A fox swims in the ocean.").title, "Fox Underwater");
  EXPECT_EQ(film_of("A fox swims in the meadow.").title, "Fox in the Meadow");
}

TEST(EditionOracle, AMoodHoldsForItsActorUntilAnotherIsSaid) {
  EXPECT_EQ(treatment_of("A happy cat jumps. Then a dog runs. Then the cat sleeps. Then the cat becomes sad. Then the cat walks."),
            "The happy cat jumps in the forest by day. The dog runs. The happy cat sleeps. The sad cat stands. The sad cat walks.");
  EXPECT_EQ(treatment_of("A fox and a frightened crab run. The fox looks surprised."),
            "The surprised fox runs with the afraid crab in the forest by day.");
  EXPECT_EQ(treatment_of("A bear walks angrily in a quiet forest."), "The angry bear walks in the forest by day.");
  EXPECT_EQ(film_of("A fox says in a calm man's voice: hello.").characters[0].voice.voice_id, "rms");
}

TEST(EditionOracle, AWeatherHoldsAndAPlaceThatCannotHaveItIsClear) {
  const plan::Film film = film_of("It is raining. A fox runs in the forest. Then it jumps on the moon. Then it spins in the city.");
  std::vector<std::string> weathers;
  for (const plan::Place& place : film.places) weathers.push_back(place.id + " " + place.weather);
  EXPECT_EQ(weathers, (Spans{"forest rain", "moon clear", "city rain"}));
  EXPECT_TRUE(film.unsupported.empty()) << "nobody asked for rain on the moon";
  EXPECT_EQ(film_of("A fox runs on the moon in the rain.").unsupported, Spans{"rain"});

  const plan::Film turned = film_of("A fox walks in the forest. Then it starts to rain.");
  ASSERT_EQ(turned.places.size(), 2U);
  EXPECT_EQ(turned.places[1].id, "forest_2");
  EXPECT_EQ(turned.places[1].weather, "rain");
  EXPECT_EQ(turned.shots.back().ambience, "rain");
  EXPECT_EQ(turned.shots.back().action_beats[0].what, "walks");
}

TEST(EditionOracle, WhatIsHeardGoesByWeatherAndTime) {
  EXPECT_EQ(film_of("A fox runs in the forest at night in the rain.").shots[0].ambience, "rain");
  EXPECT_EQ(film_of("A fox runs in the forest at night while it snows.").shots[0].ambience, "wind");
  EXPECT_EQ(film_of("A fox runs in the meadow at night.").shots[0].ambience, "crickets");
  EXPECT_EQ(film_of("A fox runs to the castle by night.").shots[0].ambience, "crickets");
  EXPECT_EQ(film_of("A fox runs in a room at night.").shots[0].ambience, "clock");
}

// "balloon right, tree left"
std::string props_of(const plan::Shot& shot) {
  std::string text;
  for (const plan::ShotProp& prop : shot.props) text += (text.empty() ? "" : ", ") + prop.id + " " + prop.position;
  return text;
}

TEST(EditionOracle, PropsStandBesideTheCastAndStayWhereTheyAre) {
  EXPECT_EQ(props_of(film_of("A fox with a balloon next to a tree.").shots[0]), "balloon right, tree left");
  EXPECT_EQ(props_of(film_of("A fox on the right carries a gift.").shots[0]), "gift left");
  EXPECT_EQ(props_of(film_of("A fox and a crab dance beside a cake and a car.").shots[0]), "cake center, car left");
  EXPECT_EQ(props_of(film_of("There is a birthday cake. A crab runs.").shots[0]), "cake right");
  EXPECT_EQ(props_of(film_of("A crab runs beside a tree on the left.").shots[0]), "tree left");
  const plan::Film film = film_of("A fox walks in the city. There is a house. Then a crab runs. Then it jumps on the beach with a boat.");
  ASSERT_EQ(film.shots.size(), 3U);
  EXPECT_EQ(props_of(film.shots[0]) + "; " + props_of(film.shots[1]) + "; " + props_of(film.shots[2]),
            "house right; house right; boat right");
  const plan::Film full = film_of("A fox runs with a balloon, a cake and a red car.");
  EXPECT_EQ(full.shots[0].props.size(), 2U);
  EXPECT_EQ(full.unsupported, (Spans{"red", "car"}));
  EXPECT_TRUE(film_of("A fox runs. Do not show a tree. There is no rain.").shots[0].props.empty());
}

TEST(EditionOracle, TalkingAndChasingTakeTwo) {
  EXPECT_EQ(story_in("A fox talks to a crab.", edition()), (Spans{"fox/talks crab/stands forest day"}));
  EXPECT_EQ(story_in("A fox and a crab are chatting.", edition()), (Spans{"fox/talks crab/stands forest day"}));
  EXPECT_EQ(story_in("A dog runs after a cat.", edition()), (Spans{"dog/chases cat/runs forest day"}));
  EXPECT_EQ(story_in("A cat is chased by a dog.", edition()), (Spans{"dog/chases cat/runs forest day"}));
  EXPECT_EQ(story_in("A fox talks.", edition()), (Spans{"fox/stands forest day"}));
  EXPECT_EQ(story_in("A fox chases.", edition()), (Spans{"fox/runs forest day"}));
  const plan::Film film = film_of("A dog chases a cat.");
  for (const plan::CastMember& member : film.shots[0].cast) EXPECT_EQ(member.facing, "right");
  EXPECT_EQ(film_of("A dog talks to a cat.").shots[0].cast[1].facing, "left");
}

TEST(EditionOracle, ShotsAreWideMediumAndCloseInTurnAndVoicesAreThoseAskedFor) {
  std::string sizes;
  for (const plan::Shot& shot : film_of("A fox runs. Then a crab runs. Then a pig runs. Then a cat runs.").shots)
    sizes += shot.camera.size + " ";
  EXPECT_EQ(sizes, "wide medium close wide ");
  EXPECT_EQ(film_of("A close-up of a fox.").shots[0].camera.size, "close");
  EXPECT_EQ(film_of("The boy says in a Scottish voice: hello.").characters[0].voice.voice_id, "awb");
  EXPECT_EQ(film_of("The robot says in a robot voice: hello.").characters[0].voice.voice_id, "kal");
  EXPECT_EQ(film_of("The girl says: hello.").characters[0].voice.voice_id, "slt");
  EXPECT_EQ(film_of("The boy says: hello.").characters[0].voice.voice_id, "rms");
}

TEST(EditionOracle, ALineIsSpreadByTheWorldsOwnLength) {
  const plan::Film film = film_of("The fox says: one two three four five six seven eight nine ten eleven twelve.");
  std::vector<std::string> lines;
  for (const plan::Shot& shot : film.shots) {
    for (const plan::Line& line : shot.dialogue) lines.push_back(line.text);
  }
  EXPECT_EQ(lines, (Spans{"one two three four five six seven eight nine", "ten eleven twelve"}));
}

TEST(EditionOracle, ReadsDialoguesByName) {
  EXPECT_EQ(story_in("A fox and a crab stand on the beach. Fox: Hello! Crab (in a deep voice): the moon is a balloon.", edition()),
            (Spans{"fox/stands crab/stands beach day", "fox/stands crab/stands beach day [fox: Hello!]", "crab/stands beach day",
                   "crab/stands beach day [crab: the moon is a balloon]"}));
  EXPECT_EQ(story_in("EXT. BEACH - NIGHT\n\nA fox runs.\n\nFOX\n(sad)\nI see a star.\n\nCRAB\nMe too!", edition()),
            (Spans{"fox/runs beach night", "fox/runs beach night [fox: I see a star]", "crab/stands beach night",
                   "crab/stands beach night [crab: Me too!]"}));
}

TEST(EditionOracle, EveryPromptGivesAPlanThatCanBeFilmed) {
  test::Random random(test::seed());
  const Spans words = {"a",
                       "the",
                       "fox",
                       "girl",
                       "dragon",
                       "and",
                       "then",
                       "it",
                       "they",
                       "is",
                       "becomes",
                       "sad",
                       "angry",
                       "happily",
                       "talks to",
                       "chases",
                       "is chased by",
                       "dances",
                       ".",
                       ",",
                       ":",
                       "!",
                       "\n",
                       "(",
                       ")",
                       "with",
                       "a balloon",
                       "tree",
                       "two cakes",
                       "there is",
                       "no",
                       "without",
                       "not",
                       "rain",
                       "it rains",
                       "snowing",
                       "under the sea",
                       "castle",
                       "in the room",
                       "on the moon",
                       "dusk",
                       "night",
                       "says",
                       "\"hello\"",
                       "FOX\n",
                       "GHOST\n",
                       "Fox:",
                       "on the left",
                       "wide shot",
                       "monkey",
                       "old man",
                       "in a robot voice"};
  for (int i = 0; i < 400; ++i) {
    std::string prompt = "x";
    for (std::int64_t count = 1 + random.below(30); count > 0; --count)
      prompt += " " + words[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(words.size())))];
    (void)film_of(prompt);
  }
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
