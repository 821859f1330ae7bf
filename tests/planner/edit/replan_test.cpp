// A wish changes its shots and what depends on them; everything else stays, to the byte.
#include "planner/edit/replan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "audio/phonemes.h"
#include "planner/check/check.h"
#include "planner/oracle/oracle.h"
#include "planner/schema/schema.h"
#include "tests/support/storybook.h"

namespace fabula {
namespace {

using nlohmann::ordered_json;
using plan::Film;
using test::storybook;

Film film_of(const std::string& prompt) { return oracle::plan_by_rules(prompt, storybook(), phones_of); }

plan::Replanned replan(const Film& film, const std::string& shot, const std::string& wish, bool onwards = false) {
  return plan::replan(film, {wish, shot, onwards}, storybook(), phones_of);
}

// The plan as JSON without the parts that may have changed: shots by index, and appended list entries.
std::string rest_of(const Film& film, const std::vector<std::size_t>& shots, std::size_t places, std::size_t characters) {
  ordered_json json = ordered_json::parse(plan::to_json(film));
  for (const std::size_t shot : shots) json["shots"][shot] = nullptr;
  while (json["places"].size() > places) json["places"].erase(json["places"].size() - 1);
  while (json["characters"].size() > characters) json["characters"].erase(json["characters"].size() - 1);
  return json.dump();
}

void expect_rest_kept(const Film& before, const Film& after, const std::vector<std::size_t>& shots) {
  EXPECT_EQ(rest_of(before, shots, before.places.size(), before.characters.size()),
            rest_of(after, shots, before.places.size(), before.characters.size()));
}

std::vector<std::string> paths_of(const std::function<void()>& call) {
  std::vector<std::string> paths;
  try {
    call();
    ADD_FAILURE() << "no error";
  } catch (const plan::PlanError& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    for (const plan::Finding& f : error.findings()) {
      if (f.severity == plan::Severity::error) paths.push_back(f.path);
    }
  }
  return paths;
}

ExitCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::done;
}

TEST(Replan, MakesItNightInOneShotByASecondEntryOfThePlace) {
  const Film before = film_of("A fox runs through a forest. It says: hello moon.");
  const plan::Replanned made = replan(before, "s020", "make it night");
  expect_rest_kept(before, made.film, {1});
  ASSERT_EQ(made.film.places.size(), 2U);
  EXPECT_EQ(made.film.places[0], before.places[0]);
  EXPECT_EQ(made.film.places[1].id, "forest_2");
  EXPECT_EQ(made.film.places[1].description, before.places[0].description);
  EXPECT_EQ(made.film.places[1].time_of_day, "night");
  EXPECT_EQ(made.film.shots[1].place, "forest_2");
  EXPECT_EQ(made.film.shots[1].ambience, "crickets");
  EXPECT_EQ(made.film.shots[1].dialogue, before.shots[1].dialogue);
  EXPECT_TRUE(made.notes.empty());
  // And back: the daytime entry exists already.
  const Film back = replan(made.film, "s020", "by day").film;
  EXPECT_EQ(back.shots, before.shots);
}

TEST(Replan, MakesItNightEverywhereWhereNobodyElseIsThere) {
  const Film before = film_of("A fox runs through a forest. Then a crab jumps on the beach.");
  const Film after = replan(before, "s030", "make it night", true).film;
  ASSERT_EQ(after.places.size(), 2U);
  EXPECT_EQ(after.places[1].time_of_day, "night");
  EXPECT_EQ(after.places[0], before.places[0]);
  EXPECT_EQ(after.shots, before.shots);
}

TEST(Replan, ChangesActionsActorsStagingCameraAndLines) {
  const Film before = film_of("A fox runs through a forest. It says: hello moon.");
  Film after = replan(before, "s020", "it jumps").film;
  expect_rest_kept(before, after, {1});
  EXPECT_EQ(after.shots[1].action_beats[0].what, "jumps");
  after.shots[1].action_beats[0].what = "runs";
  EXPECT_EQ(after, before) << "one field";

  after = replan(before, "s010", "add a penguin on the right").film;
  expect_rest_kept(before, after, {0});
  ASSERT_EQ(after.shots[0].cast.size(), 2U);
  EXPECT_EQ(after.shots[0].cast[1].position, "right");
  EXPECT_EQ(after.characters.back().id, "penguin");

  after = replan(before, "s020", "a crab spins instead and says \"good night\"").film;
  EXPECT_EQ(ids_of(after.shots[1].cast), std::vector<std::string>{"crab"});
  EXPECT_EQ(after.shots[1].action_beats.size(), 1U);
  EXPECT_EQ(after.shots[1].dialogue.at(0).speaker, "crab");
  EXPECT_EQ(after.shots[1].dialogue.at(0).text, "good night");

  after = replan(before, "s020", "Zoom in, close-up. Say nothing.").film;
  EXPECT_EQ(after.shots[1].camera.size + " " + after.shots[1].camera.move, "medium push_in");
  EXPECT_TRUE(after.shots[1].dialogue.empty());
  expect_rest_kept(before, after, {1});
}

TEST(Replan, FromAShotOnTheEventsOfTheWishAreSharedOut) {
  const Film before = film_of("A fox runs through a forest. In six shots.");
  const Film after = replan(before, "s030", "The fox jumps. Then it stands.", true).film;
  expect_rest_kept(before, after, {2, 3, 4, 5});
  std::vector<std::string> acts;
  for (const plan::Shot& shot : after.shots) acts.push_back(shot.action_beats[0].what);
  EXPECT_EQ(acts, (std::vector<std::string>{"runs", "runs", "jumps", "jumps", "stands", "stands"}));
  EXPECT_EQ(code_of([&] { (void)replan(before, "s030", "The fox jumps. Then it stands."); }), ExitCode::bad_data)
      << "a shot shows one thing";
}

TEST(Replan, LockedFieldsStayAndAWishThatTheyForbidIsRefusedWithTheFindings) {
  Film before = film_of("A fox runs through a forest. It says: hello moon.");
  before.shots[1].locked = {"place", "camera.size"};
  before.shots[2].locked = {"action_beats[0].what", "dialogue"};
  EXPECT_EQ(paths_of([&] { (void)replan(before, "s020", "make it night"); }), std::vector<std::string>{"shots[1].place"});
  EXPECT_EQ(paths_of([&] { (void)replan(before, "s030", "it jumps"); }), std::vector<std::string>{"shots[2].action_beats[0].what"});
  for (const std::string wish : {"Zoom in. Close-up.", "a crab jumps in the city", "It spins at night and says \"no\".",
                                 "remove the fox, add a pig", "wide shot, it flies on the left"}) {
    for (const bool onwards : {false, true}) {
      for (const std::string shot : {"s010", "s020", "s030"}) {
        try {
          const Film after = replan(before, shot, wish, onwards).film;
          EXPECT_TRUE(plan::locked_changes(before, after).empty()) << wish << " " << shot;
          EXPECT_FALSE(plan::has_errors(plan::check(after, storybook()))) << wish;
          for (std::size_t i = 0; i < after.shots.size(); ++i) {
            const bool is_meant = after.shots[i].id == shot || (onwards && after.shots[i].id > shot);
            if (!is_meant) {
              EXPECT_EQ(after.shots[i], before.shots[i]) << wish << " " << shot;
            }
          }
        } catch (const plan::PlanError& error) {
          EXPECT_TRUE(plan::has_errors(error.findings())) << wish;
        }
      }
    }
  }
  const plan::Replanned part = replan(before, "s020", "Zoom in. Wide shot.");  // one of two
  EXPECT_EQ(part.film.shots[1].camera.move, "push_in");
  EXPECT_EQ(part.film.shots[1].camera.size, before.shots[1].camera.size);
  EXPECT_EQ(part.notes.size(), 1U);
}

TEST(Replan, ShotsThatGoOnFromItFollowAndAPreThatFailsIsMended) {
  Film before = film_of("A fox runs through a forest. In four shots.");
  before.shots[2].conditioning = {"chain", "s020", {}};
  before.props = {{"lamp", "an old lamp", {"lit", "dark"}}};
  before.world = {{"fox", "mood", "calm"}};
  before.shots[1].effects = {{"fox", "mood", "glad"}, {"crab", "mood", "odd"}};
  before.characters.push_back({"crab", "Crab", "a red crab", {"rms"}});
  before.shots[3].pre = {{"fox", "mood", "glad"}, {"crab", "mood", "odd"}};
  ASSERT_FALSE(plan::has_errors(plan::check(before, storybook())));
  Film after = replan(before, "s020", "at night").film;
  EXPECT_EQ(after.shots[1].place, "forest_2");
  EXPECT_EQ(after.shots[2].place, "forest_2") << "it continues s020";
  EXPECT_EQ(after.shots[3], before.shots[3]);
  after = replan(before, "s020", "a pig walks").film;  // the fox's effects there are gone
  EXPECT_EQ(after.shots[1].effects, (std::vector<plan::Fact>{{"crab", "mood", "odd"}}));
  EXPECT_EQ(after.shots[3].pre, (std::vector<plan::Fact>{{"fox", "mood", "calm"}, {"crab", "mood", "odd"}}));
}

TEST(ReplanOfTheEdition, ChangesWeatherMoodsAndProps) {
  const auto film = [](const std::string& prompt) { return oracle::plan_by_rules(prompt, test::edition(), phones_of); };
  const auto wish = [](const Film& before, const std::string& text) {
    return plan::replan(before, {text, "s020", false}, test::edition(), phones_of);
  };
  const Film before = film("A fox runs through a forest beside a tree. It says: hello moon.");

  Film after = wish(before, "make it rain").film;
  expect_rest_kept(before, after, {1});
  ASSERT_EQ(after.places.size(), 2U);
  EXPECT_EQ(after.places[1].weather, "rain");
  EXPECT_EQ(after.places[1].time_of_day, before.places[0].time_of_day);
  EXPECT_EQ(after.shots[1].place, "forest_2");
  EXPECT_EQ(after.shots[1].ambience, "rain");
  EXPECT_EQ(wish(after, "under a clear sky").film.shots, before.shots);

  after = wish(before, "the fox is sad").film;
  EXPECT_EQ(after.shots[1].cast[0].mood, "sad");
  after.shots[1].cast[0].mood = "calm";
  EXPECT_EQ(after, before) << "one field";

  after = wish(before, "add a balloon").film;
  EXPECT_EQ(after.shots[1].props, (std::vector<plan::ShotProp>{{"tree", "right"}, {"balloon", "left"}}));
  EXPECT_EQ(paths_of([&] { (void)wish(after, "add a cake"); }), std::vector<std::string>{"shots[1].props"}) << "there is no room";
  EXPECT_EQ(wish(after, "the fox jumps over a cake").notes.size(), 1U);
  after = wish(after, "remove the tree").film;
  EXPECT_EQ(after.shots[1].props, (std::vector<plan::ShotProp>{{"balloon", "left"}}));
  after.shots[1].locked = {"props"};
  EXPECT_EQ(paths_of([&] { (void)wish(after, "without the balloon"); }), std::vector<std::string>{"shots[1].props"});

  const plan::Replanned dry = wish(film("A fox runs on the moon."), "the fox jumps in the rain");
  EXPECT_EQ(dry.film.places[0].weather, "clear");
  EXPECT_EQ(dry.film.unsupported, std::vector<std::string>{"rain"});
}

TEST(Replan, WhatCannotBeMetIsRefusedOrTold) {
  const Film before = film_of("A fox and a crab run through a forest.");
  EXPECT_EQ(paths_of([&] { (void)replan(before, "s010", "add a pig"); }), std::vector<std::string>{"shots[0].cast"});
  EXPECT_EQ(paths_of([&] { (void)replan(before, "s010", "remove the fox and without the crab"); }),
            (std::vector<std::string>{"shots[0].cast", "shots[0].action_beats"}));
  EXPECT_EQ(code_of([&] { (void)replan(before, "s099", "make it night"); }), ExitCode::usage);
  EXPECT_EQ(code_of([&] { (void)replan(before, "s010", "  "); }), ExitCode::usage);
  EXPECT_EQ(code_of([&] { (void)replan(before, "s010", "more drama please"); }), ExitCode::bad_data);
  EXPECT_EQ(code_of([&] { (void)replan(film_of("A crab runs."), "s010", "a dragon dances"); }), ExitCode::bad_data) << "it has no stand-in";
  const plan::Replanned made = replan(before, "s010", "The fox jumps over a dragon at night.");
  EXPECT_EQ(made.film.unsupported, std::vector<std::string>{"dragon"});
  EXPECT_EQ(made.notes.size(), 1U);
  EXPECT_EQ(made.film.shots[0].action_beats[1], before.shots[0].action_beats[1]) << "the crab does as before";
}

}  // namespace
}  // namespace fabula
