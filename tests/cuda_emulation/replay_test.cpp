// CUDA graphs on the emulated device, which keeps what a stream is asked for while it is captured and runs it at every launch.
#include "engine/replay.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "engine/machine.h"
#include "kernels/device.h"
#include "tests/cuda_emulation/emulation.h"
#include "tests/support/tiny_clip.h"

namespace fabula::h3 {
namespace {

/// What a clip came to, and how its work was put on the stream.
struct Made {
  std::vector<float> values;
  std::size_t kernels, graphs;
};

/// Picture and sound of a tiny clip of the golden transformer.
Made denoised(const Machine& machine, const char* sampler, int steps) {
  const Dit net = Dit::load(test::tiny_transformer(), Precision::fp32, machine.device);
  const test::TinyClip clip(1, 3, 5);
  Denoising how{.schedules = {Schedule(3.0), Schedule(2.0)}, .prediction = Prediction::x0, .sampler = sampler_named(sampler)};
  how.schedules.video.set_points(steps + 1);
  how.schedules.audio.set_points(steps + 1);
  how.tell = [](const std::string& note) { ADD_FAILURE() << note; };
  cuda_emulation::Asked before;
  Made made;
  made.values = run_sized(machine, [&](Context& ctx) {
    before = cuda_emulation::asked();
    const ClipRows rows = clip.rows(ctx);
    denoise(ctx, net, clip.layout, how, rows, [](std::size_t) { return true; });
    return test::joined(ctx, rows.video, rows.audio);
  });
  made.kernels = cuda_emulation::asked().kernels - before.kernels;
  made.graphs = cuda_emulation::asked().graphs - before.graphs;
  return made;
}

TEST(Replay, ReplayedEvaluationsGiveTheBytesOfDirectOnes) {
  Machine replaying = cuda_machine(), direct = cuda_machine();
  direct.graphs = false;
  const Made expected = denoised(direct, "euler", 3), found = denoised(replaying, "euler", 3);
  EXPECT_EQ(expected.values, found.values);
  EXPECT_EQ(expected.graphs, 0U);
  EXPECT_EQ(found.graphs, 2U);  // of three evaluations the first is direct
  EXPECT_LT(found.kernels, expected.kernels);
}

// A sampler of two evaluations a step takes tensors between them.
TEST(Replay, AGraphIsOfOneHeightOfTheArena) {
  Replay replay;
  const std::size_t before = cuda_emulation::asked().graphs;
  const std::vector<float> sums = run_in(cuda_machine(), 1024, [&](Context& ctx) {
    const Tensor sum = constant(ctx, std::vector<float>{0.0F}, {1});
    for (int step = 0; step < 3; ++step) {
      const Arena::Scope scope(ctx.arena);
      for (int i = 0; i < 2; ++i) {
        const Tensor addend = constant(ctx, std::vector<float>{static_cast<float>(i + 1)}, {1});
        replay.run(ctx, [&] { add_into(ctx, addend, sum); });
      }
    }
    return to_host(ctx, sum);
  });
  EXPECT_EQ(sums, std::vector<float>{9.0F});
  EXPECT_EQ(cuda_emulation::asked().graphs - before, 4U);
}

TEST(Replay, TheProcessorIsAskedEveryTime) {
  Replay replay;
  int times = 0;
  run_in(cpu_machine(1), 64, [&](Context& ctx) {
    for (int i = 0; i < 3; ++i) replay.run(ctx, [&] { ++times; });
  });
  EXPECT_EQ(times, 3);
  EXPECT_EQ(replay.refusal(), "");
}

/// What capturing `work` says.
std::string refusal_of(const Stream& stream, const std::function<void()>& work) {
  try {
    (void)Graph::capture(stream.handle(), work);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::unavailable);
    return error.what();
  }
}

TEST(Graph, IsRefusedToWorkThatAllocatesWaitsOrTouchesTheHost) {
  const Stream stream;
  Buffer device(16, Buffer::Place::device);
  float host = 1.0F;
  EXPECT_EQ(refusal_of(stream, [&] { (void)Buffer(64, Buffer::Place::device); }),
            "CUDA: taking 0 MiB of device memory failed: operation not permitted when stream is capturing");
  EXPECT_EQ(refusal_of(stream, [&] { stream.wait(); }),
            "CUDA: the work of a stream failed: operation not permitted when stream is capturing");
  EXPECT_EQ(refusal_of(stream, [&] { copy_bytes(device.data(), &host, sizeof host, stream.handle()); }),
            "CUDA: a graph cannot hold a copy from or to the host");
  // Whoever swallows the first failure is told at the end.
  EXPECT_EQ(refusal_of(stream,
                       [&] {
                         try {
                           stream.wait();
                         } catch (const Error&) {
                         }
                       }),
            "CUDA: capturing a stream failed: operation failed due to a previous error during capture");
  copy_bytes(device.data(), &host, sizeof host, stream.handle());  // the stream can be used again
  EXPECT_EQ(refusal_of(stream, [&] { copy_on_device(device.data(), device.data(), 4, stream.handle()); }), "");
}

TEST(Replay, WorkThatCannotBeCapturedIsDoneDirectlyAndSaysSo) {
  const Machine machine = cuda_machine();
  const float one = 1.0F;
  Replay replay;
  const std::vector<float> sums = run_in(machine, 256, [&](Context& ctx) {
    const Tensor sum = constant(ctx, std::vector<float>{0.0F}, {1}), addend = ctx.arena.take({1});
    for (int i = 0; i < 4; ++i) {
      replay.run(ctx, [&] {
        copy_bytes(addend.data, &one, sizeof one, ctx.exec.stream);
        add_into(ctx, addend, sum);
      });
    }
    return to_host(ctx, sum);
  });
  EXPECT_EQ(sums, std::vector<float>{4.0F});
  EXPECT_EQ(replay.refusal(),
            "no CUDA graph was made, so the transformer's kernels are launched one by one: CUDA: a graph cannot hold a copy from or to the "
            "host");
}

}  // namespace
}  // namespace fabula::h3
