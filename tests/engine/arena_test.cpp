// The arena: alignment, scopes, peak, refusal.
#include "engine/arena.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "base/error.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace fabula {
namespace {

TEST(Arena, HandsOutAlignedMemoryThatDoesNotOverlap) {
  Arena arena(4096);
  const Tensor a = arena.take({3});
  const Tensor b = arena.take({2, 5}, DType::bf16);
  const Tensor c = arena.take({7});
  for (const Tensor& tensor : {a, b, c}) EXPECT_EQ(0U, reinterpret_cast<std::uintptr_t>(tensor.data) % Arena::alignment);
  EXPECT_GE(b.as<char>(), a.as<char>() + a.bytes());
  EXPECT_GE(c.as<char>(), b.as<char>() + b.bytes());
  EXPECT_EQ(Shape({2, 5}), b.shape);
  EXPECT_EQ(DType::bf16, b.dtype);
}

TEST(Arena, ScopeGivesBackWhatWasTakenInItAndThePeakStays) {
  Arena arena(4096);
  const Tensor before = arena.take({16});
  const std::size_t used = arena.used();
  void* first = nullptr;
  {
    const Arena::Scope scope(arena);
    first = arena.take({64}).data;
    {
      const Arena::Scope inner(arena);
      (void)arena.take({128});
    }
    EXPECT_EQ(used + 256, arena.used());
  }
  EXPECT_EQ(used, arena.used());
  EXPECT_EQ(used + 256 + 512, arena.peak());
  EXPECT_EQ(first, arena.take({1}).data);
  EXPECT_NE(before.data, first);
}

TEST(Arena, RefusesMoreThanItsCapacityAndStaysUsable) {
  Arena arena(256);
  (void)arena.take({48});
  try {
    (void)arena.take({17});
    FAIL() << "took more than there is";
  } catch (const Error& error) {
    EXPECT_EQ(ExitCode::internal, error.code());
    EXPECT_NE(std::string::npos, std::string(error.what()).find("(17) f32"));
  }
  EXPECT_NE(nullptr, arena.take({16}).data);
  EXPECT_EQ(256U, arena.used());
}

TEST(Arena, DryCountsAsTheRealOneDoes) {
  Arena dry = Arena::dry();
  Arena real(1 << 16);
  for (Arena* arena : {&dry, &real}) {
    (void)arena->take({5});
    const Arena::Scope scope(*arena);
    (void)arena->take({1000, 3}, DType::bf16);
    (void)arena->take({0, 3});
  }
  EXPECT_TRUE(dry.is_dry());
  EXPECT_FALSE(real.is_dry());
  EXPECT_EQ(real.used(), dry.used());
  EXPECT_EQ(real.peak(), dry.peak());
  EXPECT_EQ(nullptr, dry.take({5}).data);
}

// What FABULA_GUARD=1 is for: see engine/guarded_memory.h.
class GuardedArena : public testing::Test {
 protected:
  GuardedArena() {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    setenv("FABULA_GUARD", "1", 1);
  }
  ~GuardedArena() override { unsetenv("FABULA_GUARD"); }
};

TEST_F(GuardedArena, CountsAsAnyOther) {
  Arena arena(4096);
  const Tensor a = arena.take({3});
  {
    const Arena::Scope scope(arena);
    const Tensor b = arena.take({1000}, DType::bf16);
    EXPECT_EQ(0U, reinterpret_cast<std::uintptr_t>(b.data) % Arena::alignment);
    b.as<std::uint16_t>()[999] = 1;
  }
  EXPECT_EQ(64U, arena.used());
  EXPECT_EQ(64U + 2048, arena.peak());
  EXPECT_TRUE(std::isnan(a.f32()[2])) << "nothing has been written yet";
}

TEST_F(GuardedArena, AReadBehindATensorIsAFault) {
  Arena arena(4096);
  const volatile float* data = arena.take({16}).f32();
  EXPECT_TRUE(std::isnan(data[15])) << "its own last value can be read";
  EXPECT_DEATH((void)data[16], "");
}

TEST_F(GuardedArena, AWriteBetweenATensorAndItsPageIsFound) {
  EXPECT_DEATH(
      {
        Arena arena(4096);
        const Arena::Scope scope(arena);
        arena.take({3}).f32()[3] = 0.0F;
      },
      "past the end of a tensor of 12 bytes");
}

TEST_F(GuardedArena, AReadAfterTheScopeIsAFault) {
  Arena arena(4096);
  const volatile float* data = nullptr;
  {
    const Arena::Scope scope(arena);
    data = arena.take({16}).f32();
  }
  const Tensor next = arena.take({16});
  EXPECT_NE(next.f32(), data);
  EXPECT_DEATH((void)data[0], "");
}

TEST(Arena, PoisonsWhatIsTakenAndGivenBackInDebugBuilds) {
#ifdef NDEBUG
  GTEST_SKIP() << "a release build does not poison";
#endif
  Arena arena(1024);
  float* stale = nullptr;
  {
    const Arena::Scope scope(arena);
    const Tensor tensor = arena.take({4});
    stale = tensor.f32();
    EXPECT_TRUE(std::isnan(stale[3]));
    stale[3] = 1.0F;
  }
#ifdef __SANITIZE_ADDRESS__
  EXPECT_EQ(__asan_address_is_poisoned(&stale[3]), 1);
#else
  EXPECT_TRUE(std::isnan(stale[3]));
#endif
}

}  // namespace
}  // namespace fabula
