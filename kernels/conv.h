// The conv family of the kernel tables: each function fills its entries for one device.
#pragma once

#include "kernels/kernels.h"

namespace fabula {

void add_reference_conv(Kernels&);
void add_cpu_conv(Kernels&);
void add_cuda_conv(Kernels&);

}  // namespace fabula
