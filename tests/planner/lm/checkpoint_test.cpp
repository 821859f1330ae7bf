// The planner of a small bundle in the layouts of other published checkpoints: the same network plans the same film.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "audio/phonemes.h"
#include "planner/check/check.h"
#include "planner/compose/bundle_planner.h"
#include "planner/grammar/plan_grammar.h"
#include "planner/schema/schema.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path golden = std::string(FABULA_SOURCE_DIR) + "/tests/goldens/planner";
const std::string prompt = "A fox runs through a forest at night. It says: hello moon.";

json load(const fs::path& file) {
  std::ifstream in(file);
  return json::parse(in);
}

// Copies a safetensors file with tensors renamed, and tensors of zeros, {name: shape}, added.
void rewrite(const fs::path& from, const fs::path& to, const std::function<std::string(const std::string&)>& renamed, const json& zeros) {
  std::ifstream in(from, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  const json header = json::parse(bytes.substr(8, length));
  std::string data = bytes.substr(8 + length);
  json written;
  for (const auto& [name, entry] : header.items()) written[name == "__metadata__" ? name : renamed(name)] = entry;
  for (const auto& [name, shape] : zeros.items()) {
    std::size_t count = sizeof(float);
    for (const json& extent : shape) count *= extent.get<std::size_t>();
    written[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {data.size(), data.size() + count}}};
    data.append(count, '\0');
  }
  const std::string text = written.dump();
  length = text.size();
  std::ofstream out(to, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&length), sizeof(length));
  out << text << data;
}

class Checkpoint : public testing::Test {
 protected:
  void SetUp() override { fs::copy(golden, folder_, fs::copy_options::recursive); }
  void TearDown() override { fs::remove_all(folder_); }

  void write_config(const json& config) const { std::ofstream(folder_ / "planner/config.json") << config.dump(); }
  static PlannedFilm plan_with(const fs::path& bundle) {
    return load_planner(bundle, Precision::fp32, cpu_machine(1), phones_of)->plan_film(prompt, nullptr);
  }

  void expect_the_same_film() const {
    const PlannedFilm expected = plan_with(golden), made = plan_with(folder_);
    EXPECT_EQ(plan::to_json(made.film), plan::to_json(expected.film));
    EXPECT_EQ(made.origin.faults, expected.origin.faults) << "of the plans that they wrote";
    ASSERT_EQ(made.shots.size(), expected.shots.size());
    for (std::size_t i = 0; i < made.shots.size(); ++i) {
      ASSERT_EQ(made.shots[i].states.size(), expected.shots[i].states.size());
      for (std::size_t k = 0; k < made.shots[i].states.size(); ++k) ASSERT_NEAR(made.shots[i].states[k], expected.shots[i].states[k], 2e-5);
    }
  }

  fs::path folder_ = fs::temp_directory_path() / ("fabula_checkpoint_" + std::to_string(getpid()));
};

// Two experts: the dense layer, and one of zeros. A router of zeros scores them equally and takes the first.
TEST_F(Checkpoint, OfSparseLayersDirectsTheFilm) {
  json config = load(golden / "planner/config.json");
  config["model_type"] = "qwen3_moe";
  config["num_experts"] = 2;
  config["num_experts_per_tok"] = 1;
  config["norm_topk_prob"] = true;
  config["moe_intermediate_size"] = config["intermediate_size"];
  write_config(config);
  json zeros;
  for (int i = 0; i < config["num_hidden_layers"]; ++i) {
    const std::string mlp = "model.layers." + std::to_string(i) + ".mlp.";
    zeros[mlp + "gate.weight"] = {2, config["hidden_size"]};
    zeros[mlp + "experts.1.gate_proj.weight"] = {config["intermediate_size"], config["hidden_size"]};
    zeros[mlp + "experts.1.up_proj.weight"] = {config["intermediate_size"], config["hidden_size"]};
    zeros[mlp + "experts.1.down_proj.weight"] = {config["hidden_size"], config["intermediate_size"]};
  }
  const auto renamed = [](std::string name) {
    const std::size_t at = name.find(".mlp.");
    return at == std::string::npos ? name : name.insert(at + 5, "experts.0.");
  };
  rewrite(golden / "planner/model.safetensors", folder_ / "planner/model.safetensors", renamed, zeros);
  expect_the_same_film();
}

TEST_F(Checkpoint, WithAVisionTowerDirectsTheFilm) {
  json text = load(golden / "planner/config.json");
  text["model_type"] = "qwen3_vl_text";
  text.erase("rope_parameters");
  text["rope_theta"] = 10000.0;
  text["rope_scaling"] = {{"rope_type", "default"}, {"mrope_interleaved", true}, {"mrope_section", {2, 1, 1}}};
  write_config({{"model_type", "qwen3_vl"}, {"tie_word_embeddings", true}, {"text_config", text}});
  const auto renamed = [](const std::string& name) { return "model.language_" + name; };
  rewrite(golden / "planner/model.safetensors", folder_ / "planner/model.safetensors", renamed,
          {{"model.visual.pos_embed.weight", {4, 8}}});
  expect_the_same_film();
}

// A published tokenizer lacks the score's tokens.
TEST_F(Checkpoint, WithoutTheScoresTokensSpellsThem) {
  json tokenizer = load(golden / "planner/tokenizer.json");
  json added = json::array();
  for (const json& token : tokenizer["added_tokens"]) {
    const std::string content = token["content"];
    if (content.find("score") == std::string::npos && content.find(':') == std::string::npos) added.push_back(token);
  }
  ASSERT_LT(added.size(), tokenizer["added_tokens"].size());
  tokenizer["added_tokens"] = added;
  std::ofstream(folder_ / "planner/tokenizer.json") << tokenizer.dump();

  const PlannedFilm made = plan_with(folder_);
  const World world = World::open(folder_ / "world.json");
  EXPECT_FALSE(plan::has_errors(plan::check(made.film, world)));
  const Tokenizer spelling = Tokenizer::open(folder_ / "planner/tokenizer.json");
  Follower follower(spelling);
  plan::Film film = made.film;
  const PlanSpans spans = write_plan(follower, film, world, phones_of);
  std::size_t sounds = 0;
  for (std::size_t i = 0; i < made.shots.size(); ++i) {
    const Conditioning& shot = made.shots[i];
    const auto score = score_of(film, film.shots[i], world, phones_of);
    sounds += score.size();
    ASSERT_EQ(spans.scores[i].end - spans.scores[i].begin, shot.score_start.size()) << "one row a token";
    std::string spelt, whole;
    for (std::size_t row = 0; row < shot.score_start.size(); ++row) spelt += spelling.bytes(follower.tokens()[spans.scores[i].begin + row]);
    for (const ScoreSound& sound : score) whole += sound.token;
    EXPECT_EQ(spelt, whole);
    EXPECT_GT(shot.score_start.size(), score.size());
    EXPECT_EQ(shot.score_start.front(), score.front().start_s);
    EXPECT_EQ(shot.score_start.back(), score.back().start_s);
    EXPECT_TRUE(std::is_sorted(shot.score_start.begin(), shot.score_start.end()));
  }
  EXPECT_GT(sounds, 0U);
}

}  // namespace
}  // namespace fabula
