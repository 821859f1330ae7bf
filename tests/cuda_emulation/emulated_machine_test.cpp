// A transformer and the encoders run on the emulated device through the same code as on the processor: weights are copied there, results
// come back.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "engine/machine.h"
#include "kernels/device.h"
#include "tests/support/random.h"
#include "tests/support/tiny_clip.h"
#include "video/h3/given.h"

namespace fabula::h3 {
namespace {

/// Video and audio outputs of one evaluation of the golden transformer.
std::vector<float> evaluated(const Machine& machine, Precision precision) {
  const Dit net = Dit::load(test::tiny_transformer(), precision, machine.device);
  const test::TinyClip clip(2, 5, 11);
  const RowTimesteps times = row_timesteps(clip.layout, 0.2F, 0.6F);
  return run_sized(machine, [&](Context& ctx) { return clip.evaluated(ctx, net, times); });
}

/// Latents of a picture and of a sound, after the encoders of the golden folder.
std::vector<float> encoded(const Machine& machine) {
  const std::filesystem::path folder = std::filesystem::path(FABULA_SOURCE_DIR) / "tests/goldens/h3_folder/model";
  const VideoVae vae = VideoVae::load(folder / "vae", Precision::fp32, machine.device);
  const AudioVae audio_vae = AudioVae::load(folder / "audio_vae", machine.device);
  test::Random random{test::seed()};
  GivenMedia media{.first_frame = Image{8, 8, {}}, .last_frame = {}, .references = {}};
  for (int i = 0; i < 3 * 8 * 8; ++i) media.first_frame->rgb.push_back(static_cast<std::uint8_t>(random.below(256)));
  media.references.push_back({.kind = GivenReference::Kind::audio, .sound = {1200, 1, random.normals(35)}});
  std::vector<float> all;
  for (const GivenLatents& given : encode_given(machine, vae, audio_vae, media)) {
    all.insert(all.end(), given.video.values.begin(), given.video.values.end());
    all.insert(all.end(), given.audio.values.begin(), given.audio.values.end());
  }
  return all;
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0.0F;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

TEST(EmulatedMachine, RunsATransformerAsTheProcessorDoes) {
  // Outputs are about 1. fp32: some hundred roundings in another order. bf16: sums in another order meet another bf16 number.
  EXPECT_LE(largest_difference(evaluated(cpu_machine(1), Precision::fp32), evaluated(cuda_machine(), Precision::fp32)), 2e-5F);
  EXPECT_LE(largest_difference(evaluated(cpu_machine(1, Precision::bf16), Precision::bf16),
                               evaluated(cuda_machine(0, Precision::bf16), Precision::bf16)),
            5e-2F);
}

TEST(EmulatedMachine, EncodesWhatAClipIsGivenAsTheProcessorDoes) {
  // Latents are about 1, and a picture's are rounded to half precision, where a last bit may decide.
  EXPECT_LE(largest_difference(encoded(cpu_machine(1)), encoded(cuda_machine())), 5e-3F);
}

TEST(EmulatedMachine, AHostThatReadsWhatIsOnTheDeviceCrashes) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const Buffer buffer(64, Buffer::Place::device);
  EXPECT_DEATH(std::printf("%d", *static_cast<volatile const char*>(buffer.data())), "");
}

TEST(EmulatedMachine, ADeviceThatThereIsNotIsRefused) {
  try {
    (void)cuda_machine(3);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::unavailable);
    EXPECT_STREQ(error.what(), "there is no CUDA device 3; the last is 0");
  }
}

}  // namespace
}  // namespace fabula::h3
