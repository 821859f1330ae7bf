// world.json, the score that follows from it, and the decoder's config.json: what is read, and what is refused.
#include "engine/world.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/score.h"
#include "planner/lm/qwen3.h"
#include "tests/support/refusal.h"

namespace fabula {
namespace {

using nlohmann::json;

const std::string root = FABULA_SOURCE_DIR;

json load(const std::string& file) {
  std::ifstream in(file);
  return json::parse(in);
}

using test::refusal;

TEST(World, ReadsTheStorybook) {
  const World world = World::open(root + "/assets/models/nano/world.json");
  EXPECT_GE(world.actors.size(), 8U);
  EXPECT_GE(world.places.size(), 6U);
  EXPECT_EQ(world.film_ms(1), 1833);
  EXPECT_EQ(world.film_ms(3), 5500);
  EXPECT_EQ(world.film_ms(12), 22000);
  ASSERT_NE(world.action("walks"), nullptr);
  EXPECT_EQ(world.action("walks")->sounds.at(0).every_ms, 333);
  EXPECT_EQ(world.action("melts"), nullptr);
  EXPECT_EQ(world.voice("slt")->flite, "slt");
}

TEST(World, ReadsTheWholeWorldAndEveryEditionIsAPartOfIt) {
  const std::string file = root + "/assets/world/world.json";
  const World whole = World::open(file);
  EXPECT_GE(whole.actors.size(), 40U);
  EXPECT_GE(whole.places.size(), 12U);
  EXPECT_GE(whole.actions.size(), 15U);
  EXPECT_EQ(whole.film_ms(3), 14000);
  const World nano = World::open(root + "/assets/models/nano/world.json");
  const json part = load(file).at("editions").at("nano");
  EXPECT_EQ(ids_of(nano.actors), part.at("actors"));
  EXPECT_EQ(ids_of(nano.places), part.at("places"));
  EXPECT_EQ(ids_of(nano.actions), part.at("actions"));
  for (const auto& action : nano.actions) EXPECT_NE(whole.action(action.id), nullptr) << action.id;
}

TEST(World, ReadsWeathersMoodsAndPropsWhereThereAreSome) {
  const World world = World::open(root + "/tests/goldens/worlds/storybook.json");
  EXPECT_EQ(ids_of(world.weathers), (std::vector<std::string>{"clear", "rain", "snow"}));
  EXPECT_EQ(world.moods.front().id, "calm");
  EXPECT_EQ(world.props.size(), 12U);
  EXPECT_EQ(world.place("forest_2")->weathers, ids_of(world.weathers));
  EXPECT_EQ(world.place("moon")->weathers, std::vector<std::string>{"clear"});
  EXPECT_EQ(world.line_bytes, 44U);
  EXPECT_EQ(World::or_first("", world.moods), "calm");
  EXPECT_EQ(World::or_first("sad", world.moods), "sad");
  const World nano = World::open(root + "/assets/models/nano/world.json");
  EXPECT_TRUE(nano.weathers.empty() && nano.moods.empty() && nano.props.empty());
  EXPECT_EQ(nano.line_bytes, 28U);
  EXPECT_EQ(World::or_first("", nano.moods), "");
}

TEST(World, RefusesMalformedWeathersMoodsAndProps) {
  const json intact = load(root + "/tests/goldens/worlds/storybook.json");
  const std::vector<std::pair<std::string, std::function<void(json&)>>> changes = {
      {"weathers", [](json& w) { w["weathers"] = json::array(); }},
      {"weathers", [](json& w) { w["weathers"] = "rain"; }},
      {"id", [](json& w) { w["weathers"][1].erase("id"); }},
      {"words", [](json& w) { w["weathers"][1]["words"] = "rain"; }},
      {"weathers", [](json& w) { w["places"][0].erase("weathers"); }},
      {"weathers", [](json& w) { w["places"][0]["weathers"] = json::array(); }},
      {"hail",
       [](json& w) {
         w["places"][0]["weathers"] = {"clear", "hail"};
       }},
      {"weathers",
       [](json& w) {
         w["places"][0]["weathers"] = {"rain", "clear"};
       }},
      {"moods", [](json& w) { w["moods"][1]["id"] = "calm"; }},
      {"id", [](json& w) { w["moods"].push_back(7); }},
      {"props", [](json& w) { w["props"][0]["id"] = "the ball"; }},
      {"props", [](json& w) { w["props"] = json::array(); }},
      {"look", [](json& w) { w["props"][0].erase("look"); }},
      {"line_bytes", [](json& w) { w["line_bytes"] = 0; }},
      {"line_bytes", [](json& w) { w["line_bytes"] = "long"; }},
  };
  for (const auto& [name, change] : changes) {
    json world = intact;
    change(world);
    EXPECT_NE(refusal([&] { (void)World::parse(world.dump(), "world.json"); }).find(name), std::string::npos) << name;
  }
}

TEST(World, AnActionsSoundsMayHaveTimesOfTheirOwn) {
  json world = load(root + "/assets/models/nano/world.json");
  world["actions"][0]["sounds"] = {{{"sound", "thump"}, {"at_ms", {250, 800}}}};
  const World read = World::parse(world.dump(), "world.json");
  const std::vector<World::ActionSound>& sounds = read.actions.at(0).sounds;
  ASSERT_EQ(sounds.size(), 2U);
  EXPECT_EQ(sounds[1].first_ms, 800);
  EXPECT_GE(sounds[1].first_ms + sounds[1].every_ms, 1'000'000) << "never again";
  for (const json& bad : {json{-1}, json{1.5}, json("250"), json{2'000'000}}) {
    world["actions"][0]["sounds"][0]["at_ms"] = bad;
    EXPECT_NE(refusal([&] { (void)World::parse(world.dump(), "world.json"); }).find("at_ms"), std::string::npos) << bad;
  }
}

TEST(World, RefusesWhatIsMalformed) {
  const json intact = load(root + "/assets/models/nano/world.json");
  const std::vector<std::pair<std::string, std::function<void(json&)>>> changes = {
      {"actors", [](json& w) { w.erase("actors"); }},
      {"actors", [](json& w) { w["actors"] = json::array(); }},
      {"actors", [](json& w) { w["actors"].push_back(w["actors"][0]); }},
      {"id", [](json& w) { w["places"][0].erase("id"); }},
      {"places", [](json& w) { w["places"][0]["id"] = "the \"forest\""; }},
      {"fps", [](json& w) { w["fps"] = 0; }},
      {"max_shots", [](json& w) { w["max_shots"] = 2.5; }},
      {"shot_frames", [](json& w) { w["shot_frames"] = json::array(); }},
      {"every_ms", [](json& w) { w["actions"][1]["sounds"][0]["every_ms"] = 0; }},
      {"tempo", [](json& w) { w["voices"][0]["tempo"] = 0; }},
      {"phones", [](json& w) { w["phones"] = "aa"; }},
  };
  for (const auto& [name, change] : changes) {
    json world = intact;
    change(world);
    EXPECT_NE(refusal([&] { (void)World::parse(world.dump(), "world.json"); }).find(name), std::string::npos) << name;
  }
  EXPECT_NE(refusal([] { (void)World::parse("[", "world.json"); }), "");
}

TEST(Score, PutsEventsAndPhonesInOrderOfTime) {
  const World world = World::open(root + "/assets/models/nano/world.json");
  plan::Film film;
  film.characters = {{"fox", "Fox", "", {"slt"}}};
  plan::Shot shot;
  shot.start_ms = 1833;
  shot.duration_ms = 600;
  shot.cast = {{"fox", "left", "right"}};
  shot.action_beats = {{0, "fox", "walks"}};
  shot.dialogue = {{"fox", "ah", 2083, 2283, "on_screen"}};
  // 0.4 s of the synthesiser's speech fill the line's 0.2 s; the pause has its time and no token.
  const PhonesFunction phones = [](const std::string&, const std::string& voice) {
    EXPECT_EQ(voice, "slt");
    return std::vector<Phone>{{"aa", 0.25, 0.125}, {"pau", 0.375, 0.125}, {"t", 0.5, 0.15}};
  };
  const std::vector<ScoreSound> score = score_of(film, shot, world, phones);
  ASSERT_EQ(score.size(), 4U);
  EXPECT_EQ(score[0].token, "<|snd:step|>");
  EXPECT_DOUBLE_EQ(score[0].start_s, 0.083);
  EXPECT_EQ(score[1].token, "<|ph:aa|>");
  EXPECT_DOUBLE_EQ(score[1].start_s, 0.25);
  EXPECT_EQ(score[2].token, "<|ph:t|>");
  EXPECT_DOUBLE_EQ(score[2].start_s, 0.375);
  EXPECT_EQ(score[3].token, "<|snd:step|>");
  EXPECT_DOUBLE_EQ(score[3].start_s, 0.416);

  EXPECT_EQ(line_end_ms(shot, "ah", {"slt", "slt", 1.0}, phones), 2333) << "cut 100 ms before the shot's end";
  EXPECT_EQ(line_end_ms(shot, "ah", {"slt", "slt", 2.0}, phones), 2283) << "spoken out at twice the tempo";
  EXPECT_EQ(line_end_ms(shot, "-", {"slt", "slt", 1.0}, [](auto&, auto&) { return std::vector<Phone>{}; }), 2083) << "nothing to say";
}

TEST(Score, APlanThatSaysWhenThingsSoundNeedsNoRule) {
  const World world = World::open(root + "/assets/models/nano/world.json");
  plan::Shot shot;
  shot.duration_ms = 1833;
  shot.action_beats = {{0, "fox", "walks"}};
  const PhonesFunction silent = [](auto&, auto&) { return std::vector<Phone>{}; };
  const std::size_t steps = score_of({}, shot, world, silent).size();
  shot.sfx = {{1200, "thump"}, {300, "a door slams"}, {400, "step"}};
  const std::vector<ScoreSound> score = score_of({}, shot, world, silent);
  ASSERT_EQ(score.size(), 2U) << "a door is no sound of this world";
  EXPECT_EQ(score[0].token, "<|snd:step|>");
  EXPECT_DOUBLE_EQ(score[0].start_s, 0.4);
  EXPECT_EQ(score[1].token, "<|snd:thump|>");
  shot.sfx = {{300, "a door slams"}};
  EXPECT_EQ(score_of({}, shot, world, silent).size(), steps);
}

TEST(Qwen3Config, RefusesWhatTheDecoderCannotRun) {
  const json intact = load(root + "/tests/goldens/qwen3/config.json");
  const auto file = std::filesystem::temp_directory_path() / ("fabula_config_" + std::to_string(getpid()) + ".json");
  const auto open = [&](const std::string& text) {
    std::ofstream(file) << text;
    return Qwen3Config::open(file);
  };
  const Qwen3Config config = open(intact.dump());
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_TRUE(config.tied_embeddings);
  EXPECT_DOUBLE_EQ(config.rope_theta, 1e6);

  json older = intact;
  older.erase("rope_parameters");
  older["rope_theta"] = 5000.0;
  EXPECT_DOUBLE_EQ(open(older.dump()).rope_theta, 5000.0);

  const std::vector<std::pair<std::string, std::function<void(json&)>>> changes = {
      {"model_type", [](json& c) { c["model_type"] = "mamba"; }},
      {"silu", [](json& c) { c["hidden_act"] = "gelu"; }},
      {"sliding", [](json& c) { c["use_sliding_window"] = true; }},
      {"rope_type", [](json& c) { c["rope_parameters"]["rope_type"] = "yarn"; }},
      {"rope_scaling",
       [](json& c) {
         c["rope_scaling"] = {{"type", "yarn"}, {"factor", 4.0}};
       }},
      {"rope_theta", [](json& c) { c["rope_parameters"]["rope_theta"] = -1; }},
      {"hidden_size", [](json& c) { c.erase("hidden_size"); }},
      {"hidden_size", [](json& c) { c["hidden_size"] = 1LL << 60; }},
      {"num_hidden_layers", [](json& c) { c["num_hidden_layers"] = 1000000; }},
      {"num_hidden_layers", [](json& c) { c["num_hidden_layers"] = "4"; }},
      {"multiple", [](json& c) { c["num_key_value_heads"] = 3; }},
      {"head_dim", [](json& c) { c["head_dim"] = 15; }},
      {"rms_norm_eps", [](json& c) { c["rms_norm_eps"] = "small"; }},
  };
  for (const auto& [name, change] : changes) {
    json changed = intact;
    change(changed);
    EXPECT_NE(refusal([&] { (void)open(changed.dump()); }).find(name), std::string::npos) << name;
  }
  EXPECT_NE(refusal([&] { (void)open("7"); }), "");
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace fabula
