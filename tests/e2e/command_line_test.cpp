// The program as users see it: a prompt in, a film out, errors with their exit codes.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <tuple>

#include "tests/e2e/program.h"
#include "video/io/probe.h"

namespace fabula {
namespace {

TEST_F(CommandLine, HelpAndVersionNeedNoModel) {
  EXPECT_EQ(fabula("--version").code, 0);
  const Result help = fabula("--help");
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.out.find("fabula render \""), std::string::npos) << "no example in the help";
  EXPECT_EQ(fabula("render --help").code, 0);
}

TEST_F(CommandLine, EveryErrorHasItsCodeAndOneSentence) {
  std::ofstream(file("garbage.json")) << "{\"version\": [[[";
  std::ofstream(file("unknown.json")) << R"({"version":"fabula.plan/1","surprise":1})";
  const struct {
    const char* arguments;
    int code;
  } cases[] = {
      {"", 2},
      {"render", 2},
      {"render \"a fox\" --threads 0", 2},
      {"render \"a fox\" -o film.avi", 2},
      {"render \"a fox\" --device gpu", 2},
      {"render \"a fox\" --device cuda:99", 69},
      {"render \"\"", 2},
      {"render missing.json", 66},
      {"render garbage.json", 65},
      {"render unknown.json", 65},
      {"render \"a fox\" --model nowhere", 69},
      {"render \"a fox\" -o nowhere/film.mp4", 73},
      {"plan \"a fox\" -o nowhere/plan.json", 73},
  };
  for (const auto& c : cases) {
    const Result result = fabula(c.arguments);
    EXPECT_EQ(result.code, c.code) << "fabula " << c.arguments << "\n" << result.err;
    EXPECT_FALSE(result.err.empty()) << "fabula " << c.arguments;
    EXPECT_FALSE(fs::exists(file("film.mp4")));
  }
}

TEST_F(CommandLine, APlanIsCompiledForMiniMaxH3WithoutAModel) {
  const std::string plans = std::string(FABULA_SOURCE_DIR) + "/tests/planner/";
  const Result result = fabula("plan " + plans + "h3/voices.json --compile h3 --model nowhere");
  ASSERT_EQ(result.code, 0) << result.err;
  const auto out = nlohmann::json::parse(result.out);
  EXPECT_EQ(out.at("clips").at(0).at("task"), "t2va");
  for (const char* field : {"integrated_multimodal_description", "overall_soundscape", "non_diegetic_music", "prompt"})
    EXPECT_FALSE(out.at("clips").at(0).at(field).get<std::string>().empty());
  EXPECT_EQ(fabula("plan " + plans + "plans/bad/shot-tiling-gap.json --compile h3").code, 65);
  EXPECT_EQ(fabula("plan " + plans + "h3/voices.json --compile h4").code, 2);
}

TEST_F(CommandLine, APlanIsCheckedWithItsTimelineAndWithoutAModel) {
  const std::string plans = std::string(FABULA_SOURCE_DIR) + "/tests/planner/plans/";
  fs::create_directories(file("model"));
  fs::copy(fs::path(FABULA_SOURCE_DIR) / "assets/models/nano/world.json", file("model/world.json"));
  std::ofstream(file("model/fabula.json")) << contents(fs::path(FABULA_SOURCE_DIR) / "tests/goldens/planner/fabula.json");

  // A program that stands alone finds no model.
  fs::copy(FABULA_PROGRAM, file("fabula"));
  const auto alone = [&](const std::string& arguments, const std::string& input = "/dev/null") {
    const fs::path out = file("out.txt"), err = file("err.txt");
    const int status =
        std::system((file("fabula").string() + " " + arguments + " <" + input + " >" + out.string() + " 2>" + err.string()).c_str());
    return Result{WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents(out), contents(err)};
  };
  const Result rich = alone("plan --check " + plans + "good/lantern.json");
  EXPECT_EQ(rich.code, 0) << rich.out << rich.err;
  EXPECT_NE(rich.out.find("lamp.holder = mia  (was tom)"), std::string::npos) << rich.out;
  EXPECT_NE(rich.err.find("no model is installed"), std::string::npos) << rich.err;
  EXPECT_EQ(alone("plan --check -", plans + "good/swap.json").code, 0);
  EXPECT_EQ(alone("plan --check - --model nowhere", plans + "good/swap.json").code, 69);
  EXPECT_EQ(alone("plan --schema").out, contents(fs::path(FABULA_SOURCE_DIR) / "assets/schema/plan.schema.json"));

  // With a model, what it cannot film is reported too.
  const std::string with_model = " --model " + file("model").string();
  EXPECT_EQ(alone("plan --check " + plans + "good/story.json" + with_model).code, 0);
  const Result small = alone("plan --json --check " + plans + "good/lantern.json" + with_model);
  EXPECT_EQ(small.code, 65);
  const auto report = nlohmann::json::parse(small.out);
  EXPECT_TRUE(report.at("valid").get<bool>());
  EXPECT_FALSE(report.at("filmable").get<bool>());
  EXPECT_EQ(report.at("timeline").at("shots").size(), 4U);

  const Result bad = alone("plan --check " + plans + "bad/unknown-place.json --json");
  EXPECT_EQ(bad.code, 65);
  EXPECT_EQ(nlohmann::json::parse(bad.out).at("findings").at(0).at("path"), "shots[1].place");
  EXPECT_EQ(nlohmann::json::parse(alone("plan --json --check " + plans + "bad/not-json-deep.json").out).at("findings").at(0).at("rule"),
            "not-json");
  EXPECT_EQ(alone("plan --check nowhere.json").code, 66);
  EXPECT_EQ(alone("plan --check /").code, 66);
  EXPECT_EQ(alone("plan \"a fox\" --schema").code, 2);
  EXPECT_EQ(alone("plan --json --schema").code, 2);
}

TEST_F(CommandLine, APromptBecomesAFilm) {
  const Result result =
      fabula("render \"A fox runs through a forest at night. It says: hello moon.\" -o fox.mp4 --save-plan fox.json --json");
  ASSERT_EQ(result.code, 0) << result.err;
  const auto report = nlohmann::json::parse(result.out);
  const FilmProbe film = probe_film(file("fox.mp4"));
  EXPECT_TRUE(film.has_audio);
  EXPECT_EQ(film.video_frames, (report.at("total_ms").get<int>() * 24 + 500) / 1000);
  for (const auto& entry : fs::directory_iterator(folder_)) EXPECT_NE(entry.path().extension(), ".part") << entry.path();
}

TEST_F(CommandLine, ABatchOfPromptsBecomesAFolderOfPlansAndABadJobStopsNoOther) {
  std::ofstream(file("jobs.txt"))
      << "A pig spins in the city.\n\n{\"prompt\": \"A crab jumps.\", \"output\": \"cat.json\"}\n{\"prompt\": 3}\n\xc3(\n"
         "A fox runs.\n{\"prompt\": \"A crab waves.\", \"output\": \"cat.json\"}\n";
  const Result result = fabula("plan --batch jobs.txt -o plans --jobs 3 --json");
  EXPECT_EQ(result.code, 3) << result.err;
  EXPECT_NE(result.err.find("MB"), std::string::npos) << "the cache's size is not reported";
  std::map<int, nlohmann::json> lines;
  std::istringstream out(result.out);
  for (std::string line; std::getline(out, line);) {
    const nlohmann::json one = nlohmann::json::parse(line);
    lines[one["job"]] = one;
  }
  ASSERT_EQ(lines.size(), 6U) << result.out;
  for (const int bad : {3, 4, 6}) EXPECT_EQ(lines[bad]["code"], 65) << bad;
  for (const auto& [number, name, prompt] :
       {std::tuple{1, "001.json", "A pig spins in the city."}, {2, "cat.json", "A crab jumps."}, {5, "005.json", "A fox runs."}}) {
    EXPECT_EQ(lines[number]["status"], "done");
    EXPECT_GT(lines[number]["stats"]["forced"], 0);
    EXPECT_TRUE(lines[number]["by"] == "model" || lines[number]["by"] == "rules") << lines[number];
    EXPECT_EQ(fabula("plan \"" + std::string(prompt) + "\" -y -o alone.json").code, 0);
    EXPECT_EQ(contents(file("plans") / name), contents(file("alone.json"))) << prompt;
  }
  EXPECT_EQ(fabula("plan --batch missing.txt").code, 66);
  EXPECT_EQ(fabula("plan --batch jobs.txt --jobs 0").code, 2);
}

TEST_F(CommandLine, TheSamePromptAndSeedGiveTheSameBytesWhateverTheThreadsAndAnotherSeedAnotherFilm) {
  const std::string prompt = "render \"A crab on the beach, in one shot.\" --steps 4 --no-store ";
  ASSERT_EQ(fabula(prompt + "-o a.mp4 --seed 3 --threads 1").code, 0);
  ASSERT_EQ(fabula(prompt + "-o b.mp4 --seed 3 --threads 2").code, 0);
  ASSERT_EQ(fabula(prompt + "-o c.mp4 --seed 4").code, 0);
  EXPECT_TRUE(contents(file("a.mp4")) == contents(file("b.mp4"))) << "the bytes depend on the number of threads";
  EXPECT_FALSE(contents(file("a.mp4")) == contents(file("c.mp4"))) << "the seed changes nothing";
}

TEST_F(CommandLine, AnEditedPlanIsRenderedAndAPlanFileGivesThePromptsFilm) {
  ASSERT_EQ(fabula("render \"A pig walks in the desert.\" -o direct.mp4 --steps 3 --precision fp32 --save-plan pig.json").code, 0);
  ASSERT_EQ(fabula("render pig.json -o again.mp4 --steps 3 --precision fp32 --no-store").code, 0);
  auto plan = nlohmann::ordered_json::parse(contents(file("pig.json")));
  plan["places"][0]["time_of_day"] = plan["places"][0]["time_of_day"] == "day" ? "night" : "day";
  std::ofstream(file("edited.json")) << plan.dump();
  const Result edited = fabula("render edited.json -o edited.mp4 --steps 3 --precision fp32");
  ASSERT_EQ(edited.code, 0) << edited.err;
  EXPECT_FALSE(contents(file("again.mp4")) == contents(file("edited.mp4"))) << "the edit changes nothing";
}

TEST_F(CommandLine, MemoryDoesNotGrowWithTheNumberOfShots) {
  double peak[2];
  int at = 0;
  for (const char* shots : {"three", "twelve"}) {
    const Result result =
        fabula(std::string("render \"A robot walks on the moon, in ") + shots + " shots.\" -y -o film.mp4 --steps 2 --json");
    ASSERT_EQ(result.code, 0) << result.err;
    const auto report = nlohmann::json::parse(result.out);
    RecordProperty(shots, report.at("shots").get<int>());
    peak[at++] = report.at("peak_memory_mb").get<double>();
    std::printf("%d shots: peak %.0f MB\n", report.at("shots").get<int>(), peak[at - 1]);
  }
  EXPECT_LT(peak[1], 1.15 * peak[0]);
}

TEST_F(CommandLine, RulesPlanAloneAndAShotIsReplannedWithoutOverwriting) {
  const Result planned = fabula("plan --oracle \"A fox runs through a forest. It says: hello moon. A dragon sneezes.\" -o story.json");
  ASSERT_EQ(planned.code, 0) << planned.err;
  EXPECT_NE(planned.err.find("cannot show \"dragon\""), std::string::npos) << planned.err;
  EXPECT_EQ(fabula("plan --check story.json").code, 0);
  EXPECT_EQ(fabula("plan --oracle story.json").code, 2);
  EXPECT_EQ(fabula("plan --oracle \" \"").code, 2);
  const std::string before = contents(file("story.json"));

  const Result printed = fabula("replan story.json --shot s020 \"make it night\"");
  ASSERT_EQ(printed.code, 0) << printed.err;
  const auto plan = nlohmann::json::parse(printed.out);
  EXPECT_EQ(plan["shots"][1]["place"], "forest_2");
  EXPECT_EQ(plan["shots"][0], nlohmann::json::parse(before)["shots"][0]);
  EXPECT_EQ(fabula("replan story.json --from s020 \"it jumps\" -o new.json").code, 0);
  EXPECT_EQ(fabula("plan --check new.json").code, 0);

  const Result refused = fabula("replan story.json --shot s020 \"it jumps\" -o story.json");
  EXPECT_EQ(refused.code, 73);
  EXPECT_NE(refused.err.find("--overwrite"), std::string::npos);
  EXPECT_EQ(contents(file("story.json")), before);
  EXPECT_EQ(fabula("replan story.json --shot s020 \"add a crab and a pig\" -o full.json").code, 65);
  EXPECT_FALSE(fs::exists(file("full.json")));
  EXPECT_EQ(fabula("replan story.json --shot s020 \"more drama\"").code, 65);
  EXPECT_EQ(fabula("replan story.json --shot s999 \"it jumps\"").code, 2);
  EXPECT_EQ(fabula("replan story.json \"it jumps\"").code, 2) << "which shot?";
  EXPECT_EQ(fabula("replan story.json --shot s010 --from s020 \"it jumps\"").code, 2);
  EXPECT_EQ(fabula("replan nowhere.json --shot s010 \"it jumps\"").code, 66);
  EXPECT_EQ(fabula("replan story.json --shot s020 \"it jumps\" -o story.json --overwrite").code, 0);
  EXPECT_NE(contents(file("story.json")), before);
}

TEST_F(CommandLine, AnInterruptedRenderLeavesNothingBehind) {
  // Two signals together, as timeout(1) sends to the program and its group, are one request.
  const std::string command = "sh -c 'cd " + folder_.string() + " && { " + FABULA_PROGRAM +
                              " render \"A fox in the city, in six shots.\" -o cut.mp4 --steps 200 2>err.txt & } && sleep 1 && "
                              "kill -INT $! && kill -INT $!; wait $!; echo $? >code.txt'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(contents(file("code.txt")), "130\n") << contents(file("err.txt"));
  EXPECT_FALSE(fs::exists(file("cut.mp4")));
  for (const auto& entry : fs::directory_iterator(folder_))
    EXPECT_EQ(entry.path().string().find(".part"), std::string::npos) << entry.path();
}

// A handler would run on the stack of whichever thread it interrupts, and a library's generated code may point that elsewhere.
TEST_F(CommandLine, NoThreadRunsASignalHandler) {
  const std::string command = "sh -c 'cd " + folder_.string() + " && { " + FABULA_PROGRAM +
                              " render \"A fox in the city, in six shots.\" -o cut.mp4 --steps 200 --threads 2 2>err.txt & } && sleep 2 && "
                              "cat /proc/$!/task/*/status >status.txt; kill -TERM $!; wait $!; echo $? >code.txt'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(contents(file("code.txt")), "143\n") << contents(file("err.txt"));
  constexpr unsigned long long stops = (1ULL << (SIGINT - 1)) | (1ULL << (SIGTERM - 1));
  int blocking = 0, waiting = 0;  // a thread that waits for a signal is listed as not blocking it
  std::istringstream lines(contents(file("status.txt")));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("SigBlk:")) ++((std::stoull(line.substr(8), nullptr, 16) & stops) == stops ? blocking : waiting);
    if (line.starts_with("SigCgt:")) {
      EXPECT_EQ(std::stoull(line.substr(8), nullptr, 16) & stops, 0U) << line;
    }
  }
  EXPECT_GE(blocking, 2);
  EXPECT_EQ(waiting, 1);
}

}  // namespace
}  // namespace fabula
