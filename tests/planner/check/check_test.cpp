// The validator: plans that each break one rule, next to their good twins; the simulated world; locked fields.
#include "planner/check/check.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "planner/check/simulate.h"
#include "planner/schema/schema.h"
#include "tests/support/random.h"
#include "tests/support/storybook.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using plan::Film;
using test::edition;
using test::storybook;

const fs::path plans = std::string(FABULA_SOURCE_DIR) + "/tests/planner/plans";

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  EXPECT_TRUE(in.is_open()) << file;
  return {std::istreambuf_iterator<char>(in), {}};
}

Film good(const std::string& name) { return plan::from_json(contents(plans / "good" / (name + ".json"))); }

// The world that a good plan and its twins are made for; null: any.
const World* world_of(const std::string& good) { return good == "story" ? &storybook() : good == "edition" ? &edition() : nullptr; }

// (rule, path) of all findings in a plan's text.
using Found = std::multiset<std::pair<std::string, std::string>>;
Found found_in(const std::string& text, const World* world) {
  std::vector<plan::Finding> findings;
  try {
    const Film film = plan::from_json(text);
    findings = world != nullptr ? plan::check(film, *world) : plan::check(film);
  } catch (const plan::PlanError& error) {
    findings = error.findings();
  }
  Found found;
  for (const plan::Finding& f : findings) {
    EXPECT_FALSE(f.sentence.empty()) << f.rule;
    found.insert({f.rule, f.path});
  }
  return found;
}

std::string printed(const Found& found) {
  std::string all;
  for (const auto& [rule, path] : found) all += "\n  " + rule + " at " + path;
  return all;
}

TEST(Corpus, GoodPlansHaveNoFindings) {
  for (const auto& entry : fs::directory_iterator(plans / "good")) {
    const Found found = found_in(contents(entry.path()), world_of(entry.path().stem()));
    EXPECT_TRUE(found.empty()) << entry.path() << printed(found);
  }
}

TEST(Corpus, EachBadPlanHasItsFindingsAndNoOthers) {
  const json expected = json::parse(contents(plans / "expected.json"));
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(plans / "bad")) {
    const std::string name = entry.path().stem();
    ++files;
    ASSERT_TRUE(expected.contains(name)) << name;
    const json& goal = expected.at(name);
    const std::string twin = goal.at("good");
    EXPECT_NE(contents(entry.path()), contents(plans / "good" / (twin + ".json")));
    Found wanted;
    for (const json& f : goal.at("findings")) wanted.emplace(f.at(0).get<std::string>(), f.at(1).get<std::string>());
    const Found found = found_in(contents(entry.path()), world_of(twin));
    EXPECT_EQ(found, wanted) << name << printed(found);
  }
  EXPECT_EQ(files, expected.size());
  EXPECT_GE(files, 60U);
}

TEST(Corpus, BreaksEveryRule) {
  const json expected = json::parse(contents(plans / "expected.json"));
  std::set<std::string> broken;
  for (const auto& [name, goal] : expected.items()) {
    EXPECT_TRUE(name.starts_with(goal.at("findings").at(0).at(0).get<std::string>()))
        << name << " is not named after the rule that it breaks";
    for (const json& f : goal.at("findings")) broken.insert(f.at(0));
  }
  for (const plan::Rule& rule : plan::rules()) {
    if (std::string(rule.id) == "locked-changed") continue;  // takes two plans, see Locked
    if (std::string(rule.id) == "prompt-event") continue;    // takes a prompt, see repair_test
    EXPECT_TRUE(broken.erase(rule.id) == 1) << rule.id;
  }
  EXPECT_TRUE(broken.empty()) << *broken.begin() << " is not in the table of rules";
}

