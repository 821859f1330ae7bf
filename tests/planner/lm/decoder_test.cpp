// The decoders of the Qwen3 family beyond what golden_check compares: cutting, images, memory, and what is refused.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "engine/weights/safetensors.h"
#include "planner/lm/qwen3_vl.h"
#include "planner/lm/session.h"
#include "tests/support/refusal.h"

namespace fabula {
namespace {

using nlohmann::json;
using Tokens = std::vector<std::int32_t>;

const std::filesystem::path goldens = std::string(FABULA_SOURCE_DIR) + "/tests/goldens";

std::vector<std::int64_t> integers(const Tensor& stored) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(stored.elements()));
  std::memcpy(values.data(), stored.data, stored.bytes());
  return values;
}

// The prompt of a case, with its greedy continuation if it has one.
Tokens tokens_of(const std::filesystem::path& file, bool greedy) {
  const Safetensors one = Safetensors::open(file);
  Tokens tokens;
  for (const std::int64_t id : integers(one.at("in.input_ids"))) tokens.push_back(static_cast<std::int32_t>(id));
  if (!greedy || !one.has("out.greedy")) return tokens;
  for (const std::int64_t id : integers(one.at("out.greedy"))) tokens.push_back(static_cast<std::int32_t>(id));
  return tokens;
}

using test::refusal;

double largest_difference(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0.0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) worst = std::max(worst, static_cast<double>(std::abs(a[i] - b[i])));
  return worst;
}

struct Decoder {
  explicit Decoder(const std::string& folder)
      : weights(Weights::open(goldens / folder)), model(load_qwen3(Qwen3Config::open(goldens / folder / "config.json"), weights)) {}
  Weights weights;
  Qwen3 model;
};

struct TextCase {
  const char* folder;
  const char* file;
};

class EveryDecoder : public testing::TestWithParam<TextCase> {
 protected:
  Decoder decoder_{GetParam().folder};
  Tokens tokens_ = tokens_of(goldens / GetParam().folder / GetParam().file, /*greedy=*/true);
};

TEST_P(EveryDecoder, KeepsTheSameStatesHoweverTheTokensAreCut) {
  const Machine machine = cpu_machine(2);
  const std::int64_t tap_layer = 2;
  Session whole(decoder_.model, tap_layer, machine);
  const auto logits = whole.read(tokens_);
  const std::vector<float> expected(logits.begin(), logits.end());
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
    Session cut(decoder_.model, tap_layer, machine);
    std::span<const float> last;
    for (std::size_t at = 0; at < tokens_.size(); at += piece)
      last = cut.read(std::span(tokens_).subspan(at, std::min(piece, tokens_.size() - at)));
    EXPECT_EQ(largest_difference(last, expected), 0.0) << "pieces of " << piece;
    EXPECT_EQ(largest_difference(cut.states(), whole.states()), 0.0) << "pieces of " << piece;
  }
}

TEST_P(EveryDecoder, GivesTheSameBytesWithAnyNumberOfThreads) {
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3}) {
    const Machine machine = cpu_machine(threads);
    Session session(decoder_.model, 3, machine);
    (void)session.read(tokens_);
    results.push_back(session.states());
  }
  EXPECT_EQ(results[1], results[0]);
  EXPECT_EQ(results[2], results[0]);
}

// All tokens are equal, so that every router sends them all to the same experts: the maximum memory of a forward.
TEST_P(EveryDecoder, TakesNoMoreMemoryThanTheDryRunSays) {
  const Tokens alike(20, tokens_[0]);
  for (const Tokens& tokens : {tokens_, alike}) {
    const auto count = static_cast<std::int64_t>(tokens.size());
    const std::size_t footprint = forward_footprint(decoder_.model, {.rows = count, .logit_rows = count, .table = KvPool::pages_of(count)});
    Arena arena(footprint);
    Context ctx{cpu_kernels(), arena, {}};
    KvPool pages(decoder_.model.config);
    KvCache cache(pages);
    ASSERT_NO_THROW((void)forward(ctx, decoder_.model, cache, {.tokens = tokens}, Logits::all));
    const bool dense = std::none_of(decoder_.model.config.sparse.begin(), decoder_.model.config.sparse.end(), std::identity());
    if (dense)
      EXPECT_EQ(arena.peak(), footprint);
    else
      EXPECT_LE(arena.peak(), footprint);
  }
}

