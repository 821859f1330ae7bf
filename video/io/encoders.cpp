// Pictures and sound to packets, one after another.
#include "video/io/encoders.h"

#include <algorithm>
#include <string>

#include "audio/mix.h"

namespace fabula::av {
namespace {

constexpr int largest = 8192;
constexpr std::int64_t audio_bits_per_second = 192000;
constexpr int samples_a_packet = 1024;  // of codecs that take any number

void check_size(const MovieFormat& format, int width, int height) {
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  if (width % 2 != 0 || height % 2 != 0) throw Error(ExitCode::usage, "a film of " + size + " cannot be encoded: both sides must be even");
  if (width < format.smallest_width || height < format.smallest_height || std::max(width, height) > largest) {
    throw Error(ExitCode::usage, "a film of " + size + " cannot be encoded: it must be at least " + std::to_string(format.smallest_width) +
                                     "x" + std::to_string(format.smallest_height) + ", and a side at most " + std::to_string(largest));
  }
}

bool is_rgb(AVPixelFormat format) { return (av_pix_fmt_desc_get(format)->flags & AV_PIX_FMT_FLAG_RGB) != 0; }

// BT.709 in limited range, chroma sited at the left: what the tags say is what the scaler computes. RGB has all its range and no matrix.
void tag_colours(AVCodecContext& context) {
  const bool rgb = is_rgb(context.pix_fmt);
  context.color_primaries = AVCOL_PRI_BT709;
  context.color_trc = AVCOL_TRC_BT709;
  context.colorspace = rgb ? AVCOL_SPC_RGB : AVCOL_SPC_BT709;
  context.color_range = rgb ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  if (!rgb) context.chroma_sample_location = AVCHROMA_LOC_LEFT;
}

CodecContext open_video(const MovieFormat& format, const SinkOptions& options, int width, int height) {
  const std::string name = format.encoder;
  CodecContext context = new_encoder(format.encoder);
  context->width = width;
  context->height = height;
  context->pix_fmt = av_get_pix_fmt(format.pixels);
  context->time_base = {options.rate.den, options.rate.num};
  context->framerate = {options.rate.num, options.rate.den};
  context->sample_aspect_ratio = {1, 1};
  context->gop_size = format.is_intra ? 1 : 2 * counted_frames(options.rate);
  context->thread_count = 4;  // fixed: an encoder's bytes may depend on the number of threads
  context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
  if (format.is_master) context->field_order = AV_FIELD_PROGRESSIVE;
  tag_colours(*context);
  for (const EncoderOption& option : format.options) {
    if (option.name != nullptr)
      check(av_opt_set(context.get(), option.name, option.value, AV_OPT_SEARCH_CHILDREN), ExitCode::internal, name + "'s " + option.name);
  }
  if (format.crf >= 0)
    check(av_opt_set_double(context->priv_data, "crf", options.crf.value_or(format.crf), 0), ExitCode::usage, name + "'s crf");
  else if (options.crf)
    throw Error(ExitCode::usage, "--crf: " + name + " has no constant rate factor");
  check(avcodec_open2(context.get(), nullptr, nullptr), ExitCode::unavailable, name + " cannot be opened");
  return context;
}

Scaler open_scaler(const Framing& framing, AVPixelFormat format) {
  const int flags = SWS_LANCZOS | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_BITEXACT;
  Scaler scaler(allocated(sws_alloc_context()));
  const auto set = [&](const char* name, std::int64_t value) {
    check(av_opt_set_int(scaler.get(), name, value, 0), ExitCode::internal, name);
  };
  set("srcw", framing.from.width);
  set("srch", framing.from.height);
  set("src_format", AV_PIX_FMT_RGB24);
  set("src_range", 1);
  set("dstw", framing.to.width);
  set("dsth", framing.to.height);
  set("dst_format", format);
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

VideoEncoder::VideoEncoder(const MovieFormat& format, const SinkOptions& options, int width, int height)
    : fit_(options.fit), frame_(new_frame()), packet_(new_packet()) {
  check_size(format, width, height);
  context_ = open_video(format, options, width, height);
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

VideoEncoder::FramedScaler& VideoEncoder::scaler_for(const Image& image) {
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
  FramedScaler& scaler = is_whole ? unscaled_ : scaled_;
  if (!scaler.scaler) {
    scaler.framing = framing_of(image.width, image.height, context_->width, context_->height, fit_);
    scaler.scaler = open_scaler(scaler.framing, context_->pix_fmt);
  }
  return scaler;
}

// Where a part of the frame begins in each plane.
std::array<std::uint8_t*, 4> VideoEncoder::planes_at(const Rectangle& part) const {
  const AVPixFmtDescriptor& format = *av_pix_fmt_desc_get(context_->pix_fmt);
  std::array<std::uint8_t*, 4> planes{};
  for (int c = 0; c < format.nb_components; ++c) {
    const AVComponentDescriptor& component = format.comp[c];
    const bool is_chroma = c == 1 || c == 2;
    const int x = is_chroma ? part.x >> format.log2_chroma_w : part.x, y = is_chroma ? part.y >> format.log2_chroma_h : part.y;
    auto& plane = planes.at(static_cast<std::size_t>(component.plane));
    plane = frame_->data[component.plane] + std::ptrdiff_t{y} * frame_->linesize[component.plane] + std::ptrdiff_t{x} * component.step;
  }
  return planes;
}

void VideoEncoder::fill(const Image& image) {
  const auto& [scaler, framing] = scaler_for(image);
  // The encoder may still hold the last frame's buffer.
  check(av_frame_make_writable(frame_.get()), ExitCode::out_of_memory, "no memory for a frame");
  if (framing.to.width != context_->width || framing.to.height != context_->height) {
    const std::ptrdiff_t strides[] = {frame_->linesize[0], frame_->linesize[1], frame_->linesize[2], frame_->linesize[3]};
    check(av_image_fill_black(frame_->data, strides, context_->pix_fmt, context_->color_range, context_->width, context_->height),
          ExitCode::internal, "the frame cannot be blackened");
  }
  const std::uint8_t* source[] = {image.rgb.data() + 3 * (std::ptrdiff_t{framing.from.y} * image.width + framing.from.x)};
  const int strides[] = {3 * image.width};
  const auto planes = planes_at(framing.to);
  check(sws_scale(scaler.get(), source, strides, 0, framing.from.height, planes.data(), frame_->linesize), ExitCode::internal,
        "the scaler failed");
}

// BGR0. With a matrix set, swscale goes from RGB to RGB by way of YUV, which is not exact.
void VideoEncoder::pack(const Image& image) {
  check(av_frame_make_writable(frame_.get()), ExitCode::out_of_memory, "no memory for a frame");
  const std::uint8_t* from = image.rgb.data();
  for (int y = 0; y < image.height; ++y) {
    std::uint8_t* to = frame_->data[0] + std::ptrdiff_t{y} * frame_->linesize[0];
    for (int x = 0; x < image.width; ++x, from += 3, to += 4) {
      to[0] = from[2];
      to[1] = from[1];
      to[2] = from[0];
      to[3] = 0;
    }
  }
}

void VideoEncoder::encode(const Image& image, const PacketReceiver& receive) {
  // A 12 fps model is shown on twos: every other frame of a film is the one before, already scaled and converted.
  const bool is_repeated = image.width == last_.width && image.height == last_.height && image.rgb == last_.rgb;
  if (!is_repeated) {
    if (is_rgb(context_->pix_fmt))
      pack(framed(image, context_->width, context_->height, fit_));
    else
      fill(image);
    last_ = image;
  }
  ++frame_->pts;
  encode_frame(*context_, frame_.get(), *packet_, receive);
}

void VideoEncoder::flush(const PacketReceiver& receive) { encode_frame(*context_, nullptr, *packet_, receive); }

AudioEncoder::AudioEncoder(const char* encoder) : context_(new_encoder(encoder)), frame_(new_frame()), packet_(new_packet()) {
  context_->sample_rate = film_sample_rate;
  context_->sample_fmt = context_->codec->sample_fmts[0];
  if (context_->sample_fmt != AV_SAMPLE_FMT_FLTP && context_->sample_fmt != AV_SAMPLE_FMT_S32)
    throw Error(ExitCode::internal, std::string("the encoder ") + encoder + " takes other samples than planar floats or 32-bit integers");
  av_channel_layout_default(&context_->ch_layout, film_channels);
  context_->bit_rate = audio_bits_per_second;
  context_->time_base = {1, film_sample_rate};
  context_->thread_count = 1;
  context_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
  check(avcodec_open2(context_.get(), nullptr, nullptr), ExitCode::unavailable,
        std::string("the encoder ") + encoder + " cannot be opened");
}

void AudioEncoder::encode(std::span<const float> interleaved_stereo, const PacketReceiver& receive) {
  const auto whole = static_cast<std::size_t>(context_->frame_size > 0 ? context_->frame_size : samples_a_packet);
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

// As the codec takes them: planar floats, or interleaved whole numbers of 24 bits in the upper part of 32.
void AudioEncoder::put_samples(std::size_t sample_frames) {
  if (context_->sample_fmt == AV_SAMPLE_FMT_S32) {
    auto* out = reinterpret_cast<std::int32_t*>(frame_->extended_data[0]);
    for (std::size_t i = 0; i < sample_frames * film_channels; ++i) out[i] = sample_24(pending_[i]) * 256;
    return;
  }
  for (std::size_t c = 0; c < film_channels; ++c) {
    auto* plane = reinterpret_cast<float*>(frame_->extended_data[c]);
    for (std::size_t i = 0; i < sample_frames; ++i) plane[i] = pending_[i * film_channels + c];
  }
}

void AudioEncoder::send_pending(std::size_t sample_frames, const PacketReceiver& receive) {
  av_frame_unref(frame_.get());
  frame_->format = context_->sample_fmt;
  frame_->sample_rate = film_sample_rate;
  frame_->nb_samples = static_cast<int>(sample_frames);
  frame_->pts = sent_;
  check(av_channel_layout_copy(&frame_->ch_layout, &context_->ch_layout), ExitCode::out_of_memory, "no memory for sound");
  check(av_frame_get_buffer(frame_.get(), 0), ExitCode::out_of_memory, "no memory for sound");
  put_samples(sample_frames);
  encode_frame(*context_, frame_.get(), *packet_, receive);
  sent_ += static_cast<std::int64_t>(sample_frames);
  pending_.clear();
}

}  // namespace fabula::av
