// Resampling, conforming, loudness and limiting.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <numbers>
#include <random>
#include <vector>

#include "audio/limiter.h"
#include "audio/loudness.h"
#include "audio/master.h"
#include "audio/mix.h"
#include "audio/resample.h"
#include "base/error.h"
#include "engine/film/film.h"

namespace fabula {
namespace {

std::vector<float> sine(double hertz, double amplitude, int rate, std::int64_t count, double phase = 0.3) {
  std::vector<float> samples(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<float>(amplitude * std::sin(2.0 * std::numbers::pi * hertz * static_cast<double>(i) / rate + phase));
  }
  return samples;
}

std::vector<float> both_sides(const std::vector<float>& mono) {
  std::vector<float> stereo;
  for (const float sample : mono) stereo.insert(stereo.end(), {sample, sample});
  return stereo;
}

double decibels(double ratio) { return 20.0 * std::log10(ratio); }

double rms(std::span<const float> x) {
  double sum = 0.0;
  for (const float v : x) sum += static_cast<double>(v) * v;
  return std::sqrt(sum / static_cast<double>(x.size()));
}

// Root mean square of a − b over the middle, away from the ends where the silence outside is heard.
double error_rms(const std::vector<float>& a, const std::vector<float>& b, std::size_t margin) {
  double sum = 0.0;
  for (std::size_t i = margin; i < a.size() - margin; ++i) sum += std::pow(static_cast<double>(a[i]) - b[i], 2);
  return std::sqrt(sum / static_cast<double>(a.size() - 2 * margin));
}

TEST(Resample, KeepsASineItsLevelPhaseAndNothingElse) {
  for (const int from : {8000, 16000, 22050, 32000, 44100}) {
    for (const double part : {0.02, 0.2, 0.5, 0.85}) {  // of the input's Nyquist frequency
      const double hertz = part * from / 2;
      const auto out = resample(sine(hertz, 0.5, from, from), from, 48000);
      ASSERT_EQ(out.size(), 48000U);
      const double residue = decibels(error_rms(out, sine(hertz, 0.5, 48000, 48000), 2000) / (0.5 / std::numbers::sqrt2));
      EXPECT_LT(residue, -85.0) << from << " Hz, sine of " << hertz << " Hz: distortion, images and level error in dB below the sine";
    }
  }
}

TEST(Resample, RemovesWhatTheLowerRateCannotHold) {
  const auto out = resample(sine(12000.0, 0.5, 48000, 48000), 48000, 16000);
  EXPECT_LT(decibels(rms(std::span(out).subspan(500, out.size() - 1000)) / (0.5 / std::numbers::sqrt2)), -85.0);
}

TEST(Resample, LeavesTheSameRateAloneAndTakesEmptyInput) {
  const auto in = sine(440.0, 0.5, 48000, 1000);
  EXPECT_EQ(resample(in, 48000, 48000), in);
  EXPECT_TRUE(resample({}, 16000, 48000).empty());
  EXPECT_EQ(resample(std::vector<float>{1.0F}, 16000, 48000).size(), 3U);
}

TEST(Conform, GivesExactlyTheSamplesAskedForWhateverTheShot) {
  std::int64_t total = 0;
  int start = 0;
  for (int i = 1; i <= 12; ++i) {  // the shots of a film at 22 frames of 12 a second
    const int end = static_cast<int>(std::lround(1000.0 * 22 * i / 12));
    const std::int64_t count = samples_before(frames_before(end, 24), 24) - samples_before(frames_before(start, 24), 24);
    const auto stereo = conform_sound({16000, 1, sine(440.0, 0.5, 16000, 29600)}, count);
    EXPECT_EQ(std::ssize(stereo), 2 * count);
    total += std::ssize(stereo) / 2;
    start = end;
  }
  EXPECT_EQ(total, 12 * 44 * 2000);
}

TEST(Conform, FadesBothEndsAndFillsUpWithSilence) {
  const auto stereo = conform_sound({16000, 1, std::vector<float>(1600, 0.5F)}, 10000);  // a tenth of a second, then silence
  ASSERT_EQ(stereo.size(), 20000U);
  EXPECT_EQ(stereo[0], 0.0F);
  EXPECT_NEAR(stereo[2 * 2400], 0.5F, 1e-3F);
  EXPECT_EQ(stereo[2 * 4799], 0.0F);
  float largest_jump = 0.0F;
  for (std::size_t i = 2; i < stereo.size(); i += 2) {
    largest_jump = std::max(largest_jump, std::abs(stereo[i] - stereo[i - 2]));
    ASSERT_EQ(stereo[i], stereo[i + 1]);
  }
  EXPECT_LT(largest_jump, 0.01F);
}

TEST(Conform, KeepsTheSidesOfStereoApart) {
  Sound sound{48000, 2, {}};
  for (int i = 0; i < 4800; ++i) sound.samples.insert(sound.samples.end(), {0.25F, -0.5F});
  const auto stereo = conform_sound(sound, 4800);
  EXPECT_EQ(stereo[2 * 2400], 0.25F);
  EXPECT_EQ(stereo[2 * 2400 + 1], -0.5F);
}

TEST(Conform, RefusesWhatItCannotMix) {
  EXPECT_THROW((void)conform_sound({16000, 6, {}}, 10), Error);
  EXPECT_THROW((void)conform_sound({0, 1, {}}, 10), Error);
}

// EBU Tech 3341: a stereo sine of 1 kHz at −23 dBFS measures −23 LUFS.
TEST(Loudness, OfAKnownSine) {
  for (const double level : {-23.0, -33.0}) {
    LoudnessMeter meter;
    meter.add(both_sides(sine(1000.0, std::pow(10.0, level / 20.0), 48000, 20 * 48000)));
    EXPECT_NEAR(meter.integrated_lufs(), level, 0.1);
    EXPECT_NEAR(meter.true_peak_dbtp(), level, 0.1);
  }
}

// A quarter of the rate, sampled 45 degrees off its crests: the samples reach −3 dB of the true peak.
TEST(Loudness, SeesPeaksBetweenTheSamples) {
  LoudnessMeter meter;
  meter.add(both_sides(sine(12000.0, 1.0, 48000, 48000, std::numbers::pi / 4)));
  EXPECT_NEAR(meter.true_peak_dbtp(), 0.0, 0.3);
}

TEST(Loudness, OfSilenceIsMinusInfinity) {
  LoudnessMeter meter;
  meter.add(std::vector<float>(96000, 0.0F));
  EXPECT_EQ(meter.integrated_lufs(), -INFINITY);
  EXPECT_EQ(meter.true_peak_dbtp(), -INFINITY);
}

std::vector<float> limited(const std::vector<float>& in, double ceiling, std::size_t piece) {
  Limiter limiter(ceiling);
  std::vector<float> out;
  for (std::size_t i = 0; i < in.size(); i += piece) limiter.process(std::span(in).subspan(i, std::min(piece, in.size() - i)), out);
  limiter.finish(out);
  return out;
}

TEST(Limiter, PassesWhatIsBelowTheCeilingUnchanged) {
  const auto in = both_sides(sine(997.0, 0.8, 48000, 5000));
  EXPECT_EQ(limited(in, -1.0, 1024), in);
}

TEST(Limiter, KeepsTheTruePeakBelowTheCeilingWhateverThePieces) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  std::normal_distribution<float> noise(0.0F, 0.7F);
  std::vector<float> in(2 * 48000);
  for (float& sample : in) sample = noise(random);
  const auto out = limited(in, -1.0, 4096);
  ASSERT_EQ(out.size(), in.size());
  EXPECT_EQ(out, limited(in, -1.0, 2));
  LoudnessMeter meter;
  meter.add(out);
  EXPECT_LT(meter.true_peak_dbtp(), -0.9);
  EXPECT_GT(meter.true_peak_dbtp(), -1.6) << "limited more than asked for";
}

struct Mastered {
  double gain = 0.0;
  std::size_t samples = 0;
  LoudnessMeter meter;
};

Mastered mastered(const std::vector<float>& stereo, const LoudnessTarget& target) {
  Mastered result;
  const Playback play = [&](const SampleReceiver& receive) {
    for (std::size_t i = 0; i < stereo.size(); i += 9600)
      receive(std::span(stereo).subspan(i, std::min<std::size_t>(9600, stereo.size() - i)));
  };
  result.gain = master_sound(play, target, [&](std::span<const float> samples) {
    result.samples += samples.size();
    result.meter.add(samples);
  });
  return result;
}

TEST(Master, BringsTheFilmToItsLoudness) {
  auto stereo = both_sides(sine(440.0, 0.02, 48000, 6 * 48000));
  for (std::size_t i = 0; i < stereo.size(); i += 48000) stereo[i] = stereo[i + 1] = 0.5F;  // clicks that would clip
  const Mastered result = mastered(stereo, {-16.0, -1.0});
  EXPECT_EQ(result.samples, stereo.size());
  EXPECT_NEAR(result.meter.integrated_lufs(), -16.0, 0.3);
  EXPECT_LT(result.meter.true_peak_dbtp(), -0.9);
}

TEST(Master, LeavesSilenceAloneAndDoesNotBlowUpNearSilence) {
  EXPECT_EQ(mastered(std::vector<float>(96000, 0.0F), {}).gain, 0.0);
  EXPECT_LE(mastered(both_sides(sine(440.0, 1e-4, 48000, 48000)), {}).gain, 24.0);
}

}  // namespace
}  // namespace fabula
