// The CUDA runtime's memory and streams behind the RAII handles of device.h.
#include <cuda_runtime.h>

#include <memory>

#include "base/error.h"
#include "kernels/cublaslt.h"
#include "kernels/cudnn.h"
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

std::string cuda_libraries_text() { return cuda::cublaslt_text() + "; " + cuda::cudnn_text(); }

void copy_bytes(void* to, const void* from, std::size_t bytes, void* stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream_of(stream), &status), "asking for a stream's state");
  if (status != cudaStreamCaptureStatusNone) throw Error(ExitCode::unavailable, "CUDA: a graph cannot hold a copy from or to the host");
  copy_on_device(to, from, bytes, stream);
}
void copy_on_device(void* to, const void* from, std::size_t bytes, void* stream) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_of(stream)), "a copy");
}

Stream::Stream() {
  check(cudaGetDevice(&device_), "asking for the device");
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  handle_ = stream;
}
Stream::~Stream() { (void)cudaStreamDestroy(stream_of(handle_)); }
void Stream::use_device() const { check(cudaSetDevice(device_), "choosing a device"); }
void Stream::wait() const { check(cudaStreamSynchronize(stream_of(handle_)), "the work of a stream"); }

namespace {

struct DestroyGraph {
  void operator()(cudaGraph_t graph) const { (void)cudaGraphDestroy(graph); }
};
using Captured = std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, DestroyGraph>;

/// The stream's capture must end, whatever `work` throws.
Captured captured(cudaStream_t stream, const std::function<void()>& work) {
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "beginning to capture a stream");
  cudaGraph_t made = nullptr;
  try {
    work();
  } catch (...) {
    (void)cudaStreamEndCapture(stream, &made);
    (void)cudaGetLastError();
    const Captured destroyed(made);
    throw;
  }
  check(cudaStreamEndCapture(stream, &made), "capturing a stream");
  return Captured(made);
}

}  // namespace

Graph Graph::capture(void* stream, const std::function<void()>& work) {
  const Captured made = captured(stream_of(stream), work);
  cudaGraphExec_t executable = nullptr;
  check(cudaGraphInstantiate(&executable, made.get(), 0), "making a graph ready to be launched");
  Graph graph;
  graph.handle_ = executable;
  return graph;
}
Graph::~Graph() {
  if (handle_ != nullptr) (void)cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(handle_));
}
void Graph::launch(void* stream) const {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(handle_), stream_of(stream)), "launching a graph");
}

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
