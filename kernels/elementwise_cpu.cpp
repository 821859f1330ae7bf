// Elementwise entries and moves of rows and axes, in vector loops.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/bf16.h"
#include "kernels/families.h"
#include "kernels/pieces.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

void snake_floats(const float* x, std::int64_t count, float alpha, float* out) {
  const auto inverse = wide(1.0F / (alpha + 1e-9F));
  map(x, count, out, [&](auto v) {
    const auto wave = hn::Sin(Wide(), hn::Mul(wide(alpha), v));
    return hn::MulAdd(hn::Mul(wave, wave), inverse, v);
  });
}

void activate_floats(const float* x, std::int64_t count, Activation activation, float* out) {
  with_activation(activation, [&](auto tag) { map(x, count, out, [](auto v) { return activated<decltype(tag)::value>(v); }); });
}

void axpby_floats(float a, const float* x, float b, const float* y, std::int64_t count, float* out) {
  map(x, y, count, out, [&](auto u, auto v) { return hn::MulAdd(wide(a), u, hn::Mul(wide(b), v)); });
}

void gated_floats(const float* gate, const float* up, std::int64_t count, Activation activation, float* out) {
  with_activation(activation, [&](auto tag) {
    map(gate, up, count, out, [](auto g, auto u) { return hn::Mul(activated<decltype(tag)::value>(g), u); });
  });
}

void multiply_add_floats(const float* x, const float* factors, std::int64_t count, float* into) {
  for (std::int64_t i = 0; i < count; i += lanes()) {
    const std::int64_t left = count - i;
    store(hn::MulAdd(load(factors + i, left), load(x + i, left), load(into + i, left)), into + i, left);
  }
}

void affine_floats(const float* x, std::int64_t count, float scale, float shift, float* out) {
  map(x, count, out, [&](auto v) { return hn::MulAdd(v, wide(scale), wide(shift)); });
}

/// `count` pixels of three planes that lie `plane` apart.
void rgb_pixels(const float* x, std::int64_t plane, std::int64_t count, const ColourRange& range, std::uint8_t* out) {
  const hn::Rebind<std::uint8_t, Floats> bytes;
  const auto colour = [&](int c, std::int64_t i) {
    const Vec value = hn::Add(hn::Mul(load(x + c * plane + i, count - i), all(range.scale[c])), all(range.shift[c]));
    const Vec held = hn::Min(hn::IfThenElseZero(hn::Ge(value, all(0.0F)), value), all(1.0F));  // a NaN is not at least zero
    return hn::DemoteTo(bytes, hn::NearestInt(hn::Mul(held, all(255.0F))));
  };
  for (std::int64_t i = 0; i < count; i += lanes()) {
    const auto red = colour(0, i), green = colour(1, i), blue = colour(2, i);
    if (HWY_LIKELY(count - i >= lanes())) {
      hn::StoreInterleaved3(red, green, blue, bytes, out + 3 * i);
    } else {
      HWY_ALIGN std::uint8_t last[3 * hn::MaxLanes(Floats())];
      hn::StoreInterleaved3(red, green, blue, bytes, last);
      std::memcpy(out + 3 * i, last, static_cast<std::size_t>(3 * (count - i)));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(snake_floats);
HWY_EXPORT(activate_floats);
HWY_EXPORT(axpby_floats);
HWY_EXPORT(gated_floats);
HWY_EXPORT(multiply_add_floats);
HWY_EXPORT(affine_floats);
HWY_EXPORT(rgb_pixels);

/// body(row, from, to): floats [from, to) of one row, in pieces of whole rows where they are short and of parts of rows where they are
/// long.
template <typename Body>
void by_row(const Exec& exec, std::int64_t rows, std::int64_t width, const Body& body) {
  const std::int64_t parts = std::max<std::int64_t>(1, (width + long_row - 1) / long_row);
  in_pieces(exec, rows * parts, rows_in_a_piece(std::min(width, long_row)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t from = i % parts * long_row;
      body(i / parts, from, std::min(width, from + long_row));
    }
  });
}

void snake(const Exec& exec, Tensor x, Tensor alpha, Tensor out) {
  const std::int64_t length = x.shape[1];
  by_row(exec, x.shape[0], length, [&](std::int64_t channel, std::int64_t from, std::int64_t to) {
    const std::int64_t at = channel * length + from;
    HWY_DYNAMIC_DISPATCH(snake_floats)(x.f32() + at, to - from, alpha.f32()[channel], out.f32() + at);
  });
}

void activate(const Exec& exec, Tensor x, Activation activation, Tensor out) {
  in_pieces(exec, x.elements(), floats_per_piece, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(activate_floats)(x.f32() + begin, end - begin, activation, out.f32() + begin);
  });
}

void axpby(const Exec& exec, float a, Tensor x, float b, Tensor y, Tensor out) {
  in_pieces(exec, x.elements(), floats_per_piece, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(axpby_floats)(a, x.f32() + begin, b, y.f32() + begin, end - begin, out.f32() + begin);
  });
}

// Plain loops: the build contracts no product into a sum (-ffp-contract=off), and the compiler vectorises them.
void blend(const Exec& exec, float a, Tensor x, float b, Tensor y, Tensor out) {
  in_pieces(exec, x.elements(), floats_per_piece, [=, x = x.f32(), y = y.f32(), out = out.f32()](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[i] = a * x[i] + b * y[i];
  });
}

