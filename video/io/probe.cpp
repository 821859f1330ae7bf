// Demuxes and decodes a film to say what it holds.
#include "video/io/probe.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "video/io/av.h"
#include "video/io/boxes.h"
#include "video/io/sequence.h"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace fabula {
namespace {

std::string named(const char* name) { return name == nullptr ? "unknown" : name; }

std::string tag(const AVDictionary* metadata, const char* key) {
  const AVDictionaryEntry* entry = av_dict_get(metadata, key, nullptr, 0);
  return entry == nullptr ? "" : entry->value;
}

bool moov_before_mdat(const std::filesystem::path& file) {
  for (const Box& one : boxes_of(file)) {
    if (one.type == "moov") return true;
    if (one.type == "mdat") return false;
  }
  return false;
}

// One stream's decoder.
struct Track {
  int index = -1;
  const AVStream* stream = nullptr;
  av::CodecContext decoder;

  [[nodiscard]] bool present() const { return index >= 0; }
  [[nodiscard]] double seconds(std::int64_t time) const { return static_cast<double>(time) * av_q2d(stream->time_base); }
};

Track open_track(AVFormatContext& input, AVMediaType type, const std::string& name) {
  Track track;
  const AVCodec* codec = nullptr;
  const int index = av_find_best_stream(&input, type, -1, -1, &codec, 0);
  if (index == AVERROR_STREAM_NOT_FOUND) return track;
  track.index = av::check(index, ExitCode::unavailable, name + " holds a stream that this FFmpeg cannot decode");
  track.stream = input.streams[index];
  track.decoder.reset(av::allocated(avcodec_alloc_context3(codec)));
  av::check(avcodec_parameters_to_context(track.decoder.get(), track.stream->codecpar), ExitCode::bad_data, name);
  track.decoder->pkt_timebase = track.stream->time_base;  // the codec's padding is left out by time
  av::check(avcodec_open2(track.decoder.get(), codec, nullptr), ExitCode::bad_data, name);
  return track;
}

// Sends a packet (null: the end) and hands out the frames that this completes.
template <typename Receive>
void decode(const Track& track, const AVPacket* packet, AVFrame& frame, const std::string& name, const Receive& receive) {
  av::check(avcodec_send_packet(track.decoder.get(), packet), ExitCode::bad_data, name + " does not decode");
  for (;;) {
    const int code = avcodec_receive_frame(track.decoder.get(), &frame);
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
    av::check(code, ExitCode::bad_data, name + " does not decode");
    receive(frame);
    av_frame_unref(&frame);
  }
}

class ToRgb {
 public:
  Image operator()(const AVFrame& frame) {
    if (frame.format == AV_PIX_FMT_RGB48BE) return upper_bytes(frame, 3);
    if (frame.format == AV_PIX_FMT_RGBA64BE) return upper_bytes(frame, 4);
    if (!scaler_) open(frame);
    Image image{frame.width, frame.height,
                std::vector<std::uint8_t>(std::size_t{3} * static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height))};
    std::uint8_t* planes[] = {image.rgb.data()};
    const int strides[] = {3 * image.width};
    av::check(sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, planes, strides), ExitCode::internal,
              "the scaler failed");
    return image;
  }

 private:
  // A PNG of 16 bits as Pillow reads it, and with it what models were trained on; swscale would round.
  static Image upper_bytes(const AVFrame& frame, int channels) {
    Image image{frame.width, frame.height, {}};
    for (int y = 0; y < frame.height; ++y) {
      const std::uint8_t* pixel = frame.data[0] + std::ptrdiff_t{y} * frame.linesize[0];
      for (int x = 0; x < frame.width; ++x, pixel += 2 * channels) image.rgb.insert(image.rgb.end(), {pixel[0], pixel[2], pixel[4]});
    }
    return image;
  }

  void open(const AVFrame& frame) {
    const auto format = static_cast<AVPixelFormat>(frame.format);
    const int flags = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_BITEXACT;
    scaler_.reset(av::allocated(
        sws_getContext(frame.width, frame.height, format, frame.width, frame.height, AV_PIX_FMT_RGB24, flags, nullptr, nullptr, nullptr)));
    const AVPixFmtDescriptor& kind = *av_pix_fmt_desc_get(format);
    // RGB and palettes are RGB already: with a matrix set, swscale would go by way of YUV, which is not exact.
    if ((kind.flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0) return;
    const int* matrix = sws_getCoefficients(frame.colorspace == AVCOL_SPC_UNSPECIFIED ? SWS_CS_ITU709 : frame.colorspace);
    const bool is_grey = kind.nb_components < 3;
    const int full = frame.color_range == AVCOL_RANGE_JPEG || (is_grey && frame.color_range == AVCOL_RANGE_UNSPECIFIED) ? 1 : 0;
    av::check(sws_setColorspaceDetails(scaler_.get(), matrix, full, matrix, 1, 0, 1 << 16, 1 << 16), ExitCode::internal,
              "the scaler's matrix");
  }

  av::Scaler scaler_;
};

