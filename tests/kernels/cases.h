// The cases that every table must pass: each calls one entry on random operands and returns what it wrote.
#pragma once

#include <deque>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/device.h"
#include "kernels/kernels.h"
#include "tests/support/random.h"

namespace fabula::test {

/// Makes the operands of one case. Data starts off any vector alignment, as it may in a mapped file. With `pinned` it lies where a CUDA
/// device can reach it as well. `made` is told of every operand.
class Operands {
 public:
  using Made = std::function<void(Tensor)>;
  explicit Operands(std::uint64_t seed, bool pinned = false, Made made = {}) : random_(seed), pinned_(pinned), made_(std::move(made)) {}

  Tensor normal(Shape shape, float spread = 1.0F);
  Tensor uniform(Shape shape, float low, float high);
  /// Rounded to bf16.
  Tensor normal_bf16(Shape shape, float spread);
  /// Any of −127 … 127.
  Tensor bytes_i8(Shape shape);
  Tensor indices(std::int64_t count, std::int64_t below);
  /// Each of 0 … count − 1 once.
  Tensor shuffled(std::int64_t count);
  /// Holds NaN until written, with a fence behind it.
  Tensor output(Shape shape);
  Tensor scratch(std::size_t bytes);
  /// False when something was written behind an output.
  [[nodiscard]] bool fences_stand() const;

 private:
  Tensor room(Shape shape, DType dtype, float fill);

  Random random_;
  bool pinned_;
  Made made_;
  std::deque<std::vector<float>> memory_;
  std::deque<Buffer> pinned_memory_;
  std::vector<std::span<float>> blocks_;  ///< all of either
};

struct Case {
  const char* entry;  ///< the member of Kernels that is called
  std::string name;   ///< sizes and variant; letters, digits and _
  std::function<Tensor(const Kernels&, const Exec&, Operands&)> run;
};

inline void PrintTo(const Case& c, std::ostream* out) { *out << c.entry << ' ' << c.name; }

[[nodiscard]] std::vector<Case> all_cases();

}  // namespace fabula::test
