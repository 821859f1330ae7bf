// Events recalled by the planner by rules and by a bundle's model, side by side.
//   plan_recall tests/goldens/prompts/held_out.json assets/models/nano [--failures]
#include <cstdio>
#include <cstring>

#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/world.h"
#include "planner/compose/bundle_planner.h"
#include "planner/oracle/oracle.h"
#include "tools/bench/plan_recall.h"

namespace {

using namespace fabula;

void print(const char* who, const recall::Score& score) {
  const auto share = [](std::size_t right, std::size_t all) { return 100.0 * static_cast<double>(right) / static_cast<double>(all); };
  std::printf("%-10s shots right %zu of %zu (%.1f %%), whole films %zu of %zu (%.1f %%)\n", who, score.right_shots, score.shots,
              share(score.right_shots, score.shots), score.right_films, score.films, share(score.right_films, score.films));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: plan_recall CASES.json BUNDLE [--failures]\n", stderr);
    return 2;
  }
  const bool tells = argc > 3 && std::strcmp(argv[3], "--failures") == 0;
  try {
    const std::filesystem::path bundle = argv[2];
    const World world = World::open(bundle / "world.json");
    const auto planner = load_planner(bundle, Precision::fp32, cpu_machine(1), phones_of);
    recall::Score rules, model;
    for (const recall::Case& one : recall::read_cases(argv[1])) {
      if (!rules.add(one, oracle::plan_by_rules(one.prompt, world, phones_of)) && tells) std::printf("rules: %s\n", one.prompt.c_str());
      if (!model.add(one, planner->plan_film(one.prompt, nullptr).film) && tells) std::printf("model: %s\n", one.prompt.c_str());
    }
    print("rules", rules);
    print("model", model);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "plan_recall: %s\n", error.what());
    return 1;
  }
  return 0;
}
