// plan::Film as JSON, its JSON Schema, and the storybook's rules.
#include "planner/schema/schema.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "planner/check/check.h"
#include "planner/schema/fields.h"
#include "planner/text/prompt.h"
#include "tests/support/random.h"
#include "tests/support/storybook.h"

namespace fabula {
namespace {

using nlohmann::ordered_json;
using plan::Film;
using test::storybook;

// Two shots, two characters, a line.
Film story() {
  Film film;
  film.prompt = "A fox and a crab meet. The fox says: hello there!";
  film.treatment = "A fox meets a crab.";
  film.title = "Two";
  film.total_ms = 3667;
  film.characters = {{"fox", "Fox", "an orange fox", {"slt"}}, {"crab", "Crab", "a red crab", {"rms"}}};
  film.places = {{"beach", "a sandy beach", "day"}};
  film.shots = {{"s010",
                 "beach",
                 0,
                 1833,
                 {{"fox", "left", "right"}, {"crab", "right", "left"}},
                 {{0, "fox", "walks"}},
                 {"wide", "static"},
                 {},
                 "waves"},
                {"s020",
                 "beach",
                 1833,
                 1834,
                 {{"fox", "center", "right"}},
                 {{0, "fox", "stands"}},
                 {"medium", "push_in"},
                 {{"fox", "hello there!", 2083, 2900, "on_screen"}},
                 "waves"}};
  film.unsupported = {"meet"};
  return film;
}

TEST(Schema, WritesTheCompactFormToTheByte) {
  Film film = story();
  film.shots.resize(1);
  film.characters.resize(1);
  film.title = "A \"B\" \\ \u00e9\n";
  EXPECT_EQ(
      plan::to_compact_json(film),
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
      {"moral: is not a field", [](auto& p) { p["moral"] = "x"; }},
      {"total_ms: is not an integer", [](auto& p) { p["total_ms"] = 3667.5; }},
      {"total_ms: is 1099511627776, not from 0 to 86400000", [](auto& p) { p["total_ms"] = 1ULL << 40; }},
      {"fps: is not an integer", [](auto& p) { p["fps"] = "24"; }},
      {"characters: is not a list", [](auto& p) { p["characters"] = ordered_json::object(); }},
      {"characters[1]: is not an object", [](auto& p) { p["characters"][1] = "crab"; }},
      {"characters[0].voice.volume: is not a field", [](auto& p) { p["characters"][0]["voice"]["volume"] = 2; }},
      {"characters[0].voice.pitch: is not a string", [](auto& p) { p["characters"][0]["voice"]["pitch"] = 2; }},
      {"shots[1].dialogue[0].text: is not a string", [](auto& p) { p["shots"][1]["dialogue"][0]["text"] = nullptr; }},
      {"shots[0].camera.move: is missing", [](auto& p) { p["shots"][0]["camera"].erase("move"); }},
      {"unsupported[0]: is not a string", [](auto& p) { p["unsupported"][0] = 1; }},
  };
  for (const auto& [expected, change] : changes) {
    ordered_json file = ordered_json::parse(plan::to_json(story()));
    change(file);
    EXPECT_NE(refusal(file.dump()).find(expected), std::string::npos) << refusal(file.dump());
  }
  for (const char* text : {"", "{", "[]", "7", "{\"version\":\"fabula.plan/1\"} x", "{\"version\":\"\xff\"}", "null"})
    EXPECT_NE(refusal(text), "read without complaint") << text;
  EXPECT_NE(refusal(R"({"version":"fabula.plan/1","title":"a","title":"b"})").find("title: appears twice"), std::string::npos);
  EXPECT_NE(refusal(std::string(100000, '[')), "read without complaint");
}

TEST(Schema, TellsAllThatIsWrongAtOnce) {
  ordered_json file = ordered_json::parse(plan::to_json(story()));
  file.erase("title");
  file["fps"] = 0;
  file["shots"][1]["zoom"] = 3;
  const std::string sentence = refusal(file.dump());
  for (const char* part : {"title: is missing", "fps: is 0, not from 1 to 240", "shots[1].zoom: is not a field of a plan"})
    EXPECT_NE(sentence.find(part), std::string::npos) << sentence;
}

// ---- hostile files: a sentence, no crash, no hang

TEST(Schema, RefusesHostileFilesInASentence) {
  const std::string intact = plan::to_json(story());
  const auto with_title = [&](const std::string& value) { return std::string(intact).replace(intact.find("\"Two\""), 5, value); };
  ASSERT_EQ(plan::from_json(with_title("\"Three\"")).title, "Three");
  std::string nested;
  for (int i = 0; i < 100000; ++i) nested += "{\"a\":[";
  std::string many_unknown = "{\"version\":\"fabula.plan/1\"";
  for (int i = 0; i < 100000; ++i) many_unknown += ",\"f" + std::to_string(i) + "\":0";
  std::string bomb = intact.substr(0, intact.rfind('[')) + "[[]";
  for (int i = 1; i < 600000; ++i) bomb += ",[]";
  bomb += "]}";
  const std::vector<std::pair<std::string, std::string>> files = {
      {"deeper", std::string(1000000, '[')},
      {"deeper", nested},
      {"deeper", with_title(std::string(100, '[') + std::string(100, ']'))},
      {"number that is too large", with_title("1e999")},
      {"number that is too large", with_title(std::string(3000, '9'))},
      {"title: is not a string", with_title(std::string(300, '9'))},
      {"error at line", with_title(std::string("\"a\0b\"", 5))},
      {"title: holds a NUL", with_title("\"a\\u0000b\"")},
      {"error at line", with_title("\"\\ud800\"")},
      {"error at line", with_title("\"\\udc00\\ud800\"")},
      {"error at line", with_title("\"\xc0\x80\"")},
      {"error at line", with_title("\"\xed\xa0\x80\"")},
      {"error at line", with_title("NaN")},
      {"larger than 4 MB", with_title("\"" + std::string(10'000'000, 'a') + "\"")},
      {"title: is 3000000 bytes long", with_title("\"" + std::string(3'000'000, 'a') + "\"")},
      {"title: appears twice", with_title("\"a\",\"title\":\"b\"")},
      {"and 95 more", many_unknown + "}"},
      {"unsupported: has 600000 entries", bomb},
  };
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string sentence = refusal(files[i].second);
    EXPECT_NE(sentence.find(files[i].first), std::string::npos) << i << ": " << sentence.substr(0, 300);
    EXPECT_LT(sentence.size(), 1000U) << i;
  }
}

// ---- round trips of every field

// Fills the fields of an object with random values within their limits; optional ones half of the time.
template <typename S>
class Dice {
 public:
  Dice(S& object, test::Random& random) : object_(object), random_(random) { plan::Fields<S>::list(*this); }

