// The rope family of the kernel tables: each function fills its entries for one device.
#pragma once

#include "kernels/kernels.h"

namespace fabula {

void add_reference_rope(Kernels&);
void add_cpu_rope(Kernels&);
void add_cuda_rope(Kernels&);

}  // namespace fabula
