// The planner of a small bundle against its Python twin (tools/goldens/dump_plans.py): streams, kept states, greedy plans.
#include "planner/compose/bundle_planner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/weights/safetensors.h"
#include "planner/check/check.h"
#include "planner/grammar/plan_grammar.h"
#include "planner/lm/session.h"
#include "planner/oracle/oracle.h"
#include "planner/schema/schema.h"

namespace fabula {
namespace {

using nlohmann::json;
using Tokens = std::vector<std::int32_t>;

const std::filesystem::path bundle = std::string(FABULA_SOURCE_DIR) + "/tests/goldens/planner";

const json& goldens() {
  static const json file = [] {
    std::ifstream in(bundle / "plans.json");
    return json::parse(in);
  }();
  return file;
}

plan::Film film_of(const json& golden) {
  json plan = golden["plan"];
  plan["prompt"] = golden["prompt"];
  return plan::from_json(plan.dump());
}

std::vector<std::size_t> rows_of(const std::vector<TokenSpan>& spans) {
  std::vector<std::size_t> rows;
  for (const TokenSpan& span : spans) {
    for (std::size_t row = span.begin; row < span.end; ++row) rows.push_back(row);
  }
  return rows;
}

std::vector<TokenSpan> untimed_spans(const plan::Film& film, const plan::Shot& shot, const PlanSpans& spans, std::size_t index) {
  std::vector<TokenSpan> wanted;
  for (std::size_t i = 0; i < film.characters.size(); ++i) {
    for (const plan::CastMember& member : shot.cast) {
      if (member.id == film.characters[i].id) wanted.push_back(spans.characters[i]);
    }
  }
  for (std::size_t i = 0; i < film.places.size(); ++i) {
    if (film.places[i].id == shot.place) wanted.push_back(spans.places[i]);
  }
  wanted.push_back(spans.shots[index]);
  return wanted;
}

TEST(Stream, OfAPlanIsTheTwinsToTheToken) {
  const World world = World::open(bundle / "world.json");
  const Tokenizer tokenizer = Tokenizer::open(bundle / "planner" / "tokenizer.json");
  ASSERT_GE(goldens()["streams"].size(), 8U);
  for (const json& golden : goldens()["streams"]) {
    plan::Film film = film_of(golden);
    for (const plan::Finding& finding : plan::check(film, world))
      EXPECT_EQ(finding.severity, plan::Severity::warning) << finding.path << ": " << finding.sentence;
    Follower follower(tokenizer);
    const PlanSpans spans = write_plan(follower, film, world, phones_of);
    EXPECT_EQ(follower.tokens(), golden["ids"].get<Tokens>()) << film.prompt;
    for (std::size_t i = 0; i < film.shots.size(); ++i) {
      const json& shot = golden["shots"][i];
      EXPECT_EQ(rows_of(untimed_spans(film, film.shots[i], spans, i)), shot["rows"].get<std::vector<std::size_t>>());
      EXPECT_EQ(rows_of({spans.scores[i]}), shot["sounds"].get<std::vector<std::size_t>>());
      std::vector<double> starts;
      for (const ScoreSound& sound : spans.sounds[i]) starts.push_back(sound.start_s);
      EXPECT_EQ(starts, shot["starts"].get<std::vector<double>>());
    }
  }
}

TEST(Planner, KeepsTheReferencesStatesOfAPlan) {
  constexpr double tolerance = 2e-5;
  const auto planner = load_planner(bundle, Precision::fp32, cpu_machine(2), phones_of);
  const Safetensors reference = Safetensors::open(bundle / "states.safetensors");
  for (int stream = 0; stream < 2; ++stream) {
    const json& golden = goldens()["streams"][static_cast<std::size_t>(stream)];
    const Tensor states = reference.at("state." + std::to_string(stream));
    const PlannedFilm planned = planner->read_plan(film_of(golden), nullptr);
    ASSERT_EQ(planned.shots.size(), golden["shots"].size());
    for (std::size_t i = 0; i < planned.shots.size(); ++i) {
      const Conditioning& shot = planned.shots[i];
      auto rows = golden["shots"][i]["rows"].get<std::vector<std::int64_t>>();
      ASSERT_EQ(shot.untimed(), static_cast<std::int64_t>(rows.size()));
      const auto sounds = golden["shots"][i]["sounds"].get<std::vector<std::int64_t>>();
      rows.insert(rows.end(), sounds.begin(), sounds.end());
      ASSERT_EQ(shot.rows(), static_cast<std::int64_t>(rows.size()));
      ASSERT_EQ(shot.dim, states.width());
      double worst = 0.0;
      for (std::size_t row = 0; row < rows.size(); ++row) {
        for (std::int64_t k = 0; k < shot.dim; ++k) {
          const float ours = shot.states[row * static_cast<std::size_t>(shot.dim) + static_cast<std::size_t>(k)];
          worst = std::max(worst, std::abs(static_cast<double>(ours) - static_cast<double>(states.f32()[rows[row] * shot.dim + k])));
        }
      }
      EXPECT_LT(worst, tolerance);
    }
  }
}

// The largest difference between two shots' states, relative to the largest state.
double relative_difference(const Conditioning& a, const Conditioning& b) {
  EXPECT_EQ(a.states.size(), b.states.size());
  double difference = 0.0, size = 0.0;
  for (std::size_t i = 0; i < std::min(a.states.size(), b.states.size()); ++i) {
    difference = std::max(difference, std::abs(static_cast<double>(a.states[i]) - static_cast<double>(b.states[i])));
    size = std::max(size, std::abs(static_cast<double>(a.states[i])));
  }
  return difference / size;
}

// Whether the model planned or, after two repairs, the rules: the states are those of the final plan. The model is random; its brief makes
// it fit the first prompt, but not the second.
TEST(Planner, KeepsTheStatesThatOnePrefillOfTheFinalPlanGives) {
  const auto planner = load_planner(bundle, Precision::fp32, cpu_machine(2), phones_of);
  for (const std::string prompt :
       {"A fox in a forest at night. It says: hello moon.", "A fox spins. Then a crab jumps on the beach. Then a pig flies at night."}) {
    const PlannedFilm written = planner->plan_film(prompt, nullptr);
    const bool is_easy = prompt.find("Then") == std::string::npos;
    EXPECT_EQ(written.origin.by_rules, !is_easy);
    EXPECT_EQ(written.origin.faults.empty(), is_easy);
    if (!is_easy) {
      EXPECT_EQ(written.origin.repairs, 2);
      EXPECT_EQ(plan::to_json(written.film), plan::to_json(oracle::plan_by_rules(prompt, World::open(bundle / "world.json"), phones_of)));
    }
    const PlannedFilm read = planner->read_plan(plan::from_json(plan::to_json(written.film)), nullptr);
    ASSERT_EQ(read.shots.size(), written.shots.size());
    for (std::size_t i = 0; i < read.shots.size(); ++i) {
      EXPECT_EQ(relative_difference(written.shots[i], read.shots[i]), 0.0);
      EXPECT_EQ(written.shots[i].score_start, read.shots[i].score_start);
    }
  }
}

// The parts of a planner, for tests of tokens.
struct Parts {
  Tokenizer tokenizer = Tokenizer::open(bundle / "planner" / "tokenizer.json");
  TokenTable table{tokenizer};
  Weights weights = Weights::open(bundle / "planner");
  Qwen3 model = load_qwen3(Qwen3Config::open(bundle / "planner" / "config.json"), weights);
  World world = World::open(bundle / "world.json");
};

TEST(Planner, ChoosesTheTwinsTokens) {
  Parts parts;
  for (const json& golden : goldens()["greedy"]) {
    const Machine machine = cpu_machine(1);
    Session session(parts.model, 0, machine);
    Composer composer(parts.tokenizer, parts.table, [&](std::span<const std::int32_t> tokens) { return session.read(tokens); });
    plan::Film film;
    film.prompt = golden["prompt"];
    Brief brief = open_brief(parts.world);
    for (const json& line : golden["lines"]) brief.lines.push_back({.speaker = "", .text = line.get<std::string>()});
    (void)write_plan(composer, film, parts.world, phones_of, brief);
    EXPECT_EQ(composer.tokens(), golden["ids"].get<Tokens>());
  }
}

TEST(Session, KeepsTheSameStatesHoweverTheTokensAreCut) {
  Parts parts;
  const auto ids = goldens()["streams"][3]["ids"].get<Tokens>();
  const Machine machine = cpu_machine(2);
  const std::int64_t tap_layer = 2;
  Session whole(parts.model, tap_layer, machine);
  const auto logits = whole.read(ids);
  const std::vector<float> expected(logits.begin(), logits.end());
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{300}}) {
    Session cut(parts.model, tap_layer, machine);
    std::span<const float> last;
    for (std::size_t at = 0; at < ids.size(); at += piece) last = cut.read(std::span(ids).subspan(at, std::min(piece, ids.size() - at)));
    ASSERT_EQ(cut.states().size(), whole.states().size());
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(last[i], expected[i], 1e-4);
    double worst = 0.0;
    for (std::size_t i = 0; i < whole.states().size(); ++i)
      worst = std::max(worst, static_cast<double>(std::abs(cut.states()[i] - whole.states()[i])));
    EXPECT_LT(worst, 2e-5) << "pieces of " << piece;
  }
}

