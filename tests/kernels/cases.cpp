// The cases of every entry, in sizes that reach the tails of all loops.
#include "tests/kernels/cases.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels/bf16.h"

namespace fabula::test {
namespace {

constexpr std::size_t fence_floats = 32;
constexpr float fence = -12345.0F;

std::string join(std::initializer_list<std::int64_t> numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += (text.empty() ? "" : "x") + std::to_string(number);
  return text;
}

const char* name_of(Activation activation) {
  constexpr const char* names[] = {"none", "silu", "gelu_tanh", "gelu_erf"};
  return names[static_cast<std::size_t>(activation)];
}

constexpr Activation activations[] = {Activation::none, Activation::silu, Activation::gelu_tanh, Activation::gelu_erf};

void add_gemm(std::vector<Case>& cases) {
  struct Size {
    std::int64_t rows, k, n;
  };
  for (const Size s :
       {Size{1, 1, 1}, {1, 5, 3}, {2, 64, 129}, {3, 33, 17}, {4, 200, 320}, {7, 31, 65}, {97, 130, 70}, {130, 257, 1030}, {450, 96, 96}}) {
    for (const bool bf16 : {false, true}) {
      for (const bool bias : {false, true}) {
        const Activation activation = activations[static_cast<std::size_t>(s.rows + s.n + (bias ? 1 : 0)) % 4];
        cases.push_back({"linear", join({s.rows, s.k, s.n}) + (bf16 ? "_bf16" : "_f32") + (bias ? "_bias_" : "_") + name_of(activation),
                         [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                           const float spread = 1.0F / std::sqrt(static_cast<float>(s.k));
                           const Tensor x = make.normal({s.rows, s.k});
                           const Tensor weight = bf16 ? make.normal_bf16({s.n, s.k}, spread) : make.normal({s.n, s.k}, spread);
                           const Tensor b = bias ? make.normal({s.n}) : Tensor{};
                           const std::size_t bytes = linear_scratch(x, weight);
                           const Tensor out = make.output({s.rows, s.n});
                           kernels.linear(exec, x, weight, b, activation, {bytes == 0 ? Tensor{} : make.scratch(bytes)}, out);
                           return out;
                         }});
      }
    }
  }
}

void add_quant(std::vector<Case>& cases) {
  struct Size {
    std::int64_t rows, k, n;
  };
  // The widest has a row of x that is its largest number throughout, against weights likewise: no sum may overflow.
  for (const Size s : {Size{1, 1, 1},
                       {1, 5, 3},
                       {1, 640, 517},
                       {2, 64, 129},
                       {3, 33, 17},
                       {4, 200, 320},
                       {7, 31, 65},
                       {97, 130, 70},
                       {130, 257, 1030},
                       {5, 20000, 6}}) {
    for (const bool bias : {false, true}) {
      const Activation activation = activations[static_cast<std::size_t>(s.rows + s.n + (bias ? 1 : 0)) % 4];
      cases.push_back({"linear_i8", join({s.rows, s.k, s.n}) + (bias ? "_bias_" : "_") + name_of(activation),
                       [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                         const Tensor x = make.normal({s.rows, s.k}), weight = make.bytes_i8({s.n, s.k});
                         const float spread = 1.0F / (74.0F * std::sqrt(static_cast<float>(s.k)));
                         const Tensor scale = make.uniform({s.n}, 0.5F * spread, 1.5F * spread), b = bias ? make.normal({s.n}) : Tensor{};
                         if (s.k > 10000) {
                           std::fill_n(x.f32(), s.k, -3.0F);
                           std::fill_n(weight.as<std::int8_t>(), s.k, std::int8_t{127});
                         }
                         if (s.rows > 2) std::fill_n(x.f32() + s.k, s.k, 0.0F);
                         const Tensor out = make.output({s.rows, s.n});
                         kernels.linear_i8(exec, x, weight, scale, b, activation, make.scratch(linear_i8_scratch(x)), out);
                         return out;
                       }});
    }
  }
  struct Table {
    std::int64_t rows, width, n;
  };
  for (const Table s : {Table{1, 1, 1}, {5, 33, 9}, {300, 129, 40}}) {
    cases.push_back(
        {"gather_rows_i8", join({s.rows, s.width, s.n}), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
           const Tensor table = make.bytes_i8({s.n, s.width}), scale = make.uniform({s.n}, 0.1F, 2.0F), index = make.indices(s.rows, s.n);
           const Tensor out = make.output({s.rows, s.width});
           kernels.gather_rows_i8(exec, table, scale, index, out);
           return out;
         }});
  }
}

void add_norms(std::vector<Case>& cases) {
  struct Size {
    std::int64_t rows, width;
  };
  for (const Size s : {Size{1, 1}, {3, 7}, {5, 64}, {17, 100}, {300, 257}}) {
    for (const bool affine : {false, true}) {
      const std::string name = join({s.rows, s.width}) + (affine ? "_affine" : "_plain");
      cases.push_back({"rms_norm", name, [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                         const Tensor x = make.normal({s.rows, s.width}, 3.0F), weight = affine ? make.normal({s.width}) : Tensor{};
                         const Tensor out = make.output(x.shape);
                         kernels.rms_norm(exec, x, weight, 1e-5F, out);
                         return out;
                       }});
      cases.push_back({"layer_norm", name, [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                         const Tensor x = make.uniform({s.rows, s.width}, 1.0F, 4.0F);
                         const Tensor weight = affine ? make.normal({s.width}) : Tensor{},
                                      bias = affine ? make.normal({s.width}) : Tensor{};
                         const Tensor out = make.output(x.shape);
                         kernels.layer_norm(exec, x, weight, bias, 1e-5F, out);
                         return out;
                       }});
      cases.push_back({"rms_norm_modulate", name, [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                         const std::int64_t stride = 2 * s.width + 3;  // scale and shift share rows that are longer than both
                         const Tensor x = make.normal({s.rows, s.width}), weight = affine ? make.normal({s.width}) : Tensor{};
                         const Tensor table = make.normal({4, stride}), index = make.indices(s.rows, 4);
                         const Tensor out = make.output(x.shape);
                         kernels.rms_norm_modulate(exec, x, weight, 1e-6F, table.f32(), table.f32() + s.width, stride, index, out);
                         return out;
                       }});
    }
  }
  struct Picture {
    std::int64_t groups, members, frames, height, width;
  };
  for (const Picture p : {Picture{1, 1, 1, 1, 2}, {2, 3, 1, 3, 5}, {4, 2, 3, 7, 9}, {3, 5, 2, 33, 70}}) {
    for (const Activation activation : {Activation::none, Activation::silu}) {
      cases.push_back({"group_norm", join({p.groups, p.members, p.frames, p.height, p.width}) + "_" + name_of(activation),
                       [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                         const std::int64_t channels = p.groups * p.members;
                         const Tensor x = make.uniform({channels, p.frames, p.height, p.width}, -1.0F, 5.0F);
                         const Tensor weight = make.normal({channels}), bias = make.normal({channels});
                         const Tensor out = make.output(x.shape);
                         kernels.group_norm(exec, x, weight, bias, p.groups, 1e-6F, activation, out);
                         return out;
                       }});
    }
  }
}

void add_attention(std::vector<Case>& cases) {
  struct Size {
    std::int64_t q_rows, k_rows, heads, kv_heads, dim;
  };
  for (const Size s : {Size{1, 1, 1, 1, 1},
                       {1, 600, 4, 2, 16},
                       {5, 9, 6, 2, 24},
                       {65, 65, 3, 3, 33},
                       {70, 130, 2, 1, 64},
                       {18, 37, 2, 1, 128},
                       {17, 21, 1, 1, 200},
                       {40, 9, 2, 2, 20},
                       {200, 1100, 1, 1, 32}}) {
    for (const bool causal : {false, true}) {
      if (causal && s.q_rows > s.k_rows) continue;  // the first queries would see no key
      cases.push_back({"attention", join({s.q_rows, s.k_rows, s.heads, s.kv_heads, s.dim}) + (causal ? "_causal" : "_full"),
                       [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                         const Tensor q = make.normal({s.q_rows, s.heads, s.dim}, 2.0F);
                         const Tensor k = make.normal({s.k_rows, s.kv_heads, s.dim}), v = make.normal({s.k_rows, s.kv_heads, s.dim});
                         const Tensor out = make.output(q.shape);
                         kernels.attention(exec, q, k, v, causal, {}, out);
                         return out;
                       }});
    }
  }
  // Rows at the end of sequences whose earlier tokens are in shuffled pages; slots beyond the end hold NaN, which no row may see.
  struct Paged {
    std::int64_t rows, sequences, pages, slots, heads, kv_heads, dim;
  };
  for (const Paged s : {Paged{1, 1, 1, 1, 1, 1, 1},
                        {1, 1, 40, 16, 4, 2, 16},
                        {9, 4, 5, 16, 6, 2, 33},
                        {40, 3, 70, 16, 2, 1, 64},
                        {5, 2, 7, 5, 8, 1, 128},
                        {3, 1, 2, 16, 7, 1, 20}}) {
    cases.push_back(
        {"paged_attention", join({s.rows, s.sequences, s.pages, s.slots, s.heads, s.kv_heads, s.dim}),
         [=](const Kernels& kernels, const Exec& exec, Operands& make) {
           const std::int64_t all = s.sequences * s.pages, tokens = s.pages * s.slots, each = (s.rows + s.sequences - 1) / s.sequences;
           const Tensor q = make.normal({s.rows, s.heads, s.dim}, 2.0F);
           const Tensor k = make.normal({s.rows, s.kv_heads, s.dim}), v = make.normal(k.shape);
           const Tensor keys = make.normal({all, s.kv_heads, s.dim, s.slots}), values = make.normal({all, s.kv_heads, s.slots, s.dim});
           const Tensor table = make.shuffled(all).view({s.sequences, s.pages}), rows = make.indices(2 * s.rows, 1);
           const std::int64_t unused = tokens > each ? tokens / 3 % s.slots : 0;  // slots at the end of the last page
           for (std::int64_t i = 0; i < s.rows; ++i) {
             rows.as<std::int32_t>()[2 * i] = static_cast<std::int32_t>(i / each);
             rows.as<std::int32_t>()[2 * i + 1] = static_cast<std::int32_t>(tokens - unused - each + i % each);
           }
           for (std::int64_t i = 0; i < s.sequences; ++i) {
             const std::int64_t head = s.kv_heads * s.dim * table.as<std::int32_t>()[(i + 1) * s.pages - 1];
             for (std::int64_t row = 0; row < s.kv_heads * s.dim; ++row) {
               std::fill_n(keys.f32() + (head + row + 1) * s.slots - unused, unused, std::numeric_limits<float>::quiet_NaN());
             }
           }
           const Tensor out = make.output(q.shape);
           kernels.paged_attention(exec, q, k, v, keys, values, table, rows, out);
           return out;
         }});
  }
  struct Rotary {
    std::int64_t rows, heads, dim, rotary;
  };
  for (const Rotary s : {Rotary{1, 1, 2, 2}, {5, 3, 33, 22}, {9, 4, 64, 64}, {500, 2, 48, 30}}) {
    cases.push_back(
        {"rope", join({s.rows, s.heads, s.dim, s.rotary}), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
           const Tensor cos = make.uniform({s.rows, s.rotary}, -1.0F, 1.0F), sin = make.uniform({s.rows, s.rotary}, -1.0F, 1.0F);
           const Tensor values = make.normal({s.rows, s.heads, s.dim}), x = make.output(values.shape);
           std::copy_n(values.f32(), values.elements(), x.f32());
           kernels.rope(exec, x, cos, sin);
           return x;
         }});
    for (const bool gain : {false, true}) {
      cases.push_back(
          {"rms_norm_rope", join({s.rows, s.heads, s.dim, s.rotary}) + (gain ? "_gain" : "_plain"),
           [=](const Kernels& kernels, const Exec& exec, Operands& make) {
             const Tensor cos = make.uniform({s.rows, s.rotary}, -1.0F, 1.0F), sin = make.uniform({s.rows, s.rotary}, -1.0F, 1.0F);
             const Tensor values = make.normal({s.rows, s.heads, s.dim}, 3.0F), x = make.output(values.shape);
             const Tensor weight = gain ? make.normal({s.dim}) : Tensor{};
             std::copy_n(values.f32(), values.elements(), x.f32());
             kernels.rms_norm_rope(exec, x, weight, 1e-6F, cos, sin, x);  // in place, as attention does
             return x;
           }});
    }
  }
}

