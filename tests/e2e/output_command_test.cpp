// What happens to files: no existing file is lost, and every failed write is reported.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/e2e/program.h"
#include "video/io/probe.h"

namespace fabula {
namespace {

using nlohmann::json;

constexpr const char* pig = "plan --oracle 'A pig.' ";
constexpr const char* quick = " --steps 1 --scale 1 -q";

class OutputCommand : public CommandLine {
 protected:
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name), std::ios::binary) << text; }
  // Runs a shell line in the test's folder, with $F as the program; returns its exit code.
  int shell(const std::string& line) const {
    const int status = std::system(("cd " + folder_.string() + " && F=" + FABULA_PROGRAM + " && { " + line + "\n} 2>told.txt").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // One sentence on standard error and this code.
  void expect_refused(const std::string& arguments, int code, const std::string& told) {
    const Result result = fabula(arguments);
    EXPECT_EQ(result.code, code) << "fabula " << arguments << "\n" << result.err;
    EXPECT_NE(result.err.find(told), std::string::npos) << "fabula " << arguments << "\n" << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_EQ(result.err.find("filesystem error"), std::string::npos) << result.err;
  }
  // A plan of one shot that renders in a second.
  void plan_pig(const std::string& name) { ASSERT_EQ(fabula("plan --oracle 'In one shot a pig jumps.' -o " + name).code, 0); }
  mode_t mode(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::lstat(file(name).c_str(), &status), 0) << name;
    return status.st_mode;
  }
  void expect_no_scratch() const {
    for (const auto& entry : fs::directory_iterator(folder_))
      EXPECT_EQ(entry.path().string().find(".part"), std::string::npos) << entry.path();
  }
};

TEST_F(OutputCommand, AFileThatIsThereIsRefusedKeptOrReplacedAsAsked) {
  write("a.json", "mine");
  write("a.mp4", "mine");
  write("card.json", "mine");
  ASSERT_EQ(fabula("plan --oracle 'A pig.' -o pig.json").code, 0);
  ASSERT_EQ(fabula("cast add fox --cast c.db").code, 0);
  const std::string commands[] = {std::string(pig) + "-o a.json",
                                  "plan --schema -o a.json",
                                  "replan pig.json --shot s010 'make it night' -o a.json",
                                  "render pig.json -o a.mp4",
                                  "render pig.json -o b.mp4 --save-plan a.json",
                                  "cast export fox card.json --cast c.db"};
  for (const std::string& command : commands) {
    expect_refused(command, 73, "exists already; -y (--overwrite) replaces it");
    if (command.find("save-plan") != std::string::npos) continue;  // its film does not exist and would be made
    const Result kept = fabula(command + " -n");
    EXPECT_EQ(kept.code, 0) << command;
    EXPECT_EQ(kept.out, "") << command;
    EXPECT_NE(kept.err.find("is kept (--no-clobber)"), std::string::npos) << kept.err;
    EXPECT_EQ(fabula(command + " -n -y").code, 2) << command;
  }
  EXPECT_EQ(contents(file("a.json")) + contents(file("a.mp4")) + contents(file("card.json")), "mineminemine");
  EXPECT_FALSE(fs::exists(file("b.mp4")));

  EXPECT_EQ(fabula(std::string(pig) + "-o a.json --overwrite").out, "a.json\n");
  EXPECT_EQ(contents(file("a.json")), contents(file("pig.json")));
  EXPECT_EQ(fabula("plan --schema -y -o a.json").code, 0);
  EXPECT_EQ(contents(file("a.json")), contents(fs::path(FABULA_SOURCE_DIR) / "assets/schema/plan.schema.json"));
  EXPECT_EQ(fabula("cast export fox card.json --cast c.db -y").code, 0);
  EXPECT_EQ(json::parse(contents(file("card.json")))["spec"], "chara_card_v3");
  EXPECT_EQ(fabula("render pig.json -n -o b.mp4 --save-plan a.json" + std::string(quick)).code, 0) << "only the plan is kept";
  EXPECT_EQ(contents(file("a.json")), contents(fs::path(FABULA_SOURCE_DIR) / "assets/schema/plan.schema.json"));
  EXPECT_GT(probe_film(file("b.mp4")).video_frames, 0);
  EXPECT_EQ(fabula("render pig.json -y -o a.mp4" + std::string(quick)).code, 0);
  EXPECT_GT(probe_film(file("a.mp4")).video_frames, 0);
  expect_no_scratch();
}

