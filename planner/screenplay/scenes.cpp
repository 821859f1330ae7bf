// Groups the elements of a screenplay into scenes, shots and lines.
#include "planner/screenplay/scenes.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "planner/text/text.h"

namespace fabula::screenplay {
namespace {

// One line of prose: no emphasis, no line breaks, single spaces.
std::string flat(std::string_view text) {
  std::string words;
  for (const char c : strip_emphasis(text)) {
    const bool space = c == ' ' || c == '\n' || c == '\t';
    if (!space)
      words += c;
    else if (!words.empty() && words.back() != ' ')
      words += ' ';
  }
  return std::string(trimmed(words));
}

// The overrides in a note; none if it is not addressed to Fabula.
std::vector<Override> overrides_of(const Element& note) {
  std::string_view rest = note.text;
  constexpr std::string_view address = "fabula:";
  if (lowercase(rest.substr(0, address.size())) != address) return {};
  rest.remove_prefix(address.size());
  std::vector<Override> found;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(";\n"), rest.size());
    const std::string_view entry = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (entry.empty()) continue;
    const std::size_t equals = entry.find('=');
    const std::string key = equals == std::string_view::npos ? "" : lowercase(trimmed(entry.substr(0, equals)));
    if (key.empty()) {
      throw Error(ExitCode::bad_data,
                  "the screenplay, line " + std::to_string(note.line) + ": a note to Fabula is written [[fabula: key = value]]");
    }
    found.push_back({key, std::string(trimmed(entry.substr(equals + 1))), note.line});
  }
  return found;
}

// ---- headings

struct Setting {
  std::string_view prefix, name;
};
constexpr std::array<Setting, 9> settings = {{{"int./ext", "both"},
                                              {"ext./int", "both"},
                                              {"int/ext", "both"},
                                              {"ext/int", "both"},
                                              {"i/e", "both"},
                                              {"e/i", "both"},
                                              {"int", "interior"},
                                              {"ext", "exterior"},
                                              {"est", "exterior"}}};
constexpr std::array<std::string_view, 15> times = {"day",  "night",  "morning", "afternoon", "evening", "noon",      "midnight", "dawn",
                                                    "dusk", "sunset", "sunrise", "twilight",  "daytime", "nighttime", "midday"};
constexpr std::array<std::string_view, 6> same_times = {"continuous", "later", "same", "same time", "moments later", "same day"};

// The parts of "A - B - C"; any kind of dash.
std::vector<std::string> dashed_parts(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    std::size_t end = std::string_view::npos, width = 0;
    for (const std::string_view dash : {" - ", " -- ", " \u2013 ", " \u2014 "}) {
      if (const std::size_t at = text.find(dash); at < end) end = at, width = dash.size();
    }
    parts.emplace_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + width);
  }
}

