// The families of the tables: each function sets its family's entries for one device. table.cpp calls them all; table_cuda.cpp names the
// CUDA entries one by one (kernels/cuda_entries.h).
#pragma once

#include "kernels/kernels.h"

namespace fabula {

void add_reference_gemm(Kernels&);
void add_reference_quant(Kernels&);
void add_reference_norm(Kernels&);
void add_reference_attention(Kernels&);
void add_reference_rope(Kernels&);
void add_reference_conv(Kernels&);
void add_reference_alias_free(Kernels&);
void add_reference_elementwise(Kernels&);

void add_cpu_gemm(Kernels&);
void add_cpu_quant(Kernels&);
void add_cpu_norm(Kernels&);
void add_cpu_attention(Kernels&);
void add_cpu_attention_bf16(Kernels&);
void add_cpu_rope(Kernels&);
void add_cpu_conv(Kernels&);
void add_cpu_alias_free(Kernels&);
void add_cpu_elementwise(Kernels&);

}  // namespace fabula
