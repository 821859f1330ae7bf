// The attention family of the kernel tables: each function fills its entries for one device.
#pragma once

#include "kernels/kernels.h"

namespace fabula {

void add_reference_attention(Kernels&);
void add_cpu_attention(Kernels&);
void add_cuda_attention(Kernels&);

}  // namespace fabula