INSTANTIATE_TEST_SUITE_P(Qwen3, EveryDecoder,
                         testing::Values(TextCase{"qwen3", "case_prefill_and_greedy.safetensors"},
                                         TextCase{"qwen3_moe", "case_prefill_and_greedy.safetensors"},
                                         TextCase{"qwen3_moe_mixed", "case_prefill_and_greedy.safetensors"},
                                         TextCase{"qwen3_vl", "case_text_only.safetensors"}),
                         [](const auto& tested) { return tested.param.folder; });

// The model and the prompt of tests/goldens/qwen3_vl_images: images of 6 × 4 and 2 × 8 patches.
struct Seeing {
  Weights weights = Weights::open(goldens / "qwen3_vl_images");
  Qwen3Vl model = load_qwen3_vl(Qwen3VlConfig::open(goldens / "qwen3_vl_images" / "config.json"), weights);
  Safetensors one = Safetensors::open(goldens / "qwen3_vl_images" / "case_prefill_and_greedy.safetensors");
  Tokens prompt = tokens_of(one.path(), /*greedy=*/false);
  std::vector<PatchGrid> grids = {{6, 4}, {2, 8}};
  std::vector<float> pixels = [this] {
    const Tensor stored = one.at("in.pixel_values");
    std::vector<float> values(static_cast<std::size_t>(stored.elements()));
    std::memcpy(values.data(), stored.data, stored.bytes());
    return values;
  }();

  std::vector<PatchedImage> images() {
    const std::int64_t width = model.config.vision.patch_width();
    return {{{.data = pixels.data(), .shape = {24, width}}, grids[0]},
            {{.data = pixels.data() + 24 * width, .shape = {16, width}}, grids[1]}};
  }
};

TEST(Images, AreForgottenAndSeenAgainWithTheSameResult) {
  Seeing seeing;
  const auto images = seeing.images();
  Arena arena(std::size_t{1} << 24);
  Context ctx{cpu_kernels(), arena, {}};
  KvPool pages(seeing.model.decoder.config);
  KvCache cache(pages);
  const auto read = [&](std::size_t from, std::span<const PatchedImage> seen) {
    const Arena::Scope scope(arena);
    const Tensor logits = forward(ctx, seeing.model, cache, std::span(seeing.prompt).subspan(from), seen, Logits::last);
    return std::vector<float>(logits.f32(), logits.f32() + logits.elements());
  };
  const std::vector<float> expected = read(0, images);
  const std::int32_t end = cache.next_position();
  EXPECT_LT(end, cache.length()) << "an image takes fewer steps than it has rows";
  cache.truncate(14);  // into the text before the second image: 4 + 1 + 6 + 1 + 2 tokens; the image advances the position by three
  EXPECT_EQ(cache.next_position(), 14 - 6 + 3);
  EXPECT_LT(largest_difference(read(14, std::span(images).last(1)), expected), 1e-4);
  EXPECT_EQ(cache.next_position(), end);
}

TEST(Images, StandStillInTimeAndSpreadOverHeightAndWidth) {
  Qwen3VlConfig config;
  config.image_token = 7;
  config.video_token = 8;
  config.vision.merge = 2;
  const Tokens tokens = {1, 7, 7, 7, 7, 7, 7, 2, 3};
  const PatchGrid grid = {4, 6};
  const auto positions = rope_positions(config, tokens, std::span(&grid, 1), 10);
  const std::int32_t expected[][3] = {{10, 10, 10}, {11, 11, 11}, {11, 11, 12}, {11, 11, 13}, {11, 12, 11},
                                      {11, 12, 12}, {11, 12, 13}, {14, 14, 14}, {15, 15, 15}};
  ASSERT_EQ(positions.size(), std::size(expected));
  for (std::size_t i = 0; i < positions.size(); ++i) {
    EXPECT_EQ(positions[i].time, expected[i][0]) << i;
    EXPECT_EQ(positions[i].height, expected[i][1]) << i;
    EXPECT_EQ(positions[i].width, expected[i][2]) << i;
  }
}