TEST_F(OutputCommand, WhatACommandReadsIsNeverItsOutput) {
  write("s.fountain", "INT. CITY - DAY\n\nA PIG spins.\n");
  const std::string screenplay = contents(file("s.fountain"));
  fs::create_hard_link(file("s.fountain"), file("hard.json"));
  fs::create_symlink("s.fountain", file("soft.json"));
  for (const std::string output : {"s.fountain", "./s.fountain", "hard.json", "soft.json"}) {
    for (const std::string answer : {"", " -y", " -n"})
      expect_refused("plan --oracle s.fountain -o " + output + answer, 73, "is what this command reads");
  }
  EXPECT_EQ(contents(file("s.fountain")), screenplay);

  ASSERT_EQ(fabula("plan --oracle 'A pig.' -o pig.json").code, 0);
  const std::string plan = contents(file("pig.json"));
  expect_refused("render pig.json -o a.mp4 --save-plan pig.json -y", 73, "is what this command reads");
  expect_refused("plan pig.json -o pig.json -y", 73, "is what this command reads");
  EXPECT_EQ(shell("$F plan - -o pig.json -y <pig.json"), 73) << contents(file("told.txt"));
  expect_refused("render pig.json -o a.mp4 --save-plan a.mp4", 2, "are both to be a.mp4");
  EXPECT_EQ(contents(file("pig.json")), plan);
  EXPECT_FALSE(fs::exists(file("a.mp4")));

  ASSERT_EQ(fabula("cast add fox --cast c.json").code, 0);
  expect_refused("cast export fox c.json --cast c.json -y", 73, "is what this command reads");
  EXPECT_EQ(fabula("cast show fox --cast c.json").code, 0);
}

TEST_F(OutputCommand, DevicesAndPipesAreWrittenToAndStayWhatTheyAre) {
  plan_pig("pig.json");
  ASSERT_EQ(fabula("render pig.json -o pig.mp4" + std::string(quick)).code, 0);
  const std::string film = contents(file("pig.mp4"));
  for (const std::string pipe : {"pipe.mp4", "pipe"}) {
    ASSERT_EQ(::mkfifo(file(pipe).c_str(), 0600), 0);
    EXPECT_EQ(shell("cat " + pipe + " >got.mp4 & $F render pig.json >out.txt -o " + pipe + quick + " && wait"), 0)
        << contents(file("told.txt"));
    EXPECT_TRUE(contents(file("got.mp4")) == film) << pipe;
    EXPECT_TRUE(S_ISFIFO(mode(pipe))) << pipe;
  }
  EXPECT_EQ(shell("cat pipe >got.json & $F plan pig.json >out.txt -o pipe && wait"), 0) << contents(file("told.txt"));
  EXPECT_EQ(contents(file("got.json")), contents(file("pig.json")));

  expect_refused(std::string(pig) + "-o /dev/full", 74, "/dev/full could not be written: No space left on device");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
  fs::create_symlink("/dev/null", file("null.mp4"));
  EXPECT_EQ(fabula("render pig.json -o null.mp4" + std::string(quick)).code, 0);
  EXPECT_TRUE(fs::is_symlink(file("null.mp4")));
  EXPECT_TRUE(fs::is_character_file(file("null.mp4")));
  expect_no_scratch();
}

TEST_F(OutputCommand, StandardOutputByNameHoldsTheResultAlone) {
  plan_pig("pig.json");
  EXPECT_EQ(fabula("plan pig.json -o /dev/stdout").out, contents(file("pig.json")));
  EXPECT_EQ(shell("$F plan pig.json -o /dev/stdout | cat >got.json"), 0);
  EXPECT_EQ(contents(file("got.json")), contents(file("pig.json")));
  EXPECT_EQ(shell("{ echo first; $F plan pig.json -o /dev/fd/1; } >got.json"), 0);
  EXPECT_EQ(contents(file("got.json")), "first\n" + contents(file("pig.json")));
  EXPECT_EQ(shell("$F plan pig.json -o /dev/fd/3 3>got.json >out.txt; echo first >log; $F plan pig.json -o /dev/fd/3 3>>log >out.txt"), 0);
  EXPECT_EQ(contents(file("got.json")), contents(file("pig.json")));
  EXPECT_EQ(contents(file("log")), "first\n" + contents(file("pig.json")));
  ASSERT_EQ(fabula("render pig.json -o pig.mp4" + std::string(quick)).code, 0);
  EXPECT_EQ(shell("$F render pig.json -o /dev/stdout --json --steps 1 --scale 1 | cat >got.mp4"), 0);
  EXPECT_TRUE(contents(file("got.mp4")) == contents(file("pig.mp4")));
}

