// Times the CUDA table's expensive entries at the sizes of a MiniMax-H3 block: bin/cuda_bench [--device N] [--rows N].
//
// A line of a Markdown table for each: milliseconds, and TFLOP/s (a multiplication and an addition are two) or GB/s of the bytes that must
// be read and written. Launches follow one another on one stream; the time is that of all, divided by their number.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <vector>

#include "base/error.h"
#include "kernels/cuda_tables.h"
#include "kernels/device.h"
#include "kernels/kernels.h"

namespace fabula {
namespace {

struct Options {
  int device = 0;
  std::int64_t rows = 16384, width = 5120, heads = 40, dim = 128, inner = 13824;
  int repeats = 20;
};

/// Device memory that holds zeros throughout: speed does not depend on values.
class Memory {
 public:
  Tensor take(Shape shape, DType dtype = DType::f32) {
    Tensor tensor{.data = nullptr, .shape = shape, .dtype = dtype, .device = DeviceKind::cuda};
    buffers_.emplace_back(tensor.bytes(), Buffer::Place::device);
    tensor.data = buffers_.back().data();
    const std::vector<std::byte> zeros(tensor.bytes());
    copy_bytes(tensor.data, zeros.data(), zeros.size(), nullptr);
    return tensor;
  }

 private:
  std::vector<Buffer> buffers_;
};

double milliseconds(const Stream& stream, int repeats, const std::function<void()>& work) {
  work();  // loads the kernel, lets cuBLASLt choose and cuDNN plan
  stream.wait();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) work();
  stream.wait();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / repeats;
}

void print(const char* what, double time, double amount, const char* unit) {
  std::printf("| %s | %.3f ms | %.1f %s |\n", what, time, amount / time * 1e-9 * (unit[0] == 'G' ? 1e3 : 1.0), unit);
}

void bench_products(const Options& o, const Stream& stream) {
  for (const bool narrow : {false, true}) {
    for (const bool alone : {false, true}) {
      Memory memory;
      const Tensor x = memory.take({o.rows, o.width}), out = memory.take({o.rows, o.inner});
      const Tensor weight = memory.take({o.inner, o.width}, narrow ? DType::bf16 : DType::f32);
      const Tensor scratch = memory.take({static_cast<std::int64_t>(linear_scratch(x, weight)) + 1}, DType::u8);
      const double time = milliseconds(stream, o.repeats, [&] {
        cuda_table()->linear({.stream = stream.handle(), .rows_alone = alone}, x, weight, {}, Activation::none, {scratch}, out);
      });
      const std::string what = std::string("linear, ") + (narrow ? "bf16" : "f32") + (alone ? ", our kernel" : "");
      print(what.c_str(), time, 2.0 * static_cast<double>(o.rows * o.width * o.inner), "TFLOP/s");
    }
  }
}

/// Self attention of `rows`, with zeros until something is copied to x. By cuDNN where it is `fused`.
struct SelfAttention {
  SelfAttention(const Stream& stream, const Kernels& kernels, Shape shape, bool fused)
      : table(kernels),
        exec{.stream = stream.handle(), .attention = fused ? AttentionBy::cudnn : AttentionBy::loops},
        x(memory.take(shape)),
        out(memory.take(shape)) {
    const std::size_t bytes = attention_scratch(exec, x, x, /*causal=*/false);
    if (bytes > 0) scratch = memory.take({static_cast<std::int64_t>(bytes)}, DType::u8);
  }
  void run() const { table.attention(exec, x, x, x, /*causal=*/false, scratch, out); }

