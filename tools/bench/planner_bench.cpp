// How fast a bundle's language model plans: reading ahead against reading what is asked for alone, and several plans at once against one
// after the other. What is compared takes turns in one run; on a busy machine the processor's time says more than the clock.
//   planner_bench BUNDLE [--prompts FILE] [--threads 1] [--jobs 8] [--precision fp32|bf16] [--repeats 3]
// FILE has a prompt a line; the default are sixteen of the shipped world.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/bundle.h"
#include "planner/compose/bundle_planner.h"
#include "planner/grammar/plan_grammar.h"
#include "planner/lm/session.h"
#include "planner/schema/schema.h"
#include "planner/text/prompt.h"

namespace {

using namespace fabula;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string bundle, prompts, precision = "fp32";
  int threads = 1, jobs = 8, repeats = 3;
};

constexpr const char* world_prompts[] = {
    "A fox runs through a forest at night. It says: hello moon.",
    "A penguin walks on the beach, then it jumps.",
    "A pig spins in the city.",
    "A robot and a whale stand in the desert. The robot says: where is the sea?",
    "A turtle flies over the moon at night, then it waves. It says in a deep voice: good night everybody!",
    "On the farm, a cat jumps up and down. A fox runs past it.",
    "A crab walks along the beach by day. It says: one, two, three. Then it spins.",
    "At night a whale flies over the city. A penguin waves and says \"come back\".",
    "Make a film of three shots: a pig runs on the farm, a fox stands in the forest, and a robot jumps on the moon.",
    "A wide view of a penguin that stands on the beach at night.",
    "A cat says: I am hungry. A crab says: so am I.",
    "A turtle waits in the desert. Then a robot comes with a violin and spins around.",
    "A close view of a fox in the city who says: not today.",
    "It is raining on the farm. A pig runs home.",
    "The whale and the crab jump together on the moon.",
    "A robot walks through the forest, it stops, it waves, and it says: is anybody there?",
};

std::vector<std::string> prompts_of(const std::string& file) {
  if (file.empty()) return {std::begin(world_prompts), std::end(world_prompts)};
  std::ifstream in(file);
  if (!in) throw Error(ExitCode::input_missing, "cannot read " + file);
  std::vector<std::string> prompts;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) prompts.push_back(prepare_prompt(line));
  }
  return prompts;
}

struct Planning {
  World world;
  Tokenizer tokenizer;
  TokenTable table{tokenizer};
  Weights weights;
  Qwen3 model;
  std::int64_t tap_layer;
};

// Seconds by the clock and of the processor, all threads together.
struct Time {
  double clock = 0.0, processor = 0.0;

  [[nodiscard]] static Time now() {
    return {std::chrono::duration<double>(Clock::now().time_since_epoch()).count(), static_cast<double>(std::clock()) / CLOCKS_PER_SEC};
  }
  Time operator-(const Time& other) const { return {clock - other.clock, processor - other.processor}; }
  Time& operator+=(const Time& other) {
    clock += other.clock, processor += other.processor;
    return *this;
  }
};

Time faster(const Time& a, const Time& b) { return {std::min(a.clock, b.clock), std::min(a.processor, b.processor)}; }
constexpr Time never = {1e9, 1e9};

struct Result {
  std::vector<std::int32_t> tokens;
  DecodingStats stats;
  Time time;
};

Result plan(const Planning& planning, Session& session, const std::string& prompt, bool ahead) {
  session.truncate(0);
  (void)session.take_stats();
  const Time start = Time::now();
  plan::Film film;
  film.prompt = prompt;
  std::int64_t given = 0;
  Composer composer(planning.tokenizer, planning.table, [&](std::span<const std::int32_t> tokens) {
    if (given == 0) given = static_cast<std::int64_t>(tokens.size());
    return ahead ? session.read_ahead(tokens) : session.read(tokens);
  });
  (void)write_plan(composer, film, planning.world, phones_of);
  session.rewind(0);
  session.read(composer.tokens(), Logits::none);
  Result result{composer.tokens(), session.take_stats(), Time::now() - start};
  result.stats.given = given;
  return result;
}

double share(auto part, auto whole) { return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole); }

struct Total {
  DecodingStats stats;
  Time time;
};

void print(const char* name, const Total& t, const Total& alone) {
  const DecodingStats& s = t.stats;
  std::printf("| %s | %lld | %.1f %% | %lld | %lld | %lld of %lld | %.2f | %.1f %% | %.0f, %.0f | %.2f, %.2f |\n", name,
              static_cast<long long>(s.tokens), 100.0 * share(s.forced(), s.tokens - s.given), static_cast<long long>(s.chosen),
              static_cast<long long>(s.passes), static_cast<long long>(s.accepted), static_cast<long long>(s.drafted),
              share(s.tokens - s.given, s.passes), 100.0 - 100.0 * share(s.passes, alone.stats.passes), share(s.tokens, t.time.clock),
              share(s.tokens, t.time.processor), share(alone.time.clock, t.time.clock), share(alone.time.processor, t.time.processor));
}

