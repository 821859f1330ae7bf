// The CUDA runtime's memory and streams behind the RAII handles of device.h.
#include <cuda_runtime.h>

#include "base/error.h"
#include "kernels/cublaslt.h"
#include "kernels/device.h"

namespace fabula {
namespace {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // so that the next call does not report this failure again
  const ExitCode code = status == cudaErrorMemoryAllocation ? ExitCode::out_of_memory : ExitCode::unavailable;
  throw Error(code, std::string("CUDA: ") + what + " failed: " + cudaGetErrorString(status));
}

cudaStream_t stream_of(void* handle) { return static_cast<cudaStream_t>(handle); }

}  // namespace

int cuda_devices() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  (void)cudaGetLastError();
  return 0;
}

std::string cuda_device_text(int device) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "asking for the device's properties");
  return std::string(properties.name) + ", compute " + std::to_string(properties.major) + "." + std::to_string(properties.minor) + ", " +
         std::to_string(properties.totalGlobalMem >> 30U) + " GiB";
}

void use_cuda_device(int device) {
  const int count = cuda_devices();
  if (device < 0 || device >= count) {
    throw Error(ExitCode::unavailable,
                count == 0 ? "there is no CUDA device"
                           : "there is no CUDA device " + std::to_string(device) + "; the last is " + std::to_string(count - 1));
  }
  check(cudaSetDevice(device), "choosing a device");
}

std::string cuda_libraries_text() { return cuda::cublaslt_text(); }

void copy_bytes(void* to, const void* from, std::size_t bytes, void* stream) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_of(stream)), "a copy");
}

Stream::Stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  handle_ = stream;
}
Stream::~Stream() { (void)cudaStreamDestroy(stream_of(handle_)); }
void Stream::wait() const { check(cudaStreamSynchronize(stream_of(handle_)), "the work of a stream"); }

Buffer::Buffer(std::size_t bytes, Place place) : bytes_(bytes), place_(place) {
  if (bytes == 0) return;
  const std::string what =
      "taking " + std::to_string(bytes >> 20U) + (place == Place::device ? " MiB of device memory" : " MiB of pinned memory");
  check(place == Place::device ? cudaMalloc(&data_, bytes) : cudaMallocHost(&data_, bytes), what.c_str());
}
Buffer::~Buffer() {
  if (data_ != nullptr) (void)(place_ == Place::device ? cudaFree(data_) : cudaFreeHost(data_));
}

}  // namespace fabula