template <std::size_t count>
bool is_one_of(const std::array<std::string_view, count>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// `before`: the time of day of the previous scene.
Scene scene_of(const Element& heading, const std::string& before) {
  Scene scene;
  scene.heading = flat(heading.text);
  scene.number = heading.scene_number;
  scene.line = heading.line;
  std::string_view rest = scene.heading;
  const std::string lower = lowercase(rest.substr(0, 9));
  for (const Setting& setting : settings) {
    if (!lower.starts_with(setting.prefix) || lower.size() <= setting.prefix.size()) continue;
    const char behind = lower[setting.prefix.size()];
    if (behind != '.' && behind != ' ') continue;
    scene.setting = setting.name;
    rest = trimmed(rest.substr(setting.prefix.size() + 1));
    break;
  }
  std::vector<std::string> parts = dashed_parts(rest);
  // The last part that names a time is the time. Parts after it ("FLASHBACK") are ignored.
  for (std::size_t i = parts.size(); i-- > 1 && scene.time_of_day.empty();) {
    const std::string word = lowercase(parts[i]);
    const bool same = is_one_of(same_times, word);
    if (!same && !is_one_of(times, word)) continue;
    scene.time_of_day = same ? before : word;
    parts.resize(i);
    break;
  }
  for (const std::string& part : parts) scene.place += (scene.place.empty() ? "" : " - ") + part;
  return scene;
}

// ---- speech

std::string letters_of(std::string_view text) {
  std::string letters;
  for (const char c : lowercase(text)) {
    if (c >= 'a' && c <= 'z') letters += c;
  }
  return letters;
}

// "THE END" is neither a shot nor a transition: "FADE OUT." before it stays the last one.
bool is_end(std::string_view text) {
  const std::string letters = letters_of(text);
  return letters == "theend" || letters == "end" || letters == "fin";
}

// Walks over the elements. Notes and lines belong to the most recent scene, shot or cue.
class Walk {
 public:
  explicit Walk(const Screenplay& play) {
    script_.title = flat(title_value(play, "title"));
    for (const Element& element : play.elements) take(element);
    script_.end_transition = transition_;
  }

  Script result() && { return std::move(script_); }

 private:
  void take(const Element& element) {
    const ElementType type = element.type;
    const bool parts_speech = type == ElementType::scene_heading || type == ElementType::action || type == ElementType::centred ||
                              type == ElementType::transition;
    if (parts_speech) cue_ = {};  // lyrics after this have no singer
    switch (type) {
      case ElementType::scene_heading: {
        const std::string before = script_.scenes.empty() ? "" : script_.scenes.back().time_of_day;
        script_.scenes.push_back(scene_of(element, before));
        target_ = Target::scene;
        break;
      }
      case ElementType::action:
        new_shot(element.line).action = flat(element.text);
        break;
      case ElementType::centred:
        shot(element.line).captions.push_back(flat(element.text));
        break;
      case ElementType::transition:
        if (!is_end(element.text)) transition_ = flat(element.text);
        break;
      case ElementType::character:
        cue_ = element;
        cue_said_ = false;
        delivery_.clear();
        cue_overrides_.clear();
        target_ = Target::cue;
        break;
      case ElementType::parenthetical:
        delivery_ += (delivery_.empty() ? "" : ", ") + flat(element.text);
        break;
      case ElementType::dialogue:
        say(element, false);
        break;
      case ElementType::lyrics:
        say(element, true);
        break;
      case ElementType::note:
        note(element);
        break;
      case ElementType::page_break:
      case ElementType::section:
      case ElementType::synopsis:
        break;
    }
  }

  Scene& scene(int line) {
    if (script_.scenes.empty()) {
      script_.scenes.emplace_back();
      script_.scenes.back().line = line;
    }
    return script_.scenes.back();
  }

  Shot& new_shot(int line) {
    Shot& shot = scene(line).shots.emplace_back();
    shot.line = line;
    shot.transition = std::move(transition_);
    transition_.clear();
    target_ = Target::shot;
    return shot;
  }

  Shot& shot(int line) { return scene(line).shots.empty() || !transition_.empty() ? new_shot(line) : scene(line).shots.back(); }

  void say(const Element& spoken, bool sung) {
    SpokenLine line;
    line.speaker = flat(cue_.text);
    line.text = flat(spoken.text);
    line.sung = sung;
    line.line = spoken.line;
    line.delivery = std::move(delivery_);
    delivery_.clear();
    line.with_previous = cue_.dual && !cue_said_;
    cue_said_ = true;
    for (const std::string& extension : cue_.extensions) {
      const std::string letters = letters_of(extension);
      if (letters == "vo")
        line.mode = "voiceover";
      else if (letters == "os" || letters == "oc")
        line.mode = "off_screen";
      else if (letters != "contd" && letters != "continued")
        line.delivery += (line.delivery.empty() ? "" : ", ") + flat(extension);
    }
    if (line.text.empty()) return;
    line.overrides = cue_overrides_;
    shot(spoken.line).dialogue.push_back(std::move(line));
    target_ = Target::line;
  }

  void note(const Element& note) {
    std::vector<Override>& all = target_ == Target::film    ? script_.overrides
                                 : target_ == Target::scene ? script_.scenes.back().overrides
                                 : target_ == Target::shot  ? script_.scenes.back().shots.back().overrides
                                 : target_ == Target::cue   ? cue_overrides_
                                                            : script_.scenes.back().shots.back().dialogue.back().overrides;
    for (Override& override : overrides_of(note)) all.push_back(std::move(override));
  }

  enum class Target { film, scene, shot, cue, line };
  Script script_;
  Target target_ = Target::film;
  Element cue_;
  std::vector<Override> cue_overrides_;  // apply to every line of the cue
  std::string delivery_, transition_;
  bool cue_said_ = false;
};

}  // namespace

Script scenes_of(const Screenplay& play) { return Walk(play).result(); }

}  // namespace fabula::screenplay
