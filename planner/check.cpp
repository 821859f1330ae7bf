// What must hold in a plan (docs of the plan: "Validator"). Each rule is one call that names the place.
#include <algorithm>
#include <set>

#include "kernels/error.h"
#include "planner/grammar/plan_grammar.h"
#include "planner/lm/unicode.h"
#include "planner/prompt.h"
#include "planner/schema.h"

namespace fabula::plan {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

bool has(const std::vector<std::string>& names, const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); }

// ^[a-z][a-z0-9_]{0,31}$
bool is_id(const std::string& id) {
  return !id.empty() && id.size() <= 32 && id[0] >= 'a' && id[0] <= 'z' && id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

class Checker {
 public:
  Checker(const Film& film, const World& world) : film_(film), world_(world) {}

  std::vector<Finding> all() {
    if (const std::string fault = prompt_fault(film_.prompt); !fault.empty()) find("prompt", fault);
    length("treatment", film_.treatment, PlanCaps::treatment);
    length("title", film_.title, PlanCaps::title);
    expect("aspect", film_.aspect, "16:9");
    expect("fps", std::to_string(film_.fps), "24");
    expect("language", film_.language, "en");
    expect("sound.music", film_.music, "none");
    declared("characters", ids_of(film_.characters), ids_of(world_.actors), "actor");
    for (std::size_t i = 0; i < film_.characters.size(); ++i) character(at("characters", i), film_.characters[i]);
    declared("places", ids_of(film_.places), ids_of(world_.places), "place");
    for (std::size_t i = 0; i < film_.places.size(); ++i) place(at("places", i), film_.places[i]);
    shots();
    if (film_.unsupported.size() > PlanCaps::unsupported_count) find("unsupported", "has more than " + std::to_string(PlanCaps::unsupported_count) + " entries");
    for (std::size_t i = 0; i < film_.unsupported.size(); ++i) length(at("unsupported", i), film_.unsupported[i], PlanCaps::unsupported);
    return std::move(findings_);
  }

 private:
  static std::string at(const std::string& list, std::size_t index) { return list + "[" + std::to_string(index) + "]"; }

  void find(const std::string& path, const std::string& sentence) { findings_.push_back({path, sentence}); }

  void length(const std::string& path, const std::string& text, std::size_t cap) {
    if (!is_utf8(text)) find(path, "is not UTF-8");
    if (text.empty()) find(path, "is empty");
    if (text.size() > cap) find(path, "is " + std::to_string(text.size()) + " bytes long, at most " + std::to_string(cap) + " fit");
  }

  void expect(const std::string& path, const std::string& value, const std::string& only) {
    if (value != only) find(path, "is \"" + value + "\", this version makes only \"" + only + "\"");
  }

  void one_of(const std::string& path, const std::string& value, const std::vector<std::string>& names, const char* what) {
    if (!has(names, value)) find(path, "\"" + value + "\" is not " + what + " (" + joined(names) + ")");
  }

  void declared(const std::string& path, const std::vector<std::string>& ids, const std::vector<std::string>& known, const std::string& what) {
    if (ids.empty()) find(path, "is empty");
    std::set<std::string> seen;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      one_of(at(path, i) + ".id", ids[i], known, (what == "actor" ? "an actor of this world" : "a place of this world"));
      if (!seen.insert(ids[i]).second) find(at(path, i) + ".id", "\"" + ids[i] + "\" is declared twice");
    }
  }

  void character(const std::string& path, const Character& c) {
    length(path + ".name", c.name, PlanCaps::name);
    length(path + ".look", c.look, PlanCaps::look);
    one_of(path + ".voice.voice_id", c.voice.voice_id, ids_of(world_.voices), "a voice of this world");
  }

  void place(const std::string& path, const Place& p) {
    length(path + ".description", p.description, PlanCaps::description);
    one_of(path + ".time_of_day", p.time_of_day, world_.times, "a time of this world");
  }

  // They tile [0, total_ms], none longer than the model can make.
  void shots() {
    if (film_.shots.empty()) find("shots", "is empty");
    if (film_.shots.size() > static_cast<std::size_t>(world_.max_shots)) find("shots", "has more than " + std::to_string(world_.max_shots) + " shots");
    const int longest = world_.film_ms(1) + 1;  // shots start on whole milliseconds
    std::set<std::string> ids;
    long long clock = 0;
    for (std::size_t i = 0; i < film_.shots.size(); ++i) {
      const Shot& s = film_.shots[i];
      const std::string path = at("shots", i);
      if (!is_id(s.id)) find(path + ".id", "\"" + s.id + "\" is not an id (a-z, 0-9 and _, a letter first, at most 32)");
      if (!ids.insert(s.id).second) find(path + ".id", "\"" + s.id + "\" is there twice");
      if (s.start_ms != clock) find(path + ".start_ms", "is " + std::to_string(s.start_ms) + ", the shot before ends at " + std::to_string(clock));
      if (s.duration_ms < 1 || s.duration_ms > longest) find(path + ".duration_ms", "is " + std::to_string(s.duration_ms) + ", this model makes 1 to " + std::to_string(longest));
      clock += std::max(s.duration_ms, 0);
      shot(path, s);
    }
    if (film_.total_ms != clock) find("total_ms", "is " + std::to_string(film_.total_ms) + ", the shots end at " + std::to_string(clock));
  }

  void shot(const std::string& path, const Shot& s) {
    one_of(path + ".place", s.place, ids_of(film_.places), "a place of this film");
    cast(path + ".cast", s);
    beats(path + ".action_beats", s);
    one_of(path + ".camera.size", s.camera.size, world_.camera_sizes, "a shot size of this world");
    one_of(path + ".camera.move", s.camera.move, world_.camera_moves, "a camera move of this world");
    if (s.dialogue.size() > 1) find(path + ".dialogue", "has more than one line");
    for (std::size_t i = 0; i < s.dialogue.size(); ++i) line(at(path + ".dialogue", i), s, s.dialogue[i]);
    one_of(path + ".ambience", s.ambience, world_.ambiences, "an ambience of this world");
  }

  void cast(const std::string& path, const Shot& s) {
    if (s.cast.empty()) find(path, "is empty");
    if (s.cast.size() > PlanCaps::cast) find(path, "has more than " + std::to_string(PlanCaps::cast) + " members");
    std::set<std::string> seen;
    for (std::size_t i = 0; i < s.cast.size(); ++i) {
      one_of(at(path, i) + ".id", s.cast[i].id, ids_of(film_.characters), "a character of this film");
      if (!seen.insert(s.cast[i].id).second) find(at(path, i) + ".id", "\"" + s.cast[i].id + "\" is there twice");
      one_of(at(path, i) + ".position", s.cast[i].position, world_.positions, "a position of this world");
      one_of(at(path, i) + ".facing", s.cast[i].facing, world_.facings, "a direction of this world");
    }
  }

  void beats(const std::string& path, const Shot& s) {
    if (s.action_beats.empty()) find(path, "is empty");
    std::set<std::string> seen;
    for (std::size_t i = 0; i < s.action_beats.size(); ++i) {
      const ActionBeat& beat = s.action_beats[i];
      if (beat.at_ms != 0) find(at(path, i) + ".at_ms", "is " + std::to_string(beat.at_ms) + ", this model's actions start with the shot (0)");
      one_of(at(path, i) + ".who", beat.who, ids_of(s.cast), "in the shot's cast");
      if (!seen.insert(beat.who).second) find(at(path, i) + ".who", "\"" + beat.who + "\" acts already in this shot");
      one_of(at(path, i) + ".what", beat.what, ids_of(world_.actions), "an action of this world");
    }
  }

  void line(const std::string& path, const Shot& s, const Line& l) {
    one_of(path + ".speaker", l.speaker, ids_of(s.cast), "in the shot's cast");
    length(path + ".text", l.text, PlanCaps::line);
    const long long end = static_cast<long long>(s.start_ms) + s.duration_ms;
    if (l.start_ms < s.start_ms || l.start_ms > end) find(path + ".start_ms", "is " + std::to_string(l.start_ms) + ", outside the shot");
    if (l.end_ms < l.start_ms || l.end_ms > end) find(path + ".end_ms", "is " + std::to_string(l.end_ms) + ", before the line's start or after the shot's end");
    expect(path + ".mode", l.mode, "on_screen");
  }

  const Film& film_;
  const World& world_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check(const Film& film, const World& world) { return Checker(film, world).all(); }

void require_valid(const Film& film, const World& world) {
  constexpr std::size_t shown = 5;
  const std::vector<Finding> findings = check(film, world);
  if (findings.empty()) return;
  std::string sentence = "the plan cannot be filmed:";
  for (std::size_t i = 0; i < std::min(shown, findings.size()); ++i) sentence += "\n  " + findings[i].path + ": " + findings[i].sentence;
  if (findings.size() > shown) sentence += "\n  and " + std::to_string(findings.size() - shown) + " more";
  throw Error(ExitCode::bad_data, sentence);
}

}  // namespace fabula::plan