void add_conv(std::vector<Case>& cases) {
  struct Volume {
    std::int64_t c_in, c_out, t, h, w, kt, kh, kw;
    Conv3dParams p;
  };
  for (const Volume& s : {Volume{1, 1, 1, 1, 1, 1, 1, 1, {}},
                          {3, 5, 4, 9, 11, 3, 3, 3, {}},
                          {3, 8, 5, 8, 10, 3, 3, 3, {2, 2, 2}},
                          {4, 7, 3, 17, 19, 1, 1, 1, {}},
                          {40, 3, 3, 20, 23, 3, 3, 3, {1, 2, 2}},
                          {2, 4, 3, 6, 7, 1, 2, 3, {2, 1, 3}}}) {
    cases.push_back(
        {"conv3d",
         join({s.c_in, s.c_out, s.t, s.h, s.w}) + "_" + join({s.kt, s.kh, s.kw}) + "_" + join({s.p.stride_t, s.p.stride_h, s.p.stride_w}),
         [=](const Kernels& kernels, const Exec& exec, Operands& make) {
           const float spread = 1.0F / std::sqrt(static_cast<float>(s.c_in * s.kt * s.kh * s.kw));
           const Tensor x = make.normal({s.c_in, s.t, s.h, s.w}), weight = make.normal({s.c_out, s.c_in, s.kt, s.kh, s.kw}, spread);
           const Tensor bias = s.c_out % 2 == 0 ? Tensor{} : make.normal({s.c_out});
           const Tensor out =
               make.output({s.c_out, (s.t - s.kt) / s.p.stride_t + 1, (s.h - s.kh) / s.p.stride_h + 1, (s.w - s.kw) / s.p.stride_w + 1});
           kernels.conv3d(exec, x, weight, bias, s.p, out);
           return out;
         }});
  }
  struct Line {
    std::int64_t c_in, c_out, length, k;
    Conv1dParams p;
  };
  for (const Line& s : {Line{1, 1, 1, 1, {}},
                        {3, 4, 10, 3, {1, 1, 1}},
                        {5, 7, 333, 7, {1, 9, 3}},
                        {60, 9, 500, 7, {1, 3, 1}},
                        {4, 6, 50, 8, {4, 2, 1}},
                        {2, 3, 3, 7, {1, 15, 5}}}) {
    cases.push_back(
        {"conv1d", join({s.c_in, s.c_out, s.length, s.k}) + "_" + join({s.p.stride, s.p.padding, s.p.dilation}),
         [=](const Kernels& kernels, const Exec& exec, Operands& make) {
           const Tensor x = make.normal({s.c_in, s.length}),
                        weight = make.normal({s.c_out, s.c_in, s.k}, 1.0F / std::sqrt(static_cast<float>(s.c_in * s.k)));
           const Tensor bias = s.c_out % 2 == 0 ? Tensor{} : make.normal({s.c_out});
           const Tensor out = make.output({s.c_out, (s.length + 2 * s.p.padding - s.p.dilation * (s.k - 1) - 1) / s.p.stride + 1});
           kernels.conv1d(exec, x, weight, bias, s.p, out);
           return out;
         }});
  }
  for (const Line& s : {Line{1, 1, 1, 1, {}},
                        {3, 5, 7, 4, {2, 1, 1}},
                        {12, 6, 301, 10, {5, 2, 1}},
                        {4, 3, 90, 11, {3, 0, 1}},
                        {70, 33, 40, 16, {8, 4, 1}},
                        {2, 3, 5, 2, {4, 0, 1}}}) {
    cases.push_back({"conv_transpose1d", join({s.c_in, s.c_out, s.length, s.k}) + "_" + join({s.p.stride, s.p.padding}),
                     [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                       const Tensor x = make.normal({s.c_in, s.length}),
                                    weight = make.normal({s.c_in, s.c_out, s.k}, 1.0F / std::sqrt(static_cast<float>(s.c_in)));
                       const Tensor bias = s.c_out % 2 == 0 ? Tensor{} : make.normal({s.c_out});
                       const Tensor out = make.output({s.c_out, (s.length - 1) * s.p.stride - 2 * s.p.padding + s.k});
                       kernels.conv_transpose1d(exec, x, weight, bias, s.p, out);
                       return out;
                     }});
  }
}

