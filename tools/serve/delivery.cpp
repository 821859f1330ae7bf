// One table of files; ranges; timelines whose media are the finished film itself.
#include "tools/serve/delivery.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "engine/film/film.h"
#include "planner/schema/schema.h"
#include "tools/timeline/timeline.h"

namespace fabula::serve {

namespace fs = std::filesystem;

const std::vector<Variant>& variants() {
  static const std::vector<Variant> all = {
      {"video", "film.mp4", "video/mp4", ".mp4", true},
      {"spritesheet", "film.mp4.preview.jpg", "image/jpeg", ".jpg", false},
      {"subtitles", "film.vtt", "text/vtt; charset=utf-8", ".vtt", true},
      {"srt", "film.srt", "application/x-subrip; charset=utf-8", ".srt", true},
      {"receipt", "film.fabula.json", "application/json", ".fabula.json", true},
      {"plan", "plan.json", "application/json", ".plan.json", false},
  };
  return all;
}

const Variant* variant_named(std::string_view name) {
  const auto found = std::find_if(variants().begin(), variants().end(), [&](const Variant& one) { return name == one.name; });
  return found == variants().end() ? nullptr : &*found;
}

fs::path poster_of(const fs::path& folder, const std::string& shot) {
  std::error_code ignored;
  const fs::path posters = folder / "posters";
  if (!shot.empty()) {
    const bool is_id = shot.size() <= 64 && std::all_of(shot.begin(), shot.end(), [](char c) {
                         return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
                       });
    const fs::path poster = is_id ? posters / (shot + ".jpg") : fs::path();
    return is_id && fs::is_regular_file(poster, ignored) ? poster : fs::path();
  }
  fs::path first;
  for (const auto& entry : fs::directory_iterator(posters, ignored)) {
    if (entry.path().extension() == ".jpg" && (first.empty() || entry.path() < first)) first = entry.path();
  }
  return first;
}

std::optional<plan::Film> plan_in(const fs::path& folder) {
  std::error_code ignored;
  const fs::path file = folder / "plan.json";
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  try {
    return plan::from_json(read_file(file, plan::largest_file, "the plan"));
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string timeline_of_film(const plan::Film& film, const std::string& file, int width, int height) {
  const std::int64_t all = frames_before(film.total_ms, film.fps);
  std::vector<timeline::Handles> handles;
  for (std::size_t i = 0; i < film.shots.size(); ++i) {
    const std::int64_t first = frames_before(film.shots[i].start_ms, film.fps);
    handles.push_back({.head = first, .tail = all - first - edges_of(film, i).frames, .held_tail = 0});
  }
  timeline::Timeline cut = timeline::timeline_of(film, Rate{film.fps, 1}, handles, file);
  cut.width = width;
  cut.height = height;
  cut.is_of_film = true;
  for (timeline::Clip& clip : cut.clips) {  // what the film shows at a transition is in the film already
    clip.transition.clear();
    clip.overlap = clip.fade_in = clip.fade_out = 0;
  }
  return timeline::to_otio(cut, {});
}

std::optional<Part> part_of(std::string_view range, std::uint64_t file_bytes) {
  constexpr std::string_view unit = "bytes=";
  if (!range.starts_with(unit)) return std::nullopt;
  range.remove_prefix(unit.size());
  const std::size_t dash = range.find('-');
  if (dash == std::string_view::npos || range.find(',') != std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view text, std::uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  };
  const std::string_view from = range.substr(0, dash), to = range.substr(dash + 1);
  std::uint64_t first = 0, last = file_bytes - 1;
  if (from.empty()) {
    std::uint64_t tail = 0;
    if (!number(to, tail)) return std::nullopt;
    if (tail == 0 || file_bytes == 0) return Part{};
    first = file_bytes - std::min(tail, file_bytes);
  } else {
    if (!number(from, first) || (!to.empty() && !number(to, last)) || last < first) {
      if (first >= file_bytes && to.empty()) return Part{};
      return std::nullopt;
    }
    if (first >= file_bytes) return Part{};
    last = std::min(last, file_bytes - 1);
  }
  return Part{first, last - first + 1};
}

}  // namespace fabula::serve
