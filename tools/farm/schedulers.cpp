// The table of schedulers, and the files that all of them share.
#include <algorithm>

#include "tools/farm/farm.h"

namespace fabula::farm {
namespace {

std::string line_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += " " + quoted(word);
  return text;
}

}  // namespace

const std::vector<Scheduler>& schedulers() {
  static const std::vector<Scheduler> table = {
      {"slurm", "an array of shots, then assemble; submit.sh gives both to sbatch", slurm_files},
      {"openjd", "an Open Job Description template (jobtemplate-2023-09)", openjd_files},
      {"k8s", "a Kubernetes Indexed Job for the shots, and a Job that assembles", kubernetes_files},
  };
  return table;
}

std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string("-_=./:,+@%").find(c) != std::string::npos;
  });
  if (plain) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::vector<File> common_files(const Job& job) {
  std::string ids;
  for (const std::string& id : job.shots) ids += id + "\n";
  const std::string start = "cd \"$(dirname \"$0\")\" || exit 66\n", program = "exec \"${FABULA:-" + job.program + "}\"";
  return {
      {"shots.txt", ids},
      {"shot.sh",
       "#!/bin/sh\n# Makes the shots of line $1 of shots.txt (from 1) into the store. The exit code is fabula's: `fabula explain CODE`.\n" +
           start + "shot=$(sed -n \"$1p\" shots.txt)\n[ -n \"$shot\" ] || { echo \"shots.txt has no line $1\" >&2; exit 2; }\n" + program +
           " render plan.json --shots \"$shot\" --store \"${STORE:-store}\"" + line_of(job.options) + "\n"},
      {"assemble.sh", "#!/bin/sh\n# Makes the film of the shots in the store. 75: some are missing.\n" + start + program +
                          " assemble plan.json --store \"${STORE:-store}\" -y -o " + quoted(job.output) + line_of(job.options) + "\n"},
  };
}

}  // namespace fabula::farm
