// A transformer runs on the emulated device through the same code as on the processor: weights are copied there, results come back.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "engine/machine.h"
#include "kernels/device.h"
#include "tests/support/random.h"
#include "video/h3/denoise.h"
#include "video/h3/dit.h"

namespace fabula::h3 {
namespace {

/// Video and audio outputs of one evaluation of the golden transformer.
std::vector<float> evaluated(const Machine& machine, Precision precision) {
  const std::filesystem::path folder = std::filesystem::path(FABULA_SOURCE_DIR) / "tests/goldens/transformer_patch4";
  const Dit net = Dit::load(folder, precision, machine.device);
  ClipGeometry clip;
  clip.frames = 2, clip.height = 4, clip.width = 8;
  clip.audio_latents = 5;
  clip.audio_channels = 1;
  clip.patch = {1, 4, 4};
  clip.fps = 12;
  const Layout layout = pack(clip, std::vector<std::int32_t>(11, text_tag));
  test::Random random{test::seed()};
  const std::vector<float> text = random.normals(11 * 48), video = random.normals(4 * 96), audio = random.normals(5 * 6);
  const RowTimesteps times = row_timesteps(layout, 0.2F, 0.6F);
  return run_sized(machine, [&](Context& ctx) {
    const DitSequence sequence = prepare(ctx, net, constant(ctx, text, {11, net.config.text_dim}), layout, times.distinct);
    const DitOutput out = forward(ctx, net, sequence, constant(ctx, video, {4, net.config.patch_dim()}),
                                  constant(ctx, audio, {5, net.config.audio_in_channels}), times.index);
    std::vector<float> result = to_host(ctx, out.video), sound = to_host(ctx, out.audio);
    result.insert(result.end(), sound.begin(), sound.end());
    return result;
  });
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0.0F;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

TEST(EmulatedMachine, RunsATransformerAsTheProcessorDoes) {
  // Outputs are about 1. fp32: some hundred roundings in another order. bf16: attention's operands are rounded on the device alone.
  EXPECT_LE(largest_difference(evaluated(cpu_machine(1), Precision::fp32), evaluated(cuda_machine(), Precision::fp32)), 2e-5F);
  EXPECT_LE(largest_difference(evaluated(cpu_machine(1, Precision::bf16), Precision::bf16),
                               evaluated(cuda_machine(0, Precision::bf16), Precision::bf16)),
            5e-2F);
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
