// A plan as the prompts of another model, clip by clip.
#include "tools/fabula/plan_compile.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "planner/check/check.h"
#include "planner/h3/prompt.h"

namespace fabula::cli {

namespace {

using nlohmann::ordered_json;

std::string compile_for_h3(const plan::Film& film) {
  const h3::Prompts prompts = h3::compile(film);
  ordered_json clips = ordered_json::array();
  for (const h3::Clip& c : prompts.clips) {
    ordered_json references = ordered_json::array();
    for (const h3::Reference& r : c.references) {
      ordered_json uses = ordered_json::array();
      for (const h3::Use& u : r.uses) uses.push_back({{"role", u.role}, {"of", u.of}});
      references.push_back({{"label", r.label}, {"kind", r.kind}, {"file", r.file}, {"uses", uses}});
    }
    clips.push_back({{"task", c.references.empty() ? "t2va" : "ref2va"},
                     {"start_ms", c.start_ms},
                     {"duration_ms", c.duration_ms},
                     {"frames", c.frames},
                     {"trimmed_ms", c.trimmed_ms},
                     {"shots", c.shots},
                     {"transition", {{"kind", c.transition.kind}, {"ms", c.transition.ms}}},
                     {"goes_on", c.goes_on},
                     {"speakers", c.speakers},
                     {"integrated_multimodal_description", c.integrated_multimodal_description},
                     {"overall_soundscape", c.overall_soundscape},
                     {"non_diegetic_music", c.non_diegetic_music},
                     {"references", references},
                     {"prompt", h3::text_of(c)}});
  }
  const ordered_json out = {{"version", "fabula.h3/1"},  {"title", film.title}, {"aspect", film.aspect}, {"fps", 24},
                            {"total_ms", film.total_ms}, {"clips", clips}};
  for (const std::string& sentence : prompts.left_out) std::fprintf(stderr, "fabula: left out: %s\n", sentence.c_str());
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

struct Target {
  const char* name;
  std::string (*compile)(const plan::Film&);
};
constexpr Target targets[] = {{"h3", compile_for_h3}};

}  // namespace

std::vector<std::string> compile_targets() {
  std::vector<std::string> names;
  for (const Target& target : targets) names.emplace_back(target.name);
  return names;
}

std::string compile_plan(const plan::Film& film, const std::string& name) {
  const std::vector<plan::Finding> findings = plan::check(film);
  if (has_errors(findings)) throw plan::PlanError("the plan has errors", findings);
  for (const Target& target : targets) {
    if (target.name == name) return target.compile(film);
  }
  throw Error(ExitCode::usage, "a plan cannot be compiled for " + name);
}

}  // namespace fabula::cli
