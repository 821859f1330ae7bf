// CUDA's resources behind RAII handles: device_cuda.cpp is the only caller of the CUDA runtime's memory and stream functions;
// no_cuda.cpp stands in for it, without a device. A failed call throws Error: out_of_memory or unavailable.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace fabula {

/// How many CUDA devices can be used; 0 without a driver, without a device, or in a build without CUDA.
[[nodiscard]] int cuda_devices();
/// "NVIDIA H100 80GB HBM3, compute 9.0, 79 GiB". device < cuda_devices().
[[nodiscard]] std::string cuda_device_text(int device);

/// The device of the calling thread from here on: what it makes lies there. Every thread starts with device 0. Throws Error(unavailable)
/// where there is no such device.
void use_cuda_device(int device);
/// Which of NVIDIA's libraries the kernels have found, or why not.
[[nodiscard]] std::string cuda_libraries_text();

/// Copies between host and device in either direction, in the order of the stream (cudaStream_t; null: the default stream).
/// Memory that is not page-locked may be reused when this returns. Throws Error(unavailable) while the stream is captured: a graph would
/// read or write the host's memory again at every launch.
void copy_bytes(void* to, const void* from, std::size_t bytes, void* stream);
/// Copies within the device, in the order of the stream; a graph may hold it.
void copy_on_device(void* to, const void* from, std::size_t bytes, void* stream);

/// Work in order, of the device that made it. Not thread-safe.
class Stream {
 public:
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] void* handle() const { return handle_; }  ///< cudaStream_t, for Exec
  void wait() const;                                      ///< until all work so far is done
  void use_device() const;                                ///< the stream's device is the calling thread's from here on

 private:
  void* handle_ = nullptr;
  int device_ = 0;
};

/// Work of a stream, captured to be launched again and again on the same addresses: a CUDA graph. One launch costs about as much as that
/// of one kernel.
class Graph {
 public:
  /// Calls `work`, whose kernels and copies on `stream` (cudaStream_t, not the default stream) are kept and not run. Throws
  /// Error(unavailable) where CUDA refuses: work that allocates, waits or copies from or to the host cannot be captured.
  [[nodiscard]] static Graph capture(void* stream, const std::function<void()>& work);
  ~Graph();
  Graph(Graph&& other) noexcept { *this = std::move(other); }
  Graph& operator=(Graph&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  /// Puts the captured work on the stream.
  void launch(void* stream) const;

 private:
  Graph() = default;
  void* handle_ = nullptr;  // cudaGraphExec_t
};

/// A block of memory, at least 256-byte aligned.
class Buffer {
 public:
  enum class Place { device, pinned };  ///< pinned: page-locked host memory, which the device can read as well

  Buffer() = default;
  Buffer(std::size_t bytes, Place place);
  ~Buffer();
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(place_, other.place_);
    return *this;
  }

  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
  Place place_ = Place::device;
};

}  // namespace fabula