// Interleaved float samples of a decoded frame, planar or not.
std::vector<float> interleaved(const AVFrame& frame) {
  const int channels = frame.ch_layout.nb_channels;
  std::vector<float> samples(static_cast<std::size_t>(frame.nb_samples) * static_cast<std::size_t>(channels));
  if (frame.format == AV_SAMPLE_FMT_FLT) std::memcpy(samples.data(), frame.extended_data[0], samples.size() * sizeof(float));
  if (frame.format == AV_SAMPLE_FMT_S32) {
    const auto* whole = reinterpret_cast<const std::int32_t*>(frame.extended_data[0]);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<float>(whole[i] / 2147483648.0);
  }
  if (frame.format == AV_SAMPLE_FMT_FLTP) {
    for (int c = 0; c < channels; ++c) {
      const auto* plane = reinterpret_cast<const float*>(frame.extended_data[c]);
      for (int i = 0; i < frame.nb_samples; ++i) samples[static_cast<std::size_t>(i * channels + c)] = plane[i];
    }
  }
  return samples;
}

// Of the film, its picture or its track of timecode.
std::string timecode_in(const AVFormatContext& input) {
  std::string found = tag(input.metadata, "timecode");
  for (unsigned i = 0; i < input.nb_streams && found.empty(); ++i) found = tag(input.streams[i]->metadata, "timecode");
  return found;
}

void describe_video(const Track& video, FilmProbe& info) {
  const AVCodecParameters& p = *video.stream->codecpar;
  info.video_codec = avcodec_get_name(p.codec_id);
  info.pixel_format = named(av_get_pix_fmt_name(static_cast<AVPixelFormat>(p.format)));
  info.width = p.width;
  info.height = p.height;
  info.fps_num = video.stream->avg_frame_rate.num;
  info.fps_den = video.stream->avg_frame_rate.den;
  info.primaries = named(av_color_primaries_name(p.color_primaries));
  info.transfer = named(av_color_transfer_name(p.color_trc));
  info.matrix = named(av_color_space_name(p.color_space));
  info.range = named(av_color_range_name(p.color_range));
}

void describe_audio(const Track& audio, FilmProbe& info) {
  const AVCodecParameters& p = *audio.stream->codecpar;
  info.has_audio = true;
  info.audio_codec = avcodec_get_name(p.codec_id);
  info.sample_rate = p.sample_rate;
  info.channels = p.ch_layout.nb_channels;
  info.language = tag(audio.stream->metadata, "language");
}

void describe_chapters(const AVFormatContext& input, FilmProbe& info) {
  constexpr AVRational milliseconds = {1, 1000};
  for (unsigned i = 0; i < input.nb_chapters; ++i) {
    const AVChapter& chapter = *input.chapters[i];
    info.chapters.push_back({av_rescale_q(chapter.start, chapter.time_base, milliseconds),
                             av_rescale_q(chapter.end, chapter.time_base, milliseconds), tag(chapter.metadata, "title")});
  }
}

// The cue in a packet of a text track: its length in two bytes, then its text. An empty one is the time between two cues.
void read_cue(const AVStream& stream, const AVPacket& packet, FilmProbe& info) {
  constexpr AVRational milliseconds = {1, 1000};
  if (packet.size < 3) return;
  Cue cue{av_rescale_q(packet.pts, stream.time_base, milliseconds),
          av_rescale_q(packet.pts + packet.duration, stream.time_base, milliseconds),
          {}};
  const std::size_t length =
      std::min<std::size_t>(static_cast<std::size_t>(packet.data[0]) << 8U | packet.data[1], static_cast<std::size_t>(packet.size) - 2);
  std::istringstream lines(std::string(reinterpret_cast<const char*>(packet.data) + 2, length));
  for (std::string line; std::getline(lines, line);) cue.lines.push_back({"", line});
  info.subtitles.push_back(std::move(cue));
}