  void constant(const char*, const char*) {}
  template <typename M>
  void need(const char*, M S::*member, const char*, const plan::Limits& limits = {}) {
    roll(object_.*member, limits);
  }
  template <typename M>
  void may(const char* key, M S::*member, const char* meaning, const plan::Limits& limits = {}) {
    if (random_.below(2) == 0) need(key, member, meaning, limits);
  }

 private:
  void roll(std::string& text, const plan::Limits& limits) {
    static const std::vector<std::string> pieces = {"a",    "Z",      "7",      " ",          "\"", "\\", "/", "\n", "\t",    "\x01",
                                                    "\x7f", "\u00e9", "\u5c0f", "\U0001F98A", "{",  "]",  ",", ":",  "\u2028"};
    text.clear();
    if (!limits.choices.empty()) {
      text = limits.choices[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(limits.choices.size())))];
    } else if (limits.is_id) {
      text = std::string(1, static_cast<char>('a' + random_.below(26))) + std::to_string(random_.below(1000)) + "_";
    } else {
      for (std::int64_t count = 1 + random_.below(8); count > 0; --count)
        text += pieces[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(pieces.size())))];
    }
  }
  void roll(bool& flag, const plan::Limits&) { flag = random_.below(2) == 1; }
  template <std::integral T>
  void roll(T& number, const plan::Limits& limits) {
    number = static_cast<T>(random_.below(8) == 0 ? (random_.below(2) == 0 ? limits.low : limits.high)
                                                  : limits.low + random_.below(limits.high - limits.low + 1));
  }
  template <typename T>
  void roll(std::optional<T>& number, const plan::Limits& limits) {
    roll(number.emplace(), limits);
  }
  template <typename T>
  void roll(std::vector<T>& entries, const plan::Limits& limits) {
    entries.resize(static_cast<std::size_t>(random_.below(4)));
    for (T& entry : entries) roll(entry, limits);
  }
  template <typename T>
  requires requires { plan::Fields<T>::name; }
  void roll(T& object, const plan::Limits&) { Dice<T>(object, random_); }

  S& object_;
  test::Random& random_;
};

TEST(Schema, KeepsEveryFieldOfEveryFilm) {
  test::Random random(test::seed());
  std::size_t longest = 0;
  for (int i = 0; i < 500; ++i) {
    Film film;
    Dice<Film>(film, random);
    const std::string text = plan::to_json(film);
    const Film again = plan::from_json(text);
    ASSERT_EQ(again, film) << text;
    ASSERT_EQ(plan::to_json(again), text);
    longest = std::max(longest, text.size());
  }
  EXPECT_GT(longest, 5000U) << "the films are too small to mean anything";
}

TEST(Schema, LeavesOutWhatIsAtItsDefaultAndReadsItWhenItIsThere) {
  ordered_json file = ordered_json::parse(plan::to_json(story()));
  file["shots"][0]["transition"] = {{"kind", "cut"}};
  file["shots"][0]["pre"] = ordered_json::array();
  file["shots"][1]["dialogue"][0]["crosses_cut"] = false;
  EXPECT_EQ(plan::from_json(file.dump()), story());
  EXPECT_EQ(plan::to_json(plan::from_json(file.dump())), plan::to_json(story()));
}

// ---- the JSON Schema

