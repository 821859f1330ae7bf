// `fabula submit`: the files for a farm, run by hand, by Slurm and by the runner of Open Job Description where these are installed.
#include <iostream>
#include <nlohmann/json.hpp>

#include "tests/e2e/program.h"

namespace fabula {
namespace {

class Farm : public CommandLine {
 protected:
  void plan() {
    ASSERT_EQ(fabula("plan 'Exactly two shots. A fox runs in the forest. Then a pig spins in the city.' --oracle -o film.json").code, 0);
  }
  // A command of the machine in the test's folder; its output goes to out.txt.
  int run(const std::string& command) {
    const int status = std::system(("cd " + folder_.string() + " && (" + command + ") >out.txt 2>&1 </dev/null").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  bool has(const std::string& program) { return run("command -v " + program) == 0; }
  std::string said() { return contents(file("out.txt")); }

  const std::string options_ = " --steps 1 --scale 1 --threads 2 --seed 7 --title-card";
};

TEST_F(Farm, TheShotsMadeOneByOneAreTheFilmOfASingleRender) {
  plan();
  const Result submitted = fabula("submit film.json --emit slurm -o 'my farm'" + options_);
  ASSERT_EQ(submitted.code, 0) << submitted.err;
  EXPECT_EQ(submitted.out,
            "my farm/plan.json\nmy farm/shots.txt\nmy farm/shot.sh\nmy farm/assemble.sh\nmy farm/shots.sbatch\nmy farm/assemble.sbatch\nmy "
            "farm/submit.sh\n");
  EXPECT_EQ(fabula("submit film.json --emit slurm -o 'my farm'").code, 73) << "nothing is replaced unasked";
  EXPECT_EQ(contents(file("my farm/shots.txt")), "s010\ns020\n");
  EXPECT_EQ(run("sh 'my farm/assemble.sh'"), 75) << said();
  EXPECT_EQ(run("sh 'my farm/shot.sh' 3"), 2) << said();
  EXPECT_EQ(run("sh 'my farm/shot.sh' 2 && sh 'my farm/shot.sh' 1 && sh 'my farm/assemble.sh'"), 0) << said();
  ASSERT_EQ(fabula("render film.json -o single.mp4 --no-store" + options_).code, 0);
  EXPECT_EQ(run("cmp single.mp4 'my farm'/*.mp4"), 0) << said();
}

TEST_F(Farm, AnIndexedJobCountsNoFailureThatIsNone) {
  plan();
  ASSERT_EQ(fabula("submit film.json --emit k8s --image registry/fabula:1 --program fabula -o farm").code, 0);
  const auto jobs = nlohmann::json::parse(contents(file("farm/jobs.k8s.json")));
  const auto& shots = jobs["items"][0]["spec"];
  EXPECT_EQ(shots["completions"], 2);
  EXPECT_EQ(shots["completionMode"], "Indexed");
  EXPECT_EQ(shots["template"]["spec"]["restartPolicy"], "Never") << "a podFailurePolicy needs it";
  EXPECT_EQ(shots["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"], (std::vector<int>{2, 65, 66, 69, 76, 78}));
  EXPECT_EQ(jobs["items"][1]["spec"]["podFailurePolicy"]["rules"][2]["onExitCodes"]["values"], std::vector<int>{75});
  EXPECT_EQ(shots["template"]["spec"]["containers"][0]["image"], "registry/fabula:1");
}

// FABULA_OPENJD names openjd of PyPI's openjd-cli.
TEST_F(Farm, OpenJobDescriptionsRunnerMakesTheSameFilm) {
  const char* given = std::getenv("FABULA_OPENJD");
  const std::string openjd = given != nullptr ? given : "openjd";
  if (!has(openjd)) GTEST_SKIP() << "openjd (openjd-cli) is not installed: nobody but us has read this job";
  plan();
  ASSERT_EQ(fabula("submit film.json --emit openjd -o farm" + options_).code, 0);
  EXPECT_EQ(run(openjd + " check farm/job.openjd.json"), 0) << said();
  EXPECT_EQ(run(openjd + " run farm/job.openjd.json --step Assemble --run-dependencies"), 0) << said();
  ASSERT_EQ(fabula("render film.json -o single.mp4 --no-store" + options_).code, 0);
  EXPECT_EQ(run("cmp single.mp4 farm/*.mp4"), 0) << said();
}

// Takes a minute and starts daemons, so it is asked for: FABULA_TEST_SLURM=1, as root.
TEST_F(Farm, SlurmMakesTheSameFilmThroughAKillAndADrainedNode) {
  if (std::getenv("FABULA_TEST_SLURM") == nullptr) GTEST_SKIP() << "FABULA_TEST_SLURM=1 runs the film through a Slurm on this machine";
  if (!has("slurmctld") || !has("munged")) GTEST_SKIP() << "slurm-wlm and munge are not installed";
  fs::create_directories(file("slurm"));
  const std::string source = FABULA_SOURCE_DIR;
  EXPECT_EQ(run("bash " + source + "/tests/e2e/slurm_film.sh " + FABULA_PROGRAM + " " + source + " " + file("slurm").string()), 0)
      << said();
  std::cout << said();
}

}  // namespace
}  // namespace fabula
