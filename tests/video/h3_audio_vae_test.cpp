// The audio autoencoder beyond its goldens (golden_check runs those): threads, memory, lengths, hostile configurations.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/machine.h"
#include "engine/ops.h"
#include "video/h3/audio_vae/audio_vae.h"

namespace fabula::h3 {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path golden = fs::path(FABULA_SOURCE_DIR) / "tests/goldens/audio_vae";

std::vector<float> wave(std::int64_t count, double step) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(0.7 * std::sin(step * static_cast<double>(i)));
  return values;
}

// Runs `body` dry, then for real in an arena of exactly that size.
template <typename Body>
std::vector<float> run(const Kernels& kernels, int threads, const Body& body) {
  const Machine machine{.kernels = kernels, .pool = std::make_shared<ThreadPool>(threads)};
  const std::size_t footprint = footprint_of(machine, body);
  return run_in(machine, footprint, [&](Context& ctx) {
    std::vector<float> result = to_host(ctx, body(ctx));
    EXPECT_EQ(ctx.arena.peak(), footprint);
    return result;
  });
}

std::vector<float> decoded(const AudioVae& vae, const Kernels& kernels, int threads, std::int64_t frames) {
  const std::vector<float> latents = wave(vae.latent_channels() * frames, 0.37);
  return run(kernels, threads, [&](Context& ctx) { return vae.decode(ctx, constant(ctx, latents, {vae.latent_channels(), frames})); });
}

std::vector<float> encoded(const AudioVae& vae, const Kernels& kernels, int threads, std::int64_t samples) {
  const std::vector<float> values = wave(samples, 0.05);
  return run(kernels, threads, [&](Context& ctx) { return vae.encode(ctx, constant(ctx, values, {samples})); });
}

TEST(AudioVae, GivesTheSameBytesWithOneTwoAndThreeThreads) {
  const AudioVae vae = AudioVae::load(golden);
  for (const int threads : {2, 3}) {
    EXPECT_EQ(decoded(vae, cpu_kernels(), threads, 37), decoded(vae, cpu_kernels(), 1, 37)) << threads;
    EXPECT_EQ(encoded(vae, cpu_kernels(), threads, 1111), encoded(vae, cpu_kernels(), 1, 1111)) << threads;
  }
}

TEST(AudioVae, MakesHopLengthSamplesALatentAndPadsTheLastOne) {
  const AudioVae vae = AudioVae::load(golden);
  ASSERT_EQ(vae.hop_length(), 40);
  EXPECT_EQ(vae.sample_rate(), 1600);
  for (const std::int64_t frames : {1, 2, 19}) EXPECT_EQ(std::ssize(decoded(vae, cpu_kernels(), 1, frames)), 40 * frames);
  for (const std::int64_t samples : {1, 39, 40, 41}) {
    EXPECT_EQ(std::ssize(encoded(vae, cpu_kernels(), 1, samples)), vae.latent_channels() * ((samples + 39) / 40)) << samples;
  }
}

TEST(AudioVae, StaysWithinFullScale) {
  const AudioVae vae = AudioVae::load(golden);
  for (const float sample : decoded(vae, cpu_kernels(), 1, 65)) ASSERT_LE(std::abs(sample), 1.0F);
}

TEST(AudioVae, ShowsTheModulesOfTheReferenceByName) {
  const AudioVae vae = AudioVae::load(golden);
  std::set<std::string> seen;
  const Tap tap([&](const std::string& module, Tensor) { seen.insert(module); });
  const std::vector<float> values = wave(400, 0.05);
  run(reference_kernels(), 1, [&](Context& ctx) { return vae.decode(ctx, vae.encode(ctx, constant(ctx, values, {400}), tap), tap); });
  for (const char* module : {"encoder", "encoder.block.3", "pre_block", "pre_block.attn", "mean_proj", "dec_in_proj", "decoder.conv_pre",
                             "decoder.ups.2.0", "decoder.resblocks.8", "decoder.activation_post", "decoder"}) {
    EXPECT_TRUE(seen.contains(module)) << module;
  }
}

