// The planner's optimisations change no byte: drafts, states kept between calls, and shared passes.
#include <gtest/gtest.h>

#include <cstring>
#include <latch>
#include <map>
#include <thread>

#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/bundle.h"
#include "planner/compose/bundle_planner.h"
#include "planner/grammar/plan_grammar.h"
#include "planner/lm/batch.h"
#include "planner/lm/session.h"
#include "planner/lm/tokenizer.h"
#include "planner/schema/schema.h"

namespace fabula {
namespace {

using Tokens = std::vector<std::int32_t>;

const std::filesystem::path bundle = std::string(FABULA_SOURCE_DIR) + "/assets/models/nano";

const std::vector<std::string>& prompts() {
  static const std::vector<std::string> all = {
      "A fox runs through a forest at night. It says: hello moon.",
      "A penguin walks on the beach, then it jumps.",
      "A pig spins in the city.",
      "A robot and a whale stand in the desert. The robot says: where is the sea?",
      "On the farm, a cat jumps up and down. A fox runs past it.",
      "A crab walks along the beach by day. It says: one, two, three. Then it spins.",
      "At night a whale flies over the city. A penguin waves and says \"come back\".",
      "Zwei Füchse -- it's raining! \"Really?\" On the beach: a crab & a pig.",
  };
  return all;
}

struct Model {
  explicit Model(Precision precision = Precision::fp32) : weights(Weights::open(bundle / "planner", precision)) {}
  Weights weights;
  Qwen3 lm = load_qwen3(Qwen3Config::open(bundle / "planner" / "config.json"), weights);
  Tokenizer tokenizer = Tokenizer::open(bundle / "planner" / "tokenizer.json");
  TokenTable table{tokenizer};
  World world = World::open(bundle / "world.json");
  std::int64_t tap_layer = Bundle::open(bundle).tap_layer;
};

// The model's plan for a prompt, token by token.
Tokens compose(const Model& model, const std::string& prompt, const Composer::NextLogits& next) {
  plan::Film film;
  film.prompt = prompt;
  Composer composer(model.tokenizer, model.table, next);
  (void)write_plan(composer, film, model.world, phones_of);
  return composer.tokens();
}

void expect_same_bytes(std::span<const float> a, std::span<const float> b) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(0, std::memcmp(a.data(), b.data(), a.size_bytes()));
}

void expect_same_states(const PlannedFilm& a, const PlannedFilm& b) {
  ASSERT_EQ(a.shots.size(), b.shots.size());
  for (std::size_t i = 0; i < a.shots.size(); ++i) {
    expect_same_bytes(a.shots[i].states, b.shots[i].states);
    EXPECT_EQ(a.shots[i].score_start, b.shots[i].score_start);
  }
}

class ReadingAhead : public testing::TestWithParam<Precision> {};

TEST_P(ReadingAhead, ChangesNeitherTokensNorStates) {
  const Model model(GetParam());
  const Machine machine = cpu_machine(2);
  Session ahead(model.lm, model.tap_layer, machine);  // shared, so that later plans are drafted from earlier ones
  std::int64_t drafted = 0, accepted = 0, saved = 0;
  for (const std::string& prompt : prompts()) {
    Session alone(model.lm, model.tap_layer, machine), once(model.lm, model.tap_layer, machine);
    const Tokens expected = compose(model, prompt, [&](auto tokens) { return alone.read(tokens); });
    ahead.rewind(0);
    const Tokens found = compose(model, prompt, [&](auto tokens) { return ahead.read_ahead(tokens); });
    ASSERT_EQ(found, expected) << prompt;
    for (Session* session : {&alone, &ahead}) {
      session->rewind(0);
      (void)session->read(expected, Logits::none);
    }
    (void)once.read(expected, Logits::none);
    const std::size_t size = expected.size() * static_cast<std::size_t>(once.width());
    expect_same_bytes(std::span(ahead.states()).first(size), once.states());
    expect_same_bytes(std::span(alone.states()).first(size), once.states());
    const DecodingStats stats = ahead.take_stats(), plain = alone.take_stats();
    EXPECT_EQ(stats.tokens, static_cast<std::int64_t>(expected.size()));
    EXPECT_EQ(stats.chosen, plain.chosen);
    EXPECT_LE(stats.accepted, stats.drafted);
    drafted += stats.drafted, accepted += stats.accepted, saved += plain.passes - stats.passes;
  }
  EXPECT_GT(drafted, 0);
  EXPECT_GT(accepted, drafted / 4);
  EXPECT_GT(saved, 0);
}

INSTANTIATE_TEST_SUITE_P(Profiles, ReadingAhead, testing::Values(Precision::fp32, Precision::bf16),
                         [](const auto& tested) { return tested.param == Precision::fp32 ? "fp32" : "bf16"; });

TEST(Drafter, GoesOnAsBefore) {
  Drafter drafter;
  const Tokens text = {1, 2, 3, 4, 5, 6, 1, 2, 3, 4};
  drafter.learn(text, 0);
  EXPECT_EQ(drafter.draft(text, 3, 1), (Tokens{5, 6, 1}));
  EXPECT_EQ(drafter.draft(text, 0, 1), Tokens{});
  EXPECT_EQ(drafter.draft(text, 3, 2), Tokens{}) << "met once, twice were asked for";
  EXPECT_EQ(drafter.draft(Tokens{7, 3, 4}, 2, 1), (Tokens{5, 6})) << "the last two tokens were met";
  EXPECT_EQ(drafter.draft(Tokens{9, 9}, 2, 1), Tokens{});
  EXPECT_EQ(drafter.draft(Tokens{}, 2, 1), Tokens{});
}

TEST(SessionAgain, GivesTheSameLogitsForWhatIsKnown) {
  const Model model;
  const Machine machine = cpu_machine(1);
  Session session(model.lm, model.tap_layer, machine);
  const Tokens text = model.tokenizer.encode(R"({"id":"fox","name":"fox"},{"id":"fox","name":"fox"},{"id":"fox","na)", AddedTokens::plain);
  const auto logits = [&](std::span<const std::int32_t> tokens, bool ahead) {
    const auto row = ahead ? session.read_ahead(tokens) : session.read(tokens);
    return std::vector<float>(row.begin(), row.end());
  };
  const std::vector<float> expected = logits(text, true);
  ASSERT_EQ(expected.size(), static_cast<std::size_t>(model.lm.config.vocabulary));
  EXPECT_EQ(logits({}, true), expected) << "asked again";
  session.rewind(5);
  (void)session.take_stats();
  EXPECT_EQ(logits(std::span(text).subspan(5), false), expected) << "gone back and on";
  EXPECT_LE(session.take_stats().passes, 1);
  session.rewind(4);
  EXPECT_EQ(session.length(), 4U);
  Tokens other = {text[8], text[9]};  // a different continuation, then the first one again
  (void)logits(other, true);
  session.rewind(4);
  EXPECT_EQ(logits(std::span(text).subspan(4), true), expected);
}

TEST(Planner, KeepsTheStatesThatOnePrefillGivesToTheByte) {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    const auto planner = load_planner(bundle, precision, cpu_machine(2), phones_of);
    for (std::size_t i = 0; i < 4; ++i) {
      const PlannedFilm written = planner->plan_film(prompts()[i], nullptr);
      const DecodingStats& stats = planner->stats();
      EXPECT_GT(stats.forced(), stats.chosen);
      const auto fresh = load_planner(bundle, precision, cpu_machine(1), phones_of);
      expect_same_states(written, fresh->read_plan(written.film, nullptr));
    }
  }
}

