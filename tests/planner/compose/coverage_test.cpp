// Nothing that a prompt asks for is dropped silently.
#include "planner/compose/coverage.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fabula {
namespace {

const std::string root = FABULA_SOURCE_DIR;
using Spans = std::vector<std::string>;

Spans left_out_of(const std::string& prompt, const Spans& lines = {}, const Spans& unsupported = {}) {
  static const World world = World::open(root + "/assets/models/nano/world.json");
  plan::Film film;
  film.prompt = prompt;
  film.unsupported = unsupported;
  for (const std::string& text : lines) {
    film.shots.emplace_back();
    film.shots.back().dialogue.push_back({.speaker = "fox", .text = text});
  }
  return left_out(film, world);
}

TEST(Coverage, APromptInsideTheWorldLeavesNothingOut) {
  EXPECT_EQ(left_out_of("A fox runs through a forest at night. It says: hello moon.", {"hello moon"}), Spans{});
  EXPECT_EQ(left_out_of("Two penguins wait on the beach, then the robot's turtle hops."), Spans{});
  EXPECT_EQ(left_out_of(""), Spans{});
}

TEST(Coverage, WhatTheWorldDoesNotKnowIsNamedInThePromptsOwnWords) {
  EXPECT_EQ(left_out_of("a crab flies over the desert, a Dragon sleeps"), (Spans{"Dragon sleeps"}));
  EXPECT_EQ(left_out_of("A pig in a castle falls, and a pig in a castle falls"), (Spans{"castle falls"}));
  EXPECT_EQ(left_out_of("Ein Füchslein läuft"), (Spans{"Ein Füchslein läuft"}));
}

TEST(Coverage, WhatIsSaidAloudOrNamedAlreadyIsNotNamedAgain) {
  EXPECT_EQ(left_out_of("The fox says \"beware of dragons\"."), Spans{});
  EXPECT_EQ(left_out_of("The fox says “beware of dragons”."), Spans{});
  EXPECT_EQ(left_out_of("The fox says beware.", {"beware"}), Spans{});
  EXPECT_EQ(left_out_of("A dragon and a wizard run", {}, {"dragon"}), (Spans{"wizard"}));
}

TEST(Coverage, ATypingSlipIsNoNewWordButAnotherLetterIs) {
  EXPECT_EQ(left_out_of("a penguni walks in the forrest"), Spans{});
  EXPECT_EQ(left_out_of("a pengin walks"), Spans{});
  EXPECT_EQ(left_out_of("a pig falls"), (Spans{"falls"}));  // one letter from "calls"
}

TEST(Coverage, SignsAreNoWords) {
  EXPECT_EQ(left_out_of("A fox \u2014 a crab \u2026 and a pig\u00bf"), Spans{}) << "a dash, an ellipsis, a turned question mark";
  EXPECT_EQ(left_out_of("A fox \u2019twixt pigs"), (Spans{"twixt"}));
}

TEST(Coverage, ASpanOfTheWorldsOwnWordsIsWithinIt) {
  const World world = World::open(root + "/assets/models/nano/world.json");
  EXPECT_TRUE(is_within("pig", world));
  EXPECT_TRUE(is_within("A Fox runs", world));
  EXPECT_FALSE(is_within("pig and dragon", world));
  EXPECT_FALSE(is_within("pig", World{})) << "no list, no judgement";
}

TEST(Coverage, ALongRunIsCutIntoSpansThatAPlanMayHold) {
  for (const std::string& span : left_out_of("dragons wizards castles unicorns mermaids submarines volcanoes"))
    EXPECT_LE(span.size(), 40U) << span;
  EXPECT_EQ(left_out_of(std::string(100, 'x')), Spans{}) << "a word that fits no span";
}

}  // namespace
}  // namespace fabula
