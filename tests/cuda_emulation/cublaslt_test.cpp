// Products by cuBLASLt, up to its boundary: the stub multiplies what the descriptors say and keeps a record of them.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "kernels/cublaslt.h"
#include "kernels/cuda_tables.h"
#include "tests/kernels/cases.h"

namespace fabula::test {
namespace {

/// The stub, which the program under test has opened.
void* stub() {
  (void)cuda::has_cublaslt();
  return dlopen("libcublasLt.so.13", RTLD_NOW | RTLD_NOLOAD);
}
std::string record() { return reinterpret_cast<const char* (*)()>(dlsym(stub(), "stub_record"))(); }
int alive() { return reinterpret_cast<int (*)()>(dlsym(stub(), "stub_alive"))(); }

TEST(Cublaslt, IsOpenedByName) {
  ASSERT_TRUE(cuda::has_cublaslt());
  EXPECT_EQ(cuda::cublaslt_text(), "cuBLASLt 13.0.2");
}

TEST(Cublaslt, GetsRowMajorMatricesAsColumnMajorOnesWithTheirBias) {
  std::vector<float> x(3 * 5, 1.0F), weight(7 * 5, 2.0F), bias(7, 3.0F), out(3 * 7);
  (void)record();
  ASSERT_TRUE(cuda::multiply_with_cublaslt(
      {}, {x.data(), weight.data(), bias.data(), out.data(), 3, 5, 7, /*bf16=*/false, cuda::Epilogue::gelu_tanh}));
  EXPECT_NE(record().find("matmul f32(5x7 ld 5)T * f32(5x3 ld 5) = f32(7x3 ld 7) epilogue 36\n"), std::string::npos);
  EXPECT_FLOAT_EQ(out[20], 13.0F);
  EXPECT_EQ(alive(), 0) << "a descriptor was not destroyed";
}

TEST(Cublaslt, AsksForAnAlgorithmOncePerShapeAndForNoWorkspace) {
  alignas(256) float x[4 * 6] = {}, weight[2 * 6] = {}, out[4 * 2];
  const cuda::Product product{x, weight, nullptr, out, 4, 6, 2, /*bf16=*/false, cuda::Epilogue::none};
  (void)record();
  ASSERT_TRUE(cuda::multiply_with_cublaslt({}, product));
  const std::string matmul = "matmul f32(6x2 ld 6)T * f32(6x4 ld 6) = f32(2x4 ld 2) epilogue 1\n";
  EXPECT_EQ(record(), "heuristic workspace 0 alignment 256 256 256 256\n" + matmul);
  ASSERT_TRUE(cuda::multiply_with_cublaslt({}, product));
  EXPECT_EQ(record(), matmul);
}

TEST(Cublaslt, LeavesToUsWhatItHasNoAlgorithmFor) {
  std::vector<float> x(31), weight(31), out(1);
  EXPECT_FALSE(
      cuda::multiply_with_cublaslt({}, {x.data(), weight.data(), nullptr, out.data(), 1, 31, 1, /*bf16=*/false, cuda::Epilogue::none}));
}

}  // namespace
}  // namespace fabula::test
