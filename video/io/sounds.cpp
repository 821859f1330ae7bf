// Decodes a file's sound: a conversion of the samples' format, nothing else.
#include "video/io/sounds.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "video/io/av.h"
#include "video/io/probe.h"

namespace fabula {
namespace {

// A sample of any of libav's formats.
float sample_at(const AVFrame& frame, int channel, int i) {
  const auto format = static_cast<AVSampleFormat>(frame.format);
  const bool planar = av_sample_fmt_is_planar(format) != 0;
  const std::uint8_t* data = frame.extended_data[planar ? channel : 0];
  const int at = planar ? i : i * frame.ch_layout.nb_channels + channel;
  switch (av_get_packed_sample_fmt(format)) {
    case AV_SAMPLE_FMT_U8:
      return (static_cast<float>(data[at]) - 128.0F) / 128.0F;
    case AV_SAMPLE_FMT_S16:
      return static_cast<float>(reinterpret_cast<const std::int16_t*>(data)[at]) / 32768.0F;
    case AV_SAMPLE_FMT_S32:
      return static_cast<float>(reinterpret_cast<const std::int32_t*>(data)[at]) / 2147483648.0F;
    case AV_SAMPLE_FMT_DBL:
      return static_cast<float>(reinterpret_cast<const double*>(data)[at]);
    default:
      return reinterpret_cast<const float*>(data)[at];
  }
}

void append(Sound& sound, const AVFrame& frame) {
  if (frame.ch_layout.nb_channels != sound.channels) throw Error(ExitCode::bad_data, "a sound changes its number of channels");
  for (int i = 0; i < frame.nb_samples; ++i) {
    for (int channel = 0; channel < sound.channels; ++channel) sound.samples.push_back(sample_at(frame, channel, i));
  }
}

// Sends a packet (null: the end) and appends what it completes.
void decode(AVCodecContext& decoder, const AVPacket* packet, AVFrame& frame, const std::string& name, Sound& sound) {
  av::check(avcodec_send_packet(&decoder, packet), ExitCode::bad_data, name + " does not decode");
  for (;;) {
    const int code = avcodec_receive_frame(&decoder, &frame);
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
    av::check(code, ExitCode::bad_data, name + " does not decode");
    append(sound, frame);
    av_frame_unref(&frame);
  }
}

av::Input opened(const std::filesystem::path& file) {
  AVFormatContext* raw = nullptr;
  const ExitCode code = std::filesystem::exists(file) ? ExitCode::bad_data : ExitCode::input_missing;
  av::check(avformat_open_input(&raw, av::url(file).c_str(), nullptr, nullptr), code, file.string());
  av::Input input(raw);
  av::check(avformat_find_stream_info(input.get(), nullptr), ExitCode::bad_data, file.string());
  return input;
}

}  // namespace

Sound read_sound(const std::filesystem::path& file) {
  av::prepare();
  const std::string name = file.string();
  const av::Input input = opened(file);
  const AVCodec* codec = nullptr;
  const int index = av_find_best_stream(input.get(), AVMEDIA_TYPE_AUDIO, -1, -1, &codec, 0);
  if (index < 0) throw Error(ExitCode::bad_data, name + " has no sound that can be decoded");
  const AVStream& stream = *input->streams[index];
  const av::CodecContext decoder(av::allocated(avcodec_alloc_context3(codec)));
  av::check(avcodec_parameters_to_context(decoder.get(), stream.codecpar), ExitCode::bad_data, name);
  decoder->pkt_timebase = stream.time_base;
  av::check(avcodec_open2(decoder.get(), codec, nullptr), ExitCode::bad_data, name);
  Sound sound{decoder->sample_rate, decoder->ch_layout.nb_channels, {}};
  const av::Packet packet = av::new_packet();
  const av::Frame frame = av::new_frame();
  while (av_read_frame(input.get(), packet.get()) >= 0) {
    if (packet->stream_index == index) decode(*decoder, packet.get(), *frame, name, sound);
    av_packet_unref(packet.get());
  }
  decode(*decoder, nullptr, *frame, name, sound);
  if (sound.samples.empty()) throw Error(ExitCode::bad_data, name + " has an empty sound");
  return sound;
}

WholeFilm read_whole_film(const std::filesystem::path& file) {
  WholeFilm film;
  const FilmProbe probe = read_film(file, [&](const Image& frame) { film.frames.push_back(frame); }, {});
  if (probe.fps_num <= 0 || probe.fps_den <= 0) throw Error(ExitCode::bad_data, file.string() + " does not say its frame rate");
  film.fps = static_cast<double>(probe.fps_num) / probe.fps_den;
  if (probe.has_audio) film.sound = read_sound(file);
  return film;
}

}  // namespace fabula
