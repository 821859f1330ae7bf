// Stands in for the CUDA table where Fabula is built without CUDA.
#include "kernels/kernels.h"

namespace fabula {

const Kernels* cuda_kernels() { return nullptr; }

}  // namespace fabula
