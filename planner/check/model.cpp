// Rules about what the model of a world can film: its actors, places, actions and voices, and its format.
#include <set>
#include <type_traits>

#include "planner/check/check.h"
#include "planner/check/limits.h"
#include "planner/check/rules.h"
#include "planner/schema/caps.h"
#include "planner/schema/fields.h"
#include "planner/text/prompt.h"
#include "planner/text/text.h"

namespace fabula::plan {
namespace {

// Most optional fields have no place in the planner's token stream (schema/fields.h), so the model never sees them. Reports each one that
// is set, except those that are not about picture or sound, and transitions and the ending, which are made of the model's pictures.
template <typename S>
class Ignored {
 public:
  Ignored(const S& object, std::string path, const World& world, Findings& findings)
      : object_(object), path_(std::move(path)), world_(world), findings_(findings) {}

  void constant(const char*, const char*) {}

  template <typename M>
  void need(const char* key, M S::*member, const char*, const Limits& = {}) {
    inside(object_.*member, below(key));
  }

  template <typename M>
  void may(const char* key, M S::*member, const char*, const Limits& = {}) {
    static const std::set<std::string> bookkeeping = {"logline", "seed",   "world",   "beats",      "beat",  "pre",
                                                      "effects", "locked", "cast_id", "transition", "ending"};
    if (is_default(object_, member) || bookkeeping.contains(key) || is_seen(key)) return;
    findings_.add(below(key), "model-ignores", "is set, but this model does not look at it");
  }

 private:
  // The film's props are bookkeeping. The props of a shot, weathers and moods are seen if the world has any.
  bool is_seen(const std::string& key) const {
    if (key == "props") return std::is_same_v<S, Film> || !world_.props.empty();
    return (key == "weather" && !world_.weathers.empty()) || (key == "mood" && !world_.moods.empty());
  }

  std::string below(const char* key) const { return path_.empty() ? key : path_ + "." + key; }

  template <typename T>
  void inside(const T&, const std::string&) {}
  template <typename T>
  void inside(const std::vector<T>& entries, const std::string& path) {
    for (std::size_t i = 0; i < entries.size(); ++i) inside(entries[i], at(path, i));
  }
  template <typename T>
  requires requires { Fields<T>::name; }
  void inside(const T& object, const std::string& path) {
    Ignored<T> inner(object, path, world_, findings_);
    Fields<T>::list(inner);
  }

  const S& object_;
  std::string path_;
  const World& world_;
  Findings& findings_;
};

class ModelCheck {
 public:
  ModelCheck(const Film& film, const World& world, Findings& findings) : film_(film), world_(world), findings_(findings) {}

  void run() {
    if (const std::string fault = prompt_fault(film_.prompt); !fault.empty()) find("prompt", "model-prompt", fault);
    length("treatment", film_.treatment, PlanCaps::treatment);
    length("title", film_.title, PlanCaps::title);
    only("aspect", "model-format", film_.aspect, ModelFormat::aspect);
    only("fps", "model-format", std::to_string(film_.fps), ModelFormat::fps);
    only("language", "model-format", film_.language, ModelFormat::language);
    only("sound.music", "model-format", film_.sound.music, ModelFormat::music);
    if (film_.characters.empty()) find("characters", "model-character", "is empty, this model's films have one at least");
    for (std::size_t i = 0; i < film_.characters.size(); ++i) character(at("characters", i), film_.characters[i]);
    if (film_.places.empty()) find("places", "model-place", "is empty");
    for (std::size_t i = 0; i < film_.places.size(); ++i) place(at("places", i), film_.places[i]);
    if (film_.shots.size() > static_cast<std::size_t>(world_.max_shots))
      find("shots", "model-shots", "has more than " + std::to_string(world_.max_shots) + " shots");
    for (std::size_t i = 0; i < film_.shots.size(); ++i) shot(at("shots", i), film_.shots[i]);
    Ignored<Film> ignored(film_, "", world_, findings_);
    Fields<Film>::list(ignored);
  }

 private:
  void find(const std::string& path, const char* rule, const std::string& sentence) { findings_.add(path, rule, sentence); }

  void length(const std::string& path, const std::string& text, std::size_t cap) {
    if (text.empty()) find(path, "model-text", "is empty, this planner's texts are not");
    if (text.size() > cap)
      find(path, "model-text", "is " + std::to_string(text.size()) + " bytes long, at most " + std::to_string(cap) + " fit");
  }

  void only(const std::string& path, const char* rule, const std::string& value, const std::string& made) {
    if (value != made) find(path, rule, "is \"" + value + "\", this model makes only \"" + made + "\"");
  }

  void one_of(const std::string& path, const char* rule, const std::string& value, const std::vector<std::string>& names,
              const char* what) {
    if (!has(names, value)) find(path, rule, "\"" + value + "\" is not " + what + " of this model (" + joined(names) + ")");
  }

  void character(const std::string& path, const Character& c) {
    one_of(path + ".id", "model-character", c.id, ids_of(world_.actors), "an actor");
    length(path + ".name", c.name, PlanCaps::name);
    length(path + ".look", c.look, PlanCaps::look);
    one_of(path + ".voice.voice_id", "model-voice", c.voice.voice_id, ids_of(world_.voices), "a voice");
  }

