// Whole shots come, go, and change their length; the times of a plan follow.
#include "planner/edit/reshape.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "audio/phonemes.h"
#include "planner/check/check.h"
#include "planner/edit/retime.h"
#include "planner/oracle/oracle.h"
#include "planner/schema/schema.h"
#include "tests/support/refusal.h"
#include "tests/support/storybook.h"

namespace fabula {
namespace {

using nlohmann::ordered_json;
using plan::Film;
using plan::Reshaping;
using test::refusal;
using test::storybook;
using Ids = std::vector<std::string>;

Film film_of(const std::string& prompt) { return oracle::plan_by_rules(prompt, storybook(), phones_of); }

plan::Replanned replan(const Film& film, const std::string& shot, const std::string& wish) {
  plan::Replanned made = plan::replan(film, {wish, shot, false}, storybook(), phones_of);
  EXPECT_FALSE(plan::has_errors(plan::check(made.film, storybook()))) << wish;
  EXPECT_EQ(plan::from_json(plan::to_json(made.film)), made.film) << wish;
  return made;
}

// Three shots; the second has a line.
Film three() {
  const Film film = film_of("In three shots a fox runs through a forest. It says: hello moon.");
  EXPECT_EQ(ids_of(film.shots), (Ids{"s010", "s020", "s030"}));
  return film;
}

std::string spoken(const Film& film) {
  std::string all;
  for (const plan::Shot& shot : film.shots) {
    for (const plan::Line& line : shot.dialogue) {
      EXPECT_GE(line.start_ms, shot.start_ms);
      EXPECT_LE(line.end_ms, shot.start_ms + shot.duration_ms);
      all += shot.id + " " + line.text + " " + std::to_string(line.start_ms - shot.start_ms) + ";";
    }
  }
  return all;
}

TEST(Reshaping, IsReadFromTheWish) {
  const struct {
    const char* wish;
    Reshaping wants;
  } cases[] = {
      {"call it Moonlight", {.kind = Reshaping::Kind::title, .text = "Moonlight"}},
      {"Title: The fox's night.", {.kind = Reshaping::Kind::title, .text = "The fox's night"}},
      {"Change the title to \"Two friends\"", {.kind = Reshaping::Kind::title, .text = "Two friends"}},
      {"remove this shot", {.kind = Reshaping::Kind::remove}},
      {"Delete s020.", {.kind = Reshaping::Kind::remove, .shot = "s020"}},
      {"please cut shot s030", {.kind = Reshaping::Kind::remove, .shot = "s030"}},
      {"add a shot", {.kind = Reshaping::Kind::add}},
      {"add a shot: a crab jumps", {.kind = Reshaping::Kind::add, .text = "a crab jumps"}},
      {"insert another shot before s020 where a crab jumps",
       {.kind = Reshaping::Kind::add, .shot = "s020", .text = "a crab jumps", .before = true}},
      {"make it longer", {.kind = Reshaping::Kind::last, .is_relative = true}},
      {"make it 3 seconds long", {.kind = Reshaping::Kind::last, .seconds = 3}},
      {"let s010 last two seconds", {.kind = Reshaping::Kind::last, .shot = "s010", .seconds = 2}},
      {"half a second shorter", {.kind = Reshaping::Kind::last, .seconds = -0.5, .is_relative = true}},
      {"make shot s020 1.5 seconds longer", {.kind = Reshaping::Kind::last, .shot = "s020", .seconds = 1.5, .is_relative = true}},
      {"lengthen it by 2 s", {.kind = Reshaping::Kind::last, .seconds = 2, .is_relative = true}},
      {"shorten s010", {.kind = Reshaping::Kind::last, .shot = "s010", .seconds = -0.5, .is_relative = true}},
  };
  for (const auto& c : cases) {
    const auto read = plan::reshaping_in(c.wish);
    ASSERT_TRUE(read) << c.wish;
    EXPECT_EQ(static_cast<int>(read->kind), static_cast<int>(c.wants.kind)) << c.wish;
    EXPECT_EQ(read->shot, c.wants.shot) << c.wish;
    EXPECT_EQ(read->text, c.wants.text) << c.wish;
    EXPECT_EQ(read->before, c.wants.before) << c.wish;
    EXPECT_EQ(read->seconds, c.wants.seconds) << c.wish;
    EXPECT_EQ(read->is_relative, c.wants.is_relative) << c.wish;
  }
  for (const char* wish :
       {"make it night", "remove the crab", "add a crab", "a crab jumps", "wide shot", "it says: call it a day", "zoom in", ""})
    EXPECT_FALSE(plan::reshaping_in(wish)) << wish;
}

TEST(Reshaping, ARemovedShotLeavesNoHole) {
  const Film before = three();
  for (const std::string shot : {"s010", "s020", "s030"}) {
    const Film after = replan(before, shot, "remove this shot").film;
    EXPECT_EQ(after.shots.size(), 2U);
    EXPECT_EQ(after.total_ms, storybook().film_ms(2));
    EXPECT_EQ(after.shots[1].start_ms, storybook().film_ms(1));
    EXPECT_EQ(after.title, before.title);
  }
  EXPECT_EQ(ids_of(replan(before, "s010", "delete s030").film.shots), (Ids{"s010", "s020"}));
  const Film one = film_of("In one shot a pig spins.");
  EXPECT_NE(refusal([&] { (void)replan(one, "s010", "remove this shot"); }).find("only shot"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)replan(before, "s010", "remove s099"); }, ExitCode::usage).find("s099"), std::string::npos);
  Film locked = before;
  locked.shots[1].locked = {"camera.size"};
  EXPECT_NE(refusal([&] { (void)replan(locked, "s020", "remove this shot"); }).find("locked"), std::string::npos);
}

