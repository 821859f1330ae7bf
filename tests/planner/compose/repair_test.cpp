// Findings return to the model verbatim, at most twice; then the rules plan. The models are scripted: each round they write the plan that
// the test provides.
#include "planner/compose/repair.h"

#include <gtest/gtest.h>

#include "planner/check/check.h"
#include "planner/grammar/plan_grammar.h"
#include "planner/oracle/oracle.h"
#include "planner/schema/schema.h"
#include "tests/support/storybook.h"

namespace fabula {
namespace {

const std::string root = FABULA_SOURCE_DIR;
const std::string prompt = "A fox runs through a forest at night. It says: hello moon.";
// What a model may write for it, and what lacks the running.
const std::string walking = "A fox walks through a forest at night. It says: hello moon.";
const std::string jumping = "A fox jumps through a forest at night. It says: hello moon.";

// Speech without a synthesiser: 60 ms per letter.
std::vector<Phone> letters_as_phones(const std::string& text, const std::string&) {
  std::vector<Phone> phones;
  for (std::size_t i = 0; i < text.size(); ++i) phones.push_back({"ah", 0.06 * static_cast<double>(i), 0.06});
  return phones;
}

// A voice without any duration.
std::vector<Phone> hasty_phones(const std::string&, const std::string&) { return {{"ah", 0.0, 0.01}}; }

class Repair : public testing::Test {
 protected:
  plan::Film plan_of(const std::string& meaning) const {
    plan::Film film = oracle::plan_by_rules(meaning, world_, letters_as_phones);
    film.prompt = prompt;
    return film;
  }

  std::vector<std::int32_t> opening(const std::string& text) const {
    Follower follower(tokenizer_);
    write_user_turn(follower, text);
    return follower.tokens();
  }

  // The model writes `plans` in order, one per round.
  RepairedPlan compose_by(const std::vector<plan::Film>& plans, const PhonesFunction& phones = letters_as_phones,
                          std::size_t most_tokens = 100'000) {
    rounds_ = 0;
    read_.clear();
    std::vector<std::int32_t> goal;
    std::size_t position = 0;
    std::vector<float> logits(static_cast<std::size_t>(tokenizer_.size()));
    const std::int32_t start = *tokenizer_.added("<|im_start|>");
    const auto next = [&](std::span<const std::int32_t> tokens) {
      read_.insert(read_.end(), tokens.begin(), tokens.end());
      const auto turn = std::find(tokens.rbegin(), tokens.rend(), start);  // the answer's
      if (turn != tokens.rend()) {
        Follower follower(tokenizer_);
        plan::Film film = plans.at(rounds_++);
        write_plan(follower, film, world_, phones);
        goal = follower.tokens();
        position = opening(prompt).size() + static_cast<std::size_t>(turn - tokens.rbegin()) -
                   tokenizer_.encode("assistant\n", AddedTokens::plain).size();
      } else {
        position += tokens.size();
      }
      std::fill(logits.begin(), logits.end(), 0.0F);
      logits[static_cast<std::size_t>(goal.at(position))] = 1.0F;
      return std::span<const float>(logits);
    };
    return plan_with_repairs(assignment_of(prompt, world_, phones), world_, {tokenizer_, table_}, next, phones, most_tokens, {},
                             bundle_conversation(tokenizer_, prompt));
  }

  std::vector<plan::Finding> faults_in(const plan::Film& film) const {
    return faults_of(film, oracle::read_story(film.prompt, world_), world_);
  }

  std::string text_of(const std::vector<std::int32_t>& tokens) const {
    std::string text;
    for (const std::int32_t token : tokens) text += tokenizer_.bytes(token);
    return text;
  }

