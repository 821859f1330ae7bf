// Sanitises texts for prompts, and the tables of languages, camera words and transitions.
#include "planner/h3/words.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "planner/text/text.h"

namespace fabula::h3 {
namespace {

constexpr std::string_view unreadable = "\xEF\xBF\xBD";  // U+FFFD, which printable() puts for unreadable bytes

// One line in which bytes of `commas` become commas and bytes of `spaces` spaces, with no double or outer ones.
std::string one_line(std::string_view text, std::string_view commas, std::string_view spaces) {
  const std::string line = printable(text);
  std::string out;
  char waiting = 0;  // a space or comma to put before the next word
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (line.compare(i, unreadable.size(), unreadable) == 0) {
      if (waiting == 0) waiting = ' ';
      i += unreadable.size() - 1;
    } else if (commas.find(c) != std::string_view::npos) {
      waiting = ',';
    } else if (c == ' ' || spaces.find(c) != std::string_view::npos) {
      if (waiting == 0) waiting = ' ';
    } else {
      constexpr std::string_view closing = ",.;:!?";
      const bool glued = closing.find(c) != std::string_view::npos;  // "word (aside)." becomes "word, aside."
      if (!out.empty() && waiting != 0 && !(glued && waiting == ',')) out += waiting == ',' && out.back() != ',' ? ", " : " ";
      out += c;
      waiting = 0;
    }
  }
  return out;
}

struct Language {
  std::string_view tag, name;
};
// The model speaks the first eleven stably, others "to varying degrees" (README of MiniMax-AI/MiniMax-H3).
constexpr Language languages[] = {
    {"ar", "Arabic"},     {"zh", "Chinese"},    {"en", "English"},    {"fr", "French"},   {"de", "German"},   {"it", "Italian"},
    {"ja", "Japanese"},   {"ko", "Korean"},     {"pt", "Portuguese"}, {"ru", "Russian"},  {"es", "Spanish"},  {"bg", "Bulgarian"},
    {"bn", "Bengali"},    {"ca", "Catalan"},    {"cs", "Czech"},      {"da", "Danish"},   {"el", "Greek"},    {"fa", "Persian"},
    {"fi", "Finnish"},    {"ga", "Irish"},      {"he", "Hebrew"},     {"hi", "Hindi"},    {"hr", "Croatian"}, {"hu", "Hungarian"},
    {"id", "Indonesian"}, {"is", "Icelandic"},  {"la", "Latin"},      {"ms", "Malay"},    {"nl", "Dutch"},    {"no", "Norwegian"},
    {"nb", "Norwegian"},  {"pl", "Polish"},     {"ro", "Romanian"},   {"sk", "Slovak"},   {"sr", "Serbian"},  {"sv", "Swedish"},
    {"sw", "Swahili"},    {"ta", "Tamil"},      {"th", "Thai"},       {"tl", "Filipino"}, {"tr", "Turkish"},  {"uk", "Ukrainian"},
    {"ur", "Urdu"},       {"vi", "Vietnamese"}, {"yue", "Cantonese"},
};

struct Pair {
  std::string_view from, to;
};

constexpr Pair sizes[] = {
    {"wide", "a wide shot"},
    {"medium", "a medium shot"},
    {"close", "a close-up"},
    {"close_up", "a close-up"},
    {"closeup", "a close-up"},
    {"extreme_close", "an extreme close-up"},
    {"medium_close", "a medium close-up"},
    {"medium_wide", "a medium-wide shot"},
    {"extreme_wide", "an extreme wide shot"},
    {"full", "a full shot"},
    {"insert", "an insert shot"},
};
constexpr Pair angles[] = {
    {"eye_level", " at eye level"},          {"low", " from a low angle"},     {"high", " from a high angle"},
    {"overhead", " from directly overhead"}, {"ground", " from ground level"}, {"dutch", " with a tilted horizon"},
    {"over_shoulder", " over the shoulder"}, {"point_of_view", " as a POV"},
};

// The guide's name of a motion, and the word between it and its target.
struct Motion {
  std::string_view move, verb, link;
};
constexpr Motion motions[] = {
    {"static", "holds a static shot", "on"},
    {"push_in", "pushes in", "toward"},
    {"pull_out", "pulls out", "from"},
    {"zoom_in", "zooms in", "on"},
    {"zoom_out", "zooms out", "from"},
    {"pan_left", "pans left", "to"},
    {"pan_right", "pans right", "to"},
    {"tilt_up", "tilts up", "to"},
    {"tilt_down", "tilts down", "to"},
    {"truck_left", "trucks left", "along"},
    {"truck_right", "trucks right", "along"},
    {"pedestal_up", "pedestals up", "before"},
    {"pedestal_down", "pedestals down", "before"},
    {"arc", "moves in an arc shot", "around"},
    {"orbit", "moves in an arc shot", "around"},
    {"track", "follows in a tracking shot", "of"},
    {"tracking", "follows in a tracking shot", "of"},
    {"follow", "follows in a tracking shot", "of"},
    {"shake", "shakes slightly", "on"},
    {"handheld", "shakes slightly", "on"},
    {"shake_slightly", "shakes slightly", "on"},
    {"shake_strongly", "shakes strongly", "on"},
    {"roll_clockwise", "rolls clockwise", "around"},
    {"roll_counterclockwise", "rolls counterclockwise", "around"},
};

constexpr Pair cuts[] = {
    {"cut", "the camera cuts to"},
    {"dissolve", "the picture cross-dissolves to"},
    {"fade", "the picture fades to"},
    {"wipe", "the picture wipes to"},
    {"continue", "the take goes on without a visible cut to"},
};

template <std::size_t n>
std::string_view found(const Pair (&table)[n], std::string_view key) {
  const auto* at = std::find_if(std::begin(table), std::end(table), [&](const Pair& p) { return p.from == key; });
  return at == std::end(table) ? std::string_view() : at->to;
}

}  // namespace

