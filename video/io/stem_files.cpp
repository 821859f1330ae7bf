// Spools stems and writes them through FFmpeg's WAV muxer.
#include "video/io/stem_files.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "video/io/av.h"
#include "video/io/sample_spool.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

constexpr std::array names_of_stems = {"dialogue", "effects", "mix"};
constexpr std::size_t mix_index = 2;

// 24-bit little-endian samples as a packet.
void pack(std::span<const float> samples, AVPacket& packet) {
  constexpr double largest = 8388607.0;
  av::check(av_new_packet(&packet, static_cast<int>(3 * samples.size())), ExitCode::out_of_memory, "no memory for a packet");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto value = static_cast<std::uint32_t>(std::lround(std::clamp(static_cast<double>(samples[i]), -1.0, 1.0) * largest));
    for (std::size_t byte = 0; byte < 3; ++byte) packet.data[3 * i + byte] = static_cast<std::uint8_t>(value >> 8 * byte);
  }
}

class WaveFile {
 public:
  WaveFile(fs::path output, Existing existing, const std::string& description)
      : file_(std::move(output), existing), packet_(av::new_packet()) {
    AVFormatContext* context = nullptr;
    av::check(avformat_alloc_output_context2(&context, nullptr, "wav", av::url(file_.scratch()).c_str()), ExitCode::unavailable,
              "FFmpeg cannot write WAV");
    context_.reset(context);
    context->flags |= AVFMT_FLAG_BITEXACT;
    AVStream* stream = av::allocated(avformat_new_stream(context, nullptr));
    AVCodecParameters& p = *stream->codecpar;
    p.codec_type = AVMEDIA_TYPE_AUDIO;
    p.codec_id = AV_CODEC_ID_PCM_S24LE;
    p.format = AV_SAMPLE_FMT_S32;
    p.sample_rate = film_sample_rate;
    p.bits_per_coded_sample = p.bits_per_raw_sample = 24;
    p.block_align = 3 * film_channels;
    av_channel_layout_default(&p.ch_layout, film_channels);
    stream->time_base = {1, film_sample_rate};
    for (const auto& [key, value] :
         {std::pair{"description", description}, {"originator", std::string("Fabula")}, {"time_reference", std::string("0")}})
      checked(av_dict_set(&context->metadata, key, value.c_str(), 0));
    checked(av_opt_set(context->priv_data, "write_bext", "1", 0));
    checked(av_opt_set(context->priv_data, "rf64", "auto", 0));  // from 4 GB on
    checked(avio_open(&context->pb, context->url, AVIO_FLAG_WRITE));
    checked(avformat_write_header(context, nullptr));
  }

  void write(std::span<const float> samples) {
    pack(samples, *packet_);
    packet_->pts = packet_->dts = sent_;
    packet_->duration = std::ssize(samples) / film_channels;
    sent_ += packet_->duration;
    checked(av_write_frame(context_.get(), packet_.get()));
    av_packet_unref(packet_.get());
  }

  void finish() {
    checked(av_write_trailer(context_.get()));
    avio_flush(context_->pb);
    checked(context_->pb->error);
    checked(avio_closep(&context_->pb));
    file_.commit();
  }

 private:
  void checked(int code) const { av::check(code, ExitCode::io, file_.output().string() + " could not be written"); }

  OutputFile file_;
  av::Output context_;
  av::Packet packet_;
  std::int64_t sent_ = 0;
};

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
  av::quiet();
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
    WaveFile file(files[i], impl_->existing, std::string(names_of_stems[i]) + " of " + title);
    play_limited([&](const SampleReceiver& receive) { impl_->spools[i].play(receive); }, gain_db, true_peak_dbtp,
                 [&](std::span<const float> samples) { file.write(samples); });
    file.finish();
  }
}

}  // namespace fabula