TEST_F(OutputCommand, ALinkStaysAndWhatItLeadsToIsWritten) {
  fs::create_directories(file("plans"));
  write("plans/real.json", "mine");
  ASSERT_EQ(::chmod(file("plans/real.json").c_str(), 0640), 0);
  fs::create_symlink("plans/real.json", file("link.json"));
  fs::create_symlink("plans/new.json", file("nowhere.json"));
  expect_refused(std::string(pig) + "-o link.json", 73, "link.json exists already");
  EXPECT_EQ(contents(file("plans/real.json")), "mine");
  EXPECT_EQ(fabula(std::string(pig) + "-y -o link.json").code, 0);
  EXPECT_EQ(fabula(std::string(pig) + "-o nowhere.json").code, 0);
  EXPECT_TRUE(fs::is_symlink(file("link.json")) && fs::is_symlink(file("nowhere.json")));
  EXPECT_EQ(json::parse(contents(file("plans/real.json")))["prompt"], "A pig.");
  EXPECT_EQ(json::parse(contents(file("plans/new.json")))["prompt"], "A pig.");
  EXPECT_EQ(mode("plans/real.json") & 07777, 0640U) << "the mode is another";
}

TEST_F(OutputCommand, ANewFilesModeIsWhatTheUserSaysAndAReplacedOnesStays) {
  plan_pig("pig.json");
  ASSERT_EQ(::chmod(file("pig.json").c_str(), 0604), 0);
  EXPECT_EQ(
      shell(
          "umask 077; $F plan --oracle 'A crab.' -y -o pig.json && $F plan --oracle 'A crab.' -o cat.json && $F render pig.json -o a.mp4" +
          std::string(quick)),
      0);
  EXPECT_EQ(mode("pig.json") & 07777, 0604U);
  EXPECT_EQ(mode("cat.json") & 07777, 0600U);
  EXPECT_EQ(mode("a.mp4") & 07777, 0600U);
}

TEST_F(OutputCommand, TwoRendersToOneOutputAreTwoFilms) {
  plan_pig("pig.json");
  for (const char* seed : {"1", "2"})
    ASSERT_EQ(fabula("render pig.json --seed " + std::string(seed) + " -o alone" + seed + ".mp4" + quick).code, 0);
  const auto render = [](const std::string& seed) {
    return "$F render pig.json -o a.mp4 --seed " + seed + quick + " >out" + seed + ".txt; echo $? >code" + seed + ".txt";
  };
  ASSERT_EQ(shell("{ " + render("1") + "; } & " + render("2") + "; wait"), 0);
  const int first = std::stoi(contents(file("code1.txt"))), second = std::stoi(contents(file("code2.txt")));
  EXPECT_EQ(first + second, 73) << "one has the name, the other says that it has not";
  const std::string winner = first == 0 ? "1" : "2", other = first == 0 ? "2" : "1";
  EXPECT_TRUE(contents(file("a.mp4")) == contents(file("alone" + winner + ".mp4")));
  EXPECT_TRUE(contents(file("a_2.mp4")) == contents(file("alone" + other + ".mp4"))) << "the other's film is lost";
  EXPECT_NE(contents(file("told.txt")).find("this one's is a_2.mp4"), std::string::npos) << contents(file("told.txt"));
  expect_no_scratch();
}

TEST_F(OutputCommand, AFilmWithoutANameGetsAFreeOne) {
  plan_pig("pig.json");
  const auto render = [&] { return fabula("render pig.json" + std::string(quick)); };
  const Result first = render();
  ASSERT_EQ(first.code, 0) << first.err;
  const std::string name = first.out.substr(0, first.out.size() - 1), stem = fs::path(name).stem();
  const std::string bytes = contents(file(name));
  EXPECT_EQ(render().out, stem + "_2.mp4\n");
  EXPECT_EQ(fabula("render pig.json -y" + std::string(quick)).out, stem + "_3.mp4\n") << "-y is about the name that was given";
  EXPECT_TRUE(contents(file(name)) == bytes);
  expect_no_scratch();
}

