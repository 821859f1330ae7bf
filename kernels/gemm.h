// The gemm family of the kernel tables: each function fills its entries for one device.
#pragma once

#include "kernels/kernels.h"

namespace fabula {

void add_reference_gemm(Kernels&);
void add_cpu_gemm(Kernels&);
void add_cuda_gemm(Kernels&);

}  // namespace fabula
