// Arena: all activation memory of one run, taken by bumping a pointer.
#pragma once

#include <cstddef>
#include <memory>

#include "kernels/tensor.h"

namespace fabula {

/// One buffer, sized before the run (by a dry run) and never grown. Not thread-safe: one run, one arena.
///
/// For finding faults: with FABULA_GUARD=1 in the environment each tensor lies between pages that nothing may touch and stays forbidden
/// after its scope (engine/guarded_memory.h); under AddressSanitizer whatever belongs to no tensor is poisoned.
class Arena {
 public:
  static constexpr std::size_t alignment = 64;

  /// capacity in bytes; dry: hands out null pointers, only counts.
  explicit Arena(std::size_t capacity, DeviceKind device = DeviceKind::cpu);
  static Arena dry();
  ~Arena();
  Arena(Arena&&) noexcept;
  Arena& operator=(Arena&&) noexcept;

  /// Throws Error(internal) when the capacity that the dry run gave is exceeded. Contents are undefined (NaN in debug builds).
  [[nodiscard]] Tensor take(Shape shape, DType dtype = DType::f32);
  [[nodiscard]] bool is_dry() const;
  [[nodiscard]] std::size_t used() const;
  [[nodiscard]] std::size_t peak() const;
  [[nodiscard]] std::size_t capacity() const;

  /// At the end of a block, releases everything taken inside it.
  class Scope {
   public:
    explicit Scope(Arena& arena);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    std::size_t mark_, pieces_;
  };

 private:
  struct Impl;
  explicit Arena(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fabula
