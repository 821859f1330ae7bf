// x264 and AAC, one packet after another.
#include "video/io/encoders.h"

#include <algorithm>
#include <string>

#include "audio/mix.h"

namespace fabula::av {
namespace {

constexpr int smallest = 16, largest = 8192;
constexpr std::int64_t audio_bits_per_second = 192000;

void check_size(int width, int height) {
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  if (width % 2 != 0 || height % 2 != 0) throw Error(ExitCode::usage, "a film of " + size + " cannot be encoded: both sides must be even");
  if (std::min(width, height) < smallest || std::max(width, height) > largest) {
    throw Error(ExitCode::usage, "a film of " + size + " cannot be encoded: a side must be between 16 and 8192");
  }
}

// BT.709 in limited range, chroma sited at the left: what the tags say is what the scaler computes.
void tag_colours(AVCodecContext& context) {
  context.color_primaries = AVCOL_PRI_BT709;
  context.color_trc = AVCOL_TRC_BT709;
  context.colorspace = AVCOL_SPC_BT709;
  context.color_range = AVCOL_RANGE_MPEG;
  context.chroma_sample_location = AVCHROMA_LOC_LEFT;
}

CodecContext open_x264(const SinkOptions& options, int width, int height) {
  CodecContext context = new_encoder("libx264");
  context->width = width;
  context->height = height;
  context->pix_fmt = AV_PIX_FMT_YUV420P;
  context->time_base = {1, options.fps};
  context->framerate = {options.fps, 1};
  context->sample_aspect_ratio = {1, 1};
  context->gop_size = 2 * options.fps;
  context->thread_count = 4;  // fixed: x264's bytes depend on the number of threads
  context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
  tag_colours(*context);
  // Measured with tools/bench/x264_presets.sh (docs/DESIGN.md, section 7): 0.4 of the time of "medium", a smaller file, 0.4 dB less of 52.
  check(av_opt_set(context->priv_data, "preset", "veryfast", 0), ExitCode::internal, "x264's preset");
  // x264 0.164's AVX-512 code reads memory that nobody wrote where the width in macroblocks is no multiple of 8, so the same frames gave
  // other bytes now and then. With this setting SSE2, AVX2 and AVX-512 give the same ones.
  check(av_opt_set(context->priv_data, "x264-params", "cpu-independent=1", 0), ExitCode::internal, "x264's cpu-independent");
  check(av_opt_set_double(context->priv_data, "crf", options.crf, 0), ExitCode::usage, "x264's crf");
  check(avcodec_open2(context.get(), nullptr, nullptr), ExitCode::unavailable, "libx264 cannot be opened");
  return context;
}

Scaler open_scaler(int source_width, int source_height, int width, int height) {
  const int flags = SWS_LANCZOS | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_BITEXACT;
  Scaler scaler(allocated(sws_alloc_context()));
  const auto set = [&](const char* name, std::int64_t value) {
    check(av_opt_set_int(scaler.get(), name, value, 0), ExitCode::internal, name);
  };
  set("srcw", source_width);
  set("srch", source_height);
  set("src_format", AV_PIX_FMT_RGB24);
  set("src_range", 1);
  set("dstw", width);
  set("dsth", height);
  set("dst_format", AV_PIX_FMT_YUV420P);
  set("dst_range", 0);
  set("dst_h_chr_pos", 0);
  set("dst_v_chr_pos", 128);
  set("sws_flags", flags);
  check(sws_init_context(scaler.get(), nullptr, nullptr), ExitCode::internal, "the scaler cannot be made");
  const int* bt709 = sws_getCoefficients(SWS_CS_ITU709);  // the default is BT.601
  check(sws_setColorspaceDetails(scaler.get(), bt709, 1, bt709, 0, 0, 1 << 16, 1 << 16), ExitCode::internal, "the scaler's matrix");
  return scaler;
}

// Sends a frame (null: the end) and passes on the packets that this completes.
void encode_frame(AVCodecContext& context, const AVFrame* frame, AVPacket& packet, const PacketReceiver& receive) {
  check(avcodec_send_frame(&context, frame), ExitCode::internal, "the encoder refused a frame");
  for (;;) {
    const int code = avcodec_receive_packet(&context, &packet);
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
    check(code, ExitCode::internal, "the encoder failed");
    receive(packet);
    av_packet_unref(&packet);
  }
}

}  // namespace

VideoEncoder::VideoEncoder(const SinkOptions& options, int width, int height) : frame_(new_frame()), packet_(new_packet()) {
  check_size(width, height);
  context_ = open_x264(options, width, height);
  frame_->format = context_->pix_fmt;
  frame_->width = width;
  frame_->height = height;
  frame_->color_primaries = context_->color_primaries;
  frame_->color_trc = context_->color_trc;
  frame_->colorspace = context_->colorspace;
  frame_->color_range = context_->color_range;
  frame_->chroma_location = context_->chroma_sample_location;
  frame_->pts = -1;
  check(av_frame_get_buffer(frame_.get(), 0), ExitCode::out_of_memory, "no memory for a frame");
}

SwsContext* VideoEncoder::scaler_for(const Image& image) {
  const bool is_whole = image.width == context_->width && image.height == context_->height;
  if (!is_whole && source_width_ == 0) {
    source_width_ = image.width;
    source_height_ = image.height;
  }
  if ((!is_whole && (image.width != source_width_ || image.height != source_height_)) ||
      std::ssize(image.rgb) != std::int64_t{3} * image.width * image.height) {
    throw Error(ExitCode::internal, "a frame of " + std::to_string(image.width) + "x" + std::to_string(image.height) +
                                        " came into a film of " + std::to_string(source_width_) + "x" + std::to_string(source_height_));
  }
  Scaler& scaler = is_whole ? unscaled_ : scaler_;
  if (!scaler) scaler = open_scaler(image.width, image.height, context_->width, context_->height);
  return scaler.get();
}

void VideoEncoder::encode(const Image& image, const PacketReceiver& receive) {
  SwsContext* scaler = scaler_for(image);
  // The encoder may still hold the last frame's buffer.
  check(av_frame_make_writable(frame_.get()), ExitCode::out_of_memory, "no memory for a frame");
  const std::uint8_t* planes[] = {image.rgb.data()};
  const int strides[] = {3 * image.width};
  check(sws_scale(scaler, planes, strides, 0, image.height, frame_->data, frame_->linesize), ExitCode::internal, "the scaler failed");
  ++frame_->pts;
  encode_frame(*context_, frame_.get(), *packet_, receive);
}

void VideoEncoder::flush(const PacketReceiver& receive) { encode_frame(*context_, nullptr, *packet_, receive); }

AudioEncoder::AudioEncoder() : context_(new_encoder("aac")), frame_(new_frame()), packet_(new_packet()) {
  context_->sample_rate = film_sample_rate;
  context_->sample_fmt = AV_SAMPLE_FMT_FLTP;
  av_channel_layout_default(&context_->ch_layout, film_channels);
  context_->bit_rate = audio_bits_per_second;
  context_->time_base = {1, film_sample_rate};
  context_->thread_count = 1;
  context_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
  check(avcodec_open2(context_.get(), nullptr, nullptr), ExitCode::unavailable, "the AAC encoder cannot be opened");
}

void AudioEncoder::encode(std::span<const float> interleaved_stereo, const PacketReceiver& receive) {
  const auto whole = static_cast<std::size_t>(context_->frame_size);
  while (!interleaved_stereo.empty()) {
    const std::size_t taken = std::min(interleaved_stereo.size(), whole * film_channels - pending_.size());
    pending_.insert(pending_.end(), interleaved_stereo.begin(), interleaved_stereo.begin() + static_cast<std::ptrdiff_t>(taken));
    interleaved_stereo = interleaved_stereo.subspan(taken);
    if (pending_.size() == whole * film_channels) send_pending(whole, receive);
  }
}

void AudioEncoder::flush(const PacketReceiver& receive) {
  if (!pending_.empty()) send_pending(pending_.size() / film_channels, receive);
  encode_frame(*context_, nullptr, *packet_, receive);
}

void AudioEncoder::send_pending(std::size_t sample_frames, const PacketReceiver& receive) {
  av_frame_unref(frame_.get());
  frame_->format = context_->sample_fmt;
  frame_->sample_rate = film_sample_rate;
  frame_->nb_samples = static_cast<int>(sample_frames);
  frame_->pts = sent_;
  check(av_channel_layout_copy(&frame_->ch_layout, &context_->ch_layout), ExitCode::out_of_memory, "no memory for sound");
  check(av_frame_get_buffer(frame_.get(), 0), ExitCode::out_of_memory, "no memory for sound");
  for (std::size_t c = 0; c < film_channels; ++c) {
    auto* plane = reinterpret_cast<float*>(frame_->extended_data[c]);
    for (std::size_t i = 0; i < sample_frames; ++i) plane[i] = pending_[i * film_channels + c];
  }
  encode_frame(*context_, frame_.get(), *packet_, receive);
  sent_ += static_cast<std::int64_t>(sample_frames);
  pending_.clear();
}

}  // namespace fabula::av
