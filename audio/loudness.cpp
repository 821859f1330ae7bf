// libebur128 behind a handle.
#include "audio/loudness.h"

#include <ebur128.h>

#include <algorithm>
#include <cmath>

#include "audio/mix.h"
#include "base/error.h"

namespace fabula {
namespace {

void check(int code, const char* call) {
  if (code != EBUR128_SUCCESS)
    throw Error(ExitCode::internal, std::string("libebur128: ") + call + " failed with code " + std::to_string(code));
}

}  // namespace

struct LoudnessMeter::Impl {
  // The histogram keeps the blocks' energies in bins of 0.1 LU instead of a list that grows.
  explicit Impl(int modes) : state(ebur128_init(film_channels, film_sample_rate, modes)) {
    if (state == nullptr) throw Error(ExitCode::out_of_memory, "no memory to measure the film's loudness");
  }
  ~Impl() { ebur128_destroy(&state); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  ebur128_state* state;
};

LoudnessMeter::LoudnessMeter(Measures measures)
    : impl_(std::make_unique<Impl>(EBUR128_MODE_I | EBUR128_MODE_HISTOGRAM |
                                   (measures == Measures::loudness_and_peak ? EBUR128_MODE_TRUE_PEAK : 0))) {}
LoudnessMeter::~LoudnessMeter() = default;
LoudnessMeter::LoudnessMeter(LoudnessMeter&&) noexcept = default;
LoudnessMeter& LoudnessMeter::operator=(LoudnessMeter&&) noexcept = default;

void LoudnessMeter::add(std::span<const float> interleaved_stereo) {
  check(ebur128_add_frames_float(impl_->state, interleaved_stereo.data(), interleaved_stereo.size() / film_channels),
        "ebur128_add_frames_float");
}

double LoudnessMeter::integrated_lufs() const {
  double lufs = 0.0;
  check(ebur128_loudness_global(impl_->state, &lufs), "ebur128_loudness_global");
  return lufs;
}

double LoudnessMeter::true_peak_dbtp() const {
  double loudest = 0.0;
  for (unsigned channel = 0; channel < film_channels; ++channel) {
    double peak = 0.0;
    check(ebur128_true_peak(impl_->state, channel, &peak), "ebur128_true_peak");
    loudest = std::max(loudest, peak);
  }
  return 20.0 * std::log10(loudest);
}

}  // namespace fabula
