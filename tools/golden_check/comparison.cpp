// Distances between results and the reference's, whatever they are stored as.
#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/bf16.h"
#include "kernels/device.h"
#include "tools/golden_check/runner.h"

namespace fabula::golden {
namespace {

std::vector<std::int64_t> without_ones(const Shape& shape) {
  std::vector<std::int64_t> extents;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] != 1) extents.push_back(shape[axis]);
  }
  return extents;
}

bool is_float(DType dtype) { return dtype == DType::f32 || dtype == DType::f64 || dtype == DType::f16 || dtype == DType::bf16; }

template <typename T>
T stored(const Tensor& tensor, std::int64_t i) {
  T value;  // mapped data may be unaligned
  std::memcpy(&value, tensor.as<const char>() + i * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
  return value;
}

double half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double magnitude = exponent == 31 ? (mantissa != 0 ? std::nan("") : INFINITY)
                                          : (exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25));
  return bits >> 15 ? -magnitude : magnitude;
}

double real_at(const Tensor& tensor, std::int64_t i) {
  switch (tensor.dtype) {
    case DType::f32:
      return static_cast<double>(stored<float>(tensor, i));
    case DType::f64:
      return stored<double>(tensor, i);
    case DType::f16:
      return half(stored<std::uint16_t>(tensor, i));
    case DType::bf16:
      return static_cast<double>(from_bf16(stored<std::uint16_t>(tensor, i)));
    default:
      return 0.0;
  }
}

std::int64_t integer_at(const Tensor& tensor, std::int64_t i) {
  switch (tensor.dtype) {
    case DType::i64:
      return stored<std::int64_t>(tensor, i);
    case DType::i32:
      return stored<std::int32_t>(tensor, i);
    case DType::i8:
      return stored<std::int8_t>(tensor, i);
    default:
      return stored<std::uint8_t>(tensor, i);
  }
}

// |got - want|, less what storing `want` in half precision may already have taken from it. A NaN is infinitely far from a number.
double distance(double got, double want, DType stored_as) {
  if (got == want || (std::isnan(got) && std::isnan(want))) return 0.0;
  const double rounding = stored_as == DType::f16 ? std::abs(want) * 0x1p-11 : 0.0;
  const double difference = std::abs(got - want) - rounding;
  return std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::max(0.0, difference);
}

// Root mean square of a tensor of floats where it is above one, else one: what "of order one" in the tolerances is measured by. Float32
// sums err in proportion to their size: at values of 60 the reference itself is 2.5e-4 from its own float64 result.
double scale_of(const Tensor& tensor) {
  if (!is_float(tensor.dtype) || tensor.elements() == 0) return 1.0;
  double sum = 0.0;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) sum += std::pow(real_at(tensor, i), 2);
  const double rms = std::sqrt(sum / static_cast<double>(tensor.elements()));
  return std::isfinite(rms) ? std::max(1.0, rms) : 1.0;
}

Tensor view_of(const void* data, DType dtype, Shape shape) {
  Tensor tensor;
  tensor.data = const_cast<void*>(data);
  tensor.dtype = dtype;
  tensor.shape = shape;
  return tensor;
}

}  // namespace

void Comparison::compare(const std::string& name, const Tensor& result, std::int64_t item, std::int64_t items) {
  if (!wants(name) || (result.data == nullptr && result.elements() != 0)) return;
  std::vector<std::byte> memory;
  const Tensor actual = on_host(result, memory);
  const Tensor expected = expected_->at(name);
  const Tensor target = items == 1 ? expected : expected.slice(item * (expected.shape[0] / items), expected.shape[0] / items);
  if (without_ones(actual.shape) != without_ones(target.shape)) {
    throw Error(ExitCode::check_failed, name + " has shape " + actual.shape.text() + ", expected " + target.shape.text());
  }
  if (is_float(actual.dtype) != is_float(target.dtype))
    throw Error(ExitCode::check_failed, name + " is " + name_of(actual.dtype) + ", expected " + name_of(target.dtype));
  compared_[name] += actual.elements();
  const double scale = scale_of(target);
  for (std::int64_t i = 0; i < actual.elements(); ++i) {
    double error = 0.0;
    if (is_float(actual.dtype)) {
      error = distance(real_at(actual, i), real_at(target, i), target.dtype);
    } else if (integer_at(actual, i) != integer_at(target, i)) {
      throw Error(ExitCode::check_failed, name + "[" + std::to_string(i) + "] is " + std::to_string(integer_at(actual, i)) + ", expected " +
                                              std::to_string(integer_at(target, i)));
    }
    note(error / scale, name);
  }
}

