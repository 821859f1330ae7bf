// Attention by cuDNN, up to its boundary: the stub does what the descriptors say and keeps a record of them.
#include "kernels/cudnn.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/machine.h"
#include "engine/ops.h"
#include "engine/replay.h"
#include "kernels/bf16.h"
#include "kernels/device.h"
#include "tests/cuda_emulation/emulation.h"
#include "tests/support/random.h"

namespace fabula::test {
namespace {

/// The stub, which the program under test has opened.
void* stub() {
  (void)cuda::has_cudnn();
  return dlopen("libcudnn.so.9", RTLD_NOW | RTLD_NOLOAD);
}
std::string record() { return reinterpret_cast<const char* (*)()>(dlsym(stub(), "stub_cudnn_record"))(); }
int alive() { return reinterpret_cast<int (*)()>(dlsym(stub(), "stub_cudnn_alive"))(); }

struct Sizes {
  std::int64_t q_rows, k_rows, heads, kv_heads, dim;
};

/// Values that are bf16 numbers already, so that only what happens between them is rounded.
std::vector<float> bf16_numbers(Random& random, std::int64_t count) {
  std::vector<float> values = random.normals(static_cast<std::size_t>(count));
  for (float& value : values) value = from_bf16(to_bf16(value));
  return values;
}

/// Attention on the machine, of the same operands each time.
std::vector<float> attended(const Machine& machine, const Sizes& s, bool causal = false) {
  Random random{seed()};
  const std::vector<float> q = bf16_numbers(random, s.q_rows * s.heads * s.dim), k = bf16_numbers(random, s.k_rows * s.kv_heads * s.dim),
                           v = bf16_numbers(random, s.k_rows * s.kv_heads * s.dim);
  return run_sized(machine, [&](Context& ctx) {
    const Shape keys{s.k_rows, s.kv_heads, s.dim};
    (void)ctx.arena.take({1});  // so that nothing lies at a multiple of 256 by chance
    return to_host(ctx,
                   attention(ctx, constant(ctx, q, {s.q_rows, s.heads, s.dim}), constant(ctx, k, keys), constant(ctx, v, keys), causal));
  });
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0.0F;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

bool asked_cudnn(const Sizes& s, bool causal = false) {
  (void)record();
  (void)attended(cuda_machine(0, Precision::bf16), s, causal);
  return record().find("execute") != std::string::npos;
}

TEST(Cudnn, IsOpenedByName) {
  ASSERT_TRUE(cuda::has_cudnn());
  EXPECT_EQ(cuda::cudnn_text().substr(0, 12), "cuDNN 9.19.0");
}

TEST(Cudnn, GetsRowsOfHeadsAsBatchesOfOneByTheirStrides) {
  (void)record();
  (void)attended(cuda_machine(0, Precision::bf16), {17, 40, 6, 2, 64});
  EXPECT_EQ(record(),
            "q 1 bf16 (1 6 17 64) strides (6528 64 384 1) at multiples of 16\n"
            "k 2 bf16 (1 2 40 64) strides (5120 64 128 1) at multiples of 16\n"
            "v 3 bf16 (1 2 40 64) strides (5120 64 128 1) at multiples of 16\n"
            "out 4 bf16 (1 6 17 64) strides (6528 64 384 1) at multiples of 16\n"
            "scale 5 f32 (1 1 1 1) by value\n"
            "heuristics, mode 3\n"
            "plan, workspace 256\n"
            "execute, scale 0.125000\n");
}

// Heads as models have them, each key its own head's and shared, as many keys as queries and not.
TEST(Cudnn, AttendsAsTheReferenceDoes) {
  for (const Sizes& s : {Sizes{20, 20, 3, 3, 32}, {33, 33, 2, 2, 64}, {16, 50, 4, 2, 72}, {24, 18, 8, 1, 128}}) {
    (void)record();
    const std::vector<float> found = attended(cuda_machine(0, Precision::bf16), s);
    EXPECT_NE(record().find("execute"), std::string::npos) << "cuDNN was not asked";
    // What is left is the rounding of the result, 2⁻⁹ of values up to 3.
    EXPECT_LE(largest_difference(attended(reference_machine(), s), found), 8e-3F) << s.dim;
  }
}

TEST(Cudnn, MakesAPlanOncePerShapeAndKeepsNothingElse) {
  const Sizes s{18, 19, 2, 2, 64};
  (void)attended(cuda_machine(0, Precision::bf16), s);
  (void)record();
  const int kept = alive();
  (void)attended(cuda_machine(0, Precision::bf16), s);
  EXPECT_EQ(record(), "execute, scale 0.125000\n");
  EXPECT_EQ(alive(), kept) << "a descriptor was not destroyed";
}

TEST(Cudnn, LeavesToUsWhatItHasNoPlanForAndSaysWhy) {
  const Sizes s{16, 31, 2, 2, 64};  // the stub's plan for 31 keys needs too much workspace
  EXPECT_FALSE(asked_cudnn(s));
  EXPECT_LE(largest_difference(attended(reference_machine(), s), attended(cuda_machine(0, Precision::bf16), s)), 4e-3F);
  EXPECT_EQ(cuda::cudnn_text(),
            "cuDNN 9.19.0; attention of 16 queries and 31 keys, 2 heads of 64, runs on kernels of ours: cuDNN's plan needs a workspace of "
            "1073741824 bytes");
}

TEST(Cudnn, EndsWithASentenceWhereAPlanDoesNotRun) {
  try {
    (void)attended(cuda_machine(0, Precision::bf16), {16, 29, 2, 2, 64});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::unavailable);
    EXPECT_STREQ(error.what(), "cuDNN: an attention failed: refused by the stub, the stub does not like it");
  }
}

TEST(Cudnn, IsNotAskedForWhatIsOurs) {
  EXPECT_TRUE(asked_cudnn({16, 17, 2, 2, 64}));
  EXPECT_FALSE(asked_cudnn({16, 17, 2, 2, 64}, /*causal=*/true));
  EXPECT_FALSE(asked_cudnn({15, 17, 2, 2, 64})) << "few queries";
  EXPECT_FALSE(asked_cudnn({16, 17, 2, 2, 20})) << "heads that are no multiple of 8";
  EXPECT_FALSE(asked_cudnn({16, 17, 2, 2, 136})) << "wide heads";
  (void)record();
  EXPECT_EQ(cuda_machine(0, Precision::fp32).attention, AttentionBy::loops) << "memory is taken for nothing";
  (void)attended(cuda_machine(0, Precision::fp32), {16, 17, 2, 2, 64});
  EXPECT_EQ(record(), "") << "fp32 is ours";
  const Tensor q{.data = nullptr, .shape = {16, 2, 64}}, k = q;
  EXPECT_GT(attention_scratch({.attention = AttentionBy::cudnn}, q, k, false), 0U);
  EXPECT_EQ(attention_scratch({.rows_alone = true, .attention = AttentionBy::cudnn}, q, k, false), 0U);
}

/// The sum of four attentions, whose queries change from one to the next.
std::vector<float> summed(const Machine& machine, Replay& replay) {
  Random random{seed()};
  const std::vector<float> k = random.normals(22 * 2 * 64), none(21 * 2 * 64);
  return run_in(machine, 1U << 20U, [&](Context& ctx) {
    const Tensor queries = constant(ctx, none, {21, 2, 64}), keys = constant(ctx, k, {22, 2, 64}), sum = constant(ctx, none, {21, 2, 64});
    for (int i = 0; i < 4; ++i) {
      const std::vector<float> q = random.normals(none.size());
      copy_bytes(queries.data, q.data(), queries.bytes(), ctx.exec.stream);
      replay.run(ctx, [&] {
        const Arena::Scope scope(ctx.arena);
        add_into(ctx, attention(ctx, queries, keys, keys, /*causal=*/false), sum);
      });
    }
    return to_host(ctx, sum);
  });
}

// The plan is made in the first run; the second is captured, which a call that allocates or waits would spoil.
TEST(Cudnn, IsPartOfAGraph) {
  Machine replaying = cuda_machine(0, Precision::bf16), direct = replaying;
  direct.graphs = false;
  Replay replay, none;
  (void)record();
  const cuda_emulation::Asked before = cuda_emulation::asked();
  const std::vector<float> found = summed(replaying, replay);
  EXPECT_EQ(replay.refusal(), "");
  EXPECT_EQ(cuda_emulation::asked().graphs - before.graphs, 3U);
  const std::string calls = record(), execute = "execute, scale 0.125000\n";
  EXPECT_EQ(calls.find(execute) + 2 * execute.size(), calls.size()) << "run once, captured once: " << calls;
  EXPECT_EQ(summed(direct, none), found);
}

}  // namespace
}  // namespace fabula::test