TEST_F(OutputCommand, StandardOutputThatCannotBeWrittenIsAnError) {
  plan_pig("pig.json");
  for (const std::string command :
       {"plan --oracle 'A pig.'", "plan --schema", "plan --check pig.json", "plan pig.json --compile h3",
        "replan pig.json --shot s010 'make it night'", "models", "models --json", "--help", "plan --help", "--version", "cast --help"}) {
    for (const std::string to : {">/dev/full", ">&-"}) {
      EXPECT_EQ(shell("$F " + command + " " + to), 74) << command << to;
      EXPECT_NE(contents(file("told.txt")).find("standard output could not be written"), std::string::npos) << contents(file("told.txt"));
    }
  }
  EXPECT_EQ(shell("$F plan --oracle 'A pig.' -o a.json >&-"), 74) << "its name could not be printed";
  EXPECT_TRUE(json::accept(contents(file("a.json")))) << "what was to be printed went into the file";
  EXPECT_EQ(shell("$F plan --check nowhere.json >/dev/full"), 66) << "the first error counts";
  EXPECT_NE(fabula("--help").out.find("74 read or write failed, standard output included"), std::string::npos);
}

TEST_F(OutputCommand, ABatchStaysInItsFolderAndKeepsWhatIsThere) {
  write("jobs.txt", "A pig.\n" + json{{"prompt", "A crab."}, {"output", "../out.json"}}.dump() + "\n" +
                        json{{"prompt", "A crab."}, {"output", file("abs.json")}}.dump() + "\n" +
                        json{{"prompt", "A crab."}, {"output", "sub/../../out.json"}}.dump() + "\n" +
                        json{{"prompt", "A crab."}, {"output", ""}}.dump() + "\n" + R"({"prompt": "A crab.", "output": "a\u0000b.json"})" +
                        "\n");
  const Result result = fabula("plan --batch jobs.txt -o plans");
  EXPECT_EQ(result.code, 3) << result.err;
  EXPECT_NE(result.out.find("001 done plans/001.json"), std::string::npos) << result.out;
  for (const char* job : {"002", "003", "004", "005", "006"})
    EXPECT_NE(result.out.find(std::string(job) + " failed 65"), std::string::npos) << result.out;
  EXPECT_FALSE(fs::exists(file("out.json")) || fs::exists(file("abs.json")));
  EXPECT_EQ(std::distance(fs::directory_iterator(file("plans")), {}), 1);

  write("one.txt", "A pig.\n");
  write("plans/001.json", "mine");
  EXPECT_NE(fabula("plan --batch one.txt -o plans").out.find("001 failed 73"), std::string::npos);
  const Result kept = fabula("plan --batch one.txt -o plans -n --json");
  EXPECT_EQ(kept.code, 0) << kept.err;
  EXPECT_EQ(json::parse(kept.out)["status"], "kept");
  EXPECT_EQ(contents(file("plans/001.json")), "mine");
  EXPECT_EQ(fabula("plan --batch one.txt -o plans -y").code, 0);
  EXPECT_EQ(json::parse(contents(file("plans/001.json")))["prompt"], "A pig.");

  write("self.txt", R"({"prompt": "A pig.", "output": "self.txt"})");
  EXPECT_NE(fabula("plan --batch self.txt -o . -y").out.find("001 failed 73 ./self.txt is what this command reads"), std::string::npos);
  EXPECT_EQ(contents(file("self.txt")), R"({"prompt": "A pig.", "output": "self.txt"})");
}

TEST_F(OutputCommand, AnImpossibleNameIsRefusedInOneSentence) {
  write("file", "");
  ASSERT_EQ(fabula("cast add fox --cast c.db").code, 0);
  plan_pig("pig.json");
  const std::string longest(300, 'a');
  for (const std::string& name : {longest, longest + "/a", std::string("file/a"), std::string("none/a")}) {
    for (const std::string answer : {"", " -y", " -n"}) {
      expect_refused(pig + ("-o " + name) + ".json" + answer, 73, "cannot be created");
      expect_refused("render pig.json -o " + name + ".mp4" + answer, 73, "cannot be created");
      expect_refused("render pig.json -o a.mp4 --save-plan " + name + ".json" + answer, 73, "cannot be created");
      expect_refused("cast export fox " + name + ".json --cast c.db" + answer, 73, "cannot be created");
    }
  }
  for (const char* folder : {".", "./"}) expect_refused(std::string(pig) + "-o " + folder, 73, "is a folder");
  fs::create_directories(file("folder.mp4"));
  expect_refused("render pig.json -o folder.mp4", 73, "is a folder");
  expect_refused("plan --batch pig.json -o file", 73, "cannot create the folder");
  expect_refused("plan --batch pig.json -o " + longest, 73, "cannot create the folder");
  for (const std::string& command :
       {"plan " + longest + ".json", "render " + longest + ".fountain", "plan --check " + longest, "cast show fox --cast " + longest,
        "plan --oracle a --cast " + longest, "render a --model " + longest, "cast add pig --image " + longest + " --cast c.db"}) {
    const Result result = fabula(command);
    EXPECT_TRUE(result.code == 65 || result.code == 66 || result.code == 69 || result.code == 74) << command << "\n"
                                                                                                  << result.code << " " << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_EQ(result.err.find("filesystem error"), std::string::npos) << result.err;
  }
}

