// The machines there are: the one place that picks a kernel table.
#include "engine/machine.h"

#include "base/error.h"
#include "kernels/cuda_tables.h"
#include "kernels/device.h"
#include "kernels/instruction_set.h"

namespace fabula {

Exec Machine::exec() const {
  if (stream) stream->use_device();
  return {.pool = pool.get(), .stream = stream ? stream->handle() : nullptr, .attention = attention, .graphs = graphs};
}

Machine cpu_machine(int threads, Precision precision) {
  const bool narrow = precision == Precision::bf16;
  return {.kernels = narrow ? cpu_bf16_kernels() : cpu_kernels(),
          .pool = std::make_shared<ThreadPool>(threads),
          .attention = narrow && instruction_set() == InstructionSet::amx ? AttentionBy::tiles : AttentionBy::loops};
}

Machine cuda_machine(int device, Precision precision) {
  use_cuda_device(device);
  const bool narrow = precision == Precision::bf16;
  return {.kernels = narrow ? *cuda_bf16_table() : *cuda_table(),
          .device = DeviceKind::cuda,
          .stream = std::make_shared<Stream>(),
          .attention = narrow && has_fused_attention() ? AttentionBy::cudnn : AttentionBy::loops};
}

Machine reference_machine() { return {.kernels = reference_kernels()}; }

}  // namespace fabula
