// Simulates the film's world shot by shot and checks the rules about it.
#include "planner/check/simulate.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "planner/check/limits.h"
#include "planner/text/names.h"

namespace fabula::plan {
namespace {

template <typename Entries>
auto* with_id(const Entries& entries, const std::string& id) {
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.id == id; });
  return found == entries.end() ? nullptr : &*found;
}

class Simulation {
 public:
  explicit Simulation(const Film& film) : film_(film) {}

  Timeline run() {
    for (const Character& c : film_.characters) {
      if (!c.wardrobe.empty()) world_[{c.id, "wardrobe"}] = c.wardrobe;
    }
    start();
    for (const auto& [key, value] : world_) timeline_.start.push_back({key.first, key.second, value});
    for (std::size_t i = 0; i < film_.shots.size(); ++i) shot(at("shots", i), film_.shots[i]);
    return std::move(timeline_);
  }

 private:
  using Key = std::pair<std::string, std::string>;

  void find(const std::string& path, const char* rule, const std::string& sentence) {
    timeline_.findings.push_back(finding(path, rule, sentence));
  }

  // Empty if the world says nothing.
  std::string now(const std::string& entity, const std::string& attribute) const {
    const auto known = world_.find({entity, attribute});
    return known == world_.end() ? "" : known->second;
  }
  bool is_destroyed(const std::string& entity) const { return now(entity, "state") == destroyed; }

  void start() {
    values("world", film_.world);
    for (std::size_t i = 0; i < film_.world.size(); ++i) {
      const Fact& fact = film_.world[i];
      if (const std::string worn = now(fact.entity, fact.attribute); fact.attribute == "wardrobe" && !worn.empty() && worn != fact.value) {
        find(at("world", i) + ".value", "wardrobe-undeclared",
             "is \"" + fact.value + "\", but " + fact.entity + "'s field wardrobe says \"" + worn + "\"");
      }
      world_.insert_or_assign({fact.entity, fact.attribute}, fact.value);
    }
  }

  void shot(const std::string& path, const Shot& s) {
    presence(path, s);
    values(path + ".pre", s.pre);
    for (std::size_t i = 0; i < s.pre.size(); ++i) precondition(at(path + ".pre", i), s.pre[i]);
    values(path + ".effects", s.effects);
    for (std::size_t i = 0; i < s.effects.size(); ++i) effect(at(path + ".effects", i), s, s.effects[i]);
    apply(s.effects);
  }

  // The cast must be where the world has them.
  void presence(const std::string& path, const Shot& s) {
    if (is_destroyed(s.place)) find(path + ".place", destroyed, "\"" + s.place + "\" is destroyed");
    for (std::size_t i = 0; i < s.cast.size(); ++i) {
      const std::string& id = s.cast[i].id;
      if (is_destroyed(id)) find(at(path + ".cast", i) + ".id", destroyed, "\"" + id + "\" is destroyed");
      if (const std::string place = now(id, "place"); !place.empty() && place != s.place) {
        find(at(path + ".cast", i) + ".id", "one-place", "\"" + id + "\" is at " + place + " and cannot be seen at " + s.place);
      }
    }
  }

  // What facts may say in any world: known places and holders, declared states, one value per attribute.
  void values(const std::string& path, const std::vector<Fact>& facts) {
    std::set<Key> said;
    for (std::size_t i = 0; i < facts.size(); ++i) {
      const Fact& fact = facts[i];
      const std::string here = at(path, i);
      if (!said.insert({fact.entity, fact.attribute}).second) {
        const char* rule = fact.attribute == "holder" ? "one-holder" : fact.attribute == "place" ? "one-place" : "fact-twice";
        find(here, rule, "says for the second time what the " + fact.attribute + " of " + fact.entity + " is");
      }
      const bool is_place = with_id(film_.places, fact.value) != nullptr;
      if (fact.attribute == "place" && !is_place)
        find(here + ".value", "unknown-entity", "\"" + fact.value + "\" is not a place of this film");
      if (fact.attribute == "holder" && fact.value != nobody && !is_place && with_id(film_.characters, fact.value) == nullptr) {
        find(here + ".value", "unknown-entity", "\"" + fact.value + "\" is neither a character nor a place of this film, nor none");
      }
      const Prop* prop = with_id(film_.props, fact.entity);
      if (fact.attribute == "state" && prop != nullptr && !has(prop->states, fact.value)) {
        find(here + ".value", "prop-state", "\"" + fact.value + "\" is not one of the states of " + prop->id);
      }
    }
  }

  void precondition(const std::string& path, const Fact& fact) {
    const std::string value = now(fact.entity, fact.attribute);
    if (value == fact.value) return;
    const char* rule = fact.attribute == "wardrobe" && !value.empty() ? "wardrobe-undeclared" : "pre-fails";
    find(path, rule,
         "needs the " + fact.attribute + " of " + fact.entity + " to be \"" + fact.value + "\", " +
             (value.empty() ? "which is unknown before this shot" : "which is \"" + value + "\" before this shot"));
  }

  void effect(const std::string& path, const Shot& s, const Fact& fact) {
    if (is_destroyed(fact.entity)) find(path + ".entity", destroyed, "\"" + fact.entity + "\" is destroyed");
    const bool moves = fact.attribute == "holder" || fact.attribute == "place";
    if (moves && is_destroyed(fact.value)) find(path + ".value", destroyed, "\"" + fact.value + "\" is destroyed");
    if (fact.attribute != "holder") return;
    const std::string holder = now(fact.entity, "holder");
    if (holder == fact.value) return;
    if (is_absent(holder, s)) find(path, "one-holder", fact.entity + " is held by " + holder + ", who is not in this shot's cast");
    if (is_absent(fact.value, s))
      find(path + ".value", "one-holder", fact.value + " gets " + fact.entity + " without being in this shot's cast");
  }

  // Whether it is a character who is not in the shot.
  bool is_absent(const std::string& id, const Shot& s) const {
    return with_id(film_.characters, id) != nullptr && with_id(s.cast, id) == nullptr;
  }

  void apply(const std::vector<Fact>& effects) {
    std::vector<Change>& changes = timeline_.shots.emplace_back();
    for (const Fact& fact : effects) {
      std::string& value = world_[{fact.entity, fact.attribute}];
      if (value != fact.value) changes.push_back({fact.entity, fact.attribute, value, fact.value});
      value = fact.value;
    }
  }

  const Film& film_;
  std::map<Key, std::string> world_;
  Timeline timeline_;
};

}  // namespace

Timeline simulate(const Film& film) { return Simulation(film).run(); }

}  // namespace fabula::plan