TEST(Reshaping, AnAddedShotIsLikeItsNeighbourAndThenAsItIsTold) {
  const Film before = three();
  const Film after = replan(before, "s010", "add a shot: a crab jumps").film;
  EXPECT_EQ(ids_of(after.shots), (Ids{"s010", "s015", "s020", "s030"}));
  EXPECT_EQ(after.total_ms, storybook().film_ms(4));
  EXPECT_EQ(ids_of(after.shots[1].cast), Ids{"crab"});
  EXPECT_EQ(after.shots[1].action_beats[0].what, "jumps");
  EXPECT_EQ(after.shots[1].place, before.shots[0].place);
  EXPECT_EQ(spoken(after), spoken(before)) << "a line was lost or moved within its shot";
  EXPECT_EQ(ids_of(replan(before, "s010", "add a shot before it").film.shots), (Ids{"s005", "s010", "s020", "s030"}));
  EXPECT_EQ(ids_of(replan(before, "s030", "add a shot").film.shots), (Ids{"s010", "s020", "s030", "s040"}));
  Film full = before;
  while (full.shots.size() < static_cast<std::size_t>(storybook().max_shots)) full = replan(full, full.shots.back().id, "add a shot").film;
  EXPECT_NE(refusal([&] { (void)plan::replan(full, {"add a shot", "s010", false}, storybook(), phones_of); }), "");
}

TEST(Reshaping, AShotIsShortenedOrGoesOnInFurtherShots) {
  const Film before = three();
  const Film shorter = replan(before, "s010", "make it 1 second long").film;
  EXPECT_EQ(shorter.shots[0].duration_ms, 1000);
  EXPECT_EQ(shorter.shots[1].start_ms, 1000);
  EXPECT_EQ(spoken(shorter), spoken(before));
  const plan::Replanned longer = replan(before, "s010", "make it 4 seconds long");
  EXPECT_EQ(longer.film.shots.size(), 5U);
  EXPECT_NEAR(longer.film.shots[3].start_ms, 4000, 1);
  ASSERT_EQ(longer.notes.size(), 1U);
  EXPECT_NE(longer.notes[0].find("goes on in 2 further shots"), std::string::npos) << longer.notes[0];
  for (const char* shot : {"s010", "s020", "s030"}) EXPECT_EQ(replan(before, shot, "make it longer").film.shots.size(), 4U) << shot;
  for (double seconds = 1.8; seconds < 17; seconds += 0.611)
    (void)replan(before, "s010", "make it " + std::to_string(seconds) + " seconds long");
  EXPECT_EQ(replan(before, "s010", "half a second shorter").film.shots[0].duration_ms, before.shots[0].duration_ms - 500);
  EXPECT_NE(refusal([&] { (void)replan(before, "s010", "5 seconds shorter"); }).find("leaves nothing"), std::string::npos);
}

