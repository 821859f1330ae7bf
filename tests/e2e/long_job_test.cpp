// What a long job shows and obeys: progress, previews, dry runs, logs, configuration.
#include <nlohmann/json.hpp>

#include <csignal>
#include <set>
#include <sstream>
#include <thread>

#include "tests/e2e/program.h"

namespace fabula {
namespace {

using nlohmann::json;

constexpr const char* quick = " --steps 1 --scale 1 --threads 1";

class LongJob : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    setenv("XDG_CONFIG_HOME", file("config").c_str(), 1);
    fs::create_directories(file("config/fabula"));
    const Result result = fabula("plan --oracle \"A crab on the beach.\"");
    ASSERT_EQ(result.code, 0) << result.err;
    json film = json::parse(result.out);
    film["shots"] = json::array({film["shots"][0]});
    film["total_ms"] = film["shots"][0]["duration_ms"];
    write("crab.json", film.dump());
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(file(name)) << text; }
  std::string render(const std::string& arguments) { return "render crab.json -o crab.mp4 -y" + std::string(quick) + " " + arguments; }
};

TEST_F(LongJob, TellsFarmsHowFarItIsAndWhyItFailed) {
  const Result openjd = fabula(render("--progress openjd --log log.txt"));
  ASSERT_EQ(openjd.code, 0) << openjd.err;
  double last = -1.0;
  int lines = 0;
  std::istringstream out(openjd.out);
  for (std::string line; std::getline(out, line);) {
    const std::string begin = "openjd_progress: ";
    if (!line.starts_with(begin)) continue;
    const double percent = std::stod(line.substr(begin.size()));
    EXPECT_GE(percent, last);
    last = percent;
    ++lines;
  }
  EXPECT_EQ(last, 100.0);
  EXPECT_GE(lines, 4);
  EXPECT_NE(openjd.out.find("openjd_status: shot 1 of 1\n"), std::string::npos) << openjd.out;
  EXPECT_NE(openjd.out.find("\ncrab.mp4\n"), std::string::npos) << openjd.out;

  // The log has every line of standard error, with its time.
  const std::string log = contents(file("log.txt"));
  std::istringstream said(openjd.err);
  for (std::string line; std::getline(said, line);) EXPECT_NE(log.find("Z " + line + "\n"), std::string::npos) << log;
  EXPECT_NE(log.find("peak memory"), std::string::npos);

  const Result failed = fabula("assemble crab.json -o b.mp4 --store empty --progress openjd --log log.txt" + std::string(quick));
  EXPECT_EQ(failed.code, 75);
  EXPECT_NE(failed.out.find("openjd_fail: these shots are not in the store yet: s010"), std::string::npos) << failed.out;
  EXPECT_NE(contents(file("log.txt")).find("fabula: these shots are not in the store yet"), std::string::npos);

  const Result alf = fabula(render("-q --progress alf"));
  EXPECT_NE(alf.out.find("ALF_PROGRESS 100%\n"), std::string::npos) << alf.out;
  EXPECT_EQ(fabula(render("--progress loud")).code, 2);
}

TEST_F(LongJob, ADryRunSaysWhatWouldBeMadeAndWritesNothing) {
  const auto listing = [&] {
    std::set<std::string> names;
    for (const fs::path& folder : {folder_, cache_}) {
      if (!fs::exists(folder)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(folder)) names.insert(entry.path());
    }
    return names;
  };
  (void)fabula("version");  // the harness's own files
  const auto before = listing();
  const Result first = fabula(render("--dry-run --json --save-plan plan.json --store kept"));
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(listing(), before);
  const json said = json::parse(first.out);
  EXPECT_EQ(said["shots_to_make"], json::array({"s010"}));
  EXPECT_TRUE(said["shots_to_reuse"].empty());
  EXPECT_EQ(said["film"], "crab.mp4");
  EXPECT_EQ(said["plan"]["shots"].size(), 1U);
  EXPECT_GT(said["memory_bytes"], 1000000);
  EXPECT_GT(said["estimated_seconds"], 0.0);

  ASSERT_EQ(fabula(render("-q --store kept")).code, 0);
  const double ratio = said["estimated_film_bytes"].get<double>() / static_cast<double>(fs::file_size(file("crab.mp4")));
  EXPECT_TRUE(ratio > 0.2 && ratio < 5.0) << ratio;
  const Result second = fabula(render("--dry-run --store kept"));
  EXPECT_NE(second.out.find("s010"), std::string::npos) << second.out;
  EXPECT_NE(second.out.find("reuse"), std::string::npos) << second.out;
}

