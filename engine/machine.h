// A machine: the kernels that run a model, the device that holds its memory, and the threads or the stream the kernels run on.
#pragma once

#include <memory>
#include <utility>

#include "engine/context.h"

namespace fabula {

class Stream;

/// Copies share the threads and the stream. One run at a time uses it.
struct Machine {
  const Kernels& kernels;
  DeviceKind device = DeviceKind::cpu;
  std::shared_ptr<ThreadPool> pool = nullptr;  ///< cpu; null: the calling thread alone
  std::shared_ptr<Stream> stream = nullptr;    ///< cuda
  AttentionBy attention = AttentionBy::loops;  ///< bf16: AMX or cuDNN, where they are
  bool graphs = true;                          ///< cuda: repeated work is launched as a graph (engine/replay.h)

  /// For the calling thread, which uses the machine's device from here on.
  [[nodiscard]] Exec exec() const;
};

/// The processor, with the given number of threads. Under bf16 attention's products take bf16 operands as well.
[[nodiscard]] Machine cpu_machine(int threads, Precision precision = Precision::fp32);
/// A CUDA device, which the calling thread uses from here on; bf16 as above. Throws Error(unavailable) where there is no such device, or no
/// CUDA in this build.
[[nodiscard]] Machine cuda_machine(int device = 0, Precision precision = Precision::fp32);
/// The processor under the tables that define every result.
[[nodiscard]] Machine reference_machine();

/// Bytes of arena that body(ctx) takes at most: runs it on the dry device.
template <typename Body>
[[nodiscard]] std::size_t footprint_of(const Machine& machine, Body&& body) {
  Arena arena = Arena::dry();
  Context ctx{dry_kernels(), arena, machine.exec()};
  static_cast<void>(body(ctx));
  return arena.peak();
}

/// Runs body(ctx) in an arena of `bytes`, which is gone when this returns: results leave the body through to_host.
template <typename Body>
decltype(auto) run_in(const Machine& machine, std::size_t bytes, Body&& body) {
  Arena arena(bytes, machine.device);
  Context ctx{machine.kernels, arena, machine.exec()};
  return body(ctx);
}

/// Sizes the arena by a dry run of `body`, then runs it. The body is called twice, and so are its side effects.
template <typename Body>
decltype(auto) run_sized(const Machine& machine, Body&& body) {
  return run_in(machine, footprint_of(machine, body), body);
}

}  // namespace fabula
