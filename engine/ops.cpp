// Products, norms, attention and rope.
#include "engine/ops.h"

#include "engine/ops_check.h"

namespace fabula {
namespace {

bool is_quantised(const Linear& layer) {
  return layer.weight.shape.rank() == 2 && layer.weight.dtype == DType::i8 && !layer.scale.absent() &&
         is_vector_or_absent(layer.scale, layer.weight.shape[0]);
}

/// Whether cos and sin are of the rows of x (rows, heads, dim).
bool turns(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  return is_f32(x, 3) && is_f32_rows(cos) && same(cos, sin) && cos.rows() == x.shape[0] && cos.width() <= x.shape[2] &&
         cos.width() % 2 == 0;
}

/// Absent if there are no bytes.
Tensor scratch_of(Context& ctx, std::size_t bytes) {
  return bytes == 0 ? Tensor{} : ctx.arena.take({static_cast<std::int64_t>(bytes)}, DType::u8);
}

// Throws where x does not fit the layer.
void check_linear(Tensor x, const Linear& layer) {
  const Tensor& weight = layer.weight;
  const bool quantised = is_quantised(layer);
  const bool weight_fits = weight.shape.rank() == 2 && (weight.dtype == DType::f32 || weight.dtype == DType::bf16 || quantised);
  if (!weight_fits || !is_f32_rows(x) || x.width() != weight.shape[1] || !is_vector_or_absent(layer.bias, weight.shape[0])) {
    refuse("linear", "x (…, in) f32, weight (out, in) f32, bf16 or i8 with a scale (out), bias (out) f32 or absent",
           {{"x", x}, {"weight", weight}, {"scale", layer.scale}, {"bias", layer.bias}});
  }
}

}  // namespace

void linear(Context& ctx, Tensor x, std::span<const Linear> layers, Activation activation, std::span<Tensor> out) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    check_linear(x, layers[i]);
    out[i] = ctx.arena.take(with_width(x.shape, layers[i].weight.shape[0]));
  }
  const Arena::Scope scope(ctx.arena);
  RoundedX rounded;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Linear& layer = layers[i];
    if (is_quantised(layer)) {
      const Arena::Scope of_one(ctx.arena);
      const Tensor narrowed = ctx.arena.take({static_cast<std::int64_t>(linear_i8_scratch(x))}, DType::u8);
      ctx.kernels.linear_i8(ctx.exec, x, layer.weight, layer.scale, layer.bias, activation, narrowed, out[i]);
      continue;
    }
    const bool is_narrow = layer.weight.dtype == DType::bf16;
    if (is_narrow && !rounded.is_there) rounded.scratch = scratch_of(ctx, linear_scratch(x, layer.weight));
    ctx.kernels.linear(ctx.exec, x, layer.weight, layer.bias, activation, is_narrow ? rounded : RoundedX{}, out[i]);
    rounded.is_there = rounded.is_there || is_narrow;
  }
}

Tensor linear(Context& ctx, Tensor x, const Linear& layer, Activation activation) {
  Tensor out;
  linear(ctx, x, {&layer, 1}, activation, {&out, 1});
  return out;
}

Tensor gather_rows(Context& ctx, const Linear& table, Tensor index) {
  if (!is_quantised(table)) return gather_rows(ctx, table.weight, index);
  if (!is_index(index, index.elements()))
    refuse("gather_rows", "table (n, width) i8 with a scale (n), index (rows) i32", {{"table", table.weight}, {"index", index}});
  Tensor out = ctx.arena.take({index.elements(), table.weight.width()});
  ctx.kernels.gather_rows_i8(ctx.exec, table.weight, table.scale, index, out);
  return out;
}

Tensor rms_norm(Context& ctx, Tensor x, Tensor weight, float eps) {
  if (!is_f32_rows(x) || !is_vector_or_absent(weight, x.width())) {
    refuse("rms_norm", "x (…, width) f32, weight (width) or absent", {{"x", x}, {"weight", weight}});
  }
  Tensor out = ctx.arena.take(x.shape);
  ctx.kernels.rms_norm(ctx.exec, x, weight, eps, out);
  return out;
}

Tensor layer_norm(Context& ctx, Tensor x, Tensor weight, Tensor bias, float eps) {
  if (!is_f32_rows(x) || !is_vector_or_absent(weight, x.width()) || !is_vector_or_absent(bias, x.width())) {
    refuse("layer_norm", "x (…, width) f32, weight and bias (width) or absent", {{"x", x}, {"weight", weight}, {"bias", bias}});
  }
  Tensor out = ctx.arena.take(x.shape);
  ctx.kernels.layer_norm(ctx.exec, x, weight, bias, eps, out);
  return out;
}