  Memory memory;
  const Kernels& table;
  Exec exec;
  Tensor x, out, scratch;
};

void bench_attention(const Options& o, const Stream& stream) {
  const auto bench = [&](const char* what, const Kernels& table, bool fused) {
    const SelfAttention attention(stream, table, {o.rows, o.heads, o.dim}, fused);
    const double time = milliseconds(stream, 2, [&] { attention.run(); });
    print(what, time, 4.0 * static_cast<double>(o.rows * o.rows * o.heads * o.dim), "TFLOP/s");
  };
  bench("attention, f32, our kernel", *cuda_table(), false);
  bench("attention, bf16, our kernel", *cuda_bf16_table(), false);
  if (has_fused_attention()) bench("attention, bf16, cuDNN", *cuda_bf16_table(), true);
}

/// Both attentions of the bf16 profile on the same values.
void compare_attentions(const Options& o, const Stream& stream) {
  if (!has_fused_attention()) return;
  const Shape shape{777, o.heads, o.dim};
  std::vector<float> x(static_cast<std::size_t>(shape.elements())), results[2] = {x, x};
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 2.0F * std::sin(static_cast<float>(i % 9973));
  for (const bool fused : {false, true}) {
    const SelfAttention attention(stream, *cuda_bf16_table(), shape, fused);
    copy_bytes(attention.x.data, x.data(), attention.x.bytes(), stream.handle());
    attention.run();
    copy_bytes(results[fused ? 1 : 0].data(), attention.out.data, attention.out.bytes(), stream.handle());
    stream.wait();
  }
  float largest = 0.0F, apart = 0.0F;
  for (std::size_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, std::abs(results[0][i]));
    apart = std::max(apart, std::abs(results[0][i] - results[1][i]));
  }
  std::printf("| attention, bf16, cuDNN and our kernel | apart by %.5f | of at most %.3f |\n", apart, largest);
  if (!(apart <= 0.02F * largest)) throw Error(ExitCode::check_failed, "cuDNN's attention is not ours");
}

void bench_rows(const Options& o, const Stream& stream) {
  Memory memory;
  const Exec exec{.stream = stream.handle()};
  const Tensor x = memory.take({o.rows, o.width}), out = memory.take(x.shape), weight = memory.take({o.width});
  const Tensor vectors = memory.take({2, 2 * o.width}), index = memory.take({o.rows}, DType::i32);
  const double moved = 2.0 * static_cast<double>(x.bytes());
  print("rms_norm_modulate",
        milliseconds(stream, o.repeats,
                     [&] {
                       cuda_table()->rms_norm_modulate(exec, x, weight, 1e-6F, vectors.f32(), vectors.f32() + o.width, 2 * o.width, index,
                                                       out);
                     }),
        moved, "GB/s");
  print("gated_add", milliseconds(stream, o.repeats, [&] { cuda_table()->gated_add(exec, x, vectors.f32(), 2 * o.width, index, out); }),
        1.5 * moved, "GB/s");
  const Tensor halves = memory.take({o.rows, 2 * o.width});
  print("gated (SwiGLU)",
        milliseconds(
            stream, o.repeats,
            [&] { cuda_table()->gated(exec, halves.f32() + o.width, halves.f32(), o.rows, o.width, 2 * o.width, Activation::silu, out); }),
        1.5 * moved, "GB/s");
}

// Queries or keys of a block: normed, then turned; in one kernel and in two.
void bench_fused(const Options& o, const Stream& stream) {
  Memory memory;
  const Exec exec{.stream = stream.handle()};
  const Tensor x = memory.take({o.rows, o.heads, o.dim}), weight = memory.take({o.dim});
  const Tensor cos = memory.take({o.rows, o.dim}), sin = memory.take(cos.shape);
  const double moved = 2.0 * static_cast<double>(x.bytes());
  print("rms_norm_rope", milliseconds(stream, o.repeats, [&] { cuda_table()->rms_norm_rope(exec, x, weight, 1e-6F, cos, sin, x); }), moved,
        "GB/s");
  print("rms_norm, then rope",
        milliseconds(stream, o.repeats,
                     [&] {
                       cuda_table()->rms_norm(exec, x, weight, 1e-6F, x);
                       cuda_table()->rope(exec, x, cos, sin);
                     }),
        moved, "GB/s");
  const Tensor frames = memory.take({17, 3, 720, 1280}), bytes = memory.take({17, 720, 1280, 3}, DType::u8);
  print("rgb_bytes, 17 frames of 720p",
        milliseconds(stream, o.repeats,
                     [&] {
                       cuda_table()->rgb_bytes(exec, frames, {{1.0F, 1.0F, 1.0F}, {}}, bytes);
                     }),
        static_cast<double>(frames.bytes() + bytes.bytes()), "GB/s");
}