TEST(AudioVae, RefusesLatentsOfAnotherShape) {
  const AudioVae vae = AudioVae::load(golden);
  EXPECT_THROW(run(cpu_kernels(), 1, [&](Context& ctx) { return vae.decode(ctx, ctx.arena.take({5, 3})); }), Error);
  EXPECT_THROW(run(cpu_kernels(), 1, [&](Context& ctx) { return vae.encode(ctx, ctx.arena.take({2, 3})); }), Error);
}

class HostileConfig : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_);
    fs::copy_file(golden / "diffusion_pytorch_model.safetensors", folder_ / "diffusion_pytorch_model.safetensors",
                  fs::copy_options::overwrite_existing);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // What load() says to this config.json.
  std::string complaint(const std::string& config) const {
    std::ofstream(folder_ / "config.json") << config;
    try {
      (void)AudioVae::load(folder_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
      return error.what();
    }
    return "";
  }

  const fs::path folder_ = fs::temp_directory_path() / ("fabula-audio-vae-" + std::to_string(getpid()));
};

TEST_F(HostileConfig, IsRefusedNamingTheField) {
  std::ifstream in(golden / "config.json");
  const json good = json::parse(in);
  ASSERT_EQ(complaint(good.dump()), "");
  const struct {
    const char* field;
    const char* value;
  } cases[] = {
      {"encoder_dim", "0"},
      {"encoder_dim", "-6"},
      {"encoder_dim", "1e300"},
      {"encoder_dim", "18446744073709551615"},
      {"encoder_dim", "60000"},
      {"encoder_dim", "\"6\""},
      {"encoder_rates", "[]"},
      {"encoder_rates", "[2, 4, 0]"},
      {"encoder_rates", "[256, 256, 256, 256, 256, 256, 256, 256]"},
      {"encoder_rates", "7"},
      {"latent_dim", "49"},
      {"latent_channels", "0"},
      {"num_attention_heads", "0"},
      {"decoder_dim", "7"},
      {"decoder_rates", "[5, 4, 3]"},
      {"decoder_kernel_sizes", "[9, 8]"},
      {"decoder_kernel_sizes", "[3, 8, 4]"},
      {"decoder_kernel_sizes", "[9, 8, 100000000]"},
      {"resblock_kernel_sizes", "[3, 7, 12]"},
      {"resblock_kernel_sizes", "[3, 7]"},
      {"resblock_dilation_sizes", "[1, 3, 5]"},
      {"resblock_dilation_sizes", "[[1, 3, 5], [1, 3, 5], [1, 3, -5]]"},
      {"sampling_rate", "0"},
      {"latents_mean", "[0, 0, 0]"},
      {"latents_mean", "[0, 0, 0, 0, 0, 1e60]"},
      {"latents_std", "[1, 1, 1, 1, 1, 0]"},
      {"latents_std", "[1, 1, 1, 1, 1, \"one\"]"},
  };
  for (const auto& one : cases) {
    json bad = good;
    bad[one.field] = json::parse(one.value);
    const std::string said = complaint(bad.dump());
    EXPECT_NE(said.find("config.json"), std::string::npos) << one.field << " = " << one.value << ": " << said;
  }
}

TEST_F(HostileConfig, ThatDoesNotFitTheWeightsIsRefusedNamingATensor) {
  std::ifstream in(golden / "config.json");
  const json good = json::parse(in);
  for (const auto& [field, value] : std::vector<std::pair<const char*, json>>{
           {"latent_dim", 96}, {"encoder_dim", 12}, {"encoder_rates", {2, 2, 2, 5}}, {"decoder_dim", 4096}}) {
    json bad = good;
    bad[field] = value;
    EXPECT_NE(complaint(bad.dump()).find("the weight"), std::string::npos) << field << ": " << complaint(bad.dump());
  }
}

TEST_F(HostileConfig, ThatIsNoJsonIsRefused) {
  for (const char* text : {"", "[]", "{", "nonsense", "{\"encoder_dim\": }"}) EXPECT_NE(complaint(text), "") << text;
  EXPECT_THROW((void)AudioVae::load(folder_ / "nowhere"), Error);
}

}  // namespace
}  // namespace fabula::h3
