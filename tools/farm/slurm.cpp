// Slurm: an array of shots, of which a task that may be tried again requeues itself, and the film behind it.
#include "tools/farm/farm.h"

namespace fabula::farm {

std::vector<File> slurm_files(const Job& job) {
  const std::string head = "#!/bin/bash\n#SBATCH --job-name=" + job.name;
  // afterok does not recover from a task that has failed, so a task that is worth another try never ends as failed: it is requeued.
  // 71, 74 and 75 are fabula's own; 137 is a kill from outside, 143 the end of a node's or a job's time.
  const std::string retry =
      "code=$?\n"
      "case $code in\n"
      "71|74|75|137|143)\n"
      "  if [ \"${SLURM_RESTART_COUNT:-0}\" -lt 5 ]; then\n"
      "    echo \"exit code $code: requeued\" >&2\n"
      "    scontrol requeue \"${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}\" && sleep 60\n"
      "  fi ;;\n"
      "esac\n"
      "exit $code\n";
  const std::string limits = "\n#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --signal=TERM@90\n";
  return {
      {"shots.sbatch", head + "-shots\n#SBATCH --array=1-" + std::to_string(job.shots.size()) + "\n#SBATCH --output=logs/shot-%a.log" +
                           limits + "srun sh shot.sh \"$SLURM_ARRAY_TASK_ID\"\n" + retry},
      {"assemble.sbatch", head + "\n#SBATCH --output=logs/assemble.log" + limits + "srun sh assemble.sh\n" + retry},
      {"submit.sh",
       "#!/bin/sh\n# Gives the film to Slurm. Options, such as --partition=NAME or --mem=4G, go to both jobs.\n"
       "cd \"$(dirname \"$0\")\" || exit 66\nmkdir -p logs\n"
       "shots=$(sbatch --parsable \"$@\" shots.sbatch) || exit\n"
       "film=$(sbatch --parsable --dependency=\"afterok:$shots\" \"$@\" assemble.sbatch) || exit\n"
       "echo \"$shots $film\"\n"},
  };
}

}  // namespace fabula::farm
