// Tensor: a typed, shaped view of memory that someone else owns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace fabula {

enum class DType : std::uint8_t { f32, bf16, f16, f64, i8, u8, i32, i64, boolean };

[[nodiscard]] std::size_t size_of(DType dtype);
[[nodiscard]] const char* name_of(DType dtype);

enum class DeviceKind : std::uint8_t { cpu, cuda };

/// Up to five extents, outermost first.
class Shape {
 public:
  static constexpr int max_rank = 5;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents);
  explicit Shape(std::span<const std::int64_t> extents);

  [[nodiscard]] int rank() const { return rank_; }
  /// Negative axes count from the end, as in NumPy.
  [[nodiscard]] std::int64_t operator[](int axis) const { return extents_[static_cast<std::size_t>(axis < 0 ? rank_ + axis : axis)]; }
  [[nodiscard]] std::int64_t elements() const;
  [[nodiscard]] std::string text() const;  ///< "(2, 3, 4)"
  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::array<std::int64_t, max_rank> extents_{};
  int rank_ = 0;
};

/// A contiguous, row-major view; copies freely, owns nothing. Default-constructed it is "absent" (data == nullptr and rank 0),
/// which optional parameters such as a bias use. On the dry device data is null while the shape is real.
struct Tensor {
  void* data = nullptr;
  Shape shape;
  DType dtype = DType::f32;
  DeviceKind device = DeviceKind::cpu;

  [[nodiscard]] bool absent() const { return shape.rank() == 0; }
  [[nodiscard]] std::int64_t elements() const { return shape.elements(); }
  [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(elements()) * size_of(dtype); }
  /// Product of all extents but the last: how many rows a row-wise op sees.
  [[nodiscard]] std::int64_t rows() const { return shape.rank() == 0 ? 0 : elements() / (shape[-1] == 0 ? 1 : shape[-1]); }
  [[nodiscard]] std::int64_t width() const { return shape.rank() == 0 ? 0 : shape[-1]; }

  template <typename T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data);
  }
  [[nodiscard]] float* f32() const { return as<float>(); }

  /// The same memory under another shape with as many elements.
  [[nodiscard]] Tensor view(Shape other) const;
  /// Entries [begin, begin + count) along the first axis.
  [[nodiscard]] Tensor slice(std::int64_t begin, std::int64_t count) const;
};

}  // namespace fabula