// As the voice decoder's stages and the video encoder have them.
void bench_convolutions(const Options& o, const Stream& stream) {
  Memory memory;
  const Exec exec{.stream = stream.handle()};
  const auto timed = [&](const char* what, double products, const std::function<void()>& work) {
    print(what, milliseconds(stream, o.repeats, work), 2.0 * products, "TFLOP/s");
  };
  const Tensor line = memory.take({512, 8000}), kernel = memory.take({512, 512, 11}), line_out = memory.take(line.shape);
  timed("conv1d, 512 channels, 11 taps", 512.0 * 512 * 11 * 8000, [&] {
    cuda_table()->conv1d(exec, line, kernel, {}, {1, 25, 5}, line_out);
  });
  const Tensor up = memory.take({512, 256, 16}), longer = memory.take({256, 64000});
  timed("conv_transpose1d, 512 to 256 channels, stride 8", 512.0 * 256 * 16 * 8000, [&] {
    cuda_table()->conv_transpose1d(exec, line, up, {}, {8, 4, 1}, longer);
  });
  const Tensor volume = memory.take({128, 7, 182, 322}), cube = memory.take({128, 128, 3, 3, 3}),
               volume_out = memory.take({128, 5, 180, 320});
  timed("conv3d, 128 channels, 3 x 3 x 3", 128.0 * 128 * 27 * 5 * 180 * 320,
        [&] { cuda_table()->conv3d(exec, volume, cube, {}, {}, volume_out); });
}

// What a launch costs: a thousand small kernels one by one, and as one graph.
void bench_graph(const Options& o, const Stream& stream) {
  constexpr int launches = 1000;
  Memory memory;
  const Tensor x = memory.take({1024});
  const auto work = [&] {
    for (int i = 0; i < launches; ++i) cuda_table()->clamp({.stream = stream.handle()}, x, -1.0F, 1.0F, x);
  };
  const double direct = milliseconds(stream, o.repeats, work);
  const Graph graph = Graph::capture(stream.handle(), work);
  const double replayed = milliseconds(stream, o.repeats, [&] { graph.launch(stream.handle()); });
  std::printf("| 1000 small kernels, one by one | %.3f ms | %.2f us each |\n", direct, direct * 1e3 / launches);
  std::printf("| the same as a graph | %.3f ms | %.2f us each |\n", replayed, replayed * 1e3 / launches);
}

void bench(const Options& o) {
  if (cuda_table() == nullptr) throw Error(ExitCode::unavailable, "this build of Fabula has no CUDA kernels");
  use_cuda_device(o.device);
  const Stream stream;
  std::printf("%s; %s; %lld rows\n\n| entry | time | speed |\n|---|---|---|\n", cuda_device_text(o.device).c_str(),
              cuda_libraries_text().c_str(), static_cast<long long>(o.rows));
  bench_products(o, stream);
  bench_attention(o, stream);
  bench_rows(o, stream);
  bench_fused(o, stream);
  bench_convolutions(o, stream);
  bench_graph(o, stream);
  compare_attentions(o, stream);
  std::printf("\n%s\n", cuda_libraries_text().c_str());  // and what they refused
}

}  // namespace
}  // namespace fabula

int main(int argc, char** argv) {
  fabula::Options options;
  CLI::App app("Times entries of the CUDA table.");
  app.add_option("--device", options.device)->check(CLI::NonNegativeNumber);
  app.add_option("--rows", options.rows)->check(CLI::Range(1, 1 << 20));
  app.add_option("--repeats", options.repeats)->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  try {
    fabula::bench(options);
  } catch (const fabula::Error& error) {
    std::fprintf(stderr, "cuda_bench: %s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
