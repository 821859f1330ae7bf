// Between the parts of the emulation: the memory a kernel may touch (memory.cpp) and the threads that run it (scheduler.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/cuda_emulation/include/cuda_runtime.h"

namespace cuda_emulation {

/// Memory of the device's: kernels may touch these bytes and no others outside their block, until they are taken back. Threads may write
/// granules (1, 2 or 4 bytes, as large as an element) apart from each other.
void give(const void* memory, std::size_t bytes, std::size_t granule);
void take_back(const void* memory);

/// While it lives the host may touch device memory (cudaMalloc's), as kernels and copies do. Otherwise that is a segmentation fault, as
/// on a machine with a card.
class DeviceMemoryAccess {
 public:
  DeviceMemoryAccess();
  ~DeviceMemoryAccess();
  DeviceMemoryAccess(const DeviceMemoryAccess&) = delete;
  DeviceMemoryAccess& operator=(const DeviceMemoryAccess&) = delete;
};

/// The current thread, as the checks see it. Epochs count barriers over the life of the process: blocks run one after the other, so an
/// epoch belongs to one block of one launch.
struct Clock {
  bool in_kernel = false;
  std::uint32_t first_of_launch = 0, first_of_block = 0, now = 0;
  std::uint32_t thread = 0;          ///< within its block
  std::uint32_t warp_syncs = 0;      ///< of its warp, __syncwarp() alone
  const std::byte* stack = nullptr;  ///< of its fiber
  std::size_t stack_bytes = 0;
  const std::byte* parameters = nullptr;
  std::size_t parameter_bytes = 0;
  std::size_t dynamic_bytes = 0;  ///< of dynamic shared memory
};
extern Clock clock;

/// While it lives, accesses are the emulation's own: the linker may have given it a copy of an inline function that is instrumented.
class Unchecked {
 public:
  Unchecked() { clock.in_kernel = false; }
  ~Unchecked() { clock.in_kernel = was_; }
  Unchecked(const Unchecked&) = delete;
  Unchecked& operator=(const Unchecked&) = delete;

 private:
  bool was_ = clock.in_kernel;
};

/// Ends the launch: cudaLaunchKernelEx returns cudaErrorLaunchFailure, cudaGetErrorString the text. Called by a thread of a kernel.
[[noreturn]] void fail(const std::string& what);
/// What the last launch failed with; empty if it did not.
[[nodiscard]] const std::string& failure();

/// Runs a kernel now.
cudaError_t run(const cudaLaunchConfig_t&, const Launch&);

/// What the host asked for since the process began; kernels of a graph are counted with the graph alone.
struct Asked {
  std::size_t kernels = 0, graphs = 0;
};
[[nodiscard]] Asked asked();

constexpr std::size_t most_dynamic_bytes = 227 * 1024;  ///< of a block on sm_90
constexpr std::size_t free_dynamic_bytes = 48 * 1024;   ///< without cudaFuncSetAttribute

}  // namespace cuda_emulation
