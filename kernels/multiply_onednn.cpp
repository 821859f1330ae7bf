// bf16 products by AMX, which oneDNN drives.
#include <omp.h>

#include <dnnl.hpp>
#include <string>

#include "base/error.h"
#include "kernels/kernels.h"
#include "kernels/multiply.h"

namespace fabula {
namespace {

/// Debian's oneDNN divides its work among OpenMP threads. Inside this scope it works on the calling thread alone: how a product is
/// divided is decided by our pieces.
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

}  // namespace

void multiply_by_tiles(Matrix<const std::uint16_t> a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m, std::int64_t n,
                       std::int64_t k) {
  using dnnl::memory;
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

}  // namespace fabula
