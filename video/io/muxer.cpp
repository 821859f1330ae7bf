// Puts packets, cues and chapters into libavformat's muxers.
#include "video/io/muxer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fabula::av {
namespace {

constexpr AVRational milliseconds = {1, 1000};

// ISO 639-2/T, which MP4 has room for, by ISO 639-1.
std::string three_letters(const std::string& language) {
  static constexpr std::pair<const char*, const char*> codes[] = {
      {"en", "eng"}, {"de", "deu"}, {"fr", "fra"}, {"es", "spa"}, {"it", "ita"}, {"pt", "por"}, {"nl", "nld"},
      {"pl", "pol"}, {"sv", "swe"}, {"tr", "tur"}, {"ru", "rus"}, {"ar", "ara"}, {"hi", "hin"}, {"zh", "zho"},
      {"ja", "jpn"}, {"ko", "kor"}, {"da", "dan"}, {"fi", "fin"}, {"nb", "nob"}, {"cs", "ces"}, {"el", "ell"},
      {"he", "heb"}, {"hu", "hun"}, {"uk", "ukr"}, {"vi", "vie"}, {"id", "ind"}, {"th", "tha"}};
  const std::string primary = language.substr(0, language.find('-'));
  for (const auto& [two, three] : codes) {
    if (primary == two) return three;
  }
  return "und";
}

// What a tx3g sample entry holds beside its frame (3GPP TS 26.245, 5.16): centred at the bottom, white on nothing, one font.
constexpr std::uint8_t text_style[] = {0, 0, 0, 0,  1,   0xFF, 0,   0,   0,    0,                 // flags, justification, background
                                       0, 0, 0, 0,  0,   0,    0,   0,                            // text box: the whole track
                                       0, 0, 0, 0,  0,   1,    0,   18,  0xFF, 0xFF, 0xFF, 0xFF,  // style: font 1, size, colour
                                       0, 0, 0, 18, 'f', 't',  'a', 'b', 0,    1,    0,    1,    5, 'S', 'e', 'r', 'i', 'f'};

}  // namespace

Muxer::Muxer(const MovieFormat& format, const std::filesystem::path& scratch, std::filesystem::path output, const SinkOptions& options,
             const AVCodecContext& video, const AVCodecContext* audio)
    : format_(format), output_(std::move(output)), options_(options) {
  AVFormatContext* context = nullptr;
  check(avformat_alloc_output_context2(&context, nullptr, format.muxer, url(scratch).c_str()), ExitCode::unavailable,
        std::string("FFmpeg cannot write ") + format.muxer);
  context_.reset(context);
  context->flags |= AVFMT_FLAG_BITEXACT;  // no dates, no versions
  add(video);
  if (audio != nullptr) add(*audio);
  if (!options.subtitles.empty()) add_subtitles();
  add_chapters();
  tag(context->metadata, "title", options.title);
  tag(context->metadata, "comment", options.comment.empty() && options.labels ? "Made by a generative model" : options.comment);
  if (options.labels) tag(context->metadata, "encoding_tool", options.labels->producer);
  for (unsigned i = 0; i < context->nb_streams; ++i) tag(context->streams[i]->metadata, "language", three_letters(options.language));
  checked(avio_open(&context->pb, context->url, AVIO_FLAG_WRITE));
  if (format.is_master)
    tag(context->streams[video_stream]->metadata, "timecode", text_of(timecode_of(first_frame_number(options.rate), options.rate)));
  if (format.has_boxes)
    checked(av_opt_set(context->priv_data, "movflags", "+faststart", 0));
  else if (options.labels)
    add_labels();
  checked(avformat_write_header(context, nullptr));
}

void Muxer::write(std::size_t stream, AVPacket& packet) {
  write_cues_until(av_rescale_q(packet.dts, time_bases_[stream], milliseconds));
  packet.stream_index = static_cast<int>(stream);
  av_packet_rescale_ts(&packet, time_bases_[stream], context_->streams[stream]->time_base);
  checked(av_interleaved_write_frame(context_.get(), &packet));
}

void Muxer::finish() {
  if (!options_.subtitles.empty()) write_cues_until(options_.subtitles.back().start_ms);
  checked(av_write_trailer(context_.get()));
  avio_flush(context_->pb);
  checked(context_->pb->error);
  checked(avio_closep(&context_->pb));
}