TEST(Planner, ReadsAnEditedPlanFromTheFirstChangedToken) {
  const auto planner = load_planner(bundle, Precision::fp32, cpu_machine(2), phones_of);
  const PlannedFilm written = planner->plan_film(prompts()[0], nullptr);
  const std::int64_t all = planner->stats().tokens;
  const PlannedFilm same = planner->read_plan(written.film, nullptr);
  EXPECT_EQ(planner->stats().read, 0) << "nothing has changed";
  expect_same_states(same, written);

  plan::Film edited = written.film;
  plan::Shot& last = edited.shots.back();
  last.ambience = last.ambience == "wind" ? "none" : "wind";
  const Model model;
  const auto stream = [&](plan::Film film) {
    Follower follower(model.tokenizer);
    (void)write_plan(follower, film, model.world, phones_of);
    return follower.tokens();
  };
  const Tokens before = stream(written.film), after = stream(edited);
  const auto kept = std::mismatch(before.begin(), before.end(), after.begin(), after.end()).first - before.begin();
  ASSERT_GT(kept, all / 2);
  const PlannedFilm again = planner->read_plan(edited, nullptr);
  EXPECT_EQ(planner->stats().read, static_cast<std::int64_t>(after.size()) - kept);
  expect_same_states(again, load_planner(bundle, Precision::fp32, cpu_machine(1), phones_of)->read_plan(edited, nullptr));
}

std::map<std::size_t, BatchResult> batch(LanguagePlanner& planner, const std::vector<std::string>& all, const BatchOptions& options) {
  std::map<std::size_t, BatchResult> results;
  planner.plan_all(all, options, nullptr, [&](BatchResult result) { results.emplace(result.prompt, std::move(result)); });
  return results;
}

