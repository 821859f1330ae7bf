// LoRA files for the transformer: what is read of them, and what is refused. That their sums are diffusers' is golden_check's
// (tests/goldens/transformer_lora).
#include "video/h3/adapter.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "engine/weights/safetensors.h"
#include "tests/support/folder.h"
#include "tests/support/refusal.h"
#include "video/h3/dit.h"

namespace fabula::h3 {
namespace {

namespace fs = std::filesystem;

const fs::path transformer = fs::path(FABULA_SOURCE_DIR) / "tests/goldens/transformer_patch4";
constexpr const char* layer = "transformer_blocks.0.attn.to_k";  // (96, 80)

class H3Adapter : public test::InFolder {
 protected:
  using Shapes = std::map<std::string, std::vector<std::int64_t>>;

  // A file of ones.
  [[nodiscard]] AdapterFile write(const Shapes& shapes, const std::map<std::string, std::string>& metadata = {}) const {
    std::vector<NamedTensor> tensors;
    const std::vector<float> ones(100'000, 1.0F);
    for (const auto& [name, shape] : shapes) {
      std::size_t count = 1;
      for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
      tensors.push_back({name, shape, std::span(ones).first(count)});
    }
    const std::vector<std::byte> bytes = safetensors_bytes(tensors, metadata);
    std::ofstream(folder_ / "lora.safetensors", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return {folder_ / "lora.safetensors", 1.0};
  }

  // What is added to the first weight of `layer`: ones times ones, rank and factor.
  [[nodiscard]] static float added(const AdapterFile& adapter) {
    const auto first = [](Weights& weights) { return weights.take(std::string(layer) + ".weight", {96, 80}).f32()[0]; };
    Weights plain = Weights::open(transformer, Precision::fp32), more = Weights::open(transformer, Precision::fp32);
    add_adapter(more, adapter, /*follows=*/false);
    return first(more) - first(plain);
  }

  static Shapes pair(const std::string& prefix, std::int64_t rank = 4) {
    return {{prefix + layer + ".lora_A.weight", {rank, 80}}, {prefix + layer + ".lora_B.weight", {96, rank}}};
  }
};

TEST_F(H3Adapter, AlphaIsTheLayersOwnElseTheMetadatasElseTheRank) {
  AdapterFile adapter = write(pair("transformer."));
  EXPECT_NEAR(added(adapter), 4.0F, 1e-4F);
  adapter.scale = -0.5;
  EXPECT_NEAR(added(adapter), -2.0F, 1e-4F);
  EXPECT_NEAR(added(write(pair("transformer."), {{"alpha", "2"}})), 2.0F, 1e-4F);
  EXPECT_NEAR(added(write(pair("transformer."), {{"lora_adapter_metadata", R"({"transformer.lora_alpha": 8, "transformer.r": 4})"}})), 8.0F,
              1e-4F);
  Shapes own = pair("transformer.");
  own[std::string("transformer.") + layer + ".alpha"] = {};
  EXPECT_NEAR(added(write(own, {{"alpha", "2"}})), 1.0F, 1e-4F);
  EXPECT_NEAR(added(write(pair(""))), 4.0F, 1e-4F) << "a file of the transformer alone";
}

TEST_F(H3Adapter, WhatDoesNotFitIsRefusedWithTheLayersName) {
  const auto refused = [&](const Shapes& shapes) {
    const AdapterFile adapter = write(shapes);
    return test::refusal([&] { (void)added(adapter); });
  };
  Shapes half = pair("transformer."), wide = half, strange = half, other = half;
  half.erase(half.begin());
  EXPECT_NE(refused(half).find("lacks its lora_A"), std::string::npos);
  wide[std::string("transformer.") + layer + ".lora_A.weight"] = {4, 81};
  EXPECT_NE(refused(wide).find("(4, 81)"), std::string::npos);
  strange["transformer.blocks_of_another.lora_A.weight"] = {1, 80};
  strange["transformer.blocks_of_another.lora_B.weight"] = {80, 1};
  EXPECT_NE(refused(strange).find("\"transformer.blocks_of_another\" is no layer"), std::string::npos);
  other[std::string("transformer.") + layer + ".lora_magnitude_vector"] = {96};
  EXPECT_NE(refused(other).find("lora_magnitude_vector"), std::string::npos);
  EXPECT_NE(refused({{"lora_unet_blocks_0_attn_qkv_proj.lora_down.weight", {4, 80}}}).find("kohya"), std::string::npos);
  EXPECT_NE(refused({{"diffusion_model.blocks.0.attn.qkv_proj.lora_A.weight", {4, 80}}}).find("diffusers' names"), std::string::npos);
  EXPECT_NE(refused(pair("transformer_ref.")).find("no layers for the transformer"), std::string::npos);
}

}  // namespace
}  // namespace fabula::h3
