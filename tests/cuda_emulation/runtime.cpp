// The runtime's calls for one emulated device: memory is the host's, work is done when it is asked for.
#include <cstdlib>

#include "tests/cuda_emulation/emulation.h"
#include "tests/cuda_emulation/include/cuda_runtime.h"

using cuda_emulation::give;
using cuda_emulation::take_back;

namespace {

cudaError_t allocate(void** to, std::size_t bytes) {
  constexpr std::size_t alignment = 256;
  *to = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (*to == nullptr) return cudaErrorMemoryAllocation;
  give(*to, bytes, 1);
  return cudaSuccess;
}

cudaError_t release(void* memory) {
  take_back(memory);
  std::free(memory);
  return cudaSuccess;
}

}  // namespace

cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorString(cudaError_t status) {
  switch (status) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorLaunchFailure:
      return cuda_emulation::failure().c_str();
  }
  return "unknown error";
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidValue; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {.name = "emulation", .major = 9, .minor = 0, .totalGlobalMem = std::size_t{1} << 30U};
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = nullptr;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaMalloc(void** to, std::size_t bytes) { return allocate(to, bytes); }
cudaError_t cudaMallocHost(void** to, std::size_t bytes) { return allocate(to, bytes); }
cudaError_t cudaFree(void* memory) { return release(memory); }
cudaError_t cudaFreeHost(void* memory) { return release(memory); }