void difference(const Exec& exec, Tensor x, Tensor y, float divisor, Tensor out) {
  in_pieces(exec, x.elements(), floats_per_piece, [=, x = x.f32(), y = y.f32(), out = out.f32()](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[i] = (x[i] - y[i]) / divisor;
  });
}

void clamp(const Exec& exec, Tensor x, float low, float high, Tensor out) {
  in_pieces(exec, x.elements(), floats_per_piece, [=, x = x.f32(), out = out.f32()](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) out[i] = std::clamp(x[i], low, high);
  });
}

void gated(const Exec& exec, const float* gate, const float* up, std::int64_t rows, std::int64_t n, std::int64_t stride,
           Activation activation, Tensor out) {
  by_row(exec, rows, n, [&](std::int64_t row, std::int64_t from, std::int64_t to) {
    HWY_DYNAMIC_DISPATCH(gated_floats)
    (gate + row * stride + from, up + row * stride + from, to - from, activation, out.f32() + row * n + from);
  });
}

void gated_add(const Exec& exec, Tensor x, const float* gate, std::int64_t stride, Tensor index, Tensor into) {
  const std::int64_t width = x.width();
  by_row(exec, x.rows(), width, [&](std::int64_t row, std::int64_t from, std::int64_t to) {
    const float* factors = index.absent() ? gate : gate + index.as<std::int32_t>()[row] * stride;
    HWY_DYNAMIC_DISPATCH(multiply_add_floats)(x.f32() + row * width + from, factors + from, to - from, into.f32() + row * width + from);
  });
}

void gather_rows(const Exec& exec, Tensor table, Tensor index, Tensor out) {
  const std::int64_t width = table.width();
  by_row(exec, index.elements(), width, [&](std::int64_t row, std::int64_t from, std::int64_t to) {
    const std::int64_t source = index.as<std::int32_t>()[row] * width;
    float* target = out.f32() + row * width;
    if (table.dtype == DType::f32) {
      std::copy(table.f32() + source + from, table.f32() + source + to, target + from);
    } else {
      for (std::int64_t i = from; i < to; ++i) target[i] = from_bf16(table.as<std::uint16_t>()[source + i]);
    }
  });
}

void scatter_rows(const Exec&, Tensor x, Tensor index, Tensor out) {
  // In order: where an index occurs twice, the last row wins.
  const std::int64_t width = x.width();
  for (std::int64_t row = 0; row < index.elements(); ++row) {
    std::copy_n(x.f32() + row * width, width, out.f32() + index.as<std::int32_t>()[row] * width);
  }
}

void permute(const Exec& exec, Tensor x, const int* order, Tensor out) {
  const int rank = x.shape.rank();
  std::int64_t step[Shape::max_rank] = {};  // in x, of one step along each axis of out
  for (int axis = 0; axis < rank; ++axis) {
    step[axis] = 1;
    for (int inner = order[axis] + 1; inner < rank; ++inner) step[axis] *= x.shape[inner];
  }
  const std::int64_t width = out.width(), inner_step = step[rank - 1];
  in_pieces(exec, out.rows(), rows_in_a_piece(width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      std::int64_t source = 0, rest = row;
      for (int axis = rank - 2; axis >= 0; --axis) {
        source += rest % out.shape[axis] * step[axis];
        rest /= out.shape[axis];
      }
      const float* from = x.f32() + source;
      float* to = out.f32() + row * width;
      if (inner_step == 1) {
        std::copy_n(from, width, to);
      } else {
        for (std::int64_t i = 0; i < width; ++i) to[i] = from[i * inner_step];
      }
    }
  });
}

void affine_channels(const Exec& exec, Tensor x, Tensor scale, Tensor shift, Tensor out) {
  const std::int64_t channels = x.shape[0], plane = channels == 0 ? 0 : x.elements() / channels;
  by_row(exec, channels, plane, [&](std::int64_t channel, std::int64_t from, std::int64_t to) {
    const std::int64_t at = channel * plane + from;
    HWY_DYNAMIC_DISPATCH(affine_floats)(x.f32() + at, to - from, scale.f32()[channel], shift.f32()[channel], out.f32() + at);
  });
}

void rgb_bytes(const Exec& exec, Tensor x, ColourRange range, Tensor out) {
  const std::int64_t width = x.shape[3], height = x.shape[2], plane = height * width;
  in_pieces(exec, x.shape[0] * height, rows_in_a_piece(3 * width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) {
      const float* from = x.f32() + line / height * 3 * plane + line % height * width;
      HWY_DYNAMIC_DISPATCH(rgb_pixels)(from, plane, width, range, out.as<std::uint8_t>() + 3 * line * width);
    }
  });
}

}  // namespace

void add_cpu_elementwise(Kernels& table) {
  table.snake = snake;
  table.activate = activate;
  table.axpby = axpby;
  table.blend = blend;
  table.difference = difference;
  table.clamp = clamp;
  table.gated = gated;
  table.gated_add = gated_add;
  table.gather_rows = gather_rows;
  table.scatter_rows = scatter_rows;
  table.permute = permute;
  table.affine_channels = affine_channels;
  table.rgb_bytes = rgb_bytes;
}

}  // namespace fabula
#endif  // HWY_ONCE
