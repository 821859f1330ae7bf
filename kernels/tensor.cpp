// Shapes and views of tensors.
#include "kernels/tensor.h"

#include "base/error.h"

namespace fabula {

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::bf16:
    case DType::f16:
      return 2;
    case DType::i8:
    case DType::u8:
    case DType::boolean:
      return 1;
  }
  return 0;
}

const char* name_of(DType dtype) {
  static constexpr const char* names[] = {"f32", "bf16", "f16", "f64", "i8", "u8", "i32", "i64", "bool"};
  return names[static_cast<std::size_t>(dtype)];
}

Shape::Shape(std::initializer_list<std::int64_t> extents) : Shape(std::span<const std::int64_t>(extents.begin(), extents.size())) {}

Shape::Shape(std::span<const std::int64_t> extents) : rank_(static_cast<int>(extents.size())) {
  if (rank_ > max_rank) throw Error(ExitCode::internal, "a tensor has at most five axes");
  for (int axis = 0; axis < rank_; ++axis) extents_[static_cast<std::size_t>(axis)] = extents[static_cast<std::size_t>(axis)];
}

std::int64_t Shape::elements() const {
  std::int64_t product = rank_ == 0 ? 0 : 1;
  for (int axis = 0; axis < rank_; ++axis) product *= (*this)[axis];
  return product;
}

std::string Shape::text() const {
  std::string text = "(";
  for (int axis = 0; axis < rank_; ++axis) text += (axis == 0 ? "" : ", ") + std::to_string((*this)[axis]);
  return text + ")";
}

Tensor Tensor::view(Shape other) const {
  if (other.elements() != elements()) throw Error(ExitCode::internal, "view: " + shape.text() + " cannot be seen as " + other.text());
  Tensor result = *this;
  result.shape = other;
  return result;
}

Tensor Tensor::slice(std::int64_t begin, std::int64_t count) const {
  if (shape.rank() == 0 || begin < 0 || count < 0 || begin + count > shape[0]) {
    throw Error(ExitCode::internal,
                "slice: rows " + std::to_string(begin) + " to " + std::to_string(begin + count) + " of " + shape.text());
  }
  std::int64_t extents[Shape::max_rank] = {count};
  std::int64_t row = 1;
  for (int axis = 1; axis < shape.rank(); ++axis) row *= extents[axis] = shape[axis];
  Tensor result = *this;
  result.shape = Shape(std::span<const std::int64_t>(extents, static_cast<std::size_t>(shape.rank())));
  if (data != nullptr) result.data = as<std::byte>() + static_cast<std::size_t>(begin * row) * size_of(dtype);
  return result;
}

}  // namespace fabula
