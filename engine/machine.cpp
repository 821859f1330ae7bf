// The machines there are: the one place that picks a kernel table.
#include "engine/machine.h"

#include "base/error.h"
#include "kernels/cuda_tables.h"
#include "kernels/device.h"

namespace fabula {

Exec Machine::exec() const {
  if (stream) stream->use_device();
  return {.pool = pool.get(), .stream = stream ? stream->handle() : nullptr, .fused_attention = fused_attention, .graphs = graphs};
}

Machine cpu_machine(int threads, Precision precision) {
  return {.kernels = precision == Precision::bf16 ? cpu_bf16_kernels() : cpu_kernels(), .pool = std::make_shared<ThreadPool>(threads)};
}

Machine cuda_machine(int device, Precision precision) {
  use_cuda_device(device);
  const bool narrow = precision == Precision::bf16;
  return {.kernels = narrow ? *cuda_bf16_table() : *cuda_table(),
          .device = DeviceKind::cuda,
          .stream = std::make_shared<Stream>(),
          .fused_attention = narrow && has_fused_attention()};
}

Machine reference_machine() { return {.kernels = reference_kernels()}; }

}  // namespace fabula