TEST_F(OutputCommand, MinusOneDrawsASeedThatGivesTheSameFilmAgain) {
  plan_pig("pig.json");
  const Result drawn = fabula("render pig.json --seed -1 -o a.mp4 --json --steps 1 --scale 1");
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  const std::string seed = json::parse(drawn.out)["seed"].dump();
  EXPECT_NE(drawn.err.find("the seed is " + seed + "\n"), std::string::npos) << drawn.err;
  ASSERT_EQ(fabula("render pig.json -o b.mp4 --seed " + seed + quick).code, 0);
  EXPECT_TRUE(contents(file("a.mp4")) == contents(file("b.mp4")));
  EXPECT_EQ(fabula("render pig.json -o max.mp4 --seed 18446744073709551615" + std::string(quick)).code, 0);
  for (const std::string wrong : {"-2", "18446744073709551616", "99999999999999999999999", "1.5", "0x10", "7a", "''", "' 7'"}) {
    EXPECT_EQ(fabula("render pig.json -o c.mp4 --seed " + wrong).code, 2) << wrong;
    EXPECT_EQ(fabula("plan 'A pig.' --temperature 1 --plan-seed " + wrong).code, 2) << wrong;
  }
  EXPECT_NE(fabula("plan 'A pig.' --temperature 1 --plan-seed -1").err.find("the plan's seed is "), std::string::npos);
}

TEST_F(OutputCommand, EveryInstructionSetMakesTheSameFilm) {
  plan_pig("pig.json");
  const auto hold_to = [&](const std::string& set) {
    setenv("FABULA_CPU", set.c_str(), 1);
    return json::parse(fabula("version --json").out).at("instruction_set").get<std::string>();
  };
  const std::string narrow = hold_to("avx2"), wide = hold_to("avx512");
  if (narrow == wide) {
    std::printf("one instruction set on this processor: %s\n", wide.c_str());
  } else {
    ASSERT_EQ(fabula("render pig.json --no-store -o wide.mp4" + std::string(quick)).code, 0);
    hold_to("avx2");
    ASSERT_EQ(fabula("render pig.json --no-store -o narrow.mp4" + std::string(quick)).code, 0);
    EXPECT_TRUE(contents(file("wide.mp4")) == contents(file("narrow.mp4"))) << wide << " and " << narrow << " made different films";
  }
  setenv("FABULA_CPU", "mmx", 1);
  const Result refused = fabula("render pig.json -o mmx.mp4" + std::string(quick));
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("FABULA_CPU is \"mmx\"; it can be avx2, avx512 or amx"), std::string::npos) << refused.err;
  unsetenv("FABULA_CPU");
}

TEST_F(OutputCommand, AnEndingInCapitalsIsThatEnding) {
  plan_pig("PIG.JSON");
  ASSERT_EQ(fabula("render PIG.JSON -o PIG.MP4" + std::string(quick)).code, 0);
  EXPECT_GT(probe_film(file("PIG.MP4")).video_frames, 0);
  ASSERT_EQ(fabula("cast add fox --cast c.db").code, 0);
  EXPECT_EQ(fabula("cast export fox FOX.CHARX --cast c.db").out, "FOX.CHARX\n");
  write("S.FOUNTAIN", "INT. CITY - DAY\n\nA PIG spins.\n");
  EXPECT_EQ(json::parse(fabula("plan --oracle S.FOUNTAIN").out)["characters"][0]["id"], "pig");
}

}  // namespace
}  // namespace fabula
