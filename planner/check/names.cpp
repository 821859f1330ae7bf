// Rules about names: every id refers to something that the film declares.
#include <set>

#include "planner/check/rules.h"
#include "planner/schema/schema.h"

namespace fabula::plan {
namespace {

class NameCheck {
 public:
  NameCheck(const Film& film, Findings& findings) : film_(film), findings_(findings) {}

  void run() {
    std::set<std::string> entities, beats, shots;
    unique("characters", characters_, entities);
    unique("places", places_, entities);
    unique("props", props_, entities);
    unique("beats", beats_, beats);
    unique("shots", ids_of(film_.shots), shots);
    facts("world", film_.world);
    for (std::size_t i = 0; i < film_.beats.size(); ++i) {
      const auto& needs = film_.beats[i].needs;
      for (std::size_t k = 0; k < needs.size(); ++k)
        known(at(at("beats", i) + ".requires", k), needs[k], beats_, "unknown-beat", "a beat of this film");
    }
    for (std::size_t i = 0; i < film_.shots.size(); ++i) shot(at("shots", i), film_.shots[i]);
  }

 private:
  void unique(const std::string& list, const std::vector<std::string>& ids, std::set<std::string>& seen) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!seen.insert(ids[i]).second) findings_.add(at(list, i) + ".id", "id-duplicate", "\"" + ids[i] + "\" is declared twice");
    }
  }

  void known(const std::string& path, const std::string& id, const std::vector<std::string>& ids, const char* rule,
             const std::string& what) {
    if (!has(ids, id)) findings_.add(path, rule, "\"" + id + "\" is not " + what);
  }

  void facts(const std::string& list, const std::vector<Fact>& entries) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::string& id = entries[i].entity;
      if (!has(characters_, id) && !has(places_, id))
        known(at(list, i) + ".entity", id, props_, "unknown-entity", "a character, a place or a prop of this film");
    }
  }

  void shot(const std::string& path, const Shot& s) {
    known(path + ".place", s.place, places_, "unknown-place", "a place of this film");
    if (!s.beat.empty()) known(path + ".beat", s.beat, beats_, "unknown-beat", "a beat of this film");
    facts(path + ".pre", s.pre);
    facts(path + ".effects", s.effects);
    cast(path + ".cast", s);
    const std::vector<std::string> members = ids_of(s.cast);
    for (std::size_t i = 0; i < s.action_beats.size(); ++i) {
      known(at(path + ".action_beats", i) + ".who", s.action_beats[i].who, members, "actor-not-in-cast", "in the shot's cast");
    }
    for (std::size_t i = 0; i < s.dialogue.size(); ++i) speaker(at(path + ".dialogue", i) + ".speaker", s.dialogue[i], members);
    target(path + ".camera.target", s);
    for (std::size_t i = 0; i < s.locked.size(); ++i) {
      if (!value_at(s, s.locked[i]))
        findings_.add(at(path + ".locked", i), "locked-path", "\"" + s.locked[i] + "\" is not a field of this shot");
    }
  }

  void cast(const std::string& path, const Shot& s) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < s.cast.size(); ++i) {
      const std::string here = at(path, i) + ".id";
      known(here, s.cast[i].id, characters_, "unknown-character", "a character of this film");
      if (!seen.insert(s.cast[i].id).second) findings_.add(here, "duplicate-member", "\"" + s.cast[i].id + "\" is in the cast twice");
    }
  }

  void speaker(const std::string& path, const Line& line, const std::vector<std::string>& members) {
    if (line.mode == "on_screen")
      known(path, line.speaker, members, "speaker-not-in-cast", "in the shot's cast, but speaks on screen");
    else
      known(path, line.speaker, characters_, "unknown-character", "a character of this film");
  }

  void target(const std::string& path, const Shot& s) {
    const std::string& target = s.camera.target;
    if (target.empty() || has(characters_, target) || has(props_, target)) return;
    for (const Place& place : film_.places) {
      for (const Landmark& landmark : place.landmarks) {
        if (place.id == s.place && landmark.name == target) return;
      }
    }
    findings_.add(path, "unknown-target", "\"" + target + "\" is neither a character, nor a prop, nor a landmark of " + s.place);
  }

  const Film& film_;
  Findings& findings_;
  const std::vector<std::string> characters_ = ids_of(film_.characters), places_ = ids_of(film_.places), props_ = ids_of(film_.props),
                                 beats_ = ids_of(film_.beats);
};

}  // namespace

void check_names(const Film& film, Findings& findings) { NameCheck(film, findings).run(); }

}  // namespace fabula::plan