// Films that do not come from files.
TEST(Validator, ChecksTheValuesOfAFilmInMemory) {
  const std::vector<std::pair<std::string, std::function<void(Film&)>>> changes = {
      {"title", [](Film& f) { f.title = "\xff"; }},
      {"treatment", [](Film& f) { f.treatment = std::string("a\0b", 3); }},
      {"fps", [](Film& f) { f.fps = 0; }},
      {"seed", [](Film& f) { f.seed = -1; }},
      {"characters[0].voice.ref_audio[1]",
       [](Film& f) {
         f.characters[0].voice.ref_audio = {"a.wav", ""};
       }},
      {"shots[0].duration_ms", [](Film& f) { f.shots[0].duration_ms = -2000000000; }},
      {"shots[1].start_ms", [](Film& f) { f.shots[1].start_ms = 2147483647; }},
      {"shots[1].dialogue[0].end_ms", [](Film& f) { f.shots[1].dialogue[0].end_ms = -2147483647; }},
      {"shots[1].camera.angle", [](Film& f) { f.shots[1].camera.angle = "upside_down"; }},
  };
  for (const auto& [path, change] : changes) {
    Film film = good("lantern");
    change(film);
    const auto findings = plan::check(film);
    EXPECT_TRUE(std::any_of(findings.begin(), findings.end(), [&](const plan::Finding& f) { return f.path == path; })) << path;
  }
}

TEST(Validator, LetsWarningsPassAndSaysWhatCannotBeFilmed) {
  Film film = good("story");
  film.style = "woodcut";
  EXPECT_EQ(plan::check(film, storybook()).size(), 1U);
  EXPECT_NO_THROW(plan::require_valid(film, storybook()));
  for (int i = 0; i < 7; ++i) film.unsupported.push_back("");
  try {
    plan::require_valid(film, storybook());
    FAIL() << "an invalid film was let through";
  } catch (const plan::PlanError& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    const std::string sentence = error.what();
    EXPECT_NE(sentence.find("\n  unsupported[1]: is empty"), std::string::npos) << sentence;
    EXPECT_NE(sentence.find("more"), std::string::npos) << sentence;
    EXPECT_EQ(sentence.find("woodcut"), std::string::npos) << "a warning is reported as an error";
  }
}

TEST(Validator, ARichPlanIsValidThoughASmallModelCannotFilmIt) {
  EXPECT_TRUE(plan::check(good("lantern")).empty());
  EXPECT_TRUE(has_errors(plan::check_model(good("lantern"), storybook())));
}

TEST(Validator, SaysWhatAModelDoesNotLookAtUnlessItsWorldHasIt) {
  const auto ignored = [](const World& world) {
    std::vector<std::string> paths;
    for (const plan::Finding& f : plan::check(good("edition"), world)) {
      if (f.rule == "model-ignores") paths.push_back(f.path);
    }
    return paths;
  };
  EXPECT_TRUE(ignored(edition()).empty());
  const std::vector<std::string> paths = ignored(storybook());
  for (const char* path : {"places[0].weather", "shots[0].cast[0].mood", "shots[0].props"})
    EXPECT_NE(std::find(paths.begin(), paths.end(), path), paths.end()) << path;
}

TEST(Validator, APlanThatNamesNoWeatherMoodOrPropIsOneOfTheEdition) {
  Film film = good("edition");
  film.places[0].weather.clear();
  for (plan::Shot& shot : film.shots) {
    shot.cast[0].mood.clear();
    shot.props.clear();
  }
  film.ending = {"fade", 500};  // which is made of the model's pictures
  EXPECT_TRUE(plan::check(film, edition()).empty());
}

TEST(Simulation, TellsTheTimelineOfTheWorld) {
  const plan::Timeline timeline = plan::simulate(good("lantern"));
  const auto holds = [&](const char* entity, const char* attribute, const char* value) {
    return std::find(timeline.start.begin(), timeline.start.end(), plan::Fact{entity, attribute, value}) != timeline.start.end();
  };
  EXPECT_EQ(timeline.start.size(), 7U);
  EXPECT_TRUE(holds("lamp", "holder", "tom"));
  EXPECT_TRUE(holds("mia", "wardrobe", "a yellow raincoat"));
  ASSERT_EQ(timeline.shots.size(), 4U);
  EXPECT_TRUE(timeline.shots[0].empty());
  ASSERT_EQ(timeline.shots[1].size(), 4U);
  EXPECT_EQ(timeline.shots[1][0].before, "tom");
  EXPECT_EQ(timeline.shots[1][0].after, "mia");
  ASSERT_EQ(timeline.shots[2].size(), 1U);
  EXPECT_EQ(timeline.shots[2][0].before, "a yellow raincoat");
  EXPECT_EQ(timeline.shots[3][0].after, "destroyed");
  EXPECT_TRUE(timeline.findings.empty());
}

