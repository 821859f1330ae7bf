// How an op refuses its operands. For engine/ops*.cpp alone.
#pragma once

#include <initializer_list>
#include <string>

#include "base/error.h"
#include "engine/ops.h"

namespace fabula {

struct Operand {
  const char* name;
  Tensor tensor;
};

/// "linear: expected x (…, 4), f32; got x (2, 3) f32, weight (5, 4) f32"
[[noreturn]] inline void refuse(const char* op, const std::string& expected, std::initializer_list<Operand> got) {
  std::string text = std::string(op) + ": expected " + expected + "; got";
  const char* separator = " ";
  for (const Operand& operand : got) {
    text += separator + std::string(operand.name) + " ";
    text += operand.tensor.absent() ? "absent" : operand.tensor.shape.text() + " " + name_of(operand.tensor.dtype);
    separator = ", ";
  }
  throw Error(ExitCode::internal, text);
}

[[nodiscard]] inline bool is_f32(const Tensor& tensor, int rank) { return tensor.dtype == DType::f32 && tensor.shape.rank() == rank; }
[[nodiscard]] inline bool is_f32_rows(const Tensor& tensor) {
  return tensor.dtype == DType::f32 && tensor.shape.rank() >= 1 && tensor.width() > 0;
}

/// One float for each of `count`; any shape will do, so that a (1, c, 1) parameter can be used as it was stored.
[[nodiscard]] inline bool is_vector(const Tensor& tensor, std::int64_t count) {
  return tensor.dtype == DType::f32 && tensor.elements() == count;
}
[[nodiscard]] inline bool is_vector_or_absent(const Tensor& tensor, std::int64_t count) {
  return tensor.absent() || is_vector(tensor, count);
}

[[nodiscard]] inline bool is_index(const Tensor& tensor, std::int64_t count) {
  return tensor.dtype == DType::i32 && tensor.elements() == count;
}

[[nodiscard]] inline bool same(const Tensor& a, const Tensor& b) { return a.shape == b.shape && a.dtype == b.dtype; }

[[nodiscard]] inline bool is_modulation(const ModulationTable& m, std::int64_t width) {
  return is_f32(m.table, 2) && m.column >= 0 && m.column + width <= m.table.width();
}
/// The first vector's first value; null on the dry device.
[[nodiscard]] inline const float* first_of(const ModulationTable& m) {
  return m.table.data == nullptr ? nullptr : m.table.f32() + m.column;
}

/// The shape with another last extent.
[[nodiscard]] inline Shape with_width(const Shape& shape, std::int64_t width) {
  std::int64_t extents[Shape::max_rank] = {};
  for (int axis = 0; axis < shape.rank(); ++axis) extents[axis] = shape[axis];
  extents[shape.rank() - 1] = width;
  return Shape(std::span<const std::int64_t>(extents, static_cast<std::size_t>(shape.rank())));
}

}  // namespace fabula
