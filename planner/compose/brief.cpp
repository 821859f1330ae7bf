// Collects what a story names, and the rules' choice where it names nothing.
#include "planner/compose/brief.h"

#include <algorithm>

#include "planner/oracle/oracle.h"
#include "planner/text/names.h"

namespace fabula {
namespace {

using Names = std::vector<std::string>;

void add(Names& names, const std::string& name) {
  if (!name.empty() && !has(names, name)) names.push_back(name);
}

Names named_by(const oracle::Story& story, std::string oracle::Event::*field) {
  Names names;
  for (const oracle::Event& event : story.events) add(names, event.*field);
  return names;
}

// What the story names; else the rules' choice.
Names or_choice(Names named, const std::string& choice) {
  if (named.empty()) named.push_back(choice);
  return named;
}

Names times_of(const oracle::Story& story, const World& world) {
  const std::string at_first = oracle::time_of(story, world);
  Names times = or_choice(named_by(story, &oracle::Event::time), at_first);
  if (!story.events.empty() && story.events.front().time.empty()) add(times, at_first);  // "A fox runs. At night it jumps."
  return times;
}

Names weathers_of(const oracle::Story& story, const World& world) {
  if (world.weathers.empty()) return {};
  Names weathers = named_by(story, &oracle::Event::weather);
  add(weathers, oracle::first_but(ids_of(world.weathers), story.removed_weathers));
  return weathers;
}

// All that the story does not rule out, and what it names all the same.
Names actions_of(const oracle::Story& story, const World& world) {
  Names actions;
  for (const std::string& action : ids_of(world.actions)) {
    const bool is_named = std::any_of(story.events.begin(), story.events.end(), [&](const oracle::Event& event) {
      return std::any_of(event.roles.begin(), event.roles.end(), [&](const oracle::Role& role) { return role.action == action; });
    });
    if (is_named || !has(story.removed_actions, action)) actions.push_back(action);
  }
  return actions.empty() ? ids_of(world.actions) : actions;
}

Names named_roles(const oracle::Story& story, std::string oracle::Role::*field) {
  Names names;
  for (const oracle::Event& event : story.events) {
    for (const oracle::Role& role : event.roles) add(names, role.*field);
  }
  return names;
}

// What is named; else all that is not removed, or all if all is.
Names or_all(const Names& named, const Names& all, const Names& removed) {
  if (!named.empty()) return named;
  const Names left = without(all, removed);
  return left.empty() ? all : left;
}

}  // namespace

Brief brief_of(const oracle::Story& story, const World& world) {
  Brief brief = {.lines = {},
                 .actors = {},
                 .places = or_choice(named_by(story, &oracle::Event::place), oracle::place_of(story, world)),
                 .times = times_of(story, world),
                 .weathers = weathers_of(story, world),
                 .props = {},
                 .actions = actions_of(story, world),
                 .shots = story.shots};
  for (const oracle::Event& event : story.events) {
    for (const oracle::Role& role : event.roles) add(brief.actors, role.actor);
    for (const oracle::Thing& thing : event.props) add(brief.props, thing.prop);
    for (const std::string& piece : event.line) brief.lines.push_back({event.speaker, piece, &piece != &event.line.front()});
  }
  if (brief.actors.empty()) brief.actors.push_back(oracle::lead_of(story, world));
  brief.least_actors = brief.actors.size();
  brief.lines.resize(std::min(brief.lines.size(), static_cast<std::size_t>(world.max_shots)));
  return brief;
}

Brief offer_of(const oracle::Story& story, const World& world) {
  Brief brief = brief_of(story, world);
  if (named_roles(story, &oracle::Role::actor).empty()) {
    brief.actors = or_all({}, ids_of(world.actors), story.removed);
    brief.least_actors = 1;
  }
  const Names places = named_by(story, &oracle::Event::place), times = named_by(story, &oracle::Event::time);
  if (places.empty()) brief.places = or_all({}, ids_of(world.places), story.removed_places);
  if (times.empty()) brief.times = or_all({}, world.times, story.removed_times);
  brief.actions = or_all(named_roles(story, &oracle::Role::action), brief.actions, {});
  brief.least_shots = static_cast<int>(story.events.size());
  return brief;
}

}  // namespace fabula