TEST(Images, TakeOnePlaceholderARow) {
  Seeing seeing;
  const Qwen3VlConfig& config = seeing.model.config;
  Tokens brief;
  for (const std::int32_t token : seeing.prompt) {
    if (token != config.image_token || brief.back() != token) brief.push_back(token);
  }
  EXPECT_EQ(expand_placeholders(config, brief, seeing.grids), seeing.prompt);

  const auto positions = [&](const Tokens& tokens, std::vector<PatchGrid> grids) {
    return refusal([&] { (void)rope_positions(config, tokens, grids, 0); });
  };
  EXPECT_NE(refusal([&] { (void)expand_placeholders(config, seeing.prompt, seeing.grids); }).find("placeholders"), std::string::npos);
  EXPECT_NE(positions(seeing.prompt, {{6, 4}}).find("more images"), std::string::npos);
  EXPECT_NE(positions(seeing.prompt, {{6, 4}, {2, 8}, {2, 2}}).find("fewer images"), std::string::npos);
  EXPECT_NE(positions(seeing.prompt, {{6, 4}, {2, 4}}).find("2 rows has 4 placeholders"), std::string::npos);
  EXPECT_NE(positions(seeing.prompt, {{6, 4}, {3, 8}}).find("multiple of 2"), std::string::npos);
  EXPECT_NE(positions(seeing.prompt, {{6, 4}, {-2, 8}}).find("patches"), std::string::npos);
  EXPECT_NE(positions({1, config.video_token}, {}).find("more images"), std::string::npos);
}

// Qwen3-VL gives the pairs of a video times in the text, so that each is placed like an image.
TEST(Images, APairOfAVideosFramesIsPlacedLikeAnImage) {
  Qwen3VlConfig config;
  config.image_token = 7;
  config.video_token = 8;
  config.vision.merge = 2;
  const std::vector<PatchGrid> grids = {{2, 4}, {2, 2}, {2, 4}};
  const auto moving = rope_positions(config, Tokens{1, 8, 8, 2, 7, 2, 8, 8, 3}, grids, 0);
  const auto still = rope_positions(config, Tokens{1, 7, 7, 2, 7, 2, 7, 7, 3}, grids, 0);
  ASSERT_EQ(moving.size(), still.size());
  for (std::size_t i = 0; i < moving.size(); ++i) {
    EXPECT_EQ(moving[i].time, still[i].time) << i;
    EXPECT_EQ(moving[i].height, still[i].height) << i;
    EXPECT_EQ(moving[i].width, still[i].width) << i;
  }
}

// Each change to an intact config.json is refused with a sentence that names the fault.
using Changes = std::vector<std::pair<std::string, std::function<void(json&)>>>;

void expect_refusals(const std::string& folder, const Changes& changes, const std::function<void(const std::filesystem::path&)>& open) {
  std::ifstream in(goldens / folder / "config.json");
  const json intact = json::parse(in);
  const auto file = std::filesystem::temp_directory_path() / ("fabula_decoder_" + std::to_string(getpid()) + ".json");
  const auto opened = [&](const json& config) {
    std::ofstream(file) << config.dump();
    return refusal([&] { open(file); });
  };
  EXPECT_EQ(opened(intact), "");
  for (const auto& [name, change] : changes) {
    json changed = intact;
    change(changed);
    EXPECT_NE(opened(changed).find(name), std::string::npos) << name << ": " << opened(changed);
  }
  std::filesystem::remove(file);
}

