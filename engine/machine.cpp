// The machines there are: the one place that picks a kernel table.
#include "engine/machine.h"

#include "base/error.h"
#include "kernels/device.h"

namespace fabula {

Exec Machine::exec() const { return {.pool = pool.get(), .stream = stream ? stream->handle() : nullptr}; }

Machine cpu_machine(int threads) { return {.kernels = cpu_kernels(), .pool = std::make_shared<ThreadPool>(threads)}; }

Machine cuda_machine() {
  const Kernels* kernels = cuda_kernels();
  if (kernels == nullptr) throw Error(ExitCode::unavailable, "there is no CUDA device, or this build of Fabula has no CUDA kernels");
  return {.kernels = *kernels, .device = DeviceKind::cuda, .stream = std::make_shared<Stream>()};
}

Machine reference_machine() { return {.kernels = reference_kernels()}; }

}  // namespace fabula
