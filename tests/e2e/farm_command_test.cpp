// `fabula submit`: the files for a farm, run by hand, by Slurm and by the runner of Open Job Description where these are installed.
#include <iostream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>

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

// A film's options reach both scripts, whatever they are, and what they read is found from any folder.
TEST_F(Farm, ShotsAndFilmAreGivenTheSameOptions) {
  plan();
  const std::string given =
      " --seed -1 --steps 3 --crf 20 --size 640x360 --title-card --no-gate --threads 1 --any-machine --weights int8 --shift 5 "
      "--audio-shift 4 "
      "--memory 1G --lora b.st:0.5 --lora a.st --loudness ebu --model " FABULA_SOURCE_DIR "/tests/goldens/h3_folder/model";
  const Result submitted = fabula("submit film.json --emit slurm -o farm" + given);
  ASSERT_EQ(submitted.code, 0) << submitted.err;
  const auto options_in = [&](const std::string& script) {
    const std::string text = contents(file("farm/" + script));
    return text.substr(text.find(" --any-machine"));
  };
  const std::string passed = options_in("shot.sh");
  EXPECT_EQ(passed, options_in("assemble.sh"));
  for (const char* option : {"--seed=", "--steps=3", "--crf=20", "--size=640x360", "--title-card", "--no-gate", "--threads=1",
                             "--weights=int8", "--shift=5", "--audio-shift=4", "--memory=1073741824", "--loudness=ebu", "--model=/"})
    EXPECT_NE(passed.find(option), std::string::npos) << option << " in" << passed;
  EXPECT_EQ(passed.find("--seed=-1"), std::string::npos) << "every task would draw its own";
  EXPECT_NE(passed.find("--lora=" + file("b.st").string() + ":0.5 --lora=" + file("a.st").string()), std::string::npos) << passed;
  EXPECT_EQ(contents(file("farm/shots.txt")), "c010\n") << "a published folder makes clips";
  EXPECT_EQ(fabula("submit film.json --emit slurm -o other --first-frame x.png" + given).code, 2)
      << "a plan says itself what leads its clips";
  EXPECT_EQ(fabula("submit film.json --emit slurm -o other --first-frame x.png").code, 2) << "nano takes none";
}

// Every option of a film is passed on, or is named here with its reason.
TEST_F(Farm, NoOptionOfAFilmIsForgotten) {
  plan();
  const auto names_in = [&](const std::string& command) {
    std::set<std::string> names;
    const std::string help = fabula(command + " --help").out;
    const std::regex name("--[a-z0-9][a-z0-9-]*");
    for (std::istringstream lines(help); lines;) {
      std::string line;
      std::getline(lines, line);
      std::smatch found;
      const std::size_t first = line.find_first_not_of(' ');
      if (first != std::string::npos && line[first] == '-' && std::regex_search(line, found, name)) names.insert(found[0]);
    }
    return names;
  };
  std::set<std::string> film = names_in("assemble"), submit = names_in("submit");
  EXPECT_GT(film.size(), 40U);
  for (const std::string& name : film)
    EXPECT_TRUE(submit.contains(name) || name == "--output" || name == "--log") << name << " cannot be submitted";
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
