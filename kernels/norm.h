// The norm family of the kernel tables: each function fills its entries for one device.
#pragma once

#include "kernels/kernels.h"

namespace fabula {

void add_reference_norm(Kernels&);
void add_cpu_norm(Kernels&);
void add_cuda_norm(Kernels&);

}  // namespace fabula
