// GGUF files: their numbers bit for bit, their models beside the same ones as folders, and files that are cut, changed or foreign.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/weights/gguf.h"
#include "engine/weights/safetensors.h"
#include "planner/lm/checkpoint.h"
#include "planner/lm/gguf_model.h"
#include "tests/support/random.h"
#include "tests/support/refusal.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;
using test::refusal;

const fs::path goldens = std::string(FABULA_SOURCE_DIR) + "/tests/goldens";

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class GgufFile : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path write(const std::string& bytes) const {
    std::ofstream(folder_ / "model.gguf", std::ios::binary) << bytes;
    return folder_ / "model.gguf";
  }
  fs::path folder_ = fs::temp_directory_path() / ("fabula_gguf_" + std::to_string(getpid()));
};

TEST_F(GgufFile, HoldsTheNumbersThatItsOwnPackageReadsBitForBit) {
  const Gguf file = Gguf::open(goldens / "gguf/blocks.gguf");
  const Safetensors expected = Safetensors::open(goldens / "gguf/blocks.safetensors");
  Weights weights = Weights::open(file.model(), Precision::fp32);
  ASSERT_EQ(expected.tensors().size(), 10U);
  for (const auto& [name, tensor] : expected.tensors()) {
    const std::vector<float> read = weights.take_values(name, tensor.shape);
    EXPECT_EQ(0, std::memcmp(read.data(), tensor.data, tensor.bytes())) << name;
  }
  weights.finish();
}

// The same values in one matrix as the loader converts it: bf16 rounds them once, int8 scales each row.
TEST_F(GgufFile, IsConvertedLikeAnyOther) {
  const Safetensors expected = Safetensors::open(goldens / "gguf/blocks.safetensors");
  for (const auto& [name, tensor] : expected.tensors()) {
    Weights sixteen = Weights::open(Gguf::open(goldens / "gguf/blocks.gguf").model(), Precision::bf16);
    const Tensor bf16 = sixteen.take_matrix(name, tensor.shape);
    Weights whole = Weights::open(Gguf::open(goldens / "gguf/blocks.gguf").model(), Precision::fp32);
    const Tensor f32 = whole.take_matrix(name, tensor.shape);
    EXPECT_EQ(0, std::memcmp(f32.data, tensor.data, tensor.bytes())) << name;
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      const float value = f32.f32()[i], rounded = std::bit_cast<float>(std::uint32_t{bf16.as<std::uint16_t>()[i]} << 16U);
      ASSERT_LE(std::abs(rounded - value), std::abs(value) / 256 + 1e-38F) << name;
    }
  }
}

// A SentencePiece model: tokens and scores, from which the merges follow.
TEST_F(GgufFile, TokenisesAsItsTokenizerJsonWhereItHasScores) {
  const Tokenizer tokenizer = tokenizer_of(Gguf::open(goldens / "characters/tokenizer.gguf"));
  const auto cases = nlohmann::json::parse(contents(goldens / "characters/cases.json"))["cases"];
  for (const auto& one : cases) {
    const std::string text = one["text"];
    const std::vector<std::int32_t> ids = tokenizer.encode(text);
    EXPECT_EQ(ids, one["ids"].get<std::vector<std::int32_t>>()) << text;
    EXPECT_EQ(tokenizer.decode(ids), one["decoded"].get<std::string>());
  }
}

class GgufModel : public testing::TestWithParam<std::tuple<const char*, float>> {};

// `tolerance`: of a weight, relative to the largest of its row; the format's rounding. Interleaved rows would be off by their whole size.
TEST_P(GgufModel, IsTheModelOfItsFolder) {
  const auto& [name, tolerance] = GetParam();
  const Checkpoint there = Checkpoint::open(goldens / "gguf" / (std::string(name) + ".gguf")), here = Checkpoint::open(goldens / name);
  const Qwen3Config &config = there.config, &expected = here.config;
  EXPECT_EQ(there.model_type, here.model_type);
  EXPECT_EQ(config.vocabulary, expected.vocabulary);
  EXPECT_EQ(config.context, expected.context);
  EXPECT_EQ(config.head_dim, expected.head_dim);
  EXPECT_EQ(config.tied_embeddings, expected.tied_embeddings);
  EXPECT_EQ(config.attention_bias, expected.attention_bias);
  EXPECT_EQ(config.output_bias, expected.output_bias);
  EXPECT_FLOAT_EQ(config.norm_eps, expected.norm_eps);
  EXPECT_EQ(config.rope_theta, expected.rope_theta);
  ASSERT_EQ(config.rope_divisors.size(), expected.rope_divisors.size());
  for (std::size_t i = 0; i < config.rope_divisors.size(); ++i) EXPECT_FLOAT_EQ(config.rope_divisors[i], expected.rope_divisors[i]);
  EXPECT_EQ(there.chat.turns, here.chat.turns);
  EXPECT_EQ(there.chat.dated, here.chat.dated);
  EXPECT_EQ(there.stops.back(), here.stops.back());
  Weights weights = there.open_weights(Precision::fp32), exact = here.open_weights(Precision::fp32);
  ASSERT_EQ(weights.names(), exact.names());
  for (const std::string& tensor : exact.names()) {
    const Shape shape = exact.shape(tensor);
    const std::vector<float> got = weights.take_values(tensor, shape), wanted = exact.take_values(tensor, shape);
    const std::size_t width = wanted.size() / static_cast<std::size_t>(shape[0]);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      float largest = 0.0F;
      for (std::size_t k = i / width * width; k < (i / width + 1) * width; ++k) largest = std::max(largest, std::abs(wanted[k]));
      ASSERT_NEAR(got[i], wanted[i], shape.rank() < 2 ? 0.0F : tolerance * largest) << tensor << ", number " << i;
    }
  }
}

