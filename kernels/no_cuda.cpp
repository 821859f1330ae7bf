// Stands in for the CUDA table and device where Fabula is built without CUDA.
#include "base/error.h"
#include "kernels/cuda_tables.h"
#include "kernels/device.h"
#include "kernels/kernels.h"

namespace fabula {
namespace {

[[noreturn]] void refuse() { throw Error(ExitCode::unavailable, "this build of Fabula has no CUDA kernels"); }

}  // namespace

const Kernels* cuda_table() { return nullptr; }
const Kernels* cuda_bf16_table() { return nullptr; }
bool has_fused_attention() { return false; }
const Kernels* cuda_kernels() { return nullptr; }

int cuda_devices() { return 0; }
std::string cuda_device_text(int) { refuse(); }
void use_cuda_device(int) { refuse(); }
std::string cuda_libraries_text() { return "this build of Fabula has no CUDA kernels"; }
void copy_bytes(void*, const void*, std::size_t, void*) { refuse(); }
void copy_on_device(void*, const void*, std::size_t, void*) { refuse(); }

Stream::Stream() { refuse(); }
Stream::~Stream() = default;
void Stream::wait() const {}
void Stream::use_device() const {}

Graph Graph::capture(void*, const std::function<void()>&) { refuse(); }
Graph::~Graph() = default;
void Graph::launch(void*) const { refuse(); }

Buffer::Buffer(std::size_t, Place) { refuse(); }
Buffer::~Buffer() = default;

}  // namespace fabula