void Muxer::add(const AVCodecContext& codec) {
  AVStream* stream = allocated(avformat_new_stream(context_.get(), nullptr));
  checked(avcodec_parameters_from_context(stream->codecpar, &codec));
  stream->time_base = codec.time_base;
  if (codec.codec_type == AVMEDIA_TYPE_VIDEO) {
    stream->avg_frame_rate = codec.framerate;
    stream->sample_aspect_ratio = codec.sample_aspect_ratio;
    if (*format_.tag != '\0') stream->codecpar->codec_tag = MKTAG(format_.tag[0], format_.tag[1], format_.tag[2], format_.tag[3]);
  }
  time_bases_.push_back(codec.time_base);
}

// With a finer time base than 1/1000 the muxer loses gaps of more than 35 minutes.
void Muxer::add_subtitles() {
  AVStream* stream = allocated(avformat_new_stream(context_.get(), nullptr));
  AVCodecParameters& p = *stream->codecpar;
  p.codec_type = AVMEDIA_TYPE_SUBTITLE;
  p.codec_id = format_.has_boxes ? AV_CODEC_ID_MOV_TEXT : AV_CODEC_ID_SUBRIP;
  if (format_.has_boxes) add_text_style(p);
  stream->time_base = milliseconds;
  time_bases_.push_back(milliseconds);
}

void Muxer::add_text_style(AVCodecParameters& p) const {
  p.extradata = static_cast<std::uint8_t*>(allocated(av_mallocz(sizeof text_style + AV_INPUT_BUFFER_PADDING_SIZE)));
  p.extradata_size = sizeof text_style;
  std::memcpy(p.extradata, text_style, sizeof text_style);
}

// Matroska has free tags; boxes are labelled when they are whole (label_film).
void Muxer::add_labels() {
  tag(context_->metadata, "AIGC", aigc_of(*options_.labels));
  tag(context_->metadata, "DIGITAL_SOURCE_TYPE", trained_algorithmic_media);
}

// libavformat has no function for this outside itself; it frees them with the context.
void Muxer::add_chapters() {
  const auto count = options_.chapters.size();
  if (count == 0) return;
  context_->chapters = static_cast<AVChapter**>(allocated(av_calloc(count, sizeof(AVChapter*))));
  for (std::size_t i = 0; i < count; ++i) {
    auto* chapter = static_cast<AVChapter*>(allocated(av_mallocz(sizeof(AVChapter))));
    context_->chapters[i] = chapter;
    context_->nb_chapters = static_cast<unsigned>(i + 1);
    chapter->id = static_cast<std::int64_t>(i);
    chapter->time_base = milliseconds;
    chapter->start = options_.chapters[i].start_ms;
    chapter->end = options_.chapters[i].end_ms;
    tag(chapter->metadata, "title", options_.chapters[i].title);
  }
}

void Muxer::tag(AVDictionary*& metadata, const char* key, const std::string& value) const {
  if (!value.empty()) checked(av_dict_set(&metadata, key, value.c_str(), 0));
}

// A sample of MP4's text track is the length of its text and the text; the muxer itself puts an empty one where a cue ends. SubRip's is the
// text alone.
Packet Muxer::cue_packet(const std::string& text) const {
  const std::size_t header = format_.has_boxes ? 2 : 0;
  Packet packet = new_packet();
  check(av_new_packet(packet.get(), static_cast<int>(text.size() + header)), ExitCode::out_of_memory, "no memory for a packet");
  if (header > 0) {
    packet->data[0] = static_cast<std::uint8_t>(text.size() >> 8U);
    packet->data[1] = static_cast<std::uint8_t>(text.size() & 0xFFU);
  }
  std::memcpy(packet->data + header, text.data(), text.size());
  packet->flags = AV_PKT_FLAG_KEY;
  return packet;
}

void Muxer::write_cues_until(std::int64_t ms) {
  for (; next_cue_ < options_.subtitles.size() && options_.subtitles[next_cue_].start_ms <= ms; ++next_cue_) {
    const Cue& cue = options_.subtitles[next_cue_];
    const Packet packet = cue_packet(plain_text(cue).substr(0, 0xFFFF));
    packet->pts = packet->dts = cue.start_ms;
    packet->duration = cue.end_ms - cue.start_ms;
    const auto stream = time_bases_.size() - 1;
    packet->stream_index = static_cast<int>(stream);
    av_packet_rescale_ts(packet.get(), milliseconds, context_->streams[stream]->time_base);
    checked(av_interleaved_write_frame(context_.get(), packet.get()));
  }
}

void Muxer::checked(int code) const { check(code, ExitCode::io, output_.string() + " could not be written"); }

}  // namespace fabula::av
