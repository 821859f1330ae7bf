#include "kernels/alias_free.h"
#include "kernels/attention.h"
#include "kernels/conv.h"
#include "kernels/device.h"
#include "kernels/elementwise.h"
#include "kernels/gemm.h"
#include "kernels/norm.h"
#include "kernels/quant.h"
#include "kernels/rope.h"

namespace fabula {

const Kernels* cuda_kernels() {
  static const Kernels table = [] {
    Kernels cuda{};
    cuda.name = "cuda";
    add_cuda_gemm(cuda);
    add_cuda_quant(cuda);
    add_cuda_norm(cuda);
    add_cuda_attention(cuda);
    add_cuda_rope(cuda);
    add_cuda_conv(cuda);
    add_cuda_alias_free(cuda);
    add_cuda_elementwise(cuda);
    return cuda;
  }();
  static const bool present = cuda_devices() > 0;
  return present ? &table : nullptr;
}

}  // namespace fabula