// A sequence of pictures is read from its first number on, as one stream.
av::Input open_input(const std::filesystem::path& file) {
  const std::optional<SequenceName> name = sequence_name(file);
  const std::vector<std::filesystem::path> pictures = name ? name->existing() : std::vector<std::filesystem::path>{};
  if (!std::ifstream(pictures.empty() ? file : pictures.front())) throw Error(ExitCode::input_missing, file.string() + " cannot be opened");
  AVFormatContext* context = nullptr;
  AVDictionary* options = nullptr;
  std::string url = av::url(file);
  const AVInputFormat* format = nullptr;
  if (!pictures.empty()) {
    const std::string first = pictures.front().filename();
    const std::string number = first.substr(name->before.size(), first.size() - name->before.size() - name->after.size());
    av_dict_set(&options, "start_number", number.c_str(), 0);
    url = (name->folder / (name->before + "%0" + std::to_string(name->digits) + "d" + name->after)).string();
    format = av_find_input_format("image2");
  }
  const int code = avformat_open_input(&context, url.c_str(), format, &options);
  av_dict_free(&options);
  av::check(code, ExitCode::bad_data, file.string() + " is not a film");
  av::Input input(context);
  av::check(avformat_find_stream_info(context, nullptr), ExitCode::bad_data, file.string() + " is not a film");
  return input;
}

}  // namespace

FilmProbe read_film(const std::filesystem::path& file, const std::function<void(const Image&)>& on_frame,
                    const std::function<void(std::span<const float>)>& on_samples) {
  av::prepare();
  const std::string name = file.string();
  const av::Input input = open_input(file);
  const Track video = open_track(*input, AVMEDIA_TYPE_VIDEO, name), audio = open_track(*input, AVMEDIA_TYPE_AUDIO, name);
  if (!video.present() && !audio.present()) throw Error(ExitCode::bad_data, name + " has neither picture nor sound");

  FilmProbe info;
  info.container = input->iformat->name;
  info.index_in_front = moov_before_mdat(file);
  info.duration_s = static_cast<double>(input->duration) / AV_TIME_BASE;
  info.title = tag(input->metadata, "title");
  info.comment = tag(input->metadata, "comment");
  describe_chapters(*input, info);
  const int text_index = av_find_best_stream(input.get(), AVMEDIA_TYPE_SUBTITLE, -1, -1, nullptr, 0);
  const AVStream* text = text_index < 0 ? nullptr : input->streams[text_index];
  if (text != nullptr) {
    info.subtitle_codec = avcodec_get_name(text->codecpar->codec_id);
    info.subtitle_language = tag(text->metadata, "language");
  }
  info.timecode = timecode_in(*input);
  info.aigc = tag(input->metadata, "AIGC");
  info.labels = labels_of(file);
  const std::optional<SequenceName> pictures = sequence_name(file);
  if (pictures || !video.present()) {
    info.labels = labels_in_text(pictures ? pictures->existing().front() : file);
    info.aigc = info.labels.aigc;
  }
  if (info.labels.digital_source_type.empty()) info.labels.digital_source_type = tag(input->metadata, "DIGITAL_SOURCE_TYPE");
  if (video.present() && !on_frame) video.decoder->skip_loop_filter = AVDISCARD_ALL;  // frames are only counted
  if (video.present()) describe_video(video, info);
  if (audio.present()) describe_audio(audio, info);

  ToRgb to_rgb;
  double first_frame = 0.0, first_sample = 0.0;
  const auto receive_frame = [&](const AVFrame& frame) {
    if (info.video_frames++ == 0) first_frame = video.seconds(frame.best_effort_timestamp);
    info.video_duration_s = video.seconds(frame.best_effort_timestamp + frame.pkt_duration) - first_frame;
    if (on_frame) on_frame(to_rgb(frame));
  };
  const auto receive_samples = [&](const AVFrame& frame) {
    if (info.sample_frames == 0) first_sample = audio.seconds(frame.best_effort_timestamp);
    info.sample_frames += frame.nb_samples;
    if (on_samples) on_samples(interleaved(frame));
  };

  const av::Packet packet = av::new_packet();
  const av::Frame frame = av::new_frame();
  for (int code = 0; (code = av_read_frame(input.get(), packet.get())) != AVERROR_EOF; av_packet_unref(packet.get())) {
    av::check(code, ExitCode::bad_data, name + " cannot be read to its end");
    if (packet->stream_index == video.index) decode(video, packet.get(), *frame, name, receive_frame);
    if (packet->stream_index == text_index && info.subtitle_codec == "mov_text") read_cue(*text, *packet, info);
    if (packet->stream_index == audio.index) decode(audio, packet.get(), *frame, name, receive_samples);
  }
  if (video.present()) decode(video, nullptr, *frame, name, receive_frame);
  if (audio.present()) decode(audio, nullptr, *frame, name, receive_samples);
  info.audio_start_s = audio.present() && video.present() ? first_sample - first_frame : 0.0;
  return info;
}

}  // namespace fabula
