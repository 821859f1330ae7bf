// Shots that are kept: a film is the same bytes whether its shots were kept or made, and whatever became of the renders before.
#include <nlohmann/json.hpp>

#include <chrono>

#include "tests/e2e/kills.h"
#include "tests/e2e/program.h"

namespace fabula {
namespace {

using nlohmann::json;

constexpr const char* prompt = "\"A pig spins in the city at night.\"";  // three shots
constexpr const char* quick = " --steps 2 --scale 1 --seed 3";

class Stored : public CommandLine {
 protected:
  // Renders with the test's own store. -> what --json printed
  json render(const std::string& arguments) {
    const Result result = fabula("render " + arguments + quick + " -y -q --json --store kept");
    EXPECT_EQ(result.code, 0) << result.err;
    return result.code == 0 ? json::parse(result.out) : json();
  }
  void write_plan() { ASSERT_EQ(fabula("plan " + std::string(prompt) + " -y -o plan.json").code, 0); }
};

TEST_F(Stored, ARenderedFilmIsTheSameBytesFromTheStoreAndWithoutOne) {
  const json first = render(std::string(prompt) + " -o a.mp4");
  EXPECT_EQ(first["shots_made"].size(), 3U);
  EXPECT_TRUE(first["shots_reused"].empty());
  const json second = render(std::string(prompt) + " -o b.mp4");
  EXPECT_TRUE(second["shots_made"].empty());
  EXPECT_EQ(second["shots_reused"].size(), 3U);
  ASSERT_EQ(fabula("render " + std::string(prompt) + quick + " -o c.mp4 -q --no-store").code, 0);
  EXPECT_TRUE(contents(file("a.mp4")) == contents(file("b.mp4")));
  EXPECT_TRUE(contents(file("a.mp4")) == contents(file("c.mp4")));
}

// The planner's states of later shots have read the edited one, so these are made, too.
TEST_F(Stored, AnEditedPlanMakesTheEditedShotAndThoseAfterIt) {
  write_plan();
  (void)render("plan.json -o a.mp4");
  ASSERT_EQ(fabula("replan plan.json --shot s020 \"make it jump\" -y -o edited.json").code, 0);
  const json edited = render("edited.json -o b.mp4");
  EXPECT_EQ(edited["shots_made"], json::array({"s020", "s030"}));
  EXPECT_EQ(edited["shots_reused"], json::array({"s010"}));
  ASSERT_EQ(fabula("render edited.json" + std::string(quick) + " -o c.mp4 -q --no-store").code, 0);
  EXPECT_TRUE(contents(file("b.mp4")) == contents(file("c.mp4")));
  EXPECT_FALSE(contents(file("b.mp4")) == contents(file("a.mp4")));
}

TEST_F(Stored, ShotsAreMadeByThemselvesAndAssembledLater) {
  write_plan();
  (void)render("plan.json -o a.mp4");
  ASSERT_EQ(fabula("store prune --store kept").code, 0);

  const Result early = fabula("assemble plan.json" + std::string(quick) + " -o b.mp4 --store kept");
  EXPECT_EQ(early.code, 75) << early.err;
  EXPECT_NE(early.err.find("s010, s020, s030"), std::string::npos) << early.err;
  EXPECT_FALSE(fs::exists(file("b.mp4")));

  ASSERT_EQ(fabula("render plan.json --shots s030" + std::string(quick) + " -q --store kept").code, 0);
  const Result between = fabula("assemble plan.json" + std::string(quick) + " -o b.mp4 --store kept");
  EXPECT_EQ(between.code, 75);
  EXPECT_NE(between.err.find("s010, s020"), std::string::npos) << between.err;
  EXPECT_EQ(between.err.find("s030"), std::string::npos) << between.err;

  ASSERT_EQ(fabula("render plan.json --shots s010-s020" + std::string(quick) + " -q --store kept").code, 0);
  const Result whole = fabula("assemble plan.json" + std::string(quick) + " -o b.mp4 -q --store kept");
  EXPECT_EQ(whole.code, 0) << whole.err;
  EXPECT_TRUE(contents(file("a.mp4")) == contents(file("b.mp4")));

  const Result unknown = fabula("render plan.json --shots s010,s990 --store kept");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("s990"), std::string::npos) << unknown.err;
}

TEST_F(Stored, ADamagedShotIsMadeAgainAndSaid) {
  (void)render(std::string(prompt) + " -o a.mp4");
  int damaged = 0;
  for (const auto& entry : fs::recursive_directory_iterator(file("kept"))) {
    if (entry.path().extension() != ".safetensors" || damaged++ > 0) continue;
    std::fstream bytes(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
    bytes.seekp(static_cast<std::streamoff>(entry.file_size()) / 2);
    bytes.put('#');
  }
  const Result again = fabula("render " + std::string(prompt) + quick + " -o b.mp4 --store kept");
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.err.find("damaged"), std::string::npos) << again.err;
  EXPECT_TRUE(contents(file("a.mp4")) == contents(file("b.mp4")));
  EXPECT_EQ(fabula("store verify --store kept").code, 0);
}

TEST_F(Stored, TheListAndTheEndsOfTheStoreAreSaid) {
  (void)render(std::string(prompt) + " -o a.mp4");
  const json listed = json::parse(fabula("store list --json --store kept").out);
  EXPECT_EQ(listed["shots"].size(), 3U);
  EXPECT_EQ(fabula("store list --store nowhere").code, 66);
  EXPECT_EQ(fabula("store prune --store kept").out, "3 shots removed\n");
  std::ofstream(file("a_file")) << "x";
  EXPECT_EQ(fabula("render " + std::string(prompt) + quick + " -o b.mp4 --store a_file/kept").code, 73);
  EXPECT_EQ(fabula("store frobnicate").code, 2);
}

// FABULA_KILLS=1000 makes a campaign of it.
TEST_F(Stored, AFilmSurvivesSixtyKills) {
  const auto start = std::chrono::steady_clock::now();
  (void)render(std::string(prompt) + " -o whole.mp4");
  const auto undisturbed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  expect_to_survive({.folder = folder_,
                     .arguments = "render " + std::string(prompt) + quick + " -o film.mp4 -n -q --store killed",
                     .film = file("film.mp4"),
                     .store = file("killed"),
                     .expected = contents(file("whole.mp4")),
                     .undisturbed = undisturbed},
                    kills_wanted(60));
}

}  // namespace
}  // namespace fabula