void Comparison::note(double error, const std::string& name) {
  if (!(error > largest_)) return;
  largest_ = error;
  worst_ = name;
}

Tensor Comparison::on_host(const Tensor& result, std::vector<std::byte>& memory) const {
  if (result.device == DeviceKind::cpu) return result;
  memory.resize(result.bytes());
  copy_bytes(memory.data(), result.data, result.bytes(), stream_);
  Tensor copied = result;
  copied.data = memory.data();
  copied.device = DeviceKind::cpu;
  return copied;
}

void Comparison::within(const Bound& bound, const std::string& name, const Tensor& result) {
  if (!wants(name) || (result.data == nullptr && result.elements() != 0)) return;
  std::vector<std::byte> memory;
  const Tensor actual = on_host(result, memory), expected = expected_->at(name);
  if (without_ones(actual.shape) != without_ones(expected.shape))
    throw Error(ExitCode::check_failed, name + " has shape " + actual.shape.text() + ", expected " + expected.shape.text());
  compared_[name] += actual.elements();
  const auto value = [](const Tensor& tensor, std::int64_t i) {
    return is_float(tensor.dtype) ? real_at(tensor, i) : static_cast<double>(integer_at(tensor, i));
  };
  double largest = 0.0, squares = 0.0;
  for (std::int64_t i = 0; i < actual.elements(); ++i) {
    const double error = distance(value(actual, i), value(expected, i), DType::f32);
    largest = std::max(largest, error);
    squares += error * error;
  }
  const double rms = actual.elements() == 0 ? 0.0 : std::sqrt(squares / static_cast<double>(actual.elements()));
  const bool exact = bound.largest == 0.0 && bound.rms == 0.0;
  if (exact && largest > 0.0) throw Error(ExitCode::check_failed, name + " is up to " + std::to_string(largest) + " from the reference");
  if (bound.largest > 0.0) note(largest / bound.largest, name);
  if (bound.rms > 0.0) note(rms / bound.rms, name);
}

void Comparison::operator()(const std::string& name, const Tensor& actual) { compare(name, actual, 0, 1); }
void Comparison::slice(const std::string& name, std::int64_t item, std::int64_t items, const Tensor& actual) {
  compare(name, actual, item, items);
}
void Comparison::values(const std::string& name, std::span<const float> actual, Shape shape) {
  compare(name, view_of(actual.data(), DType::f32, shape), 0, 1);
}
void Comparison::values(const std::string& name, std::span<const double> actual, Shape shape) {
  compare(name, view_of(actual.data(), DType::f64, shape), 0, 1);
}
void Comparison::values(const std::string& name, std::span<const std::int64_t> actual, Shape shape) {
  compare(name, view_of(actual.data(), DType::i64, shape), 0, 1);
}

void Comparison::exact(bool equal, const std::string& sentence) {
  if (!equal) throw Error(ExitCode::check_failed, sentence);
}

std::set<std::string> Comparison::left_out() const {
  std::set<std::string> names;
  if (expected_ == nullptr) return names;
  for (const auto& [name, tensor] : expected_->tensors()) {
    const bool result = name.rfind("out.", 0) == 0 || name.rfind("tap.", 0) == 0;
    const auto found = compared_.find(name);
    if (result && (found == compared_.end() || found->second < tensor.elements())) names.insert(name);
  }
  return names;
}

}  // namespace fabula::golden