TEST(MoeConfig, RefusesWhatTheDecoderCannotRun) {
  const Changes changes = {
      {"num_experts", [](json& c) { c.erase("num_local_experts"); }},
      {"num_local_experts", [](json& c) { c["num_local_experts"] = 1LL << 40; }},
      {"num_experts_per_tok", [](json& c) { c["num_experts_per_tok"] = 6; }},
      {"num_experts_per_tok", [](json& c) { c["num_experts_per_tok"] = 0; }},
      {"moe_intermediate_size", [](json& c) { c["moe_intermediate_size"] = "24"; }},
      {"decoder_sparse_step", [](json& c) { c["decoder_sparse_step"] = 0; }},
      {"mlp_only_layers", [](json& c) { c["mlp_only_layers"] = {6}; }},
      {"mlp_only_layers", [](json& c) { c["mlp_only_layers"] = 3; }},
  };
  expect_refusals("qwen3_moe_mixed", changes, [](const auto& file) { (void)Qwen3Config::open(file); });
}

TEST(MoeConfig, TellsSparseLayersFromDenseOnes) {
  const Qwen3Config config = Qwen3Config::open(goldens / "qwen3_moe_mixed/config.json");
  EXPECT_EQ(config.sparse, (std::vector<bool>{false, true, false, false, false, true}));  // every second one, except layer 3
  EXPECT_FALSE(config.experts.normalised);
  EXPECT_TRUE(Qwen3Config::open(goldens / "qwen3_moe/config.json").experts.normalised);
}

TEST(VlConfig, RefusesWhatTheModelCannotRun) {
  const Changes changes = {
      {"model_type", [](json& c) { c["model_type"] = "qwen3_vl_moe"; }},
      {"text_config", [](json& c) { c.erase("text_config"); }},
      {"qwen3_vl_text", [](json& c) { c["text_config"]["model_type"] = "qwen3_vl_moe_text"; }},
      {"mrope_section", [](json& c) { c["text_config"]["rope_parameters"].erase("mrope_section"); }},
      {"mrope_section",
       [](json& c) {
         c["text_config"]["rope_parameters"]["mrope_section"] = {4, 4, 4};
       }},
      {"mrope_section",
       [](json& c) {
         c["text_config"]["rope_parameters"]["mrope_section"] = {10, -1, -1};
       }},
      {"interleaved", [](json& c) { c["text_config"]["rope_parameters"]["mrope_interleaved"] = false; }},
      {"vision_config", [](json& c) { c["vision_config"] = 3; }},
      {"gelu_pytorch_tanh", [](json& c) { c["vision_config"]["hidden_act"] = "silu"; }},
      {"num_heads", [](json& c) { c["vision_config"]["num_heads"] = 4; }},
      {"square", [](json& c) { c["vision_config"]["num_position_embeddings"] = 24; }},
      {"ascend",
       [](json& c) {
         c["vision_config"]["deepstack_visual_indexes"] = {2, 0};
       }},
      {"deepstack_visual_indexes", [](json& c) { c["vision_config"]["deepstack_visual_indexes"] = {3}; }},
      {"more than the decoder has layers",
       [](json& c) {
         c["vision_config"]["depth"] = 9;
         c["vision_config"]["deepstack_visual_indexes"] = {1, 2, 3, 4};
       }},
      {"out_hidden_size", [](json& c) { c["vision_config"]["out_hidden_size"] = 48; }},
      {"patch_size",
       [](json& c) {
         c["vision_config"]["patch_size"] = {2, 2};
       }},
      {"axial", [](json& c) { c["vision_config"]["rope_parameters"]["rope_type"] = "default"; }},
      {"image_token_id", [](json& c) { c["image_token_id"] = 97; }},
  };
  expect_refusals("qwen3_vl_images", changes, [](const auto& file) { (void)Qwen3VlConfig::open(file); });
}

}  // namespace
}  // namespace fabula