Tensor rms_norm_modulate(Context& ctx, Tensor x, Tensor weight, float eps, ModulationTable scale, ModulationTable shift, Tensor index) {
  const bool tables_fit = is_modulation(scale, x.width()) && is_modulation(shift, x.width()) && scale.table.width() == shift.table.width();
  if (!is_f32_rows(x) || !tables_fit || !is_vector_or_absent(weight, x.width()) || !is_index(index, x.rows())) {
    refuse("rms_norm_modulate",
           "x (rows, width) f32, weight (width) or absent, scale and shift columns of equally wide tables f32, index (rows) i32",
           {{"x", x}, {"weight", weight}, {"scale", scale.table}, {"shift", shift.table}, {"index", index}});
  }
  Tensor out = ctx.arena.take(x.shape);
  ctx.kernels.rms_norm_modulate(ctx.exec, x, weight, eps, first_of(scale), first_of(shift), scale.table.width(), index, out);
  return out;
}

Tensor group_norm(Context& ctx, Tensor x, Tensor weight, Tensor bias, std::int64_t groups, float eps, Activation activation) {
  if (!is_f32(x, 4) || groups < 1 || x.shape[0] % groups != 0 || !is_vector_or_absent(weight, x.shape[0]) ||
      !is_vector_or_absent(bias, x.shape[0])) {
    refuse("group_norm",
           "x (channels, frames, height, width) f32, channels a multiple of " + std::to_string(groups) + ", weight and bias (channels)",
           {{"x", x}, {"weight", weight}, {"bias", bias}});
  }
  Tensor out = ctx.arena.take(x.shape);
  ctx.kernels.group_norm(ctx.exec, x, weight, bias, groups, eps, activation, out);
  return out;
}

Tensor attention(Context& ctx, Tensor q, Tensor k, Tensor v, bool causal) {
  const bool fits =
      is_f32(q, 3) && is_f32(k, 3) && same(k, v) && q.shape[2] == k.shape[2] && k.shape[1] > 0 && q.shape[1] % k.shape[1] == 0;
  if (!fits || k.shape[0] < 1 || (causal && k.shape[0] < q.shape[0])) {
    refuse("attention",
           "q (q_rows, heads, dim), k and v (k_rows, kv_heads, dim) f32, heads a multiple of kv_heads, at least one key a query",
           {{"q", q}, {"k", k}, {"v", v}});
  }
  Tensor out = ctx.arena.take(q.shape);
  const Arena::Scope scope(ctx.arena);
  ctx.kernels.attention(ctx.exec, q, k, v, causal, scratch_of(ctx, attention_scratch(ctx.exec, q, k, causal)), out);
  return out;
}

Tensor paged_attention(Context& ctx, Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values, Tensor table, Tensor rows) {
  const bool fits = is_f32(q, 3) && is_f32(k, 3) && same(k, v) && k.shape[0] == q.shape[0] && k.shape[2] == q.shape[2] && k.shape[1] > 0 &&
                    q.shape[1] % k.shape[1] == 0;
  const bool pages_fit = is_f32(keys, 4) && is_f32(values, 4) && keys.shape[1] == k.shape[1] && keys.shape[2] == k.shape[2] &&
                         keys.shape[3] >= 1 && keys.shape[3] <= 512 &&
                         values.shape == Shape{keys.shape[0], keys.shape[1], keys.shape[3], keys.shape[2]};
  if (!fits || !pages_fit || table.dtype != DType::i32 || table.shape.rank() != 2 || !is_index(rows, 2 * q.shape[0])) {
    refuse("paged_attention",
           "q (rows, heads, dim), k and v (rows, kv_heads, dim), keys (pages, kv_heads, dim, slots), values (pages, kv_heads, slots, dim) "
           "f32, heads a multiple of "
           "kv_heads, at most 512 slots, table (sequences, pages) and rows (rows, 2) i32",
           {{"q", q}, {"k", k}, {"v", v}, {"keys", keys}, {"values", values}, {"table", table}, {"rows", rows}});
  }
  Tensor out = ctx.arena.take(q.shape);
  ctx.kernels.paged_attention(ctx.exec, q, k, v, keys, values, table, rows, out);
  return out;
}

void rope(Context& ctx, Tensor x, Tensor cos, Tensor sin) {
  if (!turns(x, cos, sin))
    refuse("rope", "x (rows, heads, dim), cos and sin (rows, rotary) f32, rotary even and at most dim",
           {{"x", x}, {"cos", cos}, {"sin", sin}});
  ctx.kernels.rope(ctx.exec, x, cos, sin);
}

void rms_norm_rope(Context& ctx, Tensor x, Tensor weight, float eps, Tensor cos, Tensor sin) {
  if (!turns(x, cos, sin) || !is_vector_or_absent(weight, x.width()))
    refuse("rms_norm_rope", "x (rows, heads, dim), weight (dim) or absent, cos and sin (rows, rotary) f32, rotary even and at most dim",
           {{"x", x}, {"weight", weight}, {"cos", cos}, {"sin", sin}});
  ctx.kernels.rms_norm_rope(ctx.exec, x, weight, eps, cos, sin, x);
}

}  // namespace fabula
