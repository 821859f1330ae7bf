// Kubernetes: an Indexed Job (batch/v1), whose failures count or not by fabula's exit codes.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/farm/farm.h"

namespace fabula::farm {
namespace {

using nlohmann::ordered_json;

ordered_json on_codes(const char* action, const std::vector<int>& codes) {
  return {{"action", action}, {"onExitCodes", {{"containerName", "fabula"}, {"operator", "In"}, {"values", codes}}}};
}

ordered_json pod(const Job& job, const std::string& command) {
  const ordered_json container = {{"name", "fabula"},
                                  {"image", job.image},
                                  {"command", {"sh", "-c", command}},
                                  {"resources", {{"requests", {{"cpu", "1"}, {"memory", "1Gi"}}}}},
                                  {"volumeMounts", {{{"name", "film"}, {"mountPath", "/film"}}}}};
  return {{"spec",
           {{"restartPolicy", "Never"},
            {"terminationGracePeriodSeconds", 90},
            {"containers", {container}},
            {"volumes", {{{"name", "film"}, {"persistentVolumeClaim", {{"claimName", "fabula-film"}}}}}}}}};
}

// A node that goes away does not count. What no second try mends fails the job at once.
ordered_json rules(const std::vector<int>& not_counted) {
  ordered_json all = {{{"action", "Ignore"}, {"onPodConditions", {{{"type", "DisruptionTarget"}, {"status", "True"}}}}},
                      on_codes("FailJob", {2, 65, 66, 69, 76, 78})};
  if (!not_counted.empty()) all.push_back(on_codes("Ignore", not_counted));
  return {{"rules", all}};
}

ordered_json job_of(const std::string& name, ordered_json spec) {
  return {{"apiVersion", "batch/v1"}, {"kind", "Job"}, {"metadata", {{"name", name}}}, {"spec", std::move(spec)}};
}

}  // namespace

std::vector<File> kubernetes_files(const Job& job) {
  std::string name = "fabula-" + job.name.substr(0, 40);
  std::replace(name.begin(), name.end(), '_', '-');
  while (name.ends_with('-')) name.pop_back();
  const ordered_json shots = job_of(name + "-shots", {{"completions", job.shots.size()},
                                                      {"parallelism", std::min<std::size_t>(job.shots.size(), 100)},
                                                      {"completionMode", "Indexed"},
                                                      {"backoffLimitPerIndex", 5},
                                                      {"podFailurePolicy", rules({})},
                                                      {"template", pod(job, "exec sh /film/shot.sh $((JOB_COMPLETION_INDEX + 1))")}});
  // There is no dependency between jobs: the film's waits for its shots, each time that it finds some missing (75).
  const ordered_json film =
      job_of(name, {{"backoffLimit", 5}, {"podFailurePolicy", rules({75})}, {"template", pod(job, "exec sh /film/assemble.sh")}});
  const ordered_json list = {{"apiVersion", "v1"}, {"kind", "List"}, {"items", {shots, film}}};
  return {{"jobs.k8s.json", list.dump(2) + "\n"}};
}

}  // namespace fabula::farm