  void place(const std::string& path, const Place& p) {
    const World::Place* known = world_.place(p.id);
    if (known == nullptr) one_of(path + ".id", "model-place", p.id, ids_of(world_.places), "a place");
    length(path + ".description", p.description, PlanCaps::description);
    one_of(path + ".time_of_day", "model-place", p.time_of_day, world_.times, "a time");
    if (p.weather.empty() || world_.weathers.empty()) return;
    const std::vector<std::string> weathers = ids_of(world_.weathers);
    if (known == nullptr || !has(weathers, p.weather)) return one_of(path + ".weather", "model-place", p.weather, weathers, "a weather");
    one_of(path + ".weather", "model-place", p.weather, known->weathers, "a weather of this place");
  }

  void shot(const std::string& path, const Shot& s) {
    const int longest = world_.film_ms(1) + 1;  // shots start at whole milliseconds
    if (s.duration_ms > longest)
      find(path + ".duration_ms", "model-shot-length",
           "is " + std::to_string(s.duration_ms) + ", this model makes at most " + std::to_string(longest));
    if (s.transition.kind == "continue")
      find(path + ".transition.kind", "model-transition", "is continue, this model cannot go on from a shot's last frame: make it a cut");
    cast(path + ".cast", s);
    if (!world_.props.empty()) props(path + ".props", s);
    actions(path + ".action_beats", s);
    one_of(path + ".camera.size", "model-camera", s.camera.size, world_.camera_sizes, "a shot size");
    one_of(path + ".camera.move", "model-camera", s.camera.move, world_.camera_moves, "a camera move");
    lines(path + ".dialogue", s);
    one_of(path + ".ambience", "model-place", s.ambience, world_.ambiences, "an ambience");
  }

  void cast(const std::string& path, const Shot& s) {
    if (s.cast.empty()) find(path, "model-cast", "is empty, this model shows one at least");
    if (s.cast.size() > PlanCaps::cast) find(path, "model-cast", "has more than " + std::to_string(PlanCaps::cast) + " members");
    for (std::size_t i = 0; i < s.cast.size(); ++i) {
      one_of(at(path, i) + ".position", "model-cast", s.cast[i].position, world_.positions, "a position");
      one_of(at(path, i) + ".facing", "model-cast", s.cast[i].facing, world_.facings, "a direction");
      if (!s.cast[i].mood.empty() && !world_.moods.empty())
        one_of(at(path, i) + ".mood", "model-cast", s.cast[i].mood, ids_of(world_.moods), "a mood");
    }
  }

  void props(const std::string& path, const Shot& s) {
    if (s.props.size() > PlanCaps::props) find(path, "model-prop", "has more than " + std::to_string(PlanCaps::props) + " entries");
    std::set<std::string> seen;
    for (std::size_t i = 0; i < s.props.size(); ++i) {
      one_of(at(path, i) + ".id", "model-prop", s.props[i].id, ids_of(world_.props), "a prop");
      one_of(at(path, i) + ".position", "model-prop", s.props[i].position, world_.positions, "a position");
      if (!seen.insert(s.props[i].id).second) find(at(path, i) + ".id", "model-prop", "\"" + s.props[i].id + "\" is in this shot twice");
    }
  }

  void actions(const std::string& path, const Shot& s) {
    if (s.action_beats.empty()) find(path, "model-action", "is empty, in this model's shots somebody acts");
    std::set<std::string> seen;
    for (std::size_t i = 0; i < s.action_beats.size(); ++i) {
      const ActionBeat& beat = s.action_beats[i];
      if (beat.at_ms != 0)
        find(at(path, i) + ".at_ms", "model-action", "is " + std::to_string(beat.at_ms) + ", this model's actions start with the shot (0)");
      if (!seen.insert(beat.who).second) find(at(path, i) + ".who", "model-action", "\"" + beat.who + "\" acts already in this shot");
      one_of(at(path, i) + ".what", "model-action", beat.what, ids_of(world_.actions), "an action");
    }
  }

  void lines(const std::string& path, const Shot& s) {
    if (s.dialogue.size() > 1) find(path, "model-line", "has more than one line");
    for (std::size_t i = 0; i < s.dialogue.size(); ++i) {
      const Line& line = s.dialogue[i];
      length(at(path, i) + ".text", line.text, world_.line_bytes);
      only(at(path, i) + ".mode", "model-line", line.mode, ModelFormat::line_mode);
      if (line.crosses_cut && line.end_ms > end_ms(s))
        find(at(path, i) + ".end_ms", "model-line",
             "is " + std::to_string(line.end_ms) + ", in this model's films the line ends with the shot at " + std::to_string(end_ms(s)));
      if (!line.language.empty()) only(at(path, i) + ".language", "model-line", line.language, ModelFormat::language);
    }
  }

  const Film& film_;
  const World& world_;
  Findings& findings_;
};

}  // namespace

std::vector<Finding> check_model(const Film& film, const World& world) {
  Findings findings;
  ModelCheck(film, world, findings).run();
  return std::move(findings.all);
}

}  // namespace fabula::plan
