// Finds the faults of a model's plan, and repeats writing it until there are none.
#include "planner/compose/repair.h"

#include <algorithm>
#include <utility>

#include "planner/check/check.h"
#include "planner/compose/brief.h"
#include "planner/grammar/plan_grammar.h"
#include "planner/oracle/fades.h"
#include "planner/oracle/oracle.h"
#include "planner/schema/caps.h"
#include "planner/text/names.h"
#include "planner/text/spans.h"
#include "planner/text/text.h"

namespace fabula {
namespace {

using plan::Finding;

const plan::Place* place_of(const plan::Film& film, const plan::Shot& shot) {
  const auto found = std::find_if(film.places.begin(), film.places.end(), [&](const plan::Place& p) { return p.id == shot.place; });
  return found == film.places.end() ? nullptr : &*found;
}

bool feels(const plan::Shot& shot, const oracle::Role& role, const World& world) {
  return role.mood.empty() || std::any_of(shot.cast.begin(), shot.cast.end(), [&](const plan::CastMember& m) {
           return m.id == role.actor && World::or_first(m.mood, world.moods) == role.mood;
         });
}

bool acts(const plan::Shot& shot, const oracle::Role& role, const World& world) {
  return feels(shot, role, world) && std::any_of(shot.action_beats.begin(), shot.action_beats.end(), [&](const plan::ActionBeat& beat) {
           return beat.who == role.actor && (role.action.empty() || beat.what == role.action);
         });
}

// Whom the prompt names must be seen; whom only a pronoun means, where they do something and nobody else can be meant.
bool is_clear(const oracle::Role& role) { return role.is_named || (role.is_meant && !role.action.empty()); }

// A shot that is full cannot show another prop.
bool is_there(const plan::Shot& shot, const oracle::Thing& thing) {
  return shot.props.size() >= PlanCaps::props ||
         std::any_of(shot.props.begin(), shot.props.end(), [&](const plan::ShotProp& p) { return p.id == thing.prop; });
}

// A place that never has this weather is excused.
bool is_in(const plan::Place* place, const World::Place* known, const std::string& weather, const World& world) {
  if (weather.empty()) return true;
  return place != nullptr && known != nullptr &&
         (World::or_first(place->weather, world.weathers) == weather || !has(known->weathers, weather));
}

bool shows(const plan::Film& film, const plan::Shot& shot, const oracle::Event& event, const World& world) {
  const plan::Place* place = place_of(film, shot);
  const World::Place* known = place == nullptr ? nullptr : world.place(place->id);
  if (!event.place.empty() && (known == nullptr || known->id != event.place)) return false;
  if (!event.time.empty() && (place == nullptr || place->time_of_day != event.time)) return false;
  if (!is_in(place, known, event.weather, world)) return false;
  return std::all_of(event.props.begin(), event.props.end(), [&](const oracle::Thing& thing) { return is_there(shot, thing); }) &&
         std::all_of(event.roles.begin(), event.roles.end(),
                     [&](const oracle::Role& role) { return !is_clear(role) || acts(shot, role, world); });
}

bool is_clear_event(const oracle::Event& event) {
  return !event.place.empty() || !event.time.empty() || !event.weather.empty() || !event.props.empty() ||
         std::any_of(event.roles.begin(), event.roles.end(), is_clear);
}

// Where the time changes later on, the first event shows what it changes from: "A fox runs until night falls" begins by day.
oracle::Event with_time(oracle::Event first, const oracle::Story& story, const World& world) {
  const bool changes =
      std::any_of(story.events.begin(), story.events.end(), [](const oracle::Event& event) { return !event.time.empty(); });
  if (changes && first.time.empty()) first.time = oracle::time_of(story, world);
  return first;
}

// "sad fox runs and crab jumps at the place forest by night with a tree"
std::string said_of(const oracle::Event& event) {
  std::string text;
  for (const oracle::Role& role : event.roles) {
    if (is_clear(role))
      text += (text.empty() ? "" : " and ") + (role.mood.empty() ? "" : role.mood + " ") + role.actor +
              (role.action.empty() ? " is seen" : " " + role.action);
  }
  if (text.empty()) text = "something happens";
  if (!event.place.empty()) text += " at the place " + event.place;
  if (!event.time.empty()) text += " by " + event.time;
  if (!event.weather.empty()) text += " in the weather " + event.weather;
  for (const oracle::Thing& thing : event.props) text += " with the prop " + thing.prop;
  return text;
}

std::vector<Finding> errors_of(std::vector<Finding> findings) {
  std::erase_if(findings, [](const Finding& f) { return f.severity != plan::Severity::error; });
  return findings;
}

std::vector<std::int32_t> turn_tokens(const Tokenizer& tokenizer, const std::string& text, bool follows) {
  Follower follower(tokenizer);
  if (follows) follower.literal("\n");
  write_user_turn(follower, text);
  return follower.tokens();
}

}  // namespace

std::vector<Finding> missed_events(const plan::Film& film, const oracle::Story& story, const World& world) {
  std::vector<Finding> findings;
  for (const oracle::Event& told : story.events) {
    const oracle::Event event = &told == &story.events.front() ? with_time(told, story, world) : told;
    const bool shown =
        std::any_of(film.shots.begin(), film.shots.end(), [&](const plan::Shot& shot) { return shows(film, shot, event, world); });
    if (is_clear_event(event) && !shown)
      findings.push_back(plan::finding("shots", "prompt-event", "no shot shows what the prompt says: " + said_of(event)));
    for (const std::string& piece : event.line) {
      const bool said = std::any_of(film.shots.begin(), film.shots.end(), [&](const plan::Shot& shot) {
        return std::any_of(shot.dialogue.begin(), shot.dialogue.end(),
                           [&](const plan::Line& line) { return line.text == piece && line.speaker == event.speaker; });
      });
      if (!said)
        findings.push_back(
            plan::finding("shots", "prompt-event", "nobody says \"" + piece + "\", which the prompt has " + event.speaker + " say"));
    }
  }
  return findings;
}

std::vector<Finding> faults_of(const plan::Film& film, const oracle::Story& story, const World& world) {
  std::vector<Finding> faults = errors_of(plan::check(film, world));
  const std::vector<Finding> missed = missed_events(film, story, world);
  faults.insert(faults.end(), missed.begin(), missed.end());
  return faults;
}

std::string retitle(plan::Film& film, const plan::Film& by_rules, const World& world) {
  const auto has_word_of = [](const std::string& text, const auto& entry) {
    const auto spans = words_of(text);
    return std::any_of(spans.begin(), spans.end(), [&](const TextSpan& span) {
      const std::string word = lowercase(span.of(text));
      return word == entry.id || std::find(entry.words.begin(), entry.words.end(), word) != entry.words.end();
    });
  };
  const auto is_shown = [](const auto& list, const std::string& id) {
    return std::any_of(list.begin(), list.end(), [&](const auto& one) { return one.id == id || one.id.starts_with(id + "_"); });
  };
  const auto names_another = [&](const std::string& text) {
    const auto is_another = [&](const auto& entry, const auto& shown) {
      return has_word_of(text, entry) && !has_word_of(film.prompt, entry) && !is_shown(shown, entry.id);
    };
    return std::any_of(world.actors.begin(), world.actors.end(), [&](const auto& a) { return is_another(a, film.characters); }) ||
           std::any_of(world.places.begin(), world.places.end(), [&](const auto& p) { return is_another(p, film.places); });
  };
  std::string replaced;
  const auto replace = [&](const char* what, std::string& text, const std::string& with) {
    if (!names_another(text)) return;
    text = with;
    replaced += (replaced.empty() ? "" : " and the ") + std::string(what);
  };
  replace("title", film.title, by_rules.title);
  replace("treatment", film.treatment, by_rules.treatment);
  return replaced.empty() ? ""
                          : "the " + replaced + " of the model's plan told of others than its shots; the rules wrote what the plan has";
}

std::string repair_turn(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& f : findings) text += (text.empty() ? "" : "\n") + sentence_of(f);
  return text;
}

