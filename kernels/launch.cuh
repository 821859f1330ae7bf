// What every .cu file needs: launches with their check, grids, activations and reductions on the device.
//
// A kernel here is plain before it is fast: one thread per output where that will do. Launches allocate nothing and wait for nothing.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string>

#include "base/error.h"
#include "kernels/kernels.h"

namespace fabula::cuda {

constexpr int block_threads = 256;

inline cudaStream_t stream_of(const Exec& exec) { return static_cast<cudaStream_t>(exec.stream); }

/// Starts `kernel` on the stream. The runtime's function instead of <<<>>>, so that any C++ compiler can read a .cu file
/// (tests/cuda_emulation/). `shared`: bytes of dynamic shared memory, those of dynamic_memory.
template <typename... Parameters, typename... Arguments>
void launch(const Exec& exec, const char* entry, void (*kernel)(Parameters...), dim3 blocks, unsigned threads, std::size_t shared,
            Arguments... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = blocks;
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared;
  config.stream = stream_of(exec);
  const cudaError_t status = cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // so that the next launch does not report this failure again
  throw Error(ExitCode::unavailable, std::string("CUDA: ") + entry + " was not launched: " + cudaGetErrorString(status));
}

/// body(i) for i in [0, count), one thread each.
template <typename Body>
__global__ void for_each_kernel(std::int64_t count, Body body) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) body(i);
}

template <typename Body>
void for_each(const Exec& exec, const char* entry, std::int64_t count, Body body) {
  if (count <= 0) return;
  const std::int64_t blocks = (count + block_threads - 1) / block_threads;
  launch(exec, entry, for_each_kernel<Body>, static_cast<unsigned>(blocks < 65536 ? blocks : 65536), block_threads, 0, count, body);
}

/// The dynamic shared memory of the block, as many bytes as its launch said.
template <typename T>
__device__ T* dynamic_shared_memory() {
  extern __shared__ unsigned char dynamic_memory[];
  return reinterpret_cast<T*>(dynamic_memory);
}

/// Sum over the lanes of a warp; every lane gets it.
__device__ inline float warp_sum(float value) {
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xFFFFFFFFU, value, offset);
  return value;
}

/// Sum over the threads of a block (a multiple of 32, at most 1024); every thread gets it.
__device__ inline float block_sum(float value) {
  __shared__ float of_warp[32];
  value = warp_sum(value);
  __syncthreads();  // all have read an earlier sum
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
  __syncthreads();
  float total = 0.0F;
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) total += of_warp[warp];
  return total;
}

__device__ inline float block_max(float value) {
  __shared__ float of_warp[32];
  for (int offset = 16; offset > 0; offset /= 2) value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFU, value, offset));
  __syncthreads();
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
  __syncthreads();
  float largest = of_warp[0];
  for (unsigned warp = 1; warp < blockDim.x / 32; ++warp) largest = fmaxf(largest, of_warp[warp]);
  return largest;
}

__device__ inline float activated(Activation activation, float x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::silu:
      return x / (1.0F + expf(-x));
    case Activation::gelu_tanh:
      return 0.5F * x * (1.0F + tanhf(0.7978845608028654F * (x + 0.044715F * x * x * x)));
    case Activation::gelu_erf:
      return 0.5F * x * (1.0F + erff(x * 0.7071067811865476F));
  }
  return x;
}

__device__ inline float from_bf16(std::uint16_t bits) { return __uint_as_float(static_cast<std::uint32_t>(bits) << 16U); }

/// Rounded to bf16, to the nearest, ties to even, and widened again.
__device__ inline float through_bf16(float value) {
  if (value != value) return value;
  const std::uint32_t bits = __float_as_uint(value);
  return __uint_as_float((bits + 0x7FFFU + ((bits >> 16U) & 1U)) & 0xFFFF0000U);
}

__device__ inline std::uint16_t to_bf16(float value) {
  return value != value ? std::uint16_t{0x7FFF} : static_cast<std::uint16_t>(__float_as_uint(through_bf16(value)) >> 16U);
}

}  // namespace fabula::cuda
