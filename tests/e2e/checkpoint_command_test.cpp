// `fabula plan --lm` and `fabula models --lm`: a published checkpoint writes the plan of a film, or one sentence says why not.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/e2e/program.h"

namespace fabula {
namespace {

using nlohmann::json;

class CheckpointCommand : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    for (const char* name : {"qwen3", "qwen3_moe", "qwen3_vl"}) {
      fs::copy(goldens / "checkpoints" / name, file(name), fs::copy_options::recursive);
      fs::copy(goldens / "checkpoints/tokenizer.json", file(name) / "tokenizer.json");
    }
    picture_ = (fs::path(FABULA_SOURCE_DIR) / "docs/pictures/fox.jpg").string();
  }
  const fs::path goldens = fs::path(FABULA_SOURCE_DIR) / "tests/goldens";
  std::string picture_;
};

TEST_F(CheckpointCommand, EachArchitectureWritesAPlanThatTheModelCanFilm) {
  for (const std::string arguments : {"--lm qwen3", "--lm qwen3_moe --lm-precision fp32", "--lm qwen3_vl --lm-precision int8"}) {
    const Result result = fabula("plan \"A fox runs through a forest at night. It says: hello moon.\" -y -o plan.json " + arguments);
    ASSERT_EQ(result.code, 0) << arguments << "\n" << result.err;
    EXPECT_NE(result.err.find("has no chat template"), std::string::npos) << result.err;
    EXPECT_EQ(fabula("plan --check plan.json").code, 0) << arguments;
  }
  const Result any = fabula("plan \"A dragon and a poet cross a river of glass.\" -o any.json --lm qwen3 --any-film");
  ASSERT_EQ(any.code, 0) << any.err;
  EXPECT_EQ(fabula("plan any.json --compile h3").code, 0);
  const Result seen = fabula("plan \"Film this.\" -o seen.json --lm qwen3_vl --image " + picture_);
  ASSERT_EQ(seen.code, 0) << seen.err;
  EXPECT_EQ(fabula("plan --check seen.json").code, 0);
}

// A GGUF file brings its own chat form. What a weak model misses is written by the rules, which is said with the faults of its last plan.
TEST_F(CheckpointCommand, AGgufFileWritesAPlanThatShowsWhatThePromptSays) {
  fs::copy(goldens / "gguf/smollm2.gguf", file("tiny.gguf"));
  const json described = json::parse(fabula("models --json --lm tiny.gguf").out);
  EXPECT_EQ(described.at("architecture"), "llama");
  EXPECT_EQ(described.at("chat_template"), "tiny.gguf");
  const Result result =
      fabula("plan \"A fox runs through a forest at night. Then a crab jumps on the beach.\" -o plan.json --lm tiny.gguf");
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err.find("has no chat template"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("fabula: the "), std::string::npos) << "a random model hits neither event at once: " << result.err;
  std::ifstream in(file("plan.json"));
  const std::string plan = json::parse(in).at("shots").dump();
  for (const char* shown : {"runs", "jumps", "forest", "beach"}) EXPECT_NE(plan.find(shown), std::string::npos) << shown << " in " << plan;
  EXPECT_EQ(fabula("plan \"Ein Fuchs läuft durch den Wald.\" --lm tiny.gguf").code, 65) << "a language that the world does not know";
}

TEST_F(CheckpointCommand, ACheckpointIsDescribedBeforeItIsRead) {
  const json described = json::parse(fabula("models --json --lm qwen3_moe").out);
  EXPECT_EQ(described.at("architecture"), "qwen3_moe");
  EXPECT_EQ(described.at("experts").at("count"), 4);
  EXPECT_EQ(described.at("memory").at("kv_per_1000_tokens"), 1000 * 2 * 2 * 2 * 16 * 4);
  EXPECT_LT(described.at("memory").at("int8").at("weights").get<int>(), described.at("memory").at("bf16").at("weights").get<int>());
  EXPECT_NE(fabula("models --lm qwen3_vl").out.find("with an image"), std::string::npos);
}

TEST_F(CheckpointCommand, EveryErrorHasItsCodeAndOneSentence) {
  std::ofstream(file("noise.png")) << "no picture";
  std::ofstream(file("plan.json")) << "{}";
  fs::create_directories(file("empty"));
  fs::copy(file("qwen3"), file("other"), fs::copy_options::recursive);
  std::ofstream(file("other/chat_template.jinja")) << "[INST] {{ messages[0].content }} [/INST]";
  fs::copy(file("qwen3"), file("cut"), fs::copy_options::recursive);
  fs::resize_file(file("cut/model.safetensors"), 50000);
  fs::copy(file("qwen3_moe"), file("lost"), fs::copy_options::recursive);
  fs::remove(file("lost/model-00002-of-00002.safetensors"));
  fs::copy(file("qwen3"), file("gemma"), fs::copy_options::recursive);
  std::ofstream(file("gemma/config.json")) << R"({"model_type":"gemma"})";
  fs::copy(goldens / "gguf/smollm2.gguf", file("cut.gguf"));
  fs::resize_file(file("cut.gguf"), 90000);
  std::ofstream(file("noise.gguf")) << "no model";
  const struct {
    const char* arguments;
    int code;
  } cases[] = {
      {"plan \"a fox\" --lm nowhere", 66},
      {"plan \"a fox\" --lm empty", 66},
      {"plan \"a fox\" --lm lost", 66},
      {"plan \"a fox\" --lm cut", 65},
      {"plan \"a fox\" --lm other", 65},
      {"plan \"a fox\" --lm nowhere.gguf", 66},
      {"plan \"a fox\" --lm cut.gguf", 65},
      {"plan \"a fox\" --lm noise.gguf", 65},
      {"models --lm cut.gguf", 65},
      {"plan \"a fox\" --lm gemma", 65},
      {"plan \"a fox\" --lm qwen3 --lm-precision int4", 2},
      {"plan \"a fox\" --lm-precision int8", 2},
      {"plan \"a fox\" --image noise.png", 2},
      {"plan \"a fox\" --lm qwen3 --oracle", 2},
      {"plan --batch plan.json --lm qwen3", 2},
      {"plan --batch plan.json --oracle", 2},
      {"plan \"a fox\" --lm qwen3_vl --image noise.png", 65},
      {"plan \"a fox\" --lm qwen3_vl --image nowhere.png", 66},
      {"plan \"a fox\" --lm qwen3 --model nowhere", 69},
      {"models --lm nowhere", 66},
      {"models --lm cut", 65},
  };
  for (const auto& c : cases) {
    const Result result = fabula(c.arguments);
    EXPECT_EQ(result.code, c.code) << "fabula " << c.arguments << "\n" << result.err;
    EXPECT_FALSE(result.err.empty()) << "fabula " << c.arguments;
    if (c.code > 2) {
      EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << "fabula " << c.arguments << "\n" << result.err;
    }
  }
  const Result not_seeing = fabula("plan \"a fox\" --lm qwen3 --image " + picture_);
  EXPECT_EQ(not_seeing.code, 2);
  EXPECT_NE(not_seeing.err.find("needs a Qwen3-VL"), std::string::npos) << not_seeing.err;
}

}  // namespace
}  // namespace fabula
