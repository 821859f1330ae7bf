// Libraries of NVIDIA's that are of no use, a cuDNN that is too old and a cuBLASLt without its functions: kernels of ours run, and a
// sentence says why. So it is where there are none.
#include <gtest/gtest.h>

#include "engine/machine.h"
#include "engine/ops.h"
#include "kernels/cublaslt.h"
#include "kernels/cudnn.h"
#include "tests/support/random.h"

namespace fabula::test {
namespace {

TEST(UselessLibraries, AreNamedInASentence) {
  EXPECT_EQ(cuda::cudnn_text(), "cuDNN 9.10.2 is older than 9.13.1; attention runs on kernels of ours, which are slower");
  EXPECT_EQ(cuda::cublaslt_text(), "libcublasLt.so.13 has no cublasLtCreate; matrix products run on kernels of ours, which are slower");
}

TEST(UselessLibraries, LeaveTheWorkToUs) {
  Random random{seed()};
  const std::vector<float> x = random.normals(20 * 2 * 64);
  const auto attended = [&](const Machine& machine) {
    return run_sized(machine, [&](Context& ctx) {
      const Tensor rows = constant(ctx, x, {20, 2, 64});
      return to_host(ctx, attention(ctx, rows, rows, rows, /*causal=*/false));
    });
  };
  const Machine machine = cuda_machine(0, Precision::bf16);
  EXPECT_EQ(machine.attention, AttentionBy::loops) << "memory is taken for cuDNN";
  const std::vector<float> expected = attended(reference_machine()), found = attended(machine);
  ASSERT_EQ(expected.size(), found.size());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(expected[i], found[i], 0.05F);  // operands up to 4, rounded to bf16
  EXPECT_FALSE(cuda::attend_with_cudnn({}, {}));
  EXPECT_FALSE(cuda::multiply_with_cublaslt({}, {}));
}

}  // namespace
}  // namespace fabula::test
