// The part of CUDA's runtime and device language that kernels/ uses, on the host: what `#include <cuda_runtime.h>` finds when the .cu
// files are compiled as C++ for the tests. Names and meanings are those of NVIDIA's CUDA Runtime API and CUDA C++ Programming Guide;
// README.md beside this folder says what is checked.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <tuple>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ thread_local  // one OS thread runs a block, so its thread-local memory is the block's shared memory
#define __align__(bytes) alignas(bytes)

// ---- the runtime

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorLaunchFailure = 719,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901,
};
enum cudaMemcpyKind { cudaMemcpyDefault = 4 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
enum cudaStreamCaptureStatus { cudaStreamCaptureStatusNone = 0, cudaStreamCaptureStatusActive = 1, cudaStreamCaptureStatusInvalidated = 2 };
constexpr unsigned cudaStreamNonBlocking = 1;
using cudaStream_t = struct EmulatedStream*;
using cudaGraph_t = struct EmulatedGraph*;
using cudaGraphExec_t = struct EmulatedGraph*;

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

struct cudaDeviceProp {
  char name[256];
  int major, minor;
  std::size_t totalGlobalMem;
};

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  std::size_t dynamicSmemBytes = 0;
  cudaStream_t stream = nullptr;
  void* attrs = nullptr;
  unsigned numAttrs = 0;
};

cudaError_t cudaGetLastError();
const char* cudaGetErrorString(cudaError_t);  // after cudaErrorLaunchFailure: what the failed kernel did
cudaError_t cudaGetDeviceCount(int*);
cudaError_t cudaSetDevice(int);
cudaError_t cudaGetDevice(int*);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp*, int device);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode);
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t*);
cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus*);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t*, cudaGraph_t, unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t);
cudaError_t cudaGraphDestroy(cudaGraph_t);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t);
cudaError_t cudaMalloc(void**, std::size_t);
cudaError_t cudaMallocHost(void**, std::size_t);
cudaError_t cudaFree(void*);
cudaError_t cudaFreeHost(void*);

// What a thread knows of itself.
extern dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace cuda_emulation {

/// A kernel with its arguments, as the scheduler runs it: `run` is called once for each thread.
struct Launch {
  const void* kernel = nullptr;
  void (*run)(const void* call) = nullptr;
  const void* call = nullptr;
  std::size_t call_bytes = 0;  // the kernel may read it: it holds the parameters
  // For a launch that is kept. No smart pointer: its counter is atomic, and instrumented code has no atomics here.
  const void* (*copy)(const void* call) = nullptr;
  void (*destroy)(const void* call) = nullptr;
};
/// Runs the kernel, or keeps it where the stream is captured.
cudaError_t launch(const cudaLaunchConfig_t&, const Launch&);
cudaError_t allow_dynamic_shared(const void* kernel, std::size_t bytes);

void block_barrier(std::source_location);
/// `value` becomes that of lane `from`, once the lanes of `mask` have all come here. At most 32 bytes.
void shuffle(unsigned mask, void* value, std::size_t bytes, unsigned from, std::source_location);
/// The values of all lanes, 32 · bytes, once they have all come here.
void gather(const void* mine, std::size_t bytes, void* all, std::source_location);
void warp_barrier(unsigned mask, std::source_location);

template <typename T>
T shuffled(unsigned mask, T value, unsigned lane, std::source_location at) {
  static_assert(sizeof(T) <= 8);
  shuffle(mask, &value, sizeof value, lane, at);
  return value;
}

template <typename... Parameters>
struct Call {
  void (*kernel)(Parameters...);
  std::tuple<Parameters...> parameters;
  static void run(const void* call) {
    const auto& self = *static_cast<const Call*>(call);
    std::apply(self.kernel, self.parameters);
  }
  static const void* copy(const void* call) { return new Call(*static_cast<const Call*>(call)); }
  static void destroy(const void* call) { delete static_cast<const Call*>(call); }
};

}  // namespace cuda_emulation

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...), Arguments&&... arguments) {
  using Call = cuda_emulation::Call<Parameters...>;
  const Call call{kernel, {static_cast<Parameters>(arguments)...}};
  return cuda_emulation::launch(*config, {reinterpret_cast<const void*>(kernel), Call::run, &call, sizeof call, Call::copy, Call::destroy});
}

template <typename Kernel>
cudaError_t cudaFuncSetAttribute(Kernel* kernel, cudaFuncAttribute, int bytes) {
  return cuda_emulation::allow_dynamic_shared(reinterpret_cast<const void*>(kernel), static_cast<std::size_t>(bytes));
}

// ---- the device language

using Here = std::source_location;
inline void __syncthreads(Here at = Here::current()) { cuda_emulation::block_barrier(at); }
inline void __syncwarp(unsigned mask = 0xFFFFFFFFU, Here at = Here::current()) { cuda_emulation::warp_barrier(mask, at); }

inline unsigned lane_of_self() { return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32; }
template <typename T>
T __shfl_sync(unsigned mask, T value, int lane, Here at = Here::current()) {
  return cuda_emulation::shuffled(mask, value, static_cast<unsigned>(lane) % 32, at);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int bits, Here at = Here::current()) {
  return cuda_emulation::shuffled(mask, value, lane_of_self() ^ static_cast<unsigned>(bits), at);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, Here at = Here::current()) {
  const unsigned from = lane_of_self() + by;
  return cuda_emulation::shuffled(mask, value, from < 32 ? from : lane_of_self(), at);
}

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __uint_as_float(unsigned bits) { return __builtin_bit_cast(float, bits); }
inline float __int_as_float(int bits) { return __builtin_bit_cast(float, bits); }
inline unsigned __float_as_uint(float value) { return __builtin_bit_cast(unsigned, value); }
inline int __float2int_rn(float value) { return static_cast<int>(std::nearbyint(value)); }
inline float rsqrtf(float value) { return 1.0F / std::sqrt(value); }
inline float __expf(float value) { return std::exp(value); }