TEST(Reshaping, TheTitleIsTheTitleAlone) {
  const Film before = three();
  Film after = replan(before, "", "call it \"Moonlight, again\"").film;
  EXPECT_EQ(after.title, "Moonlight, again");
  after.title = before.title;
  EXPECT_EQ(after, before);
  EXPECT_NE(refusal([&] { (void)replan(before, "", "call it " + std::string(80, 'x')); }).find("60 bytes"), std::string::npos);
}

TEST(Retiming, AShotDeletedByHandLeavesAPlanThatCanBeFilmed) {
  const Film before = three();
  for (std::size_t gone = 0; gone < 3; ++gone) {
    ordered_json json = ordered_json::parse(plan::to_json(before));
    json["shots"].erase(gone);
    const plan::Retimed retimed = plan::retime_json(json.dump(), storybook(), phones_of);
    EXPECT_FALSE(plan::has_errors(plan::check(retimed.film, storybook()))) << gone;
    EXPECT_EQ(retimed.film.total_ms, storybook().film_ms(2));
    EXPECT_TRUE(retimed.notes.empty());
  }
  EXPECT_EQ(plan::retime(before, storybook()).film, before) << "a plan that is in time is left alone";
}

TEST(Retiming, MissingTimesAreDerived) {
  const Film before = three();
  ordered_json json = ordered_json::parse(plan::to_json(before));
  json.erase("total_ms");
  for (auto& shot : json["shots"]) {
    shot.erase("start_ms");
    shot["duration_ms"] = nullptr;
    for (auto& line : shot["dialogue"]) line.erase("start_ms"), line.erase("end_ms");
  }
  EXPECT_EQ(plan::retime_json(json.dump(), storybook(), phones_of).film, before);
  json = ordered_json::parse(plan::to_json(before));
  json["shots"][0]["duration_ms"] = 900;
  json["shots"][1].erase("duration_ms");  // its neighbours say
  const Film cut = plan::retime_json(json.dump(), storybook(), phones_of).film;
  EXPECT_EQ(cut.shots[1].start_ms, 900);
  EXPECT_EQ(cut.shots[1].duration_ms, before.shots[1].duration_ms);
  EXPECT_EQ(spoken(cut), spoken(before));
  // Whatever else is wrong is said as ever.
  json["shots"][1]["camera"] = 7;
  EXPECT_NE(refusal([&] { (void)plan::retime_json(json.dump(), storybook(), phones_of); }).find("shots[1].camera"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)plan::retime_json("{\n \"shots\": [\n}", storybook(), phones_of); }).find("line 3, column 1"),
            std::string::npos);
  for (const char* odd : {"{}", "[]", "{\"shots\":7}", "{\"shots\":[7]}", "{\"shots\":[{\"dialogue\":[7]}]}"})
    EXPECT_NE(refusal([&] { (void)plan::retime_json(odd, storybook(), phones_of); }), "") << odd;
}

TEST(Retiming, WhatReferredToADeletedShotIsMendedAndSaid) {
  Film film = three();
  film.shots[0].transition = {"dissolve", 300};
  film.shots[2].conditioning = {.mode = "chain", .chain_from = "s015"};
  film.beats = {{"opening", "it starts"}, {"end", "it ends", {"opening"}}};
  film.shots[0].beat = "end";
  film.sound.music_out_ms = 99999;
  const plan::Retimed retimed = plan::retime(film, storybook());
  EXPECT_EQ(retimed.film.shots[0].transition.kind, "cut");
  EXPECT_EQ(retimed.film.shots[2].conditioning.mode, "text");
  ASSERT_EQ(retimed.film.beats.size(), 1U);
  EXPECT_TRUE(retimed.film.beats[0].needs.empty());
  EXPECT_EQ(retimed.film.sound.music_out_ms, film.total_ms);
  EXPECT_EQ(retimed.notes.size(), 3U);
}

}  // namespace
}  // namespace fabula
