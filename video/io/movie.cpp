// Spools packets and samples; masters, encodes and muxes them when the film is whole.
#include "video/io/movie.h"

#include <array>
#include <cstring>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "audio/mix.h"
#include "base/error.h"
#include "base/output_file.h"
#include "video/io/av.h"
#include "video/io/encoders.h"
#include "video/io/muxer.h"
#include "video/io/sample_spool.h"

// The film's loudness is known only when its last sample is, so the sound cannot be encoded as it comes. Frames are encoded as they come
// and their packets put on a spool; samples go to a second spool. finish() masters and encodes the sound while the picture's encoder works
// on what it still holds, and writes packets of both kinds in order of time, which is the one moment when the file exists. The picture is
// encoded once, nothing is read back through a demuxer, and all that grows with the film is on disk.

namespace fabula {
namespace {

// What of a packet outlives the spool.
struct PacketHeader {
  std::int64_t pts, dts, duration;
  std::int32_t flags, size;
};

class PacketSpool {
 public:
  explicit PacketSpool(const std::filesystem::path& beside) : spool_(beside) {}

  void write(const AVPacket& packet) {
    const PacketHeader header{packet.pts, packet.dts, packet.duration, packet.flags, packet.size};
    spool_.write(std::as_bytes(std::span(&header, 1)));
    spool_.write(std::as_bytes(std::span(packet.data, static_cast<std::size_t>(packet.size))));
  }

  void rewind() { spool_.rewind(); }

  // False at the end.
  [[nodiscard]] bool read(AVPacket& packet) {
    PacketHeader header{};
    const std::size_t got = spool_.read(std::as_writable_bytes(std::span(&header, 1)));
    if (got == 0) return false;
    av_packet_unref(&packet);
    if (got == sizeof header) av::check(av_new_packet(&packet, header.size), ExitCode::out_of_memory, "no memory for a packet");
    if (got != sizeof header || spool_.read(std::as_writable_bytes(std::span(packet.data, static_cast<std::size_t>(header.size)))) !=
                                    static_cast<std::size_t>(header.size)) {
      throw Error(ExitCode::io, "a scratch file ended before its time");
    }
    packet.pts = header.pts;
    packet.dts = header.dts;
    packet.duration = header.duration;
    packet.flags = header.flags;
    return true;
  }

 private:
  Spool spool_;
};

// Packets of one kind on their way to the muxer.
struct Track {
  PacketSpool spool;
  av::Packet next = av::new_packet();
  bool waiting = false;  // whether there is a next one

  explicit Track(const std::filesystem::path& beside) : spool(beside) {}

  av::PacketReceiver writer() {
    return [this](AVPacket& packet) { spool.write(packet); };
  }
  void rewind() {
    spool.rewind();
    waiting = spool.read(*next);
  }
  void pass_on(av::Muxer& muxer, std::size_t stream) {
    muxer.write(stream, *next);
    waiting = spool.read(*next);
  }
};

}  // namespace

struct MovieSink::Impl {
  Impl(const MovieFormat& the_format, std::filesystem::path output, SinkOptions the_options)
      : format(the_format),
        options(std::move(the_options)),
        file(std::move(output), options.existing),
        samples(file.scratch()),
        pictures(file.scratch()),
        sounds(file.scratch()) {}

  void encode_sound() {
    audio.emplace(format.sound);
    mastered = master_sound([&](const SampleReceiver& receive) { samples.play(receive); }, options.loudness,
                            [&](std::span<const float> played) { audio->encode(played, sounds.writer()); });
    audio->flush(sounds.writer());
  }

  // In order of time, the picture first.
  void mux() {
    av::Muxer muxer(format, file.scratch(), file.output(), options, video->context(), audio ? &audio->context() : nullptr);
    pictures.rewind();
    sounds.rewind();
    while (pictures.waiting || sounds.waiting) {
      const bool picture_is_next =
          !sounds.waiting || (pictures.waiting && av_compare_ts(pictures.next->dts, video->context().time_base, sounds.next->dts,
                                                                audio->context().time_base) <= 0);
      if (picture_is_next)
        pictures.pass_on(muxer, av::Muxer::video_stream);
      else
        sounds.pass_on(muxer, av::Muxer::audio_stream);
    }
    muxer.finish();
  }

  void check_lengths() const {
    if (frames == 0) throw Error(ExitCode::internal, "a film without frames cannot be finished");
    const auto samples_of = [&](std::int64_t count) { return count * film_sample_rate * options.rate.den / options.rate.num; };
    const std::int64_t a_frame = samples_of(1), expected = samples_of(frames);
    if (samples.sample_frames() != 0 && std::abs(samples.sample_frames() - expected) > a_frame) {
      throw Error(ExitCode::internal, "sound and picture differ in length: " + std::to_string(samples.sample_frames()) + " samples for " +
                                          std::to_string(frames) + " frames");
    }
  }

  const MovieFormat& format;
  SinkOptions options;
  OutputFile file;
  SampleSpool samples;
  Track pictures, sounds;
  std::optional<av::VideoEncoder> video;  // made when the first frame's size is known
  std::optional<av::AudioEncoder> audio;  // only if there is sound
  std::int64_t frames = 0;
  std::optional<Mastered> mastered;
};

MovieSink::MovieSink(const MovieFormat& format, std::filesystem::path output, SinkOptions options) {
  const Rate rate = options.rate;
  if (rate.den < 1 || rate.num < rate.den || rate.num > 240 * rate.den)
    throw Error(ExitCode::usage, "a film of " + std::to_string(rate.num) + "/" + std::to_string(rate.den) +
                                     " frames a second cannot be encoded: expected 1 to 240");
  av::prepare();
  impl_ = std::make_unique<Impl>(format, std::move(output), std::move(options));
}

MovieSink::~MovieSink() = default;

const std::filesystem::path& MovieSink::output() const { return impl_->file.output(); }
const std::optional<Mastered>& MovieSink::mastered() const { return impl_->mastered; }

void MovieSink::frame(const Image& image) {
  Impl& f = *impl_;
  if (!f.video) {
    f.video.emplace(f.format, f.options, f.options.width > 0 ? f.options.width : image.width,
                    f.options.height > 0 ? f.options.height : image.height);
  }
  f.video->encode(image, f.pictures.writer());
  ++f.frames;
}

void MovieSink::samples(std::span<const float> interleaved_stereo) { impl_->samples.write(interleaved_stereo); }

void MovieSink::finish() {
  Impl& f = *impl_;
  f.check_lengths();
  std::future<void> last_pictures = std::async(std::launch::async, [&f] { f.video->flush(f.pictures.writer()); });
  if (f.samples.sample_frames() > 0) f.encode_sound();
  last_pictures.get();
  f.mux();
  if (f.options.labels && f.format.has_boxes) label_film(f.file.scratch(), *f.options.labels);
  if (f.options.sign) f.options.sign(f.file.scratch());
  if (f.options.check) f.options.check(f.file.scratch());
  f.file.commit();
}

}  // namespace fabula