TEST(Simulation, LetsPeopleMoveFreelyWhoseWhereaboutsNobodyTells) {
  Film film = good("swap");
  film.shots[1].place = "barn";
  film.shots[1].effects.clear();
  film.shots[2].pre.clear();
  film.shots[2].effects.clear();
  EXPECT_TRUE(plan::simulate(film).findings.empty());
}

TEST(Locked, FieldsThatChangedAreTold) {
  const Film before = good("lantern");  // its third shot locks camera.size, dialogue[0].text, seed and cast
  EXPECT_TRUE(plan::locked_changes(before, before).empty());
  const std::vector<std::pair<std::string, std::function<void(Film&)>>> changes = {
      {"shots[2].camera.size", [](Film& f) { f.shots[2].camera.size = "wide"; }},
      {"shots[2].dialogue[0].text", [](Film& f) { f.shots[2].dialogue[0].text = "She will be all right."; }},
      {"shots[2].dialogue[0].text", [](Film& f) { f.shots[2].dialogue.clear(); }},
      {"shots[2].seed", [](Film& f) { f.shots[2].seed.reset(); }},
      {"shots[2].cast", [](Film& f) { f.shots[2].cast[0].visible_at = 10; }},
      {"shots[1].camera.size",
       [](Film& f) {
         f.shots.erase(f.shots.begin());
         f.shots[1].camera.size = "wide";
       }},
  };
  for (const auto& [path, change] : changes) {
    Film after = before;
    change(after);
    const auto found = plan::locked_changes(before, after);
    ASSERT_EQ(found.size(), 1U) << path;
    EXPECT_EQ(found[0].path, path);
    EXPECT_EQ(found[0].rule, "locked-changed");
  }
  Film after = before;
  after.shots[2].camera.move = "push_in";  // not locked
  after.shots[2].locked.clear();
  EXPECT_TRUE(plan::locked_changes(before, after).empty());
  after.shots.erase(after.shots.begin() + 2);
  EXPECT_EQ(plan::locked_changes(before, after).size(), 4U);
}

TEST(Locked, PathsLeadToFieldsOnly) {
  const plan::Shot shot = good("lantern").shots[2];
  EXPECT_EQ(plan::value_at(shot, "camera.size"), "\"medium\"");
  EXPECT_EQ(plan::value_at(shot, "dialogue[0].start_ms"), "9500");
  EXPECT_EQ(plan::value_at(shot, "first_frame"), "\"\"");
  EXPECT_EQ(plan::value_at(shot, "transition"), R"({"kind":"dissolve","ms":400})");
  for (const char* path : {"", ".", "[0]", "camera.", "camera..size", ".camera", "camera.zoom", "camera[0]", "dialogue[1]", "dialogue[-1]",
                           "dialogue[0", "dialogue[", "dialogue[0]text", "dialogue[99999999999999999999]", "id.x", "camera.size "}) {
    EXPECT_FALSE(plan::value_at(shot, path)) << path;
  }
}

// Good plans with random bytes changed: each is read or refused, and every plan that is read can be checked and written again.
TEST(Validator, SurvivesWhateverCanBeRead) {
  test::Random random(test::seed());
  std::vector<std::string> texts;
  for (const auto& entry : fs::directory_iterator(plans / "good")) texts.push_back(contents(entry.path()));
  std::size_t read = 0, refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text = texts[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(texts.size())))];
    const auto place = [&] { return static_cast<std::size_t>(random.below(static_cast<std::int64_t>(text.size()))); };
    for (std::int64_t k = 1 + random.below(3); k > 0; --k) {
      switch (random.below(4)) {
        case 0:
          text[place()] = static_cast<char>(random.below(256));
          break;
        case 1:
          text[place()] = "0123456789abcxyz\"{}[],:-"[random.below(24)];
          break;
        case 2:
          text.erase(place(), 1);
          break;
        default:
          text.insert(place(), 1, "019az"[random.below(5)]);
      }
    }
    try {
      const Film film = plan::from_json(text);
      ++read;
      (void)plan::check(film, storybook());
      EXPECT_EQ(plan::from_json(plan::to_json(film)), film);
    } catch (const plan::PlanError& error) {
      ++refused;
      EXPECT_FALSE(error.findings().empty());
    }
  }
  EXPECT_GT(read, 100U);
  EXPECT_GT(refused, 100U);
}

}  // namespace
}  // namespace fabula