void add_signal(std::vector<Case>& cases) {
  struct Padded {
    std::int64_t c, t, h, w;
    Padding3d p;
  };
  for (const Padded& s :
       {Padded{1, 1, 2, 2, {0, 0, 1, 1, 1, 1}}, {3, 2, 5, 7, {2, 0, 3, 1, 0, 4}}, {2, 3, 40, 50, {1, 1, 1, 1, 1, 1}}, {2, 1, 3, 3, {}}}) {
    for (const Pad mode : {Pad::zero, Pad::reflect, Pad::replicate}) {
      constexpr const char* names[] = {"zero", "reflect", "replicate"};
      cases.push_back({"pad3d", join({s.c, s.t, s.h, s.w}) + "_" + names[static_cast<std::size_t>(mode)],
                       [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                         const Tensor x = make.normal({s.c, s.t, s.h, s.w});
                         const Tensor out = make.output(
                             {s.c, s.t + s.p.t_front + s.p.t_back, s.h + s.p.h_top + s.p.h_bottom, s.w + s.p.w_left + s.p.w_right});
                         kernels.pad3d(exec, x, s.p, mode, out);
                         return out;
                       }});
    }
  }
  struct Signal {
    std::int64_t channels, length, up_taps, down_taps;
  };
  for (const Signal s : {Signal{1, 1, 12, 12},
                         {2, 3, 12, 12},
                         {3, 17, 12, 12},
                         {2, 511, 12, 12},
                         {5, 1100, 12, 12},
                         {2, 40, 8, 6},
                         {1, 600, 4, 10},
                         {2, 5, 2, 2}}) {
    cases.push_back({"snake_beta_alias_free", join({s.channels, s.length, s.up_taps, s.down_taps}),
                     [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                       const Tensor x = make.normal({s.channels, s.length}), alpha = make.normal({s.channels}, 0.5F),
                                    beta = make.normal({s.channels}, 0.5F);
                       const Tensor up = make.normal({s.up_taps}, 0.3F), down = make.normal({s.down_taps}, 0.3F);
                       const Tensor out = make.output(x.shape);
                       kernels.snake_beta_alias_free(exec, x, alpha, beta, up, down, out);
                       return out;
                     }});
  }
  struct Size {
    std::int64_t rows, width;
  };
  for (const Size s : {Size{1, 1}, {3, 5}, {7, 129}, {2, 70001}}) {
    cases.push_back(
        {"snake", join({s.rows, s.width}), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
           const Tensor x = make.normal({s.rows, s.width}, 3.0F), alpha = make.uniform({s.rows}, 0.05F, 4.0F), out = make.output(x.shape);
           kernels.snake(exec, x, alpha, out);
           return out;
         }});
    cases.push_back({"affine_channels", join({s.rows, s.width}), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                       const Tensor x = make.normal({s.rows, s.width}), scale = make.normal({s.rows}), shift = make.normal({s.rows}),
                                    out = make.output(x.shape);
                       kernels.affine_channels(exec, x, scale, shift, out);
                       return out;
                     }});
  }
}

