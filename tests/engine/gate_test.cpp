// The gate: what it refuses, one fault at a time, and what it must let pass.
#include "engine/film/gate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fabula {
namespace {

constexpr int width = 16, height = 8, rate = 16000;

// A dot that moves over a ground of one colour, and a tone.
Take good_take() {
  Take take;
  for (int k = 0; k < 10; ++k) {
    Image image{width, height, {}};
    for (int pixel = 0; pixel < width * height; ++pixel) image.rgb.insert(image.rgb.end(), {40, 120, 60});
    for (std::size_t c = 0; c < 3; ++c) image.rgb[3 * static_cast<std::size_t>(k) + c] = 220;
    take.frames.push_back(image);
  }
  take.sound = {rate, 1, {}};
  for (int i = 0; i < rate; ++i) take.sound.samples.push_back(0.1F * static_cast<float>(std::sin(0.1 * i)));
  return take;
}

constexpr TakeExpected all_of_it{.moves = true, .sounds = true};
std::string fault(const Take& take, const TakeExpected& expected = all_of_it) { return fault_of(measures_of(take), expected); }

TEST(Gate, LetsATakePassThatMovesAndSounds) {
  EXPECT_EQ(fault(good_take()), "");
  const Colours own = measures_of(good_take()).colours;
  EXPECT_EQ(fault(good_take(), {true, true, &own}), "");
}

TEST(Gate, RefusesABlackPicture) {
  Take take = good_take();
  for (Image& image : take.frames) {
    for (std::uint8_t& value : image.rgb) value /= 50;
  }
  EXPECT_EQ(fault(take), "is black");
  take.frames[4] = good_take().frames[4];
  EXPECT_EQ(fault(take), "") << "one picture is seen";
}

TEST(Gate, RefusesAFrozenPictureWhereThePlanMoves) {
  Take take = good_take();
  for (Image& image : take.frames) image = take.frames[0];
  EXPECT_EQ(fault(take), "does not move");
  EXPECT_EQ(fault(take, {.moves = false, .sounds = true}), "");
}

TEST(Gate, RefusesASilentOrClippedSoundWhereTheScoreSounds) {
  Take take = good_take();
  for (float& sample : take.sound.samples) sample *= 0.001F;
  EXPECT_EQ(fault(take), "is silent");
  EXPECT_EQ(fault(take, {.moves = true, .sounds = false}), "");
  for (float& sample : take.sound.samples) sample = 0.0F;
  EXPECT_EQ(fault(take), "is silent");
  take.sound.samples[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(fault(take), "is silent") << "no sound at all";

  take = good_take();
  for (float& sample : take.sound.samples) sample = std::clamp(20.0F * sample, -1.0F, 1.0F);
  EXPECT_EQ(fault(take), "has a clipped sound");
  EXPECT_EQ(fault(take, {.moves = true, .sounds = false}), "");
}

TEST(Gate, RefusesColoursThatAreNotThoseOfThePlace) {
  Take take = good_take();
  for (Image& image : take.frames) {
    for (std::size_t i = 0; i < image.rgb.size(); i += 3) std::swap(image.rgb[i], image.rgb[i + 1]);
  }
  const Colours place = measures_of(good_take()).colours;
  EXPECT_EQ(fault(take, {true, true, &place}), "does not have the colours of its place");
  EXPECT_EQ(fault(take), "") << "nothing is known of the place";
  EXPECT_NEAR(colour_distance(place, place), 0.0, 1e-12);
  EXPECT_NEAR(colour_distance(place, measures_of(take).colours), 1.0 - 1.0 / (width * height), 1e-9) << "the dot alone is alike";
}

TEST(Gate, ExpectsWhatThePlanAsksFor) {
  plan::Shot shot;
  shot.camera.move = "static";
  EXPECT_FALSE(expected_of(shot, {}).moves);
  EXPECT_FALSE(expected_of(shot, {}).sounds);
  shot.camera.move = "push_in";
  EXPECT_TRUE(expected_of(shot, {}).moves);
  shot.camera.move = "static";
  shot.action_beats.push_back({0, "fox", "runs"});
  EXPECT_TRUE(expected_of(shot, {}).moves);
  EXPECT_TRUE(expected_of(shot, {1, {0.0F}, {0.5}}).sounds);
}

}  // namespace
}  // namespace fabula