TEST_F(LongJob, APreviewShowsTheShots) {
  ASSERT_EQ(fabula(render("-q --preview")).code, 0);
  EXPECT_EQ(contents(file("crab.mp4.preview.jpg")).substr(0, 2), "\xFF\xD8");
}

// Asked for before there is anything to see, the sheet is written with the first shot, and the film goes on.
TEST_F(LongJob, ASignalAsksForAPreview) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::string command =
        "cd " + folder_.string() + " && exec " + FABULA_PROGRAM +
        " render crab.json -o crab.mp4 --steps 8 --scale 1 --threads 1 --progress json >progress.txt 2>&1 </dev/null";
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  bool ended = false;
  while (!ended && contents(file("progress.txt")).find("\"shots\"") == std::string::npos) {  // the signals are taken from here on
    ended = waitpid(child, &status, WNOHANG) == child;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_FALSE(ended) << contents(file("progress.txt"));
  EXPECT_FALSE(fs::exists(file("crab.mp4.preview.jpg")));
  kill(child, SIGUSR1);
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(contents(file("crab.mp4.preview.jpg")).substr(0, 2), "\xFF\xD8");
  EXPECT_TRUE(fs::exists(file("crab.mp4")));
}

// Flags, then the environment, then the project's file, then the user's. A wrong value says where it comes from.
TEST_F(LongJob, OptionsComeFromTheNearestThatSaysThem) {
  const auto refused = [&](const std::string& flags, int code, const std::string& part) {
    const Result result = fabula("render crab.json --dry-run " + flags);
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_NE(result.err.find(part), std::string::npos) << result.err;
  };
  write("config/fabula/config.toml", "# mine\nscale = 91\n[plan]\nstats = true\n");
  refused("", 78, "fabula/config.toml)");
  write("fabula.toml", "jobs = 4\n[render]\nscale = 92\n[cast.add]\nlook = \"red\"\n");
  refused("", 78, "(from fabula.toml)");
  setenv("FABULA_SCALE", "93", 1);
  refused("", 78, "(from FABULA_SCALE)");
  refused("--scale 94", 2, "94");
  unsetenv("FABULA_SCALE");
  EXPECT_EQ(fabula("plan --oracle \"A pig.\"").code, 0) << "an option that needs another was set without it";
}

TEST_F(LongJob, AWrongConfigurationIsNamed) {
  write("fabula.toml", "stepz = 1\n");
  Result result = fabula(render("--dry-run"));
  EXPECT_EQ(result.code, 78) << result.err;
  EXPECT_NE(result.err.find("fabula.toml: no command has the option \"stepz\""), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("did you mean steps?"), std::string::npos) << result.err;
  write("fabula.toml", "overwrite = true\n");
  EXPECT_EQ(fabula(render("--dry-run")).code, 78) << "what is replaced is said on the command line alone";
  write("fabula.toml", "[rendr]\nsteps = 1\n");
  EXPECT_EQ(fabula(render("--dry-run")).code, 78);
  write("fabula.toml", "threads = \"many\"\n");
  result = fabula("render crab.json --dry-run");
  EXPECT_EQ(result.code, 78);
  EXPECT_NE(result.err.find("(from fabula.toml)"), std::string::npos) << result.err;
}

TEST_F(LongJob, TheDoctorFindsWhatIsThereAndWhatIsBroken) {
  setenv("XDG_DATA_HOME", file("data").c_str(), 1);
  const Result well = fabula("doctor --json");
  EXPECT_EQ(well.code, 0) << well.out << well.err;
  for (const json& check : json::parse(well.out)) EXPECT_EQ(check["ok"], true) << check;
  setenv("FABULA_STEPZ", "1", 1);
  const Result strange = fabula("doctor");
  unsetenv("FABULA_STEPZ");
  EXPECT_EQ(strange.code, 69);
  EXPECT_NE(strange.out.find("FABULA_STEPZ"), std::string::npos) << strange.out;
  EXPECT_EQ(fabula("doctor --model nowhere").code, 69);
}

}  // namespace
}  // namespace fabula