void add_elementwise(std::vector<Case>& cases) {
  struct Size {
    std::int64_t rows, width;
  };
  for (const Size s : {Size{1, 1}, {3, 5}, {33, 129}, {410, 96}}) {
    for (const Activation activation : activations) {
      cases.push_back(
          {"activate", join({s.rows, s.width}) + "_" + name_of(activation), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
             const Tensor x = make.normal({s.rows, s.width}, 4.0F), out = make.output(x.shape);
             kernels.activate(exec, x, activation, out);
             return out;
           }});
      cases.push_back(
          {"gated", join({s.rows, s.width}) + "_" + name_of(activation), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
             const Tensor x = make.normal({s.rows, 2 * s.width}), out = make.output({s.rows, s.width});
             kernels.gated(exec, x.f32() + s.width, x.f32(), s.rows, s.width, 2 * s.width, activation, out);
             return out;
           }});
    }
    cases.push_back({"axpby", join({s.rows, s.width}), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                       const Tensor x = make.normal({s.rows, s.width}), y = make.normal({s.rows, s.width}), out = make.output(x.shape);
                       std::copy_n(y.f32(), y.elements(), out.f32());
                       kernels.axpby(exec, 0.7F, x, -1.3F, out, out);  // in place, as add_into does
                       return out;
                     }});
    cases.push_back({"blend", join({s.rows, s.width}), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                       const Tensor x = make.normal({s.rows, s.width}), y = make.normal({s.rows, s.width}), out = make.output(x.shape);
                       std::copy_n(x.f32(), x.elements(), out.f32());
                       kernels.blend(exec, 0.7F, out, 0.3F, y, out);  // in place, as a sampler does
                       return out;
                     }});
    cases.push_back({"difference", join({s.rows, s.width}), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                       const Tensor x = make.normal({s.rows, s.width}), y = make.normal({s.rows, s.width}), out = make.output(x.shape);
                       kernels.difference(exec, x, y, 0.3F, out);
                       return out;
                     }});
    cases.push_back({"clamp", join({s.rows, s.width}), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                       const Tensor x = make.normal({s.rows, s.width}), out = make.output(x.shape);
                       std::copy_n(x.f32(), x.elements(), out.f32());
                       kernels.clamp(exec, out, -1.0F, 0.5F, out);
                       return out;
                     }});
    for (const bool indexed : {false, true}) {
      cases.push_back({"gated_add", join({s.rows, s.width}) + (indexed ? "_indexed" : "_one_row"),
                       [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                         const Tensor x = make.normal({s.rows, s.width}), before = make.normal({s.rows, s.width}),
                                      table = make.normal({3, s.width + 7});
                         const Tensor index = indexed ? make.indices(s.rows, 3) : Tensor{}, into = make.output(x.shape);
                         std::copy_n(before.f32(), before.elements(), into.f32());
                         kernels.gated_add(exec, x, table.f32(), s.width + 7, index, into);
                         return into;
                       }});
      cases.push_back({"gather_rows", join({s.rows, s.width}) + (indexed ? "_bf16" : "_f32"),
                       [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                         const Tensor table = indexed ? make.normal_bf16({50, s.width}, 1.0F) : make.normal({50, s.width});
                         const Tensor index = make.indices(s.rows, 50), out = make.output({s.rows, s.width});
                         kernels.gather_rows(exec, table, index, out);
                         return out;
                       }});
    }
    cases.push_back({"scatter_rows", join({s.rows, s.width}), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                       const Tensor x = make.normal({s.rows, s.width}), index = make.shuffled(s.rows), out = make.output(x.shape);
                       kernels.scatter_rows(exec, x, index, out);
                       return out;
                     }});
  }
  struct Pictures {
    std::int64_t frames, height, width;
  };
  for (const Pictures s : {Pictures{1, 1, 1}, {2, 3, 5}, {3, 9, 33}}) {
    cases.push_back({"rgb_bytes", join({s.frames, s.height, s.width}), [=](const Kernels& kernels, const Exec& exec, Operands& make) {
                       const Tensor x = make.normal({s.frames, 3, s.height, s.width}, 3.0F);
                       if (s.width > 1) x.f32()[1] = std::numeric_limits<float>::quiet_NaN();
                       const std::int64_t pixels = s.frames * s.height * s.width;
                       const Tensor bytes = make.scratch(static_cast<std::size_t>(3 * pixels)), one = make.uniform({pixels}, 1.0F, 1.0F);
                       const Tensor index = make.shuffled(pixels), out = make.output({pixels, 3});
                       kernels.rgb_bytes(exec, x, {{0.229F, 0.224F, 0.225F}, {0.485F, 0.456F, 0.406F}}, bytes);
                       // As numbers, by an entry that is exact.
                       kernels.gather_rows_i8(exec, {.data = bytes.data, .shape = {pixels, 3}, .dtype = DType::i8}, one, index, out);
                       return out;
                     }});
  }
  struct Axes {
    std::initializer_list<std::int64_t> extents;
    std::vector<int> order;
  };
  for (const Axes& a : {Axes{{7}, {0}},
                        {{5, 9}, {1, 0}},
                        {{3, 4, 5}, {2, 0, 1}},
                        {{3, 1, 5, 34}, {1, 0, 2, 3}},
                        {{6, 5, 4, 3, 40}, {4, 1, 0, 3, 2}},
                        {{2, 30, 3, 31, 2}, {1, 3, 0, 2, 4}}}) {
    const Shape shape(a.extents);
    std::string name = join(a.extents) + "_";
    for (const int axis : a.order) name += std::to_string(axis);
    cases.push_back({"permute", name, [shape, order = a.order](const Kernels& kernels, const Exec& exec, Operands& make) {
                       std::vector<std::int64_t> extents;
                       for (const int axis : order) extents.push_back(shape[axis]);
                       const Tensor x = make.normal(shape), out = make.output(Shape(extents));
                       kernels.permute(exec, x, order.data(), out);
                       return out;
                     }});
  }
}

}  // namespace