const ordered_json& schema() {
  static const ordered_json parsed = ordered_json::parse(plan::json_schema());
  return parsed;
}

TEST(JsonSchema, TheFileIsTheReadersOwn) {
  std::ifstream in(std::string(FABULA_SOURCE_DIR) + "/assets/schema/plan.schema.json", std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), plan::json_schema() + "\n")
      << "update it: fabula plan --schema > assets/schema/plan.schema.json";
}

// Walks a value and its schema in parallel and tries each property on the reader.
class SideBySide {
 public:
  explicit SideBySide(ordered_json film) : film_(std::move(film)) {}

  void walk(const std::string& pointer, ordered_json type) {
    if (type.contains("$ref")) type = schema().at("$defs").at(type.at("$ref").get<std::string>().substr(8));
    const ordered_json value = film_.at(ordered_json::json_pointer(pointer));
    if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) walk(pointer + "/" + std::to_string(i), type.at("items"));
    }
    if (!value.is_object()) return;
    for (const auto& [key, field] : value.items())
      EXPECT_TRUE(type.at("properties").contains(key)) << pointer << "/" << key << " is written but not in the schema";
    std::set<std::string> required;
    for (const auto& key : type.at("required")) required.insert(key.get<std::string>());
    for (const auto& [key, property] : type.at("properties").items()) {
      tried_.insert(pointer + "/" + key);
      ASSERT_TRUE(value.contains(key)) << pointer << "/" << key << " is in the schema but never written";
      EXPECT_NE(refused(pointer, key, ordered_json::array({ordered_json::array()})), "") << pointer << "/" << key << " is not read";
      EXPECT_EQ(refused(pointer, key, std::nullopt).empty(), !required.contains(key)) << pointer << "/" << key;
      walk(pointer + "/" + key, property);
    }
  }
  std::size_t tried() const { return tried_.size(); }

 private:
  // The reader's findings for a film with this field replaced or removed; empty if it accepts it.
  std::string refused(const std::string& pointer, const std::string& key, const std::optional<ordered_json>& value) {
    ordered_json film = film_;
    ordered_json& object = film.at(ordered_json::json_pointer(pointer));
    if (value)
      object[key] = *value;
    else
      object.erase(key);
    try {
      (void)plan::from_json(film.dump());
      return "";
    } catch (const plan::PlanError& error) {
      return error.what();
    }
  }

  ordered_json film_;
  std::set<std::string> tried_;
};

TEST(JsonSchema, KnowsThePropertiesThatTheReaderKnowsAndNoOthers) {
  // A film with every field set.
  Film film = story();
  film.logline = film.style = film.sound.ambience_bed = "x";
  film.seed = 1;
  film.sound.music_in_ms = film.sound.music_out_ms = 5;
  film.characters = {
      {"fox", "Fox", "an orange fox", {"slt", "old", "low", "warm", "slow", "Irish", "a voice", {"a.wav"}}, "a hat", {"a.png"}, "fox-1"}};
  film.places = {{"beach", "a sandy beach", "day", "fog", "grey", {{"rock", "left"}}, {"b.png"}}};
  film.props = {{"cup", "a cup", {"full"}, {"c.png"}}};
  film.world = {{"cup", "state", "full"}};
  film.beats = {{"one", "they meet", {"zero"}}};
  film.shots.resize(1);
  film.ending = {"fade", 200};
  plan::Shot& shot = film.shots[0];
  shot.cast = {{"fox", "left", "right", "foreground", 2, "sad"}};
  shot.props = {{"balloon", "right"}};
  shot.camera = {"wide", "static", "low", "small", "slow", 35, "cup"};
  shot.dialogue = {{"fox", "hello", 100, 900, "off_screen", "en", "softly", true}};
  shot.beat = "one";
  shot.transition = {"fade", 100};
  shot.pre = shot.effects = film.world;
  shot.sfx = {{5, "a splash"}};
  shot.first_frame = shot.last_frame = "x";
  shot.conditioning = {"chain", "s000", {"d.png"}};
  shot.seed = 7;
  shot.locked = {"place"};
  SideBySide both(ordered_json::parse(plan::to_json(film)));
  both.walk("", schema());
  EXPECT_GE(both.tried(), 90U);
}

TEST(Validator, AcceptsAWholeStory) {
  for (const plan::Finding& finding : plan::check(story(), storybook())) ADD_FAILURE() << finding.path << ": " << finding.sentence;
  EXPECT_NO_THROW(plan::require_valid(story(), storybook()));
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
      {"sound.music", [](Film& f) { f.sound.music = "waltz"; }},
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
      {"unsupported[0]", [](Film& f) { f.unsupported[0] = ""; }},
  };
  for (const auto& [path, change] : changes) {
    Film film = story();
    change(film);
    const auto findings = plan::check(film, storybook());
    const bool found = std::any_of(findings.begin(), findings.end(), [&](const plan::Finding& finding) { return finding.path == path; });
    EXPECT_TRUE(found) << path;
    EXPECT_THROW(plan::require_valid(film, storybook()), Error) << path;
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
