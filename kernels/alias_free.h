// The alias_free family of the kernel tables: each function fills its entries for one device.
#pragma once

#include "kernels/kernels.h"

namespace fabula {

void add_reference_alias_free(Kernels&);
void add_cpu_alias_free(Kernels&);
void add_cuda_alias_free(Kernels&);

}  // namespace fabula