TEST(PlanningMany, GivesEachPromptThePlanAndTheStatesThatItGetsAlone) {
  std::vector<std::string> all = prompts();
  all.insert(all.begin() + 3, "\xc3(");  // not UTF-8: fails without stopping the others
  all.push_back(all[0]);
  const auto planner = load_planner(bundle, Precision::fp32, cpu_machine(2), phones_of);
  const auto alone = load_planner(bundle, Precision::fp32, cpu_machine(1), phones_of);
  std::map<std::string, PlannedFilm> expected;
  for (const std::string& prompt : prompts()) expected[prompt] = alone->plan_film(prompt, nullptr);
  // Room for all; then for two or three, which must repeatedly give up their pages.
  for (const std::int64_t tokens : {std::int64_t{8192}, std::int64_t{2400}}) {
    const auto results = batch(*planner, all, {.plans = 5, .cache_tokens = tokens});
    ASSERT_EQ(results.size(), all.size());
    for (const auto& [index, result] : results) {
      if (index == 3) {
        ASSERT_TRUE(std::holds_alternative<Error>(result.outcome));
        EXPECT_EQ(std::get<Error>(result.outcome).code(), ExitCode::bad_data);
        continue;
      }
      ASSERT_TRUE(std::holds_alternative<PlannedFilm>(result.outcome)) << std::get<Error>(result.outcome).what();
      const PlannedFilm& planned = std::get<PlannedFilm>(result.outcome);
      EXPECT_EQ(plan::to_json(planned.film), plan::to_json(expected[all[index]].film));
      expect_same_states(planned, expected[all[index]]);
    }
  }
}

TEST(PlanningMany, FailsWhatDoesNotFitAndNeverHangs) {
  const auto planner = load_planner(bundle, Precision::fp32, cpu_machine(1), phones_of);
  const auto results = batch(*planner, prompts(), {.plans = 3, .cache_tokens = 64});
  ASSERT_EQ(results.size(), prompts().size());
  for (const auto& [index, result] : results) {
    ASSERT_TRUE(std::holds_alternative<Error>(result.outcome));
    EXPECT_EQ(std::get<Error>(result.outcome).code(), ExitCode::out_of_memory);
  }
  EXPECT_EQ(planner->cache_bytes({.plans = 3, .cache_tokens = 64}), 64U * 4 * 2 * 32 * 2 * sizeof(float));
}

TEST(PlanningMany, StopsWhenToldTo) {
  const auto planner = load_planner(bundle, Precision::fp32, cpu_machine(1), phones_of);
  int results = 0;
  planner->plan_all(
      prompts(), {.plans = 3}, [](int tokens) { return tokens < 50; },
      [&](BatchResult result) {
        ++results;
        ASSERT_TRUE(std::holds_alternative<Error>(result.outcome));
        EXPECT_EQ(std::get<Error>(result.outcome).code(), ExitCode::interrupted);
      });
  EXPECT_EQ(results, static_cast<int>(prompts().size()));
}

// Texts of several threads in a pool for about two of them: pages change owners, and all are returned.
TEST(Batch, SharesPagesAndGetsThemBack) {
  const Model model;
  const Machine machine = cpu_machine(2);
  const Tokens text =
      model.tokenizer.encode(std::string(400, 'a') + "the fox runs, the fox stands" + std::string(200, 'b'), AddedTokens::plain);
  Session alone(model.lm, model.tap_layer, machine);
  const auto row = alone.read(text);
  const std::vector<float> expected(row.begin(), row.end());
  const std::int64_t pages = 2 * KvPool::pages_of(static_cast<std::int64_t>(text.size())) + 3;
  KvPool pool(model.lm.config, pages);
  Passes passes(model.lm, model.tap_layer, machine);
  Batch batch(passes, pool);
  {
    std::latch seated(5);
    std::vector<std::jthread> workers;
    for (int i = 0; i < 5; ++i) {
      workers.emplace_back([&] {
        Batch::Seat seat(batch);
        seated.arrive_and_wait();
        Session session(model.lm, pool, [&](Request& request) { return seat.read(request); });
        std::span<const float> last;
        for (std::size_t at = 0; at < text.size(); at += 7)
          last = session.read(std::span(text).subspan(at, std::min<std::size_t>(7, text.size() - at)));
        expect_same_bytes(last, expected);
        expect_same_bytes(session.states(), alone.states());
      });
    }
  }
  EXPECT_GT(batch.preempted(), 0);
  EXPECT_EQ(pool.pages(), pages);
  EXPECT_EQ(pool.free(), pages);
}

}  // namespace
}  // namespace fabula
