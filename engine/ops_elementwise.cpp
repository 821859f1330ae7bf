// Elementwise ops, moves of rows and axes, and copies between the host and the arena.
#include <cstring>

#include "engine/ops.h"
#include "engine/ops_check.h"
#include "kernels/device.h"

namespace fabula {
namespace {

// On the dry device there is nothing to look at.
void check_rows_exist(const char* op, Tensor index, std::int64_t rows) {
  if (index.data == nullptr || index.device != DeviceKind::cpu) return;
  for (std::int64_t i = 0; i < index.elements(); ++i) {
    const std::int64_t row = index.as<std::int32_t>()[i];
    if (row < 0 || row >= rows) refuse(op, "indices below " + std::to_string(rows) + ", found " + std::to_string(row), {{"index", index}});
  }
}

void move_bytes(Context& ctx, const void* from, DeviceKind source, void* to, DeviceKind target, std::size_t bytes) {
  if (bytes == 0) return;
  if (source == DeviceKind::cpu && target == DeviceKind::cpu) {
    std::memcpy(to, from, bytes);
  } else if (source == target) {
    copy_on_device(to, from, bytes, ctx.exec.stream);
  } else {
    copy_bytes(to, from, bytes, ctx.exec.stream);
  }
}

/// From the host; nothing on the dry device, where there is nothing to copy to.
void write_bytes(Context& ctx, const void* from, Tensor to) {
  if (to.data != nullptr) move_bytes(ctx, from, DeviceKind::cpu, to.data, to.device, to.bytes());
}

template <typename Value>
std::vector<Value> on_host(Context& ctx, Tensor x) {
  if (ctx.arena.is_dry()) return {};
  std::vector<Value> values(static_cast<std::size_t>(x.elements()));
  move_bytes(ctx, x.data, x.device, values.data(), DeviceKind::cpu, x.bytes());
  return values;
}

}  // namespace

void gated_add(Context& ctx, Tensor x, ModulationTable gate, Tensor index, Tensor into) {
  if (!is_f32_rows(x) || !same(x, into) || !is_modulation(gate, x.width()) || !(index.absent() || is_index(index, x.rows()))) {
    refuse("gated_add", "x and into (rows, width) f32, gate columns of a table f32, index (rows) i32 or absent",
           {{"x", x}, {"gate", gate.table}, {"into", into}, {"index", index}});
  }
  ctx.kernels.gated_add(ctx.exec, x, first_of(gate), gate.table.width(), index, into);
}

Tensor activate(Context& ctx, Tensor x, Activation activation) {
  if (x.dtype != DType::f32) refuse("activate", "x f32", {{"x", x}});
  Tensor out = ctx.arena.take(x.shape);
  ctx.kernels.activate(ctx.exec, x, activation, out);
  return out;
}

Tensor gated_halves(Context& ctx, Tensor x, Activation activation, GateHalf gate) {
  if (!is_f32_rows(x) || x.width() % 2 != 0) refuse("gated_halves", "x (…, 2n) f32", {{"x", x}});
  const std::int64_t n = x.width() / 2;
  Tensor out = ctx.arena.take(with_width(x.shape, n));
  const float* first = x.f32();
  const float* second = first == nullptr ? nullptr : first + n;
  if (gate == GateHalf::first)
    ctx.kernels.gated(ctx.exec, first, second, x.rows(), n, 2 * n, activation, out);
  else
    ctx.kernels.gated(ctx.exec, second, first, x.rows(), n, 2 * n, activation, out);
  return out;
}

Tensor gated(Context& ctx, Tensor gate, Tensor up, Activation activation) {
  if (!is_f32_rows(gate) || !same(gate, up)) refuse("gated", "gate and up (…, n) f32 alike", {{"gate", gate}, {"up", up}});
  Tensor out = ctx.arena.take(gate.shape);
  ctx.kernels.gated(ctx.exec, gate.f32(), up.f32(), gate.rows(), gate.width(), gate.width(), activation, out);
  return out;
}

void axpby_into(Context& ctx, float a, Tensor x, float b, Tensor y, Tensor out) {
  if (x.dtype != DType::f32 || !same(x, y) || !same(x, out))
    refuse("axpby", "x, y and out f32 of one shape", {{"x", x}, {"y", y}, {"out", out}});
  ctx.kernels.axpby(ctx.exec, a, x, b, y, out);
}

Tensor axpby(Context& ctx, float a, Tensor x, float b, Tensor y) {
  Tensor out = ctx.arena.take(x.shape);
  axpby_into(ctx, a, x, b, y, out);
  return out;
}

void blend_into(Context& ctx, float a, Tensor x, float b, Tensor y, Tensor out) {
  if (x.dtype != DType::f32 || !same(x, y) || !same(x, out))
    refuse("blend", "x, y and out f32 of one shape", {{"x", x}, {"y", y}, {"out", out}});
  ctx.kernels.blend(ctx.exec, a, x, b, y, out);
}

void difference_into(Context& ctx, Tensor x, Tensor y, float divisor, Tensor out) {
  if (x.dtype != DType::f32 || !same(x, y) || !same(x, out))
    refuse("difference", "x, y and out f32 of one shape", {{"x", x}, {"y", y}, {"out", out}});
  ctx.kernels.difference(ctx.exec, x, y, divisor, out);
}

void clamp(Context& ctx, Tensor x, float low, float high) {
  if (x.dtype != DType::f32) refuse("clamp", "x f32", {{"x", x}});
  ctx.kernels.clamp(ctx.exec, x, low, high, x);
}

Tensor gather_rows(Context& ctx, Tensor table, Tensor index) {
  const bool fits = table.shape.rank() == 2 && (table.dtype == DType::f32 || table.dtype == DType::bf16) && index.dtype == DType::i32;
  if (!fits) refuse("gather_rows", "table (n, width) f32 or bf16, index (rows) i32", {{"table", table}, {"index", index}});
  check_rows_exist("gather_rows", index, table.shape[0]);
  Tensor out = ctx.arena.take({index.elements(), table.width()});
  ctx.kernels.gather_rows(ctx.exec, table, index, out);
  return out;
}

void scatter_rows(Context& ctx, Tensor x, Tensor index, Tensor into) {
  if (!is_f32(x, 2) || !is_f32(into, 2) || into.width() != x.width() || !is_index(index, x.shape[0])) {
    refuse("scatter_rows", "x (rows, width) and into (n, width) f32, index (rows) i32", {{"x", x}, {"index", index}, {"into", into}});
  }
  check_rows_exist("scatter_rows", index, into.shape[0]);
  ctx.kernels.scatter_rows(ctx.exec, x, index, into);
}

Tensor permute(Context& ctx, Tensor x, std::initializer_list<int> order) {
  std::int64_t extents[Shape::max_rank] = {};
  unsigned seen = 0;
  int axis = 0;
  if (x.dtype == DType::f32 && static_cast<int>(order.size()) == x.shape.rank()) {
    for (const int from : order) {
      if (from < 0 || from >= x.shape.rank()) break;
      seen |= 1U << static_cast<unsigned>(from);
      extents[axis++] = x.shape[from];
    }
  }
  if (x.absent() || seen + 1 != 1U << static_cast<unsigned>(x.shape.rank()))
    refuse("permute", "x f32 and each of its axes once", {{"x", x}});
  Tensor out = ctx.arena.take(Shape(std::span<const std::int64_t>(extents, order.size())));
  ctx.kernels.permute(ctx.exec, x, order.begin(), out);
  return out;
}

Tensor affine_channels(Context& ctx, Tensor x, Tensor scale, Tensor shift) {
  if (!is_f32_rows(x) || !is_vector(scale, x.shape[0]) || !is_vector(shift, x.shape[0])) {
    refuse("affine_channels", "x (channels, …) f32, scale and shift (channels)", {{"x", x}, {"scale", scale}, {"shift", shift}});
  }
  Tensor out = ctx.arena.take(x.shape);
  ctx.kernels.affine_channels(ctx.exec, x, scale, shift, out);
  return out;
}

Tensor rgb_bytes(Context& ctx, Tensor x, const ColourRange& range) {
  if (!is_f32(x, 4) || x.shape[1] != 3) refuse("rgb_bytes", "x (frames, 3, height, width) f32", {{"x", x}});
  Tensor out = ctx.arena.take({x.shape[0], x.shape[2], x.shape[3], 3}, DType::u8);
  ctx.kernels.rgb_bytes(ctx.exec, x, range, out);
  return out;
}

Tensor constant(Context& ctx, std::span<const float> values, Shape shape) {
  Tensor out = ctx.arena.take(shape);
  if (static_cast<std::int64_t>(values.size()) != out.elements()) {
    refuse("constant", std::to_string(out.elements()) + " values, " + std::to_string(values.size()) + " given", {{"shape", out}});
  }
  write_bytes(ctx, values.data(), out);
  return out;
}

Tensor indices(Context& ctx, std::span<const std::int32_t> values) {
  Tensor out = ctx.arena.take({static_cast<std::int64_t>(values.size())}, DType::i32);
  write_bytes(ctx, values.data(), out);
  return out;
}

Tensor filled(Context& ctx, Shape shape, const std::function<void(std::span<float>)>& write) {
  Tensor out = ctx.arena.take(shape);
  if (ctx.arena.is_dry()) return out;
  const auto count = static_cast<std::size_t>(out.elements());
  if (out.device == DeviceKind::cpu) {
    write({out.f32(), count});
  } else {
    std::vector<float> values(count);
    write(values);
    write_bytes(ctx, values.data(), out);
  }
  return out;
}

std::vector<float> to_host(Context& ctx, Tensor x) {
  if (x.dtype != DType::f32) refuse("to_host", "x f32", {{"x", x}});
  return on_host<float>(ctx, x);
}

std::vector<std::uint8_t> bytes_to_host(Context& ctx, Tensor x) {
  if (x.dtype != DType::u8) refuse("bytes_to_host", "x u8", {{"x", x}});
  return on_host<std::uint8_t>(ctx, x);
}

void copy(Context& ctx, Tensor from, Tensor to) {
  if (from.elements() != to.elements() || from.dtype != to.dtype)
    refuse("copy", "as many elements of the same dtype", {{"from", from}, {"to", to}});
  if (!ctx.arena.is_dry()) move_bytes(ctx, from.data, from.device, to.data, to.device, to.bytes());
}

}  // namespace fabula
