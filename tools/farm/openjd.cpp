// Open Job Description, jobtemplate-2023-09.
#include <nlohmann/json.hpp>

#include "tools/farm/farm.h"

namespace fabula::farm {
namespace {

using nlohmann::ordered_json;

ordered_json script(const std::vector<std::string>& words) {
  return {{"actions",
           {{"onRun",
             {{"command", "env"}, {"args", words}, {"cancelation", {{"mode", "NOTIFY_THEN_TERMINATE"}, {"notifyPeriodInSeconds", 90}}}}}}}};
}

}  // namespace

std::vector<File> openjd_files(const Job& job) {
  const ordered_json folder = {
      {"name", "Folder"},
      {"type", "PATH"},
      {"objectType", "DIRECTORY"},
      {"dataFlow", "INOUT"},
      {"default", "."},
      {"description", "Where plan.json, shots.txt, shot.sh and assemble.sh are, and where the store and the film go"}};
  const ordered_json shots = {{"name", "Shots"},
                              {"type", "STRING"},
                              {"default", "1-" + std::to_string(job.shots.size())},
                              {"description", "Numbers of shots, in order and without repeats: 1-4,7"}};
  const ordered_json render = {
      {"name", "RenderShot"},
      {"parameterSpace", {{"taskParameterDefinitions", {{{"name", "Shot"}, {"type", "INT"}, {"range", "{{Param.Shots}}"}}}}}},
      {"script", script({"FABULA_PROGRESS=openjd", "sh", "{{Param.Folder}}/shot.sh", "{{Task.Param.Shot}}"})}};
  const ordered_json assemble = {{"name", "Assemble"},
                                 {"dependencies", {{{"dependsOn", "RenderShot"}}}},
                                 {"script", script({"FABULA_PROGRESS=openjd", "sh", "{{Param.Folder}}/assemble.sh"})}};
  const ordered_json job_template = {{"specificationVersion", "jobtemplate-2023-09"},
                                     {"name", job.name},
                                     {"parameterDefinitions", {folder, shots}},
                                     {"steps", {render, assemble}}};
  return {{"job.openjd.json", job_template.dump(2) + "\n"}};
}

}  // namespace fabula::farm
