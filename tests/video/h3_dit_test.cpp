// The transformer beyond its goldens: threads, memory, the order of rows, broken layouts.
#include "video/h3/dit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "engine/machine.h"
#include "tests/support/tiny_clip.h"

namespace fabula::h3 {
namespace {

class H3DitTest : public ::testing::Test {
 protected:
  // (video, audio) outputs in one vector, made in an arena of exactly the dry run's size. The sequence is prepared for `others` as well,
  // which come before and after the evaluation's own.
  std::vector<float> evaluate(const Dit& net, int threads, std::int32_t others = 0) {
    RowTimesteps times = row_timesteps(clip.layout, 0.2F, 0.6F);
    for (std::int32_t i = 0; i < others; ++i) {
      times.distinct.insert(times.distinct.begin(), 0.01F * static_cast<float>(i));
      times.distinct.push_back(1.0F - 0.01F * static_cast<float>(i));
    }
    for (std::int32_t& index : times.index) index += others;
    const auto work = [&](Context& ctx) { return clip.evaluated(ctx, net, times); };
    const Machine machine = cpu_machine(threads);
    const std::size_t footprint = footprint_of(machine, work);
    return run_in(machine, footprint, [&](Context& ctx) {
      std::vector<float> result = work(ctx);
      EXPECT_EQ(ctx.arena.peak(), footprint);
      return result;
    });
  }

  const std::filesystem::path folder = test::tiny_transformer();
  Dit dit = Dit::load(folder, Precision::fp32);
  test::TinyClip clip{7, 19, 11};
};

TEST_F(H3DitTest, ThreadsDoNotChangeAByteAndTheDryPeakIsTheRealOne) {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    const Dit net = Dit::load(folder, precision);
    const auto one = evaluate(net, 1);
    EXPECT_TRUE(std::all_of(one.begin(), one.end(), [](float v) { return std::isfinite(v); }));
    for (const int threads : {2, 3})
      EXPECT_EQ(std::memcmp(evaluate(net, threads).data(), one.data(), one.size() * sizeof(float)), 0) << threads << " threads";
  }
}

// All steps' modulation is made at once: that is the same to the bit as making it for each evaluation.
TEST_F(H3DitTest, TheModulationOfManyStepsIsThatOfEachAlone) {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    const Dit net = Dit::load(folder, precision);
    const auto alone = evaluate(net, 2);
    for (const std::int32_t others : {1, 3, 30})
      EXPECT_EQ(std::memcmp(evaluate(net, 2, others).data(), alone.data(), alone.size() * sizeof(float)), 0) << others << " others";
  }
}

// Weights that are read block by block are those that stay in memory.
TEST_F(H3DitTest, StreamedBlocksGiveTheSameBytes) {
  for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::int8}) {
    const auto whole = evaluate(Dit::load(folder, precision), 2);
    const Dit streamed = Dit::load(folder, precision, DeviceKind::cpu, Residence::streamed);
    EXPECT_LT(streamed.bytes(), Dit::load(folder, precision).bytes());
    for (int run = 0; run < 2; ++run)
      EXPECT_EQ(std::memcmp(evaluate(streamed, 2).data(), whole.data(), whole.size() * sizeof(float)), 0) << "run " << run;
  }
}

// The order of a modality's rows is the caller's: full attention sees a set, places are coordinates.
TEST_F(H3DitTest, RowsFollowTheirPlacesAndNotTheirOrder) {
  const auto before = evaluate(dit, 1);
  std::swap(clip.layout.video[0], clip.layout.video[5]);
  std::swap_ranges(clip.video.begin(), clip.video.begin() + 96, clip.video.begin() + 5 * 96);
  const auto after = evaluate(dit, 1);
  for (std::size_t i = 0; i < 96; ++i) {
    EXPECT_NEAR(after[i], before[5 * 96 + i], 1e-5F);
    EXPECT_NEAR(after[5 * 96 + i], before[i], 1e-5F);
  }
}

TEST_F(H3DitTest, LayoutsThatDoNotCoverTheSequenceAreRefused) {
  Layout& layout = clip.layout;
  Layout broken = layout;
  broken.video[0] = broken.video[1];
  std::swap(layout, broken);
  EXPECT_THROW(evaluate(dit, 1), Error);
  layout = broken;
  layout.audio.pop_back();
  EXPECT_THROW(evaluate(dit, 1), Error);
  layout = broken;
  layout.text[0] = 1 << 20;
  EXPECT_THROW(evaluate(dit, 1), Error);
  layout = broken;
  layout.tags[0] = 3;
  EXPECT_THROW(evaluate(dit, 1), Error);
}

TEST_F(H3DitTest, GivenRowsKeepTheirOwnTimestep) {
  const Anchor anchors[] = {Anchor::first};
  const Layout keyed = pack(test::tiny_geometry(7, 19), std::vector<std::int32_t>(3, text_tag), anchors);
  const RowTimesteps times = row_timesteps(keyed, 0.2F, 0.6F, 0.9F);
  EXPECT_EQ(times.distinct, (std::vector<float>{0.2F, 0.6F, 0.9F}));
  for (std::int64_t row = 0; row < keyed.rows(); ++row) {
    const bool is_given =
        std::find(keyed.video.begin(), keyed.video.begin() + keyed.given_video_rows, row) != keyed.video.begin() + keyed.given_video_rows;
    const std::int32_t expected = is_given ? 2 : keyed.tags[static_cast<std::size_t>(row)] == audio_tag ? 1 : 0;
    EXPECT_EQ(times.index[static_cast<std::size_t>(row)], expected) << row;
  }
  EXPECT_EQ(row_timesteps(keyed, 0.95F, 0.95F, 0.9F).distinct.size(), 1U);  // given pictures are never noisier than what is made
}

}  // namespace
}  // namespace fabula::h3
