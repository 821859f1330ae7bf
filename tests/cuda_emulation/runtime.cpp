// The runtime's calls for one emulated device: work is done when it is asked for, and the host cannot touch the device's memory.
#include <sys/mman.h>

#include <cstdlib>
#include <optional>

#include "tests/cuda_emulation/emulation.h"
#include "tests/cuda_emulation/include/cuda_runtime.h"

namespace cuda_emulation {
namespace {

/// All of cudaMalloc's memory: one stretch of addresses, so that one call opens and closes it. Addresses are used again once all memory
/// has been given back.
struct Pool {
  static constexpr std::size_t bytes = std::size_t{1} << 32U;
  std::byte* begin = static_cast<std::byte*>(mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  std::size_t used = 0, blocks = 0;
  int open = 0;

  void protect(int protection) const {
    if (used > 0) mprotect(begin, used, protection);
  }
  [[nodiscard]] bool holds(const void* memory) const { return memory >= begin && memory < begin + bytes; }
};

Pool& pool() {
  static Pool the_pool;
  return the_pool;
}

cudaError_t allocate_on_device(void** to, std::size_t bytes) {
  constexpr std::size_t page = 4096;
  Pool& p = pool();
  const std::size_t rounded = (bytes + page - 1) / page * page;
  if (p.begin == MAP_FAILED || p.used + rounded > Pool::bytes) return cudaErrorMemoryAllocation;
  *to = p.begin + p.used;
  p.used += rounded;
  ++p.blocks;
  give(*to, bytes, 1);
  return cudaSuccess;
}

cudaError_t release_on_device(void* memory) {
  Pool& p = pool();
  take_back(memory);
  if (--p.blocks > 0) return cudaSuccess;
  madvise(p.begin, p.used, MADV_DONTNEED);
  p.used = 0;
  return cudaSuccess;
}

}  // namespace

DeviceMemoryAccess::DeviceMemoryAccess() {
  if (pool().open++ == 0) pool().protect(PROT_READ | PROT_WRITE);
}
DeviceMemoryAccess::~DeviceMemoryAccess() {
  if (--pool().open == 0) pool().protect(PROT_NONE);
}

}  // namespace cuda_emulation

/// For the stubs of NVIDIA's libraries, which work on device memory as well.
extern "C" void emulation_open_device_memory(bool open) {
  static std::optional<cuda_emulation::DeviceMemoryAccess> access;
  if (open)
    access.emplace();
  else
    access.reset();
}

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
  const cuda_emulation::DeviceMemoryAccess access;
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = nullptr;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaMalloc(void** to, std::size_t bytes) { return cuda_emulation::allocate_on_device(to, bytes); }
cudaError_t cudaFree(void* memory) { return cuda_emulation::release_on_device(memory); }
cudaError_t cudaMallocHost(void** to, std::size_t bytes) {
  constexpr std::size_t alignment = 256;
  *to = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (*to == nullptr) return cudaErrorMemoryAllocation;
  cuda_emulation::give(*to, bytes, 1);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) {
  cuda_emulation::take_back(memory);
  std::free(memory);
  return cudaSuccess;
}