Assignment assignment_of(const std::string& prompt, const World& world, const PhonesFunction& phones, int shots) {
  oracle::Story story = oracle::read_story(prompt, world);
  if (shots > 0) story.shots = shots;
  Brief brief = brief_of(story, world);
  plan::Film by_rules = oracle::film_of(story, prompt, world, phones);
  return {prompt, std::move(story), std::move(brief), std::move(by_rules)};
}

Conversation bundle_conversation(const Tokenizer& tokenizer, const std::string& prompt) {
  return {.opening = turn_tokens(tokenizer, prompt, false),
          .turn = [&tokenizer](const std::string& text) { return turn_tokens(tokenizer, text, true); }};
}

RepairedPlan plan_with_repairs(const Assignment& assignment, const World& world, const Vocabulary& words,
                               const Composer::NextLogits& next_logits, const PhonesFunction& phones, std::size_t most_tokens,
                               const Sampling& sampling, const Conversation& conversation) {
  RepairedPlan result;
  const auto& [prompt, story, brief, by_rules] = assignment;
  const std::size_t opening = conversation.opening.size();
  std::vector<std::int32_t> turn;  // read instead of the prompt from the second round on
  for (int round = 0;; ++round) {
    plan::Film film;
    film.prompt = prompt;
    bool opens = round > 0;  // the composer first hands over the prompt, which the model has already read: it reads the repair turn instead
    Composer composer(
        words.tokenizer, words.table,
        [&](std::span<const std::int32_t> tokens) {
          if (!std::exchange(opens, false)) {
            result.read.insert(result.read.end(), tokens.begin(), tokens.end());
            return next_logits(tokens);
          }
          turn.insert(turn.end(), tokens.begin() + static_cast<std::ptrdiff_t>(opening), tokens.end());
          result.read.insert(result.read.end(), turn.begin(), turn.end());
          return next_logits(turn);
        },
        sampling, conversation.stops);
    write_plan(composer, film, world, phones, brief, {.opening = conversation.opening, .own = conversation.own});
    film.unsupported = by_rules.unsupported;  // a model forgets some things and names others that it shows
    oracle::set_fades(film, oracle::fades_of(prompt));
    result.film = std::move(film);
    result.origin = {.repairs = round};
    const std::vector<Finding> faults = faults_of(result.film, story, world);
    if (faults.empty()) return result;
    const std::vector<std::int32_t>& written = composer.tokens();
    turn.assign(written.begin() + static_cast<std::ptrdiff_t>(composer.handed_over()),
                written.end());  // the unread end of the plan comes first
    const std::vector<std::int32_t> further = conversation.turn(repair_turn(faults));
    turn.insert(turn.end(), further.begin(), further.end());
    const bool fits = result.read.size() + turn.size() + written.size() - opening <= most_tokens;
    if (round == most_repair_rounds || !fits) {
      result.film = by_rules;
      result.origin = {.repairs = round, .by_rules = true};
      for (const Finding& f : faults) result.origin.faults.push_back(sentence_of(f));
      return result;
    }
  }
}

}  // namespace fabula
