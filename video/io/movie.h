// The film's file with picture and sound: one of libav's containers.
#pragma once

#include <array>
#include <filesystem>
#include <memory>

#include "video/io/sinks.h"

namespace fabula {

/// A private option of an encoder.
struct EncoderOption {
  const char *name = nullptr, *value = nullptr;
};

/// What is in a movie's file.
struct MovieFormat {
  const char* muxer;    ///< libavformat's name
  const char* encoder;  ///< libavcodec's
  const char* pixels;   ///< libav's name of the pixel format
  std::array<EncoderOption, 5> options;
  int crf = -1;               ///< constant rate factor, where none is asked for; negative: the codec has none
  const char* sound = "aac";  ///< libavcodec's name
  const char* tag = "";       ///< of the picture's sample entry; empty: the muxer's own choice
  bool has_boxes = true;      ///< ISO boxes, which MP4 and QuickTime share
  bool is_intra = false;      ///< every frame is a key frame
  bool is_master = false;     ///< timecode from 01:00:00:00, and said to be progressive
  int smallest_width = 16, smallest_height = 16;
};

inline constexpr MovieFormat h264_mp4 = {
    .muxer = "mp4",
    .encoder = "libx264",
    .pixels = "yuv420p",
    // "superfast" is measured with tools/bench/x264_presets.sh (docs/DESIGN.md, section 7): half the time of "veryfast" for as many bytes,
    // 0.5 dB less of 50. x264 0.164's AVX-512 code reads memory that nobody wrote where the width in macroblocks is no multiple of 8, so
    // the same frames gave other bytes now and then. With cpu-independent SSE2, AVX2 and AVX-512 give the same ones.
    .options = {{{"preset", "superfast"}, {"x264-params", "cpu-independent=1"}}},
    .crf = 18};
inline constexpr MovieFormat hevc_mp4 = {
    .muxer = "mp4",
    .encoder = "libx265",
    .pixels = "yuv420p",
    .options = {{{"preset", "medium"}, {"x265-params", "log-level=none:info=0:frame-threads=1:pools=2:open-gop=0"}}},
    .crf = 18,
    .tag = "hvc1",
    .smallest_width = 64,
    .smallest_height = 64};
inline constexpr MovieFormat av1_mp4 = {.muxer = "mp4",
                                        .encoder = "libsvtav1",
                                        .pixels = "yuv420p",
                                        .options = {{{"preset", "8"}, {"svtav1-params", "lp=2"}}},
                                        .crf = 24,
                                        .smallest_width = 64,
                                        .smallest_height = 64};
inline constexpr MovieFormat prores_hq_mov = {.muxer = "mov",
                                              .encoder = "prores_ks",
                                              .pixels = "yuv422p10le",
                                              .options = {{{"profile", "hq"}, {"vendor", "apl0"}}},
                                              .sound = "pcm_s24le",
                                              .is_intra = true,
                                              .is_master = true};
inline constexpr MovieFormat prores_4444_mov = {.muxer = "mov",
                                                .encoder = "prores_ks",
                                                .pixels = "yuv444p10le",
                                                .options = {{{"profile", "4444"}, {"vendor", "apl0"}}},
                                                .sound = "pcm_s24le",
                                                .is_intra = true,
                                                .is_master = true};
inline constexpr MovieFormat dnxhr_hqx_mov = {.muxer = "mov",
                                              .encoder = "dnxhd",
                                              .pixels = "yuv422p10le",
                                              .options = {{{"profile", "dnxhr_hqx"}}},
                                              .sound = "pcm_s24le",
                                              .is_intra = true,
                                              .is_master = true,
                                              .smallest_width = 256,
                                              .smallest_height = 120};
/// The very frames, in 8-bit RGB. The number of slices would follow from the threads.
inline constexpr MovieFormat ffv1_mkv = {.muxer = "matroska",
                                         .encoder = "ffv1",
                                         .pixels = "bgr0",
                                         .options = {{{"level", "3"}, {"slices", "4"}, {"slicecrc", "1"}}},
                                         .sound = "pcm_s24le",
                                         .has_boxes = false,
                                         .is_intra = true,
                                         .is_master = true};

/// BT.709 throughout, 48 kHz stereo; MP4 and QuickTime have the index in front (+faststart). Written as an OutputFile and two spool files
/// without a name; finish() gives it the output's name. Until then that name does not exist, and what was not finished is removed. Writing
/// needs seeking, so a device or a pipe gets a copy of the finished file. The same input yields the same bytes. Memory does not grow with
/// the film.
///
/// Errors: usage for an odd size, unavailable where FFmpeg lacks the encoder, cannot_create as OutputFile, io when a write fails (disk
/// full). After an error only destruction is allowed. Not thread-safe.
class MovieSink : public FileSink {
 public:
  /// Keeps a reference to the format.
  MovieSink(const MovieFormat&, std::filesystem::path output, SinkOptions options = {});
  ~MovieSink() override;
  MovieSink(const MovieSink&) = delete;
  MovieSink& operator=(const MovieSink&) = delete;

  void frame(const Image& image) override;
  void samples(std::span<const float> interleaved_stereo) override;
  /// A film without samples has no sound track. Throws Error(internal) for a film without frames or whose sound and picture differ by
  /// more than one frame.
  void finish() override;
  [[nodiscard]] const std::filesystem::path& output() const override;
  [[nodiscard]] const std::optional<Mastered>& mastered() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fabula
