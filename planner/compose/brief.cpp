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

}  // namespace fabula
