// Writes a card as a subtitle script and lets libass draw it.
#include "video/io/cards.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "audio/mix.h"
#include "engine/film/film.h"
#include "engine/film/subtitle_lines.h"
#include "video/io/av.h"

extern "C" {
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
}

namespace fabula {
namespace {

constexpr std::int64_t card_fade_ms = 500;

struct FreeGraph {
  void operator()(AVFilterGraph* p) const { avfilter_graph_free(&p); }
};

// A file in memory with a path, which is all that the filter takes.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& text) : descriptor_(::memfd_create("card", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::write(descriptor_, text.data(), text.size()) != std::ssize(text)) {
      if (descriptor_ >= 0) ::close(descriptor_);
      throw Error(ExitCode::out_of_memory, "no memory for a title card");
    }
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

// Braces begin override codes; a backslash with a letter behind it is one, which an invisible joiner between them prevents.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : subtitle_text(text)) {
    if (c == '{' || c == '}') result += '\\';
    result += c;
    if (c == '\\') result += "\u2060";
  }
  return result;
}

std::string script_of(const Card& card, int width, int height) {
  const int large = std::max(8, height / 9), small = std::max(6, height / 20), margin = width / 12;
  std::string script =
      "[Script Info]\nScriptType: v4.00+\nWrapStyle: 0\nPlayResX: " + std::to_string(width) + "\nPlayResY: " + std::to_string(height) +
      "\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, Alignment, MarginL, MarginR\nStyle: Card,DejaVu Sans," +
      std::to_string(large) + ",&H00FFFFFF,5," + std::to_string(margin) + "," + std::to_string(margin) +
      "\n[Events]\nFormat: Layer, Start, End, Style, Text\nDialogue: 0,0:00:00.00,0:00:10.00,Card," + escaped(card.title);
  if (!card.below.empty()) script += "\\N\\N{\\fs" + std::to_string(small) + "}" + escaped(card.below);
  return script + "\n";
}

Image darkened(Image image, std::int64_t part, std::int64_t whole) {
  for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>(value * part / whole);
  return image;
}

}  // namespace

Image draw_card(const Card& card, int width, int height) {
  av::quiet();
  const MemoryFile script(script_of(card, width, height));
  const std::unique_ptr<AVFilterGraph, FreeGraph> graph(av::allocated(avfilter_graph_alloc()));
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  const std::string chain = "color=black:s=" + size + ",format=rgb24,ass=" + script.path() + ",format=rgb24,buffersink@card";
  AVFilterInOut *inputs = nullptr, *outputs = nullptr;
  const int parsed = avfilter_graph_parse_ptr(graph.get(), chain.c_str(), &inputs, &outputs, nullptr);
  avfilter_inout_free(&inputs);
  avfilter_inout_free(&outputs);
  av::check(parsed, ExitCode::unavailable, "this FFmpeg cannot draw a title card");
  av::check(avfilter_graph_config(graph.get(), nullptr), ExitCode::unavailable, "this FFmpeg cannot draw a title card");
  AVFilterContext* sink = nullptr;
  for (unsigned i = 0; i < graph->nb_filters; ++i) {
    if (std::strcmp(graph->filters[i]->filter->name, "buffersink") == 0) sink = graph->filters[i];
  }
  const av::Frame frame = av::new_frame();
  av::check(av_buffersink_get_frame(sink, frame.get()), ExitCode::internal, "a title card was not drawn");

  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    const std::uint8_t* row = frame->data[0] + std::ptrdiff_t{y} * frame->linesize[0];
    image.rgb.insert(image.rgb.end(), row, row + std::ptrdiff_t{3} * width);
  }
  return image;
}

CardSink::CardSink(MediaSink& sink, CardOptions options) : sink_(sink), options_(std::move(options)) {
  if (options_.title) show(*options_.title);
}

void CardSink::finish() {
  if (options_.end) show(*options_.end);
  sink_.finish();
}

void CardSink::show(const Card& card) {
  const Image image = draw_card(card, options_.width, options_.height);
  const std::int64_t frames = frames_before(card_ms, options_.fps), fade = frames_before(card_fade_ms, options_.fps);
  for (std::int64_t k = 0; k < frames; ++k) {
    const std::int64_t part = std::min(k, frames - 1 - k);
    sink_.frame(part < fade ? darkened(image, part, fade) : image);
  }
  sink_.samples(std::vector<float>(static_cast<std::size_t>(samples_before(frames, options_.fps) * film_channels)));
}

}  // namespace fabula
