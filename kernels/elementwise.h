// The elementwise family of the kernel tables: each function fills its entries for one device.
#pragma once

#include "kernels/kernels.h"

namespace fabula {

void add_reference_elementwise(Kernels&);
void add_cpu_elementwise(Kernels&);
void add_cuda_elementwise(Kernels&);

}  // namespace fabula
