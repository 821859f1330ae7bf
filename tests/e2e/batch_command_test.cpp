// `fabula batch`: a folder of films that goes on where it was killed and makes nothing twice.
#include <nlohmann/json.hpp>

#include <csignal>
#include <map>
#include <sstream>
#include <thread>

#include "tests/e2e/program.h"

namespace fabula {
namespace {

using nlohmann::json;

constexpr const char* quick = " --steps 1 --scale 1 --threads 1";

class Batch : public CommandLine {
 protected:
  void write(const std::string& name, const std::string& text) { std::ofstream(file(name)) << text; }

  // A plan of one shot.
  void plan(const std::string& prompt, const std::string& name) {
    const Result result = fabula("plan --oracle \"" + prompt + "\"");
    ASSERT_EQ(result.code, 0) << result.err;
    json film = json::parse(result.out);
    film["shots"] = json::array({film["shots"][0]});
    film["total_ms"] = film["shots"][0]["duration_ms"];
    write(name, film.dump());
  }

  // Runs a batch with --json: its lines by job.
  std::map<int, json> run(const std::string& arguments, int code) {
    const Result result = fabula("batch " + arguments + quick + " --json");
    EXPECT_EQ(result.code, code) << result.out << result.err;
    said_ = result.err;
    std::map<int, json> lines;
    std::istringstream out(result.out);
    for (std::string line; std::getline(out, line);) {
      const json one = json::parse(line);
      lines[one["job"]] = one;
    }
    return lines;
  }
  std::string said_;
};

TEST_F(Batch, MakesTheFilmsThatRenderMakesAndABadJobStopsNoOther) {
  plan("A fox runs.", "fox.json");
  write("jobs.jsonl",
        "{\"prompt\": \"A pig spins in the city at night.\", \"seed\": 7, \"save_plan\": \"plans/pig.json\"}\n"
        "# a comment\n"
        "{\"plan\": \"fox.json\", \"output\": \"sub/{title}-{seed}.mp4\"}\n"
        "{\"plan\": \"nowhere.json\"}\n{\"prompt\": \"a\", \"stepz\": 3}\n{\"prompt\": \"a\", \"model\": \"x\"}\n"
        "{\"plan\": \"fox.json\", \"output\": \"../fox.mp4\"}\n{\"plan\": \"fox.json\", \"output\": \"fox.avi\"}\n"
        "{\"plan\": \"fox.json\", \"output\": \"sub/{title}-{seed}.mp4\", \"crf\": 20}\n");
  auto lines = run("jobs.jsonl -o films", 3);
  ASSERT_EQ(lines.size(), 8U);
  EXPECT_EQ(lines[1]["status"], "done") << lines[1];
  EXPECT_EQ(lines[2]["status"], "done") << lines[2];
  for (const auto& [job, code] : {std::pair{3, 66}, {4, 65}, {5, 65}, {6, 65}, {7, 65}, {8, 65}})
    EXPECT_EQ(lines[job]["code"], code) << lines[job];
  EXPECT_NE(said_.find("job 004: there is no option --stepz (did you mean --steps?)"), std::string::npos) << said_;
  EXPECT_NE(said_.find("job 008: job 2 already writes"), std::string::npos) << said_;

  ASSERT_EQ(fabula("render fox.json -q -o fox.mp4 --no-store" + std::string(quick)).code, 0);
  EXPECT_TRUE(contents(file("fox.mp4")) == contents(file(lines[2]["output"])));
  EXPECT_GE(lines[1]["shots_made"].size(), 1U);
  EXPECT_TRUE(json::accept(contents(file("films/plans/pig.json"))));
  EXPECT_TRUE(fs::exists(file("films/sub"))) << lines[2];
  EXPECT_EQ(fs::path(lines[2]["output"]).extension(), ".mp4");

  const std::string page = contents(file("films/index.html"));
  for (const char* part :
       {"A pig spins in the city at night.", "data:image/jpeg;base64,/9j/", "seed 7", "2 films", "6 jobs failed", "nowhere.json"})
    EXPECT_NE(page.find(part), std::string::npos) << part;

  lines = run("jobs.jsonl -o films", 3);
  EXPECT_EQ(lines[1]["status"], "skipped");
  EXPECT_EQ(lines[2]["status"], "skipped");
  EXPECT_NE(contents(file("films/index.html")).find("2 films"), std::string::npos) << "the page lost films that were skipped";
}

TEST_F(Batch, MakesAgainWhatHasChangedAndNothingElse) {
  plan("A crab on the beach.", "crab.json");
  write("jobs.csv", "plan,seed\ncrab.json,1\ncrab.json,2\n");
  auto lines = run("jobs.csv -o films --name \"{n}\"", 0);
  EXPECT_EQ(lines[1]["status"], "done");
  EXPECT_EQ(lines[2]["status"], "done");
  write("films/1.mp4", "mine now");
  lines = run("jobs.csv -o films --name \"{n}\"", 3);
  EXPECT_EQ(lines[1]["code"], 73) << "somebody has changed the film: it is not replaced unasked";
  EXPECT_EQ(lines[2]["status"], "skipped");
  EXPECT_EQ(contents(file("films/1.mp4")), "mine now");
  lines = run("jobs.csv -o films --name \"{n}\" -n", 0);
  EXPECT_EQ(lines[1]["status"], "kept");
  lines = run("jobs.csv -o films --name \"{n}\" -y", 0);
  EXPECT_EQ(lines[1]["status"], "done");
  EXPECT_FALSE(lines[1]["shots_reused"].empty());
  EXPECT_EQ(lines[2]["status"], "skipped");
  // A film without its receipt was killed before it was done: it is written once more, though nobody said -y.
  const std::string film = contents(file("films/2.mp4")), receipt = contents(file("films/2.fabula.json"));
  fs::remove(file("films/2.fabula.json"));
  lines = run("jobs.csv -o films --name \"{n}\"", 0);
  EXPECT_EQ(lines[1]["status"], "skipped");
  EXPECT_EQ(lines[2]["status"], "done");
  EXPECT_FALSE(lines[2]["shots_reused"].empty());
  EXPECT_TRUE(contents(file("films/2.mp4")) == film);
  EXPECT_EQ(json::parse(contents(file("films/2.fabula.json")))["film"], json::parse(receipt)["film"]);

  lines = run("jobs.csv -o films --name \"{n}_{version:03d}\" --crf 30", 0);
  EXPECT_EQ(lines[2]["output"], "films/2_001.mp4");
}

TEST_F(Batch, WhatIsWrongWithTheWholeIsSaidFirst) {
  write("jobs.txt", "A pig.\n");
  EXPECT_EQ(fabula("batch jobs.txt --name \"{take}\"").code, 2);
  EXPECT_EQ(fabula("batch nowhere.txt").code, 66);
  EXPECT_EQ(fabula("batch").code, 2);
  write("empty.txt", "# nothing\n");
  EXPECT_EQ(fabula("batch empty.txt").code, 65);
  write("index.html", "my own page");
  EXPECT_EQ(fabula("batch jobs.txt").code, 73);
  EXPECT_EQ(contents(file("index.html")), "my own page");
  EXPECT_FALSE(fs::exists(file("batch.db")));
}

// However often it is killed, the same command ends in the same films, and those that were finished are not made again.
TEST_F(Batch, GoesOnAfterEveryKill) {
  plan("A crab on the beach.", "a.json");
  plan("A fox at night.", "b.json");
  write("jobs.txt", "a.json\nb.json\n");
  ASSERT_EQ(run("jobs.txt -o whole --name \"{n}\" --no-store", 0).size(), 2U);
  const auto films_done = [&] {
    int count = 0;
    for (int i = 1; i <= 2; ++i) count += fs::exists(file("films/" + std::to_string(i) + ".mp4")) ? 1 : 0;
    return count;
  };
  for (int kills = 0, films = 1; films <= 2; ++kills) {
    ASSERT_LT(kills, 10) << "it makes no progress";
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const std::string command = "cd " + folder_.string() + " && exec " + FABULA_PROGRAM + " batch jobs.txt -o films --name '{n}'" +
                                  quick + " --store kept >/dev/null 2>&1 </dev/null";
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    // Killed when the next film has just got its name.
    int status = 0;
    bool ended = false;
    while (!ended && films_done() < films) {
      ended = waitpid(child, &status, WNOHANG) == child;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    if (!ended) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
    }
    films = films_done() + 1;
  }
  // The last one was killed between its name and its receipt.
  (void)run("jobs.txt -o films --name \"{n}\" --store kept", 0);
  for (const auto& [job, line] : run("jobs.txt -o films --name \"{n}\"", 0)) EXPECT_EQ(line["status"], "skipped") << job;
  for (const char* name : {"1.fabula.json", "2.fabula.json"}) EXPECT_TRUE(fs::exists(file("films") / name)) << name;
  for (const char* name : {"1.mp4", "2.mp4"}) EXPECT_TRUE(contents(file("films") / name) == contents(file("whole") / name)) << name;
  for (const auto& entry : fs::directory_iterator(file("films"))) {
    const std::string name = entry.path().filename();
    EXPECT_TRUE(name.ends_with(".mp4") || name.ends_with(".fabula.json") || name == "index.html" || name.starts_with("batch.db") ||
                name.find(".part") != std::string::npos)
        << name;
  }
}

TEST_F(Batch, ProgressForProgramsNeverFalls) {
  plan("A crab on the beach.", "a.json");
  write("jobs.txt", "a.json\n");
  const Result result = fabula("batch jobs.txt --progress json" + std::string(quick));
  ASSERT_EQ(result.code, 0) << result.err;
  double last = 0.0;
  int jobs = 0;
  std::istringstream out(result.out);
  for (std::string line; std::getline(out, line);) {
    const json event = json::parse(line);
    EXPECT_EQ(event["v"], 1);
    if (event["event"] == "job") ++jobs;
    if (event["event"] != "progress") continue;
    EXPECT_GE(event["progress"], last);
    last = event["progress"];
  }
  EXPECT_EQ(jobs, 1);
  EXPECT_NE(result.out.rfind("\"event\":\"result\",\"jobs\":1,\"failed\":0"), std::string::npos) << result.out;
  EXPECT_EQ(last, 1.0);
}

}  // namespace
}  // namespace fabula
