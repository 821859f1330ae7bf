// Writes a card as a subtitle script and lets libass draw it.
#include "video/io/cards.h"

#include <ass/ass.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "audio/mix.h"
#include "base/error.h"
#include "engine/film/film.h"
#include "engine/film/subtitle_lines.h"

namespace fabula {
namespace {

constexpr std::int64_t card_fade_ms = 500;

struct FreeAss {
  void operator()(ASS_Library* p) const { ass_library_done(p); }
  void operator()(ASS_Renderer* p) const { ass_renderer_done(p); }
  void operator()(ASS_Track* p) const { ass_free_track(p); }
};
template <typename T>
using Ass = std::unique_ptr<T, FreeAss>;

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

// One glyph or part of one: a coverage, and a colour as 0xRRGGBBTT, TT being its transparency.
void blend(const ASS_Image& part, Image& image) {
  const std::uint32_t opacity = 255 - (part.color & 0xFFU);
  for (int y = 0; y < part.h; ++y) {
    const std::uint8_t* coverage = part.bitmap + std::ptrdiff_t{y} * part.stride;
    std::uint8_t* pixel = image.rgb.data() + std::ptrdiff_t{3} * (std::ptrdiff_t{part.dst_y + y} * image.width + part.dst_x);
    for (int x = 0; x < part.w; ++x, pixel += 3) {
      const std::uint32_t weight = coverage[x] * opacity;
      for (int channel = 0; channel < 3; ++channel) {
        const std::uint32_t colour = part.color >> (24U - 8U * static_cast<unsigned>(channel)) & 0xFFU;
        pixel[channel] = static_cast<std::uint8_t>((colour * weight + pixel[channel] * (255U * 255U - weight)) / (255U * 255U));
      }
    }
  }
}

Image darkened(Image image, std::int64_t part, std::int64_t whole) {
  for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>(value * part / whole);
  return image;
}

}  // namespace

Image draw_card(const Card& card, int width, int height) {
  const Ass<ASS_Library> library(ass_library_init());
  if (!library) throw Error(ExitCode::unavailable, "libass cannot be opened");
  ass_set_message_cb(
      library.get(), [](int, const char*, va_list, void*) {}, nullptr);  // standard error belongs to the command line
  const Ass<ASS_Renderer> renderer(ass_renderer_init(library.get()));
  std::string script = script_of(card, width, height);
  const Ass<ASS_Track> track(ass_read_memory(library.get(), script.data(), script.size(), nullptr));
  if (!renderer || !track) throw Error(ExitCode::unavailable, "libass cannot draw a title card");
  ass_set_frame_size(renderer.get(), width, height);
  ass_set_fonts(renderer.get(), nullptr, "sans-serif", ASS_FONTPROVIDER_AUTODETECT, nullptr, 1);
  Image image{width, height,
              std::vector<std::uint8_t>(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))};
  for (const ASS_Image* part = ass_render_frame(renderer.get(), track.get(), 0, nullptr); part != nullptr; part = part->next)
    blend(*part, image);
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