void print_at_once(const std::string& name, std::int64_t tokens, const Time& time, const Time& alone) {
  std::printf("| %s | %.0f, %.0f | %.2f, %.2f |\n", name.c_str(), share(tokens, time.clock), share(tokens, time.processor),
              share(alone.clock, time.clock), share(alone.processor, time.processor));
}

// One plan after the other against --jobs at once. The planner's own way of directing, states and all.
void bench_at_once(const Options& options, const std::vector<std::string>& prompts, Precision precision) {
  const auto planner = load_planner(options.bundle, precision, cpu_machine(options.threads), phones_of);
  Time one = never, many = never;
  std::int64_t tokens = 0;
  for (int repeat = 0; repeat < options.repeats; ++repeat) {
    std::vector<std::string> plans(prompts.size());
    const Time start = Time::now();
    tokens = 0;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      plans[i] = plan::to_json(planner->plan_film(prompts[i], nullptr).film);
      tokens += planner->stats().tokens;
    }
    const Time middle = Time::now();
    planner->plan_all(prompts, {.plans = options.jobs}, nullptr, [&](BatchResult result) {
      if (plan::to_json(std::get<PlannedFilm>(result.outcome).film) != plans[result.prompt])
        throw Error(ExitCode::internal, "company has changed the plan of: " + prompts[result.prompt]);
    });
    one = faster(one, middle - start), many = faster(many, Time::now() - middle);
  }
  std::printf("\n| | tokens/s (clock, processor) | times as fast |\n|---|---|---|\n");
  print_at_once("one after the other", tokens, one, one);
  print_at_once(
      std::to_string(options.jobs) + " at once, cache of " + std::to_string(planner->cache_bytes({.plans = options.jobs}) >> 20U) + " MB",
      tokens, many, one);
}

void bench(const Options& options) {
  const Bundle bundle = Bundle::open(options.bundle);
  const Precision precision = options.precision == "bf16" ? Precision::bf16 : Precision::fp32;
  Weights weights = Weights::open(bundle.folder / "planner", precision);
  Qwen3 model = load_qwen3(Qwen3Config::open(bundle.folder / "planner" / "config.json"), weights);
  const Planning planning{World::open(bundle.folder / "world.json"),
                          Tokenizer::open(bundle.folder / "planner" / "tokenizer.json"),
                          TokenTable(planning.tokenizer),
                          std::move(weights),
                          std::move(model),
                          bundle.tap_layer};
  const Machine machine = cpu_machine(options.threads);
  const std::vector<std::string> prompts = prompts_of(options.prompts);
  const auto fresh = [&] { return std::make_unique<Session>(planning.model, planning.tap_layer, machine); };
  constexpr const char* names[] = {"asked for alone", "read ahead", "read ahead, knowing the plans before"};
  Total totals[3];
  std::vector<std::unique_ptr<Session>> lasting;  // one a repeat, that knows the same plans in each
  for (int repeat = 0; repeat < options.repeats; ++repeat) lasting.push_back(fresh());
  for (const std::string& prompt : prompts) {
    std::vector<std::int32_t> expected;
    Total best[3] = {{{}, never}, {{}, never}, {{}, never}};
    for (int repeat = 0; repeat < options.repeats; ++repeat) {
      for (int way = 0; way < 3; ++way) {
        const auto one = way < 2 ? fresh() : nullptr;
        const Result result = plan(planning, one ? *one : *lasting[static_cast<std::size_t>(repeat)], prompt, way > 0);
        if (expected.empty()) expected = result.tokens;
        if (result.tokens != expected) throw Error(ExitCode::internal, "reading ahead has changed the plan of: " + prompt);
        best[way] = {result.stats, faster(best[way].time, result.time)};
      }
    }
    for (int way = 0; way < 3; ++way) totals[way].stats += best[way].stats, totals[way].time += best[way].time;
  }
  std::printf("%zu prompts, %s, %d threads, the best of %d\n", prompts.size(), options.precision.c_str(), options.threads, options.repeats);
  std::printf(
      "| | tokens | forced | choices | passes | drafts accepted | tokens a pass | passes saved | tokens/s (clock, processor) | times as "
      "fast |\n|---|---|---|---|---|---|---|---|---|---|\n");
  for (int way = 0; way < 3; ++way) print(names[way], totals[way], totals[0]);
  bench_at_once(options, prompts, precision);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Times the planner of a bundle: with and without reading ahead."};
  Options options;
  app.add_option("bundle", options.bundle, "A model bundle")->required();
  app.add_option("--prompts", options.prompts, "A prompt a line");
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 1024));
  app.add_option("--jobs", options.jobs, "Plans at once")->check(CLI::Range(1, 256));
  app.add_option("--precision", options.precision)->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_option("--repeats", options.repeats)->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  try {
    bench(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "planner_bench: %s\n", error.what());
    return 1;
  }
  return 0;
}