Tensor Operands::room(Shape shape, DType dtype, float fill) {
  const Tensor probe{.data = nullptr, .shape = shape, .dtype = dtype};
  const std::size_t floats = 1 + (probe.bytes() + sizeof(float) - 1) / sizeof(float) + fence_floats;
  float* memory = nullptr;
  if (pinned_) {
    memory = static_cast<float*>(pinned_memory_.emplace_back(floats * sizeof(float), Buffer::Place::pinned).data());
  } else {
    memory = memory_.emplace_back(floats).data();
  }
  const std::span<float> block = blocks_.emplace_back(memory, floats);
  std::fill(block.begin(), block.end(), fill);
  std::fill_n(block.end() - fence_floats, fence_floats, fence);
  const Tensor tensor{.data = block.data() + 1, .shape = shape, .dtype = dtype};
  if (made_) made_(tensor);
  return tensor;
}

bool Operands::fences_stand() const {
  return std::all_of(blocks_.begin(), blocks_.end(), [](std::span<const float> block) {
    return std::all_of(block.end() - fence_floats, block.end(), [](float value) { return value == fence; });
  });
}

Tensor Operands::normal(Shape shape, float spread) {
  const Tensor tensor = room(shape, DType::f32, 0.0F);
  for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.f32()[i] = spread * random_.normal();
  return tensor;
}

