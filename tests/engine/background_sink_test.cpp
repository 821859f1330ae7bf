// A sink in a thread of its own: everything arrives, in order, and failures come back.
#include "engine/background_sink.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>

#include "base/error.h"
#include "tests/support/refusal.h"

namespace fabula {
namespace {

struct Seen {
  std::string order;
  std::shared_future<void> gate;  // frames wait for it
  std::string fails_at;
};

class SlowSink final : public MediaSink {
 public:
  explicit SlowSink(Seen& seen) : seen_(seen) {}
  void frame(const Image& image) override { note("f" + std::to_string(image.width)); }
  void samples(std::span<const float> samples) override { note("s" + std::to_string(samples.size())); }
  void finish() override { note("end"); }

 private:
  void note(const std::string& what) {
    if (seen_.gate.valid()) seen_.gate.wait();
    if (what == seen_.fails_at) throw Error(ExitCode::io, "the disk is full");
    seen_.order += what + " ";
  }
  Seen& seen_;
};

Image picture(int number) { return {number, 1, std::vector<std::uint8_t>(10)}; }

TEST(BackgroundSink, PassesEverythingOnInOrderAndFinishReturnsAtOnce) {
  Seen seen;
  std::promise<void> gate;
  seen.gate = gate.get_future().share();
  BackgroundSink sink(std::make_unique<SlowSink>(seen), 80);
  for (int i = 0; i < 5; ++i) sink.frame(picture(i));
  const std::vector<float> sound(6);
  sink.samples(sound);
  sink.finish();
  EXPECT_EQ(seen.order, "");
  gate.set_value();
  sink.wait();
  EXPECT_EQ(seen.order, "f0 f1 f2 f3 f4 s6 end ");
}

TEST(BackgroundSink, LetsNoMoreThanSomeFramesWait) {
  Seen seen;
  std::promise<void> gate;
  seen.gate = gate.get_future().share();
  BackgroundSink sink(std::make_unique<SlowSink>(seen), 20);
  std::atomic<int> given = 0;
  std::thread giver([&] {
    for (int i = 0; i < 9; ++i, ++given) sink.frame(picture(i));
  });
  while (given < 2) std::this_thread::yield();
  EXPECT_LE(given, 3) << "two wait, one is being written";
  gate.set_value();
  giver.join();
  sink.wait();
  EXPECT_EQ(seen.order, "f0 f1 f2 f3 f4 f5 f6 f7 f8 ");
}

TEST(BackgroundSink, TellsOfAFailureAndDropsTheRest) {
  Seen seen;
  seen.fails_at = "f1";
  BackgroundSink sink(std::make_unique<SlowSink>(seen), 20);
  const auto give_all = [&] {
    for (int i = 0; i < 9; ++i) sink.frame(picture(i));
    sink.finish();
    sink.wait();
  };
  EXPECT_EQ(test::refusal(give_all, ExitCode::io), "the disk is full");
  EXPECT_EQ(seen.order, "f0 ");
  EXPECT_EQ(test::refusal([&] { sink.wait(); }, ExitCode::io), "the disk is full");
}

TEST(BackgroundSink, MayGoBeforeItHasFinished) {
  Seen seen;
  {
    BackgroundSink sink(std::make_unique<SlowSink>(seen), 80);
    for (int i = 0; i < 5; ++i) sink.frame(picture(i));
  }
  EXPECT_EQ(seen.order.find("end"), std::string::npos);
}

}  // namespace
}  // namespace fabula
