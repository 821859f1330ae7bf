// Spools stems and writes them as WAV files.
#include "video/io/stem_files.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/output_file.h"
#include "video/io/av.h"
#include "video/io/sample_spool.h"
#include "video/io/wave_file.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

constexpr std::array names_of_stems = {"dialogue", "effects", "mix"};
constexpr std::size_t mix_index = 2;

void write_silence(SampleSpool& spool, std::int64_t frames) {
  const std::vector<float> silence(SampleSpool::piece_samples);
  for (std::int64_t left = frames * film_channels; left > 0; left -= std::ssize(silence))
    spool.write(std::span(silence).first(static_cast<std::size_t>(std::min(left, std::ssize(silence)))));
}

fs::path made(fs::path folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) throw Error(ExitCode::cannot_create, "the folder " + folder.string() + " cannot be created: " + failed.message());
  return folder;
}

}  // namespace

struct StemFiles::Impl {
  Impl(fs::path the_folder, Existing its_existing)
      : folder(made(std::move(the_folder))),
        existing(its_existing),
        spools{SampleSpool(folder / "x"), SampleSpool(folder / "x"), SampleSpool(folder / "x")} {}

  void fill_up() {
    for (SampleSpool& spool : spools) write_silence(spool, spools[mix_index].sample_frames() - spool.sample_frames());
  }

  fs::path folder;
  Existing existing;
  std::array<SampleSpool, 3> spools;
};

StemFiles::StemFiles(fs::path folder, Existing existing, std::int64_t lead) : impl_(std::make_unique<Impl>(std::move(folder), existing)) {
  av::prepare();
  for (const Stem stem : all_stems) write_silence(impl_->spools[static_cast<std::size_t>(stem)], lead);
}

StemFiles::~StemFiles() = default;

std::vector<fs::path> StemFiles::names(const fs::path& folder) {
  std::vector<fs::path> names;
  for (const char* name : names_of_stems) names.push_back(folder / (std::string(name) + ".wav"));
  return names;
}

void StemFiles::stem(Stem stem, std::span<const float> samples) { impl_->spools[static_cast<std::size_t>(stem)].write(samples); }
void StemFiles::mix(std::span<const float> samples) { impl_->spools[mix_index].write(samples); }

double StemFiles::residual_db() {
  impl_->fill_up();
  auto& [dialogue, effects, mix] = impl_->spools;
  for (SampleSpool* spool : {&dialogue, &effects, &mix}) spool->rewind();
  std::vector<float> d(SampleSpool::piece_samples), e(d), m(d);
  double difference = 0.0, whole = 0.0;
  while (const std::size_t got = mix.read(m)) {
    if (dialogue.read(d) != got || effects.read(e) != got) throw Error(ExitCode::io, "a scratch file ended before its time");
    for (std::size_t i = 0; i < got; ++i) {
      difference += std::pow(static_cast<double>(m[i]) - d[i] - e[i], 2);
      whole += std::pow(static_cast<double>(m[i]), 2);
    }
  }
  return 10.0 * std::log10(difference / whole);
}

void StemFiles::finish(double gain_db, double true_peak_dbtp, const std::string& title) {
  impl_->fill_up();
  const std::vector<fs::path> files = names(impl_->folder);
  for (std::size_t i = 0; i < files.size(); ++i) {
    OutputFile file(files[i], impl_->existing);
    WaveFile wave(file.scratch(), {.description = std::string(names_of_stems[i]) + " of " + title});
    play_limited([&](const SampleReceiver& receive) { impl_->spools[i].play(receive); }, gain_db, true_peak_dbtp,
                 [&](std::span<const float> samples) { wave.write(samples); });
    wave.finish();
    file.commit();
  }
}

}  // namespace fabula