TEST_P(GgufModel, CutsTextsAsItsFolderDoes) {
  const std::string name = std::get<0>(GetParam());
  const Tokenizer tokenizer = Checkpoint::open(goldens / "gguf" / (name + ".gguf")).tokenizer();
  std::ifstream in(goldens / name / "cases.json");
  for (const auto& one : nlohmann::json::parse(in).at("cases")) {
    const std::string text = one.at("text");
    EXPECT_EQ(tokenizer.encode(text), one.at("ids").get<std::vector<std::int32_t>>()) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, GgufModel,
                         testing::Values(std::tuple{"qwen2", 1.0F / 2048}, std::tuple{"smollm2", 1.0F / 200},
                                         std::tuple{"llama3", 1.0F / 256}),
                         [](const auto& tested) { return std::string(std::get<0>(tested.param)); });

TEST_F(GgufFile, ThatIsCutSaysSo) {
  const std::string whole = contents(goldens / "gguf/smollm2.gguf");
  for (std::size_t length : {std::size_t{0}, std::size_t{3}, std::size_t{5}, std::size_t{20}, std::size_t{100}, std::size_t{3000},
                             whole.size() / 2, whole.size() - 1}) {
    const std::string said = refusal([&] { (void)Checkpoint::open(write(whole.substr(0, length))); });
    EXPECT_NE(said.find("model.gguf: is "), std::string::npos) << length << ": " << said;
  }
}

TEST_F(GgufFile, OfAnotherKindIsRefusedByName) {
  const std::string whole = contents(goldens / "gguf/qwen2.gguf");
  // `to` replaces the bytes from `shift` behind the end of `after` on.
  const auto with = [&](const std::string& after, std::size_t shift, const std::string& to) {
    std::string bytes = whole;
    const std::size_t at = bytes.find(after);
    EXPECT_NE(at, std::string::npos) << after;
    return refusal([&] { (void)Checkpoint::open(write(bytes.replace(at + after.size() + shift, to.size(), to))); });
  };
  EXPECT_NE(with("GGUF", 0, "\1").find("of version 1"), std::string::npos);
  EXPECT_NE(with("GG", 0, "ML").find("is not a GGUF file"), std::string::npos);
  EXPECT_NE(with("general.architecture", 12, "gemma").find("its architecture is \"gemma\""), std::string::npos);
  EXPECT_NE(with("tokenizer.ggml.model", 12, "bert").find("of the kind \"bert\""), std::string::npos);
  EXPECT_NE(with("tokenizer.ggml.pre", 12, "falco").find("cuts words as \"falco\""), std::string::npos);
  EXPECT_NE(with("token_embd.weight", 20, "\x0a").find("ggml's type 10"), std::string::npos);
  EXPECT_NE(with("blk.0.ffn_down.weight", 20, "\x02").find("no whole number of blocks"), std::string::npos);
}

// Any change of bytes is read or refused with a sentence that names the file.
TEST_F(GgufFile, WithChangedBytesIsReadOrRefused) {
  test::Random random(test::seed());
  const std::string whole = contents(goldens / "gguf/llama3.gguf");
  for (int i = 0; i < 60; ++i) {
    std::string bytes = whole;
    for (int k = 0; k < 4; ++k) bytes[random.below(i < 30 ? 1200 : 20000)] = static_cast<char>(random.below(256));
    try {
      (void)Checkpoint::open(write(bytes));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
      EXPECT_NE(std::string(error.what()).find("model.gguf"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace fabula