std::string plain(std::string_view text) {
  std::string out = one_line(text, "<>[]{}()", "_|");
  while (!out.empty() && std::string_view(" .,;:").find(out.back()) != std::string_view::npos) out.pop_back();
  const std::size_t first = out.find_first_not_of(" .,;:");
  return first == std::string::npos ? "" : out.substr(first);
}

std::string spoken(std::string_view text) {
  const std::string out = one_line(text, "", "<>[]{}");
  return out.empty() ? "…" : out;
}

std::string language_name(std::string_view tag) {
  const std::string main = lowercase(tag.substr(0, tag.find('-')));
  for (const Language& l : languages) {
    if (l.tag == main) return std::string(l.name);
  }
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; };
  return !tag.empty() && std::all_of(tag.begin(), tag.end(), is_plain) ? std::string(tag) : "English";
}

std::string timestamp(int ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%02d:%02d.%03d", ms / 60'000, ms / 1000 % 60, ms % 1000);
  return text;
}

std::string seconds(int ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%d.%03d", ms / 1000, ms % 1000);
  std::string number = text;
  number.erase(number.find_last_not_of('0') + 1);
  if (number.back() == '.') number.pop_back();
  return number + (number == "1" ? " second" : " seconds");
}

std::string sentence(std::string text) {
  if (text.empty()) return text;
  if (text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  if (std::string_view(".!?").find(text.back()) == std::string_view::npos && !text.ends_with("</d>")) text += '.';
  return text;
}

std::string definite(const std::string& text) {
  for (const std::string_view article : {"a ", "an ", "A ", "An "}) {
    if (text.starts_with(article)) return "the " + text.substr(article.size());
  }
  return text;
}

std::string listed(const std::vector<std::string>& items) {
  std::string all;
  for (std::size_t i = 0; i < items.size(); ++i) all += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  return all;
}

std::string framing(const plan::Camera& camera) {
  std::string out(found(sizes, camera.size));
  if (out.empty()) {
    out = plain(camera.size);
    if (!out.starts_with("a ") && !out.starts_with("an ")) out = "a " + out;
    if (!out.ends_with("shot") && !out.ends_with("close-up")) out += out == "a " ? "shot" : " shot";
  }
  out += found(angles, camera.angle);
  if (camera.lens_mm > 0) out += " with a " + std::to_string(camera.lens_mm) + " mm lens";
  return out;
}

std::string motion(const plan::Camera& camera, const std::string& target) {
  const auto* known = std::find_if(std::begin(motions), std::end(motions), [&](const Motion& m) { return m.move == camera.move; });
  const bool is_known = known != std::end(motions);
  std::string out = "the camera ";
  if (is_known)
    out += known->verb;
  else
    out += "moves: " + plain(camera.move);
  if (camera.amplitude == "small" || camera.amplitude == "large") out += " with " + camera.amplitude + " amplitude";
  if (camera.speed == "slow" || camera.speed == "fast") out += " at " + camera.speed + " speed";
  if (!target.empty()) out += " " + std::string(is_known ? known->link : "toward") + " " + target;
  return out;
}

std::string cut_words(const plan::Transition& transition) {
  std::string out(found(cuts, transition.kind));
  if (out.empty()) out = found(cuts, "cut");
  if (transition.ms > 0 && transition.kind != "cut" && transition.kind != "continue") {
    out.insert(out.rfind(" to"), " over " + seconds(transition.ms));
  }
  return out;
}

std::string position_words(std::string_view position) {
  if (position == "left" || position == "right") return "on the " + std::string(position);
  if (position == "center" || position == "middle") return "in the " + std::string(position);
  return plain(position);
}

std::string time_words(std::string_view time_of_day) {
  const std::string time = plain(time_of_day);
  if (time.empty()) return "";
  if (time == "day") return "by day";
  for (const char* part : {"morning", "afternoon", "evening"}) {
    if (time.ends_with(part)) return "in the " + time;
  }
  return "at " + time;
}

}  // namespace fabula::h3
