// Resampling, conforming, loudness and limiting.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <numbers>
#include <random>
#include <vector>

#include "audio/duck.h"
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

TEST(ShotSounds, AreExactlyAsLongAsTheirShots) {
  std::int64_t total = 0;
  int start = 0;
  ShotSounds sounds;
  for (int i = 1; i <= 12; ++i) {  // the shots of a film at 22 frames of 12 a second
    const int end = static_cast<int>(std::lround(1000.0 * 22 * i / 12));
    const std::int64_t count = samples_before(frames_before(end, 24), 24) - samples_before(frames_before(start, 24), 24);
    const auto stereo = sounds.next({16000, 1, sine(440.0, 0.5, 16000, 29600)}, {.count = count, .is_last = i == 12});
    EXPECT_EQ(std::ssize(stereo), 2 * count);
    total += std::ssize(stereo) / 2;
    start = end;
  }
  EXPECT_EQ(total, 12 * 44 * 2000);
}

TEST(ShotSounds, FadeBothEndsOfTheFilmAndFillUpWithSilence) {
  const auto stereo = ShotSounds().next({16000, 1, std::vector<float>(1600, 0.5F)},
                                        {.count = 10000, .is_last = true});  // a tenth of a second, then silence
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

TEST(ShotSounds, KeepTheSidesOfStereoApart) {
  Sound sound{48000, 2, {}};
  for (int i = 0; i < 4800; ++i) sound.samples.insert(sound.samples.end(), {0.25F, -0.5F});
  const auto stereo = ShotSounds().next(sound, {.count = 4800, .is_last = true});
  EXPECT_EQ(stereo[2 * 2400], 0.25F);
  EXPECT_EQ(stereo[2 * 2400 + 1], -0.5F);
}

TEST(ShotSounds, RefuseWhatCannotBeMixed) {
  EXPECT_THROW((void)ShotSounds().next({16000, 6, {}}, {.count = 10}), Error);
  EXPECT_THROW((void)ShotSounds().next({0, 1, {}}, {.count = 10}), Error);
}

// One film of two shots, and where it is cut.
struct TwoShots {
  std::vector<float> left;
  std::size_t cut;
};

TwoShots two_shots(const std::vector<float>& a, const std::vector<float>& b, int rate, std::int64_t count, const SoundEdges& how = {}) {
  ShotSounds sounds;
  TwoShots film{{}, static_cast<std::size_t>(count)};
  const SoundEdges first{count, how.handle, 0, how.fade_out, false}, second{count, 0, how.fade_in, 0, true};
  for (const auto& stereo : {sounds.next({rate, 1, a}, first), sounds.next({rate, 1, b}, second)}) {
    for (std::size_t i = 0; i < stereo.size(); i += 2) film.left.push_back(stereo[i]);
  }
  return film;
}

// Level in dB of 5 ms from `at` on.
double level(const TwoShots& film, std::size_t at) { return decibels(rms(std::span(film.left).subspan(at, 240))); }

TEST(ShotSounds, LeaveNoHoleAtACutWhetherTheShotsGoOnBeyondItOrNot) {
  std::mt19937 random(std::random_device{}());
  std::normal_distribution<float> noise(0.0F, 0.05F);
  for (const std::int64_t beyond : {0, 30, 240, 1000}) {  // sample frames that the first sound has past its end
    std::vector<float> a(static_cast<std::size_t>(9600 + beyond)), b(9600);
    for (auto* sound : {&a, &b}) {
      for (float& sample : *sound) sample = noise(random);
    }
    const TwoShots film = two_shots(a, b, 48000, 9600);
    const double around = decibels(0.05);
    for (std::size_t at = film.cut - 960; at <= film.cut + 960; at += 120)
      EXPECT_NEAR(level(film, at), around, 2.0) << beyond << " beyond, " << at << " against the cut at " << film.cut;
  }
}

// 22 frames of 12 a second are 1833 ms, and 73 latents of sound are 1825.
TEST(ShotSounds, LeaveNoHoleWhereTheSoundEndsALittleBeforeThePicture) {
  std::mt19937 random(std::random_device{}());
  std::normal_distribution<float> noise(0.0F, 0.05F);
  std::vector<float> a(9600 - 400), b = a;
  for (auto* sound : {&a, &b}) {
    for (float& sample : *sound) sample = noise(random);
  }
  const TwoShots film = two_shots(a, b, 48000, 9600);
  for (std::size_t at = film.cut - 960; at <= film.cut + 960; at += 120)
    EXPECT_NEAR(level(film, at), decibels(0.05), 2.0) << at << " against the cut at " << film.cut;
}

TEST(ShotSounds, DoNotClickAtACut) {
  const auto a = sine(220.0, 0.4, 48000, 9600, 0.3), b = sine(220.0, 0.4, 48000, 9600, 2.9);  // out of phase
  const TwoShots film = two_shots(a, b, 48000, 9600);
  float largest_step = 0.0F;
  for (std::size_t i = 240; i + 241 < film.left.size(); ++i)
    largest_step = std::max(largest_step, std::abs(film.left[i + 1] - film.left[i]));
  const double of_the_sine = 0.4 * 2.0 * std::numbers::pi * 220.0 / 48000.0;
  EXPECT_LT(largest_step, 2.0 * of_the_sine);
}

TEST(ShotSounds, CrossFromASoundThatEndedEarlyAsFromSilence) {
  const TwoShots film = two_shots(std::vector<float>(4800, 0.5F), std::vector<float>(9600, 0.5F), 48000, 9600);
  EXPECT_EQ(film.left[9599], 0.0F);
  EXPECT_LT(film.left[9600], 0.01F);
  EXPECT_NEAR(film.left[9840], 0.5F, 1e-6F);
}

TEST(ShotSounds, CrossOverTheWholeOfADissolveWithoutAHole) {
  std::mt19937 random(std::random_device{}());
  std::normal_distribution<float> noise(0.0F, 0.05F);
  for (const std::int64_t beyond : {0, 6000, 24000}) {  // sample frames that the first sound has past its end
    std::vector<float> a(static_cast<std::size_t>(48000 + beyond)), b(48000);
    for (auto* sound : {&a, &b}) {
      for (float& sample : *sound) sample = noise(random);
    }
    const TwoShots film = two_shots(a, b, 48000, 48000, {.handle = 24000});
    for (std::size_t at = film.cut - 960; at <= film.cut + 25000; at += 480)
      EXPECT_NEAR(level(film, at), decibels(0.05), 2.5) << beyond << " beyond, " << at << " against the cut at " << film.cut;
  }
}

// The first shot's last word ends 100 ms before the cut; it must not be heard again under the next shot.
TEST(ShotSounds, RepeatNoWordUnderADissolve) {
  std::vector<float> a(48000, 0.0F);
  for (std::size_t i = 0; i < 43200; ++i) a[i] = 0.4F;
  const TwoShots film = two_shots(a, std::vector<float>(48000, 0.0F), 48000, 48000, {.handle = 24000});
  for (std::size_t i = film.cut; i < film.left.size(); ++i) ASSERT_EQ(film.left[i], 0.0F) << i;
}

TEST(ShotSounds, FadeToSilenceAndBackWithThePicture) {
  const TwoShots film =
      two_shots(sine(440.0, 0.4, 48000, 50000), sine(440.0, 0.4, 48000, 48000), 48000, 48000, {.fade_in = 9600, .fade_out = 9600});
  const double whole = decibels(0.4 / std::numbers::sqrt2);
  EXPECT_NEAR(level(film, film.cut - 9900), whole, 0.5);
  EXPECT_NEAR(level(film, film.cut - 4800 - 120), whole - 6.0, 0.7);
  EXPECT_LT(level(film, film.cut - 240), whole - 40.0);
  EXPECT_LT(level(film, film.cut), whole - 40.0);
  EXPECT_NEAR(level(film, film.cut + 4800 - 120), whole - 6.0, 0.7);
  EXPECT_NEAR(level(film, film.cut + 9700), whole, 0.5);
}

TEST(Ducked, TheBedGivesWayWhileSomebodySpeaksAndComesBack) {
  plan::Film film;
  film.shots.resize(2);
  film.shots[1].start_ms = 5000;
  film.shots[1].dialogue = {{"fox", "hello", 6000, 7000}};
  const std::vector<float> bed(3 * 1000, 0.5F), voice(2 * 1000, 0.25F);
  const Sound mix = ducked({1000, 1, voice}, {1000, 1, bed}, film, 1, 20.0);
  ASSERT_EQ(mix.samples.size(), bed.size());
  EXPECT_NEAR(mix.samples[800], 0.25F + 0.5F, 1e-6F);
  EXPECT_NEAR(mix.samples[1000], 0.25F + 0.05F, 1e-3F);
  EXPECT_NEAR(mix.samples[1999], 0.25F + 0.05F, 1e-3F);
  EXPECT_NEAR(mix.samples[2200], 0.5F * std::pow(10.0F, -0.5F), 1e-3F);
  EXPECT_NEAR(mix.samples[2500], 0.5F, 1e-6F);
  for (std::size_t i = 1001; i < 1999; ++i) ASSERT_LT(std::abs(mix.samples[i] - mix.samples[i - 1]), 1e-3F);
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

struct Master {
  Mastered result;
  std::size_t samples = 0;
  LoudnessMeter meter;
};

Master mastered(const std::vector<float>& stereo, const LoudnessTarget& target) {
  Master master;
  const Playback play = [&](const SampleReceiver& receive) {
    for (std::size_t i = 0; i < stereo.size(); i += 9600)
      receive(std::span(stereo).subspan(i, std::min<std::size_t>(9600, stereo.size() - i)));
  };
  master.result = master_sound(play, target, [&](std::span<const float> samples) {
    master.samples += samples.size();
    master.meter.add(samples);
  });
  return master;
}

TEST(Master, BringsTheFilmToItsLoudness) {
  auto stereo = both_sides(sine(440.0, 0.02, 48000, std::int64_t{6} * 48000));
  for (std::size_t i = 0; i < stereo.size(); i += 48000) stereo[i] = stereo[i + 1] = 0.5F;  // clicks that would clip
  const Master master = mastered(stereo, {-16.0, -1.0});
  EXPECT_EQ(master.samples, stereo.size());
  EXPECT_NEAR(master.meter.integrated_lufs(), -16.0, 0.3);
  EXPECT_LT(master.meter.true_peak_dbtp(), -0.9);
  EXPECT_EQ(master.result.lufs, master.meter.integrated_lufs());
  EXPECT_FALSE(master.result.gain_was_limited);
}

// Noise with peaks that every preset but the quiet ones must limit.
TEST(Master, ReachesEveryPresetWithinItsToleranceAndPeak) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  std::normal_distribution<float> noise(0.0F, 0.02F);
  std::vector<float> stereo(std::size_t{2} * 3 * 48000);
  for (std::size_t i = 0; i < stereo.size(); ++i) stereo[i] = noise(random) * (i % 24000 < 1200 ? 12.0F : 1.0F);
  for (const LoudnessPreset& preset : loudness_presets) {
    const Master master = mastered(stereo, preset.target);
    EXPECT_NEAR(master.meter.integrated_lufs(), preset.target.lufs, tolerance_lu / 2) << preset.name;
    EXPECT_LT(master.meter.true_peak_dbtp(), preset.target.true_peak_dbtp + 0.1) << preset.name;
    EXPECT_EQ(master.result.true_peak_dbtp, master.meter.true_peak_dbtp());
  }
}

TEST(Master, LeavesSilenceAloneAndDoesNotBlowUpNearSilence) {
  const Mastered silence = mastered(std::vector<float>(96000, 0.0F), {}).result;
  EXPECT_EQ(silence.gain_db, 0.0);
  EXPECT_FALSE(silence.gain_was_limited);
  const Mastered faint = mastered(both_sides(sine(440.0, 1e-3, 48000, 48000)), {}).result;
  EXPECT_EQ(faint.gain_db, most_gain_db);
  EXPECT_TRUE(faint.gain_was_limited);
}

}  // namespace
}  // namespace fabula
