// The emulation's checks can fail: each broken kernel is refused for what is wrong with it, and sound ones pass.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "base/error.h"
#include "tests/cuda_emulation/broken_kernels.h"
#include "tests/cuda_emulation/emulation.h"

namespace fabula::test {
namespace {

constexpr std::int64_t count = 128;

/// What the emulation says of a kernel; empty if it let it pass.
std::string verdict(broken::Kernel kernel, std::vector<float>& values) {
  values.resize(count);
  std::iota(values.begin(), values.end(), 0.0F);
  cuda_emulation::give(values.data(), values.size() * sizeof(float), sizeof(float));
  std::string said;
  try {
    kernel(values.data(), count);
  } catch (const Error& error) {
    said = error.what();
  }
  cuda_emulation::take_back(values.data());
  return said;
}

struct Broken {
  const char* name;
  broken::Kernel kernel;
  const char* verdict;  // a part of it
};
#define BROKEN(name, verdict) \
  Broken { #name, broken::name, verdict }
const Broken broken_kernels[] = {
    BROKEN(writes_behind_a_tensor, "out of bounds: writes 4 bytes of global memory"),
    BROKEN(reads_before_a_tensor, "out of bounds: reads 4 bytes of global memory"),
    BROKEN(reads_null, "out of bounds: reads 4 bytes of global memory"),
    BROKEN(index_behind_shared, "out of range: index 64 of an array"),
    BROKEN(index_in_the_next_line_of_shared, "out of range: index 64 of an array"),
    BROKEN(pointer_behind_shared, "out of"),
    BROKEN(reads_shared_before_a_write, "not written: reads 4 bytes of shared memory"),
    BROKEN(two_write_one_shared_word, "race: writes 4 bytes of shared memory that thread 0 wrote"),
    BROKEN(reads_shared_without_a_barrier, "race: "),
    BROKEN(writes_shared_that_others_read, "race: "),
    BROKEN(exchange_within_a_warp_without_a_barrier, "race: "),
    BROKEN(two_blocks_write_one_word, "race: writes 4 bytes of global memory that thread 0 wrote"),
    BROKEN(a_block_reads_what_another_wrote, "race: reads 4 bytes of global memory that thread 0 wrote"),
    BROKEN(barrier_of_half_a_block, "divergent threads"),
    BROKEN(two_barriers_at_once, "divergent threads"),
    BROKEN(a_thread_leaves_before_the_barrier, "1 of 64 have ended"),
    BROKEN(shuffle_of_half_a_warp, "divergent threads"),
    BROKEN(too_many_threads, "invalid configuration"),
    BROKEN(too_much_dynamic_shared, "invalid configuration"),
    BROKEN(behind_dynamic_shared, "out of range: writes 4 bytes of shared memory"),
};
#undef BROKEN

class BrokenKernel : public testing::TestWithParam<Broken> {};

TEST_P(BrokenKernel, IsRefusedForWhatIsWrongWithIt) {
  std::vector<float> values;
  const std::string said = verdict(GetParam().kernel, values);
  EXPECT_NE(said.find(GetParam().verdict), std::string::npos) << "the emulation said: " << said;
  EXPECT_EQ(verdict(broken::sums_of_blocks, values), "") << "the device works on after a launch that failed";
}

INSTANTIATE_TEST_SUITE_P(CudaEmulation, BrokenKernel, testing::ValuesIn(broken_kernels),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(CudaEmulation, SoundKernelsPassAndComputeWhatTheyShould) {
  std::vector<float> values;
  EXPECT_EQ(verdict(broken::sums_of_blocks, values), "");
  EXPECT_EQ(values[0], 2016.0F);
  EXPECT_EQ(values[63], 2016.0F);
  EXPECT_EQ(values[64], 2016.0F + 64 * 64);
  EXPECT_EQ(verdict(broken::exchange_within_a_warp, values), "");
  EXPECT_EQ(values[6], 7.0F);
  EXPECT_EQ(values[7], 6.0F);
  EXPECT_EQ(verdict(broken::dynamic_shared, values), "");
  EXPECT_EQ(values[0], 63.0F);
}

}  // namespace
}  // namespace fabula::test