Tensor Operands::uniform(Shape shape, float low, float high) {
  const Tensor tensor = room(shape, DType::f32, 0.0F);
  for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.f32()[i] = random_.uniform(low, high);
  return tensor;
}

Tensor Operands::normal_bf16(Shape shape, float spread) {
  const Tensor tensor = room(shape, DType::bf16, 0.0F);
  for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.as<std::uint16_t>()[i] = to_bf16(spread * random_.normal());
  return tensor;
}

Tensor Operands::bytes_i8(Shape shape) {
  const Tensor tensor = room(shape, DType::i8, 0.0F);
  for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.as<std::int8_t>()[i] = static_cast<std::int8_t>(random_.below(255) - 127);
  return tensor;
}

Tensor Operands::indices(std::int64_t count, std::int64_t below) {
  const Tensor tensor = room({count}, DType::i32, 0.0F);
  for (std::int64_t i = 0; i < count; ++i) tensor.as<std::int32_t>()[i] = static_cast<std::int32_t>(random_.below(below));
  return tensor;
}

Tensor Operands::shuffled(std::int64_t count) {
  const Tensor tensor = room({count}, DType::i32, 0.0F);
  auto* index = tensor.as<std::int32_t>();
  std::iota(index, index + count, 0);
  for (std::int64_t i = count - 1; i > 0; --i) std::swap(index[i], index[random_.below(i + 1)]);
  return tensor;
}

Tensor Operands::output(Shape shape) { return room(shape, DType::f32, std::numeric_limits<float>::quiet_NaN()); }
Tensor Operands::scratch(std::size_t bytes) { return room({static_cast<std::int64_t>(bytes)}, DType::u8, 0.0F); }

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  add_gemm(cases);
  add_quant(cases);
  add_norms(cases);
  add_attention(cases);
  add_conv(cases);
  add_signal(cases);
  add_elementwise(cases);
  return cases;
}

}  // namespace fabula::test
