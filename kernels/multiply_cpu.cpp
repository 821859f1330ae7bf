// oneDNN's matrix products, each on the calling thread alone.
#include "kernels/multiply.h"

#include <omp.h>

#include <algorithm>
#include <dnnl.hpp>

#include "base/error.h"
#include "kernels/bf16.h"
#include "kernels/kernels.h"

namespace fabula {
namespace {

/// Debian's oneDNN divides its work among OpenMP threads. Inside this scope it works on the calling thread alone: how a product is
/// divided is decided by our pieces, so that the result does not depend on the number of threads.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

char letter(bool transposed) { return transposed ? 'T' : 'N'; }

void expand(const std::uint16_t* from, std::int64_t stride, std::int64_t rows, std::int64_t columns, float* to) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < columns; ++i) to[row * columns + i] = from_bf16(from[row * stride + i]);
  }
}

/// For processors without bf16 products: blocks of both operands are expanded to f32, which changes no product.
void multiply_expanded(Matrix<const std::uint16_t> a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m, std::int64_t n,
                       std::int64_t k) {
  constexpr std::int64_t block_m = 128, block_n = 128, block_k = 256;
  float a_block[block_m * block_k], b_block[block_n * block_k];
  for (std::int64_t j = 0; j < n; j += block_n) {
    const std::int64_t columns = std::min(block_n, n - j);
    for (std::int64_t l = 0; l < k; l += block_k) {
      const std::int64_t depth = std::min(block_k, k - l);
      expand(b.data + j * b.stride + l, b.stride, columns, depth, b_block);
      for (std::int64_t i = 0; i < m; i += block_m) {
        const std::int64_t rows = std::min(block_m, m - i);
        expand(a.data + i * a.stride + l, a.stride, rows, depth, a_block);
        multiply({a_block, depth}, {b_block, depth, true}, {c.data + i * c.stride + j, c.stride}, rows, columns, depth, 1.0F, l > 0);
      }
    }
  }
}

}  // namespace

void multiply(Matrix<const float> a, Matrix<const float> b, Matrix<float> c, std::int64_t m, std::int64_t n, std::int64_t k, float factor,
              bool add) {
  const OneThread guard;
  const auto status = dnnl::sgemm(letter(a.transposed), letter(b.transposed), m, n, k, factor, a.data, a.stride, b.data, b.stride,
                                  add ? 1.0F : 0.0F, c.data, c.stride);
  if (status != dnnl::status::success) throw Error(ExitCode::internal, "oneDNN refused a float32 product");
}

void multiply_bf16(Matrix<const std::uint16_t> a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m, std::int64_t n,
                   std::int64_t k) {
  using dnnl::memory;
  if (!cpu_has_bf16()) return multiply_expanded(a, b, c, m, n, k);
  const OneThread guard;
  try {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::stream stream(engine);
    const memory::desc a_desc({m, k}, memory::data_type::bf16, memory::dims{a.stride, 1});
    const memory::desc b_desc({k, n}, memory::data_type::bf16, memory::dims{1, b.stride});
    const memory::desc c_desc({m, n}, memory::data_type::f32, memory::dims{c.stride, 1});
    // oneDNN keeps the compiled primitive; making it again for a shape seen before takes about 3 µs.
    const dnnl::matmul primitive(dnnl::matmul::primitive_desc({a_desc, b_desc, c_desc}, engine));
    primitive.execute(stream, {{DNNL_ARG_SRC, memory(a_desc, engine, const_cast<std::uint16_t*>(a.data))},
                               {DNNL_ARG_WEIGHTS, memory(b_desc, engine, const_cast<std::uint16_t*>(b.data))},
                               {DNNL_ARG_DST, memory(c_desc, engine, c.data)}});
    stream.wait();
  } catch (const dnnl::error& error) {
    throw Error(ExitCode::internal, std::string("oneDNN refused a bf16 product: ") + error.what());
  }
}

bool cpu_has_bf16() {
  const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
  return isa == dnnl::cpu_isa::avx512_core_bf16 || isa == dnnl::cpu_isa::avx512_core_amx;
}

}  // namespace fabula
