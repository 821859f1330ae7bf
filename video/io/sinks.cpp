// The table of containers. Another one is its sink and a line here.
#include "video/io/sinks.h"

#include <algorithm>

#include "video/io/movie.h"
#include "video/io/sequence.h"
#include "video/io/wave_file.h"

namespace fabula {
namespace {

template <const MovieFormat& format>
std::unique_ptr<FileSink> movie(std::filesystem::path output, SinkOptions options) {
  return std::make_unique<MovieSink>(format, std::move(output), std::move(options));
}

template <SequenceSink::Write write>
std::unique_ptr<FileSink> sequence(std::filesystem::path output, SinkOptions options) {
  return std::make_unique<SequenceSink>(write, std::move(output), std::move(options));
}

std::unique_ptr<FileSink> wave(std::filesystem::path output, SinkOptions options) {
  return std::make_unique<WaveSink>(std::move(output), std::move(options));
}

using enum Container::Holds;

constexpr Container table[] = {
    {".mp4", "h264", "H.264, 8 bit 4:2:0; AAC", both, 0.2, movie<h264_mp4>},
    {".mp4", "hevc", "HEVC (hvc1), 8 bit 4:2:0; AAC", both, 0.15, movie<hevc_mp4>},
    {".mp4", "av1", "AV1, 8 bit 4:2:0; AAC", both, 0.15, movie<av1_mp4>},
    {".mov", "prores", "ProRes 422 HQ, 10 bit 4:2:2; 24-bit PCM", both, 4.0, movie<prores_hq_mov>},
    {".mov", "prores4444", "ProRes 4444 without alpha, 10 bit 4:4:4; 24-bit PCM", both, 6.0, movie<prores_4444_mov>},
    {".mov", "dnxhr", "DNxHR HQX, 10 bit 4:2:2; 24-bit PCM", both, 4.5, movie<dnxhr_hqx_mov>},
    {".mkv", "ffv1", "FFV1, lossless 8-bit RGB; 24-bit PCM", both, 8.0, movie<ffv1_mkv>},
    {".png", "png", "a PNG for every frame, 8-bit RGB; no sound", picture, 8.0, sequence<write_png_frame>},
    {".exr", "exr", "an OpenEXR for every frame, linear half floats, zip; no sound", picture, 20.0, sequence<write_exr_frame>},
    {".wav", "pcm", "Broadcast Wave, 24 bit; no picture", sound, 0.0, wave},
};

}  // namespace

std::span<const Container> containers() { return table; }

const Container* container_of(std::string_view extension, std::string_view codec) {
  const auto* found = std::find_if(std::begin(table), std::end(table),
                                   [&](const Container& c) { return extension == c.extension && (codec.empty() || codec == c.codec); });
  return found == std::end(table) ? nullptr : found;
}

std::string container_extensions() {
  std::string text;
  for (const Container& container : table) {
    if (&container == container_of(container.extension)) text += std::string(text.empty() ? "" : ", ") + container.extension;
  }
  return text;
}

}  // namespace fabula
