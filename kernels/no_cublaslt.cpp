// Stands in for cublaslt.cpp where CUDA's compiler is installed without cuBLASLt's header.
#include "kernels/cublaslt.h"

namespace fabula::cuda {

bool has_cublaslt() { return false; }
bool multiply_with_cublaslt(const Exec&, const Product&) { return false; }
std::string cublaslt_text() { return "this build has no cuBLASLt; matrix products run on kernels of ours, which are slower"; }

}  // namespace fabula::cuda
