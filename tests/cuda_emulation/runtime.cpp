// The runtime's calls for one emulated device: work is done when it is asked for, or kept while its stream is captured, and the host cannot
// touch the device's memory.
#include <sys/mman.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

#include "tests/cuda_emulation/emulation.h"
#include "tests/cuda_emulation/include/cuda_runtime.h"

struct EmulatedGraph {
  std::vector<std::function<cudaError_t()>> nodes;
};
struct EmulatedStream {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  EmulatedGraph captured;
};

namespace cuda_emulation {
namespace {

Asked counted;
EmulatedStream* capturing = nullptr;  // at most one: there is one thread

/// What no thread may do while it captures: the capture is lost.
bool spoils_a_capture() {
  if (capturing == nullptr) return false;
  capturing->status = cudaStreamCaptureStatusInvalidated;
  return true;
}

cudaError_t now_or_kept(cudaStream_t stream, std::function<cudaError_t()> work) {
  if (stream == nullptr || stream != capturing) return work();
  if (stream->status == cudaStreamCaptureStatusInvalidated) return cudaErrorStreamCaptureInvalidated;
  stream->captured.nodes.push_back(std::move(work));
  return cudaSuccess;
}

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

Asked asked() { return counted; }

cudaError_t launch(const cudaLaunchConfig_t& config, const Launch& given) {
  if (config.stream == nullptr || config.stream != capturing) {
    ++counted.kernels;
    return run(config, given);
  }
  const std::shared_ptr<const void> call(given.copy(given.call), given.destroy);
  return now_or_kept(config.stream, [config, kept = given, call]() mutable {
    kept.call = call.get();
    return run(config, kept);
  });
}

}  // namespace cuda_emulation

using cuda_emulation::capturing;
using cuda_emulation::now_or_kept;
using cuda_emulation::spoils_a_capture;

/// For the stubs of NVIDIA's libraries, which work on device memory as well: in the stream's order.
extern "C" void emulation_put_on_stream(cudaStream_t stream, const std::function<void()>& work) {
  (void)now_or_kept(stream, [work] {
    const cuda_emulation::DeviceMemoryAccess access;
    work();
    return cudaSuccess;
  });
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
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
  }
  return "unknown error";
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidValue; }
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {.name = "emulation", .major = 9, .minor = 0, .totalGlobalMem = std::size_t{1} << 30U};
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  return now_or_kept(stream, [=] {
    const cuda_emulation::DeviceMemoryAccess access;
    std::memcpy(to, from, bytes);
    return cudaSuccess;
  });
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new EmulatedStream;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return stream == capturing && spoils_a_capture() ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream == nullptr || capturing != nullptr) return cudaErrorStreamCaptureUnsupported;
  capturing = stream;
  stream->status = cudaStreamCaptureStatusActive;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (stream != capturing) return cudaErrorInvalidValue;
  capturing = nullptr;
  EmulatedGraph captured = std::exchange(stream->captured, {});
  if (std::exchange(stream->status, cudaStreamCaptureStatusNone) != cudaStreamCaptureStatusActive) return cudaErrorStreamCaptureInvalidated;
  *graph = new EmulatedGraph(std::move(captured));
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = stream == nullptr ? cudaStreamCaptureStatusNone : stream->status;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new EmulatedGraph(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  if (stream != nullptr && stream == capturing) return cudaErrorStreamCaptureUnsupported;
  ++cuda_emulation::counted.graphs;
  for (const auto& node : graph->nodes) {
    if (const cudaError_t status = node(); status != cudaSuccess) return status;
  }
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** to, std::size_t bytes) {
  return spoils_a_capture() ? cudaErrorStreamCaptureUnsupported : cuda_emulation::allocate_on_device(to, bytes);
}
cudaError_t cudaFree(void* memory) {
  return spoils_a_capture() ? cudaErrorStreamCaptureUnsupported : cuda_emulation::release_on_device(memory);
}
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
