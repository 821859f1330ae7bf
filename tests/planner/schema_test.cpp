// plan::Film as JSON, and the validator's rules.
#include "planner/schema.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "planner/prompt.h"

namespace fabula {
namespace {

using nlohmann::ordered_json;
using plan::Film;

const World& world() {
  static const World storybook = World::open(std::string(FABULA_SOURCE_DIR) + "/assets/world/world.json");
  return storybook;
}

// Two shots, two characters, a line.
Film story() {
  Film film;
  film.prompt = "A fox and a crab meet. The fox says: hello there!";
  film.treatment = "A fox meets a crab.";
  film.title = "Two";
  film.total_ms = 3667;
  film.characters = {{"fox", "Fox", "an orange fox", {"slt"}}, {"crab", "Crab", "a red crab", {"rms"}}};
  film.places = {{"beach", "a sandy beach", "day"}};
  film.shots = {{"s010", "beach", 0, 1833, {{"fox", "left", "right"}, {"crab", "right", "left"}}, {{0, "fox", "walks"}}, {"wide", "static"}, {}, "waves"},
                {"s020", "beach", 1833, 1834, {{"fox", "center", "right"}}, {{0, "fox", "stands"}}, {"medium", "push_in"}, {{"fox", "hello there!", 2083, 2900, "on_screen"}}, "waves"}};
  film.unsupported = {"meet"};
  return film;
}

TEST(Schema, WritesTheCompactFormToTheByte) {
  Film film = story();
  film.shots.resize(1);
  film.characters.resize(1);
  film.title = "A \"B\" \\ \u00e9\n";
  EXPECT_EQ(plan::to_compact_json(film),
            R"({"version":"fabula.plan/1","treatment":"A fox meets a crab.","title":"A \"B\" \\ é\n","aspect":"16:9","fps":24,"total_ms":3667,"language":"en",)"
            R"("characters":[{"id":"fox","name":"Fox","look":"an orange fox","voice":{"voice_id":"slt"}}],)"
            R"("places":[{"id":"beach","description":"a sandy beach","time_of_day":"day"}],)"
            R"("shots":[{"id":"s010","place":"beach","start_ms":0,"duration_ms":1833,"cast":[{"id":"fox","position":"left","facing":"right"},{"id":"crab","position":"right","facing":"left"}],)"
            R"("action_beats":[{"at_ms":0,"who":"fox","what":"walks"}],"camera":{"size":"wide","move":"static"},"dialogue":[],"ambience":"waves"}],)"
            R"("sound":{"music":"none"},"unsupported":["meet"]})");
}

TEST(Schema, ReadsWhatItWrites) {
  const std::string text = plan::to_json(story());
  EXPECT_EQ(plan::to_json(plan::from_json(text)), text);
  EXPECT_EQ(plan::from_json(text).prompt, story().prompt);
  EXPECT_EQ(text.find("\n  \"prompt\": "), text.find('\n', text.find("version")));
}

std::string refusal(const std::string& text) {
  try {
    (void)plan::from_json(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    return error.what();
  }
  return "read without complaint";
}

TEST(Schema, RefusesWhatIsNotAPlanAndSaysWhere) {
  const std::vector<std::pair<std::string, std::function<void(ordered_json&)>>> changes = {
      {"version:", [](auto& p) { p["version"] = "fabula.plan/2"; }},
      {"treatment: is missing", [](auto& p) { p.erase("treatment"); }},
      {"logline: is not a field", [](auto& p) { p["logline"] = "x"; }},
      {"total_ms: is not an integer", [](auto& p) { p["total_ms"] = 3667.5; }},
      {"total_ms: is not an integer", [](auto& p) { p["total_ms"] = 1ULL << 40; }},
      {"fps: is not an integer", [](auto& p) { p["fps"] = "24"; }},
      {"characters: is not a list", [](auto& p) { p["characters"] = ordered_json::object(); }},
      {"characters[1]: is not an object", [](auto& p) { p["characters"][1] = "crab"; }},
      {"characters[0].voice.pitch: is not a field", [](auto& p) { p["characters"][0]["voice"]["pitch"] = 2; }},
      {"shots[1].dialogue[0].text: is not a string", [](auto& p) { p["shots"][1]["dialogue"][0]["text"] = nullptr; }},
      {"shots[0].camera.move: is missing", [](auto& p) { p["shots"][0]["camera"].erase("move"); }},
      {"unsupported[0]: is not a string", [](auto& p) { p["unsupported"][0] = 1; }},
  };
  for (const auto& [expected, change] : changes) {
    ordered_json file = ordered_json::parse(plan::to_json(story()));
    change(file);
    EXPECT_NE(refusal(file.dump()).find(expected), std::string::npos) << refusal(file.dump());
  }
  for (const char* text : {"", "{", "[]", "7", "{\"version\":\"fabula.plan/1\"} x", "{\"version\":\"\xff\"}", "null"}) EXPECT_NE(refusal(text), "read without complaint") << text;
  EXPECT_NE(refusal(R"({"version":"fabula.plan/1","title":"a","title":"b"})").find("title: is there twice"), std::string::npos);
  EXPECT_NE(refusal(std::string(100000, '[')), "read without complaint");
}

TEST(Validator, AcceptsAWholeStory) {
  for (const plan::Finding& finding : plan::check(story(), world())) ADD_FAILURE() << finding.path << ": " << finding.sentence;
  EXPECT_NO_THROW(plan::require_valid(story(), world()));
}

TEST(Validator, FindsEachFaultAndSaysWhere) {
  const std::vector<std::pair<std::string, std::function<void(Film&)>>> changes = {
      {"prompt", [](Film& f) { f.prompt = "  "; }},
      {"prompt", [](Film& f) { f.prompt = std::string(5000, 'a'); }},
      {"treatment", [](Film& f) { f.treatment = std::string(241, 'a'); }},
      {"title", [](Film& f) { f.title = ""; }},
      {"aspect", [](Film& f) { f.aspect = "4:3"; }},
      {"fps", [](Film& f) { f.fps = 25; }},
      {"language", [](Film& f) { f.language = "de"; }},
      {"sound.music", [](Film& f) { f.music = "waltz"; }},
      {"total_ms", [](Film& f) { f.total_ms = 5500; }},
      {"characters", [](Film& f) { f.characters.clear(); }},
      {"characters[0].id", [](Film& f) { f.characters[0].id = "dragon"; }},
      {"characters[1].id", [](Film& f) { f.characters[1].id = "fox"; }},
      {"characters[0].look", [](Film& f) { f.characters[0].look = std::string(61, 'x'); }},
      {"characters[0].voice.voice_id", [](Film& f) { f.characters[0].voice.voice_id = "kal"; }},
      {"places[0].time_of_day", [](Film& f) { f.places[0].time_of_day = "noon"; }},
      {"shots", [](Film& f) { f.shots.clear(); }},
      {"shots[1].id", [](Film& f) { f.shots[1].id = "s010"; }},
      {"shots[1].id", [](Film& f) { f.shots[1].id = "S2"; }},
      {"shots[1].place", [](Film& f) { f.shots[1].place = "moon"; }},
      {"shots[1].start_ms", [](Film& f) { f.shots[1].start_ms = 1800; }},
      {"shots[0].duration_ms", [](Film& f) { f.shots[0].duration_ms = 9000; }},
      {"shots[0].duration_ms", [](Film& f) { f.shots[0].duration_ms = -5; }},
      {"shots[0].cast", [](Film& f) { f.shots[0].cast.clear(); }},
      {"shots[0].cast[1].id", [](Film& f) { f.shots[0].cast[1].id = "fox"; }},
      {"shots[0].cast[0].id", [](Film& f) { f.shots[0].cast[0].id = "pig"; }},
      {"shots[0].cast[0].facing", [](Film& f) { f.shots[0].cast[0].facing = "up"; }},
      {"shots[1].action_beats[0].who", [](Film& f) { f.shots[1].action_beats[0].who = "crab"; }},
      {"shots[1].action_beats[0].what", [](Film& f) { f.shots[1].action_beats[0].what = "melts"; }},
      {"shots[1].action_beats[0].at_ms", [](Film& f) { f.shots[1].action_beats[0].at_ms = 40; }},
      {"shots[0].action_beats", [](Film& f) { f.shots[0].action_beats.clear(); }},
      {"shots[0].camera.size", [](Film& f) { f.shots[0].camera.size = "huge"; }},
      {"shots[0].ambience", [](Film& f) { f.shots[0].ambience = "disco"; }},
      {"shots[1].dialogue[0].speaker", [](Film& f) { f.shots[1].dialogue[0].speaker = "crab"; }},
      {"shots[1].dialogue[0].text", [](Film& f) { f.shots[1].dialogue[0].text = std::string(29, 'a'); }},
      {"shots[1].dialogue[0].start_ms", [](Film& f) { f.shots[1].dialogue[0].start_ms = 10; }},
      {"shots[1].dialogue[0].end_ms", [](Film& f) { f.shots[1].dialogue[0].end_ms = 3900; }},
      {"shots[1].dialogue[0].mode", [](Film& f) { f.shots[1].dialogue[0].mode = "voiceover"; }},
      {"shots[1].dialogue", [](Film& f) { f.shots[1].dialogue.push_back(f.shots[1].dialogue[0]); }},
      {"unsupported", [](Film& f) { f.unsupported.assign(7, "x"); }},
      {"unsupported[0]", [](Film& f) { f.unsupported[0] = ""; }},
  };
  for (const auto& [path, change] : changes) {
    Film film = story();
    change(film);
    const auto findings = plan::check(film, world());
    const bool found = std::any_of(findings.begin(), findings.end(), [&](const plan::Finding& finding) { return finding.path == path; });
    EXPECT_TRUE(found) << path;
    EXPECT_THROW(plan::require_valid(film, world()), Error) << path;
  }
}

TEST(Prompt, IsRefusedWhenItCannotBeRead) {
  const auto code = [](const std::string& prompt) {
    try {
      (void)prepare_prompt(prompt);
      return ExitCode::done;
    } catch (const Error& error) {
      return error.code();
    }
  };
  EXPECT_EQ(code(""), ExitCode::usage);
  EXPECT_EQ(code(" \n\t"), ExitCode::usage);
  EXPECT_EQ(code("a\xff"), ExitCode::bad_data);
  EXPECT_EQ(code(std::string(4001, 'a')), ExitCode::bad_data);
  EXPECT_EQ(code(std::string(4000, 'a')), ExitCode::done);
  EXPECT_EQ(prepare_prompt("  e\u0301 fox\n"), "\u00e9 fox");
}

}  // namespace
}  // namespace fabula
