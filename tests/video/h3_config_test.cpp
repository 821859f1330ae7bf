// config.json of transformer and video autoencoder: hostile values are refused.
#include "video/h3/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"

namespace fabula::h3 {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path goldens = fs::path(FABULA_SOURCE_DIR) / "tests/goldens";

json config_of(const char* folder) { return json::parse(std::ifstream(goldens / folder / "config.json")); }

// What reading a changed configuration says, or nothing when it is accepted.
template <typename Config>
std::string complaint(const json& changed) {
  const fs::path folder = fs::path(::testing::TempDir()) / "fabula_h3_config_test";
  fs::create_directories(folder);
  std::ofstream(folder / "config.json") << changed.dump();
  std::string said;
  try {
    (void)Config::load(folder);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    said = error.what();
  }
  fs::remove_all(folder);
  return said;
}

template <typename Config>
void expect_refused(const char* folder, const char* field, const json& value) {
  json config = config_of(folder);
  config[field] = value;
  EXPECT_NE(complaint<Config>(config).find(field), std::string::npos)
      << field << " = " << value << ": \"" << complaint<Config>(config) << "\"";
}

TEST(H3Config, ThePublishedLayoutIsRead) {
  const DitConfig transformer = DitConfig::load(goldens / "transformer_patch4");
  EXPECT_EQ(transformer.patch_dim(), 6 * 16);
  EXPECT_EQ(transformer.rotary_dim(), 24);
  const VaeConfig vae = VaeConfig::load(goldens / "vae_ratio8");
  EXPECT_EQ(vae.spatial_ratio(), 8);
  EXPECT_EQ(vae.temporal_ratio(), 4);
  EXPECT_EQ(vae.latents_per_clip(), 5);
  EXPECT_EQ(vae.frame_pre_padding(), 3);
  EXPECT_EQ(vae.latent_overlap(), 2);
}

TEST(H3Config, AbsurdTransformersAreRefusedByName) {
  for (const char* field : {"num_attention_heads", "attention_head_dim", "hidden_size", "num_layers", "ffn_dim", "in_channels", "text_dim",
                            "freq_dim", "rope_freq_dim"}) {
    for (const json& value : {json(0), json(-3), json(std::int64_t{1} << 60), json(18446744073709551615U), json(2.5), json("8"), json()}) {
      expect_refused<DitConfig>("transformer", field, value);
    }
  }
  expect_refused<DitConfig>("transformer", "rope_freq_dim", 64);  // more than a head has
  expect_refused<DitConfig>("transformer", "patch_size", json{1, 2});
  expect_refused<DitConfig>("transformer", "norm_eps", -1.0);
}

TEST(H3Config, AbsurdAutoencodersAreRefusedByName) {
  expect_refused<VaeConfig>("vae", "block_out_channels", json::array());
  expect_refused<VaeConfig>("vae", "norm_num_groups", 7);  // divides no channel count
  expect_refused<VaeConfig>("vae", "spatial_downsample_factors", json{2, 2});
  expect_refused<VaeConfig>("vae", "temporal_downsample_factors", json{1, 2, 2, 1, 1, 100});
  expect_refused<VaeConfig>("vae", "spatial_padding_mode", "mirror");
  expect_refused<VaeConfig>("vae", "token_drop", 5);  // nothing would be left
  expect_refused<VaeConfig>("vae", "latents_std", json{1.0});
  expect_refused<VaeConfig>("vae", "decoder_rope_dim_ratio", 0.7);
}

TEST(H3Config, AMissingFieldOrFileIsNamed) {
  json config = config_of("transformer");
  config.erase("hidden_size");
  EXPECT_NE(complaint<DitConfig>(config).find("hidden_size"), std::string::npos);
  try {
    (void)VaeConfig::load(goldens / "no such folder");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input_missing);
  }
}

}  // namespace
}  // namespace fabula::h3