TEST(Session, ForgetsWhatIsCutOff) {
  Parts parts;
  const auto ids = goldens()["streams"][0]["ids"].get<Tokens>();
  const Machine machine = cpu_machine(1);
  Session straight(parts.model, 1, machine), detour(parts.model, 1, machine);
  (void)straight.read(std::span(ids).first(100));
  (void)detour.read(std::span(ids).first(60));
  (void)detour.read(std::span(ids).subspan(200, 90));
  detour.truncate(60);
  (void)detour.read(std::span(ids).subspan(60, 40));
  ASSERT_EQ(detour.states().size(), straight.states().size());
  for (std::size_t i = 0; i < straight.states().size(); ++i) ASSERT_NEAR(detour.states()[i], straight.states()[i], 2e-5);
}

TEST(Session, GivesTheSameBytesWithAnyNumberOfThreads) {
  Parts parts;
  const auto ids = goldens()["streams"][1]["ids"].get<Tokens>();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    const Machine machine = cpu_machine(threads);
    Session session(parts.model, 2, machine);
    (void)session.read(ids);
    results.push_back(session.states());
  }
  EXPECT_EQ(results[1], results[0]);
  EXPECT_EQ(results[2], results[0]);
}

ExitCode code_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::done;
}

TEST(Planner, RefusesWhatItCannotDirect) {
  const auto planner = load_planner(bundle, Precision::fp32, cpu_machine(1), phones_of);
  EXPECT_EQ(code_of([&] { (void)planner->plan_film(std::string(" \n"), nullptr); }), ExitCode::usage);
  EXPECT_EQ(code_of([&] { (void)planner->plan_film(std::string("\xc3("), nullptr); }), ExitCode::bad_data);
  EXPECT_EQ(code_of([&] { (void)planner->plan_film(std::string(4001, 'x'), nullptr); }), ExitCode::bad_data);
  plan::Film film = film_of(goldens()["streams"][0]);
  film.shots[0].place = "atlantis";
  EXPECT_EQ(code_of([&] { (void)planner->read_plan(film, nullptr); }), ExitCode::bad_data);
}

TEST(Planner, StopsWhenToldTo) {
  const auto planner = load_planner(bundle, Precision::fp32, cpu_machine(1), phones_of);
  const std::string prompt = goldens()["greedy"][0]["prompt"];
  EXPECT_EQ(code_of([&] { (void)planner->plan_film(prompt, [](int tokens) { return tokens < 50; }); }), ExitCode::interrupted);
}

TEST(Planner, SaysWhatIsWrongWithABundle) {
  EXPECT_EQ(code_of([] { (void)load_planner(bundle / "absent", Precision::fp32, cpu_machine(1), phones_of); }), ExitCode::unavailable);
}

}  // namespace
}  // namespace fabula