  World world_ = World::open(root + "/assets/models/nano/world.json");
  Tokenizer tokenizer_ = Tokenizer::open(root + "/tests/goldens/planner/planner/tokenizer.json");
  TokenTable table_{tokenizer_};
  std::size_t rounds_ = 0;
  std::vector<std::int32_t> read_;  // all tokens that the model has read
};

// A small model repeats the title of its example.
TEST_F(Repair, ATitleOfOthersThanTheFilmShowsIsTheRules) {
  const plan::Film by_rules = plan_of(prompt);
  plan::Film film = by_rules;
  film.title = "Crab in the Forest";
  EXPECT_NE(retitle(film, by_rules, world_).find("the title of the model's plan"), std::string::npos);
  EXPECT_EQ(film.title, by_rules.title);
  film.treatment = "A fox runs through the woods to the seaside.";
  EXPECT_FALSE(retitle(film, by_rules, world_).empty());
  EXPECT_EQ(film.treatment, by_rules.treatment);
  film.title = "The Fox in the Woods", film.treatment = "A red fox wanders by night.";
  EXPECT_TRUE(retitle(film, by_rules, world_).empty());
  EXPECT_EQ(film.title, "The Fox in the Woods");
  film.prompt += " No crab is near.";
  film.title = "No Crab";
  EXPECT_TRUE(retitle(film, by_rules, world_).empty()) << "the prompt names it";
}

TEST_F(Repair, APlanWithoutFaultsStandsAtOnce) {
  const plan::Film good = plan_of(prompt);
  const RepairedPlan made = compose_by({good});
  EXPECT_EQ(plan::to_json(made.film), plan::to_json(good));
  EXPECT_EQ(made.origin.repairs, 0);
  EXPECT_FALSE(made.origin.by_rules);
  EXPECT_EQ(made.read, read_);
}

TEST_F(Repair, FindingsGoBackWordForWordAsAUserTurnAndThePlanIsComposedAnew) {
  const plan::Film bad = plan_of(walking), good = plan_of(prompt);
  const std::vector<plan::Finding> faults = faults_in(bad);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(repair_turn(faults), "shots: no shot shows what the prompt says: fox runs at the place forest by night");
  const RepairedPlan made = compose_by({bad, good});
  EXPECT_EQ(plan::to_json(made.film), plan::to_json(good));
  EXPECT_EQ(made.origin.repairs, 1);
  EXPECT_FALSE(made.origin.by_rules);
  EXPECT_EQ(rounds_, 2U);
  EXPECT_EQ(made.read, read_);
  // The stream: the prompt, the whole first plan, the findings in the form of a prompt, the second plan.
  plan::Film first = bad;
  Follower whole(tokenizer_);
  write_plan(whole, first, world_, letters_as_phones);
  std::vector<std::int32_t> expected = whole.tokens();
  const auto append = [&](const std::vector<std::int32_t>& tokens) { expected.insert(expected.end(), tokens.begin(), tokens.end()); };
  append(tokenizer_.encode("\n", AddedTokens::plain));
  append(opening(repair_turn(faults)));
  ASSERT_GT(read_.size(), expected.size());
  EXPECT_EQ(std::vector<std::int32_t>(read_.begin(), read_.begin() + static_cast<std::ptrdiff_t>(expected.size())), expected)
      << text_of(std::vector<std::int32_t>(read_.begin(), read_.begin() + static_cast<std::ptrdiff_t>(expected.size())));
}

TEST_F(Repair, TheValidatorsFindingsAreFaultsToo) {
  plan::Film hasty = plan_of(prompt);
  hasty.shots[1].dialogue[0].end_ms = hasty.shots[1].dialogue[0].start_ms + 10;
  const std::vector<plan::Finding> faults = faults_in(hasty);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(repair_turn(faults), "shots[1].dialogue[0].text: " + faults[0].sentence);
  const plan::Film good = plan_of(prompt);
  const RepairedPlan made = compose_by({good, good, good}, hasty_phones);  // the voice is too fast for any plan
  EXPECT_TRUE(made.origin.by_rules);
  EXPECT_NE(text_of(read_).find("shots[1].dialogue[0].text: has 10 ms, to speak it takes "), std::string::npos);
  EXPECT_FALSE(plan::has_errors(plan::check(made.film, world_)));
  EXPECT_EQ(made.film.unsupported, std::vector<std::string>{"hello moon"}) << "what the rules drop is reported";
}

TEST_F(Repair, AfterTwoRoundsTheRulesPlan) {
  const plan::Film bad = plan_of(walking), worse = plan_of(jumping);
  const RepairedPlan made = compose_by({bad, worse, bad, plan_of(prompt)});
  EXPECT_EQ(rounds_, 3U) << "one plan and two repairs";
  EXPECT_EQ(made.origin.repairs, 2);
  EXPECT_TRUE(made.origin.by_rules);
  EXPECT_EQ(made.origin.faults.size(), 1U);
  EXPECT_EQ(plan::to_json(made.film), plan::to_json(oracle::plan_by_rules(prompt, world_, letters_as_phones)));
}

TEST_F(Repair, WhereAFurtherRoundWouldNotFitTheRulesPlanAtOnce) {
  const plan::Film bad = plan_of(walking);
  const RepairedPlan made = compose_by({bad}, letters_as_phones, 600);
  EXPECT_EQ(rounds_, 1U);
  EXPECT_EQ(made.origin.repairs, 0);
  EXPECT_TRUE(made.origin.by_rules);
}

TEST_F(Repair, ALineIsMissedUnlessItsSpeakerSaysAllOfIt) {
  const auto missed = [&](const std::string& text, const std::string& speaker) {
    plan::Film film = plan_of("A fox and a crab run in the forest. The fox says: it costs 7 coins.");
    plan::Line& line = film.shots[1].dialogue.at(0);
    line.text = text;
    line.speaker = speaker;
    return missed_events(film, oracle::read_story("The fox says: it costs 7 coins.", world_), world_).size();
  };
  EXPECT_EQ(missed("it costs 7 coins", "fox"), 0U);
  EXPECT_EQ(missed("it costs 7", "fox"), 1U);
  EXPECT_EQ(missed("it costs 7 coins", "crab"), 1U);
}

TEST_F(Repair, OnlyWhatAPromptClearlySaysIsMissed) {
  const auto missed = [&](const std::string& said, const std::string& shown) {
    plan::Film film = plan_of(shown);
    return missed_events(film, oracle::read_story(said, world_), world_).size();
  };
  EXPECT_EQ(missed("A dragon dances somewhere.", "A pig runs."), 0U) << "nothing in it is of this world";
  EXPECT_EQ(missed("A fox runs.", "A fox runs."), 0U);
  EXPECT_EQ(missed("A fox runs.", "A fox walks."), 1U);
  EXPECT_EQ(missed("A fox runs. Then a crab jumps.", "A fox runs."), 1U);
  EXPECT_EQ(missed("At night.", "A fox runs by day."), 1U);
  EXPECT_EQ(missed("A fox runs on the beach.", "A fox runs in the city."), 1U);
}

// Each film shows what the named actors do, and not what "it" does.
TEST_F(Repair, WhatAPronounDoesIsMissedWhereNobodyElseCanBeMeant) {
  const auto missed = [&](const std::string& said, const std::string& shown) {
    return missed_events(plan_of(shown), oracle::read_story(said, world_), world_).size();
  };
  const char* walking_fox = "A fox walks.";
  for (const char* clear : {"A fox walks. Then it jumps.", "A fox walks and then it jumps.", "A fox walks. Then jumps.",
                            "A fox walks. She jumps and waves.", "A fox walks through a glittering forest. It jumps.",
                            "A fox walks with a dragonfly net. Then she jumps.", "A fox walks. It is raining. It jumps."}) {
    EXPECT_GE(missed(clear, walking_fox), 1U) << clear;
    EXPECT_EQ(missed(clear, clear), 0U) << clear;
  }
  EXPECT_EQ(missed("A fox and a crab walk. They jump.", "A fox and a crab walk."), 1U);
  EXPECT_EQ(missed("A fox and a crab walk. They jump.", "A fox and a crab walk. The fox jumps."), 1U);
  for (const char* unsure :
       {"A fox walks to a dragon. Then it jumps.", "A fox walks. Ben waves. Then he jumps.", "A fox walks to Ben. Then he jumps.",
        "A fox walks with a shiny gadget. It jumps.", "A fox walks. It does not jump.", "A fox walks. It glows."}) {
    EXPECT_EQ(missed(unsure, walking_fox), 0U) << unsure;
  }
  const char* two = "A fox walks. A crab walks.";
  EXPECT_EQ(missed("A fox walks. A crab walks. It jumps.", two), 0U) << "the crab, most likely";
  EXPECT_EQ(missed("A fox and a crab walk. It jumps.", "A fox and a crab walk."), 0U);
  const plan::Film lazy = plan_of(walking_fox);
  const auto faults = missed_events(lazy, oracle::read_story("A fox walks. Then it jumps.", world_), world_);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(sentence_of(faults[0]), "shots: no shot shows what the prompt says: fox jumps");
}

TEST_F(Repair, WhereTheTimeChangesTheFilmBeginsBeforeTheChange) {
  const std::string until = "A fox runs through the forest until night falls.";
  plan::Film film = plan_of(until);
  film.prompt = until;
  EXPECT_TRUE(faults_in(film).empty()) << "by day, then by night";
  film = plan_of("A fox runs through the forest at night.");
  film.prompt = until;
  ASSERT_EQ(faults_in(film).size(), 1U);
  EXPECT_NE(sentence_of(faults_in(film).front()).find("by day"), std::string::npos) << sentence_of(faults_in(film).front());
}

TEST(RepairOfTheEdition, WeatherMoodAndPropsThatThePromptSaysMustBeShown) {
  const World& world = test::edition();
  const auto missed = [&](const std::string& meant, const std::string& shown) {
    return missed_events(oracle::plan_by_rules(shown, world, letters_as_phones), oracle::read_story(meant, world), world).size();
  };
  for (const char* said : {"A sad fox runs in the rain with a balloon.", "A fox talks to a crab.", "A fox is chased by a crab.",
                           "A fox runs on the moon in the rain.", "A fox runs with a balloon, a cake and a car."}) {
    EXPECT_EQ(missed(said, said), 0U) << said;
  }
  EXPECT_EQ(missed("A fox runs in the rain.", "A fox runs."), 1U);
  EXPECT_EQ(missed("A fox runs in the rain.", "A fox runs in the snowfall."), 1U);
  EXPECT_EQ(missed("A sad fox runs.", "A fox runs."), 1U);
  EXPECT_EQ(missed("A calm fox runs.", "A fox runs."), 0U);
  EXPECT_EQ(missed("A fox runs with a balloon.", "A fox runs with a tree."), 1U);
  EXPECT_EQ(missed("It is raining. There is a tree.", "A fox runs."), 1U);
}

}  // namespace
}  // namespace fabula
