// Sound files through FFmpeg's WAV muxer.
#include "video/io/wave_file.h"

#include <utility>

#include "audio/mix.h"
#include "base/error.h"
#include "video/io/av.h"
#include "video/io/encoders.h"
#include "video/io/sample_spool.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

// 24-bit little-endian samples as a packet.
void pack(std::span<const float> samples, AVPacket& packet) {
  av::check(av_new_packet(&packet, static_cast<int>(3 * samples.size())), ExitCode::out_of_memory, "no memory for a packet");
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto value = static_cast<std::uint32_t>(av::sample_24(samples[i]));
    for (std::size_t byte = 0; byte < 3; ++byte) packet.data[3 * i + byte] = static_cast<std::uint8_t>(value >> 8 * byte);
  }
}

}  // namespace

struct WaveFile::Impl {
  void checked(int code) const { av::check(code, ExitCode::io, "a sound file could not be written"); }

  av::Output context;
  av::Packet packet = av::new_packet();
  std::int64_t sent = 0;
};

WaveFile::WaveFile(const fs::path& file, const WaveNotes& notes) : impl_(std::make_unique<Impl>()) {
  AVFormatContext* context = nullptr;
  av::check(avformat_alloc_output_context2(&context, nullptr, "wav", av::url(file).c_str()), ExitCode::unavailable,
            "FFmpeg cannot write WAV");
  impl_->context.reset(context);
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
  for (const auto& [key, value] : {std::pair{"description", notes.description},
                                   {"originator", std::string("Fabula")},
                                   {"time_reference", std::to_string(notes.time_reference)},
                                   {"comment", notes.comment},
                                   {"encoder", notes.tool}}) {
    if (!value.empty()) impl_->checked(av_dict_set(&context->metadata, key, value.c_str(), 0));
  }
  impl_->checked(av_opt_set(context->priv_data, "write_bext", "1", 0));
  impl_->checked(av_opt_set(context->priv_data, "rf64", "auto", 0));  // from 4 GB on
  impl_->checked(avio_open(&context->pb, context->url, AVIO_FLAG_WRITE));
  impl_->checked(avformat_write_header(context, nullptr));
}

WaveFile::~WaveFile() = default;

void WaveFile::write(std::span<const float> samples) {
  AVPacket& packet = *impl_->packet;
  pack(samples, packet);
  packet.pts = packet.dts = impl_->sent;
  packet.duration = std::ssize(samples) / film_channels;
  impl_->sent += packet.duration;
  impl_->checked(av_write_frame(impl_->context.get(), &packet));
  av_packet_unref(&packet);
}

void WaveFile::finish() {
  AVFormatContext& context = *impl_->context;
  impl_->checked(av_write_trailer(&context));
  avio_flush(context.pb);
  impl_->checked(context.pb->error);
  impl_->checked(avio_closep(&context.pb));
}

struct WaveSink::Impl {
  Impl(fs::path output, SinkOptions the_options)
      : options(std::move(the_options)), file(std::move(output), options.existing), sound(file.scratch()) {}

  SinkOptions options;
  OutputFile file;
  SampleSpool sound;
  std::optional<Mastered> mastered;
};

WaveSink::WaveSink(fs::path output, SinkOptions options) {
  av::prepare();
  if (options.crf) throw Error(ExitCode::usage, "--crf: sound has no constant rate factor");
  impl_ = std::make_unique<Impl>(std::move(output), std::move(options));
}

WaveSink::~WaveSink() = default;

const fs::path& WaveSink::output() const { return impl_->file.output(); }
const std::optional<Mastered>& WaveSink::mastered() const { return impl_->mastered; }
void WaveSink::samples(std::span<const float> interleaved_stereo) { impl_->sound.write(interleaved_stereo); }

void WaveSink::finish() {
  Impl& f = *impl_;
  const SinkOptions& o = f.options;
  if (f.sound.sample_frames() == 0) throw Error(ExitCode::internal, "a film without sound cannot be a sound file");
  WaveNotes notes{.description = o.title,
                  .time_reference = first_frame_number(o.rate) * film_sample_rate * o.rate.den / o.rate.num,
                  .comment = o.comment};
  if (o.labels) {
    notes.comment +=
        (notes.comment.empty() ? "" : " ") + std::string("DigitalSourceType ") + trained_algorithmic_media + " AIGC " + aigc_of(*o.labels);
    notes.tool = o.labels->producer;
  }
  WaveFile wave(f.file.scratch(), notes);
  f.mastered = master_sound([&](const SampleReceiver& receive) { f.sound.play(receive); }, o.loudness,
                            [&](std::span<const float> samples) { wave.write(samples); });
  wave.finish();
  if (o.sign) o.sign(f.file.scratch());
  if (o.check) o.check(f.file.scratch());
  f.file.commit();
}

}  // namespace fabula
