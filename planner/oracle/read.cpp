// Turns mentions into a story: sentences, and where and when they happen.
#include <algorithm>
#include <tuple>
#include <utility>

#include "planner/oracle/oracle.h"
#include "planner/oracle/reader.h"
#include "planner/schema/caps.h"
#include "planner/text/names.h"
#include "planner/text/spans.h"

namespace fabula::oracle {
namespace {

// Whether the words after `before` begin with the one thing of "a" or "an".
bool is_one_thing(std::string_view before) {
  const std::vector<std::string> words = split_words(before);
  return !words.empty() && (words.back() == "a" || words.back() == "an");
}

// "rides", not "dress" or "bus". After one thing, it is what the thing does.
bool has_third_person_s(std::string_view word) {
  constexpr std::string_view no_verb_before_s = "siu";
  return word.size() > 3 && word.back() == 's' && no_verb_before_s.find(word[word.size() - 2]) == std::string_view::npos;
}

}  // namespace

Story StoryReader::run() {
  const std::vector<Sentence> sentences = sentences_of(prompt_, lexicon_);
  for (const Sentence& sentence : sentences) {
    for (const Mention& m : sentence) {
      if (m.is(Kind::actor)) named_.push_back(m.meaning.id);
      if (m.what == What::line) story_.lines.push_back(m.span);
    }
  }
  for (const Sentence& sentence : sentences) read_sentence(sentence);
  drop_stand_ins();
  merge_repeats();
  apply_settings();
  pair_up_roles();
  name_unplaced();
  return std::move(story_);
}

// ---- a sentence

void StoryReader::read_sentence(const Sentence& sentence) {
  sentence_ = &sentence;
  first_event_ = story_.events.size();
  event_ = nullptr;
  joint_ = Kind::small;
  clause_begin_ = clause_end_ = 0;
  has_verb_ = speaks_ = is_then_ = began_with_then_ = prepositional_ = articled_ = is_linked_ = awaits_speaker_ = has_open_pronoun_ = false;
  only_feels_ = is_chased_ = false;
  named_again_.clear();
  pending_voice_.clear();
  pending_ = {};
  unknown_end_ = 0;
  is_heading_ = std::exchange(follows_heading_, sentence.size() == 1 && (sentence[0].word == "ext" || sentence[0].word == "int"));
  denied_ = Kind::small;
  is_later_ = turned_ = false;
  if (is_setting()) return;
  for (at_ = 0; at_ < sentence.size(); ++at_) read_mention(sentence[at_]);
  if (has_open_pronoun_ && std::all_of(sentence.begin(), sentence.end(), [](const Mention& m) {
        return m.is(Kind::pronoun) || m.is(Kind::then) || m.is(Kind::joint) || m.what == What::comma;
      }))
    settle_pronoun();
  if (has_open_pronoun_ && began_with_then_) settle_pronoun();  // "Now in the snow, he."
  if (event_ == nullptr && !pending_.action.empty())
    begin_event({{last_actors_.empty() ? default_actor() : last_actors_[0], {}, {}, {}, false}});  // "Run!"
  if (event_ == nullptr && !pending_.line.empty()) add_line(pending_.line);
  flush_crowd();
  merge_mood_sentence(first_event_);
  spread_setting(first_event_);
  if (event_ == nullptr) keep_setting();
  const auto is_stranger = [](const Mention& m) { return m.what == What::unknown && !is_weather_word(m.word); };
  strangers_ = strangers_ || (event_ == nullptr && std::any_of(sentence.begin(), sentence.end(), is_stranger));  // "Ben waves."
}

// Keeps what a sentence without an event says of the scene.
void StoryReader::keep_setting() {
  std::vector<Event>& events = story_.events;
  const bool begins = began_with_then_ && !events.empty() && !pending_.weather.empty();
  if (begins) {  // "Then it starts to rain.": the same event again, in the rain
    Event next = events.back();
    next.speaker.clear();
    next.line.clear();
    next.weather = std::exchange(pending_.weather, {});
    next.weather_source = pending_.weather_source;
    events.push_back(std::move(next));
  }
  const Setting setting{events.size(),           pending_.place, pending_.time, pending_.weather,
                        pending_.weather_source, pending_.props, is_heading_};
  if (!setting.place.empty() || !setting.time.empty() || !setting.weather.empty() || !setting.props.empty()) settings_.push_back(setting);
}

// "A fox hops, then spins on the moon.": the setting of the last event is also that of the first.
void StoryReader::spread_setting(std::size_t first) {
  const std::vector<Event>& events = story_.events;
  if (first + 1 >= events.size() || turned_) return;
  const auto same_actors = [&](const Event& e) {
    return std::equal(e.roles.begin(), e.roles.end(), events[first].roles.begin(), events[first].roles.end(),
                      [](const Role& a, const Role& b) { return a.actor == b.actor; });
  };
  if (!std::all_of(events.begin() + static_cast<std::ptrdiff_t>(first), events.end(), same_actors)) return;
  for (const auto field : {&Event::place, &Event::time, &Event::weather}) {
    const auto is_given = [&](const Event& e) { return !(e.*field).empty(); };
    if (std::none_of(events.begin() + static_cast<std::ptrdiff_t>(first), events.end() - 1, is_given))
      story_.events[first].*field = events.back().*field;
  }
  if (!events[first].weather.empty() && events[first].weather_source.end == 0)
    story_.events[first].weather_source = events.back().weather_source;
}

// "It is night.", "We are in the forest.", "It is raining.": a place, a time or a weather, but no action.
bool StoryReader::is_setting() {
  Setting setting{.events = story_.events.size(), .is_heading = is_heading_};
  bool happens = false, they = false;
  std::size_t others = 0;
  for (const Mention& m : *sentence_) {
    if (m.is(Kind::remove) || m.is(Kind::deny)) return false;
    if (m.is(Kind::place))
      setting.place = m.meaning.id;
    else if (m.is(Kind::time))
      setting.time = m.meaning.id;
    else if (m.is(Kind::weather))
      setting.weather = m.meaning.id, setting.weather_source = m.span;
    else if (m.is(Kind::pronoun))
      they = they || m.meaning.id == "they" || m.meaning.id == "it", happens = happens || m.meaning.id == "he" || m.meaning.id == "she";
    else if (m.is(Kind::actor) || m.is(Kind::action) || m.is(Kind::say) || m.is(Kind::position) || m.is(Kind::facing) || m.is(Kind::then) ||
             m.is(Kind::prop) || m.is(Kind::chased) || m.what == What::line)
      ++others;
  }
  const bool is_it = !sentence_->empty() && sentence_->front().is(Kind::pronoun) && sentence_->front().meaning.id == "it";
  if (others > 0 || happens || (setting.place.empty() && setting.time.empty() && setting.weather.empty())) return false;
  if (is_it && !setting.place.empty() && !story_.events.empty()) return false;  // "It is on the beach.": the last actor is
  if (!they && unknown_subject()) return false;
  settings_.push_back(setting);
  return true;
}

// Whether the sentence has a subject unknown to the world: "A dragon in the forest."
bool StoryReader::unknown_subject() const {
  for (const Mention& m : *sentence_) {
    if (m.what == What::unknown) return true;
    if (m.is(Kind::among) || m.is(Kind::with)) return false;
  }
  return false;
}

void StoryReader::read_mention(const Mention& m) {
  switch (m.what) {
    case What::comma:
      if (joint_ == Kind::small) joint_ = Kind::shot;  // a comma joins, too
      prepositional_ = articled_ = false;
      denied_ = Kind::small;
      return;
    case What::colon:
      prepositional_ = articled_ = false;
      denied_ = Kind::small;
      return;
    case What::line:
      return read_line(m);
    case What::unknown:
      if (denied_ == Kind::small) read_unknown(m);
      if (denied_ == Kind::deny) denied_ = Kind::small;
      return;
    case What::meaning:
      break;
  }
  if (is_denied(m) || read_function_word(m.meaning.kind) || !read_content_word(m)) return;
  prepositional_ = articled_ = is_linked_ = false;
  extend_source(m);
}

// What follows "no" and "without", up to a verb, and the next thing that follows "not" and "never", must not be seen.
bool StoryReader::is_denied(const Mention& m) {
  const Kind kind = m.meaning.kind;
  if (kind == Kind::remove || kind == Kind::deny) {
    denied_ = kind;
    return true;
  }
  if (denied_ == Kind::small) return false;
  static const std::vector<std::string> between = {"very",  "really", "even",    "so",       "any", "ever",  "yet",   "just",
                                                   "still", "big",    "little",  "small",    "see", "show",  "shows", "want",
                                                   "let",   "put",    "include", "includes", "use", "there", "other"};
  switch (kind) {
    case Kind::article:
    case Kind::among:
    case Kind::copula:
      return true;
    case Kind::small:
      if (m.word == "but" || m.word == "instead" || (denied_ == Kind::deny && !has(between, m.word)))  // "does not move"
        denied_ = Kind::small;
      return denied_ != Kind::small;
    case Kind::joint:
      if (m.word == "or") return true;
      denied_ = denied_ == Kind::remove && !next_actor_acts() ? denied_ : Kind::small;
      return denied_ != Kind::small;
    case Kind::action:
    case Kind::say:
    case Kind::mood:
      if (denied_ == Kind::remove && kind != Kind::mood) {  // "no penguin appears", "without the crab it runs"
        denied_ = Kind::small;
        return false;
      }
      if (kind == Kind::action) leave_out(m);
      denied_ = Kind::small;
      return true;
    case Kind::actor:
    case Kind::prop:
    case Kind::place:
    case Kind::time:
    case Kind::weather:
      leave_out(m);
      if (denied_ == Kind::deny) denied_ = Kind::small;
      return true;
    default:
      denied_ = Kind::small;
      return false;
  }
}

void StoryReader::leave_out(const Mention& m) {
  std::vector<std::string>& removed = m.is(Kind::actor)    ? story_.removed
                                      : m.is(Kind::prop)   ? story_.removed_props
                                      : m.is(Kind::place)  ? story_.removed_places
                                      : m.is(Kind::time)   ? story_.removed_times
                                      : m.is(Kind::action) ? story_.removed_actions
                                                           : story_.removed_weathers;
  removed.push_back(m.meaning.id);
}

// A word that says how others belong together, or asks something of the whole film. False: a content word.
bool StoryReader::read_function_word(Kind kind) {
  switch (kind) {
    case Kind::joint:
      if (joint_ != Kind::meanwhile) joint_ = Kind::joint;
      prepositional_ = articled_ = false;
      return true;
    case Kind::meanwhile:
      joint_ = Kind::meanwhile, prepositional_ = articled_ = false;
      return true;
    case Kind::then:
      is_then_ = true, began_with_then_ = began_with_then_ || event_ == nullptr, prepositional_ = articled_ = false;
      return true;
    case Kind::with:
      joint_ = Kind::with, prepositional_ = true, articled_ = false;
      return true;
    case Kind::among:
      prepositional_ = true, articled_ = false;
      return true;
    case Kind::article:
      articled_ = true;
      return true;
    case Kind::copula:
      is_linked_ = true;
      return true;
    case Kind::opener:
      if ((*sentence_)[at_].word == "shot") read_shot_count();  // "one shot of a fox"
      prepositional_ = articled_ = false;
      return true;
    case Kind::add:
      story_.is_addition = true;
      return true;
    case Kind::silent:
      story_.is_silent = true;
      return true;
    case Kind::shot:
      read_shot_count();
      return true;
    case Kind::seconds: {
      const Mention& unit = (*sentence_)[at_];
      const int count = at_ == 0 ? 0 : (*sentence_)[at_ - 1].is(Kind::article) ? 1 : number_of((*sentence_)[at_ - 1].word);
      if (count > 0) read_seconds(count * (unit.word.starts_with("min") ? 60 : 1), {(*sentence_)[at_ - 1].span.begin, unit.span.end});
      return true;
    }
    case Kind::until:
      is_later_ = true, prepositional_ = true, articled_ = false;
      return true;
    case Kind::small:
      return true;
    default:
      return false;
  }
}

// False: a mood whose owner is still to come.
bool StoryReader::read_content_word(const Mention& m) {
  switch (m.meaning.kind) {
    case Kind::actor:
      read_actor(m.meaning.id, true, m);
      break;
    case Kind::pronoun:
      read_pronoun(m);
      break;
    case Kind::action:
      read_action(m.meaning.id, m);
      break;
    case Kind::chased:
      read_action("runs", m);
      is_chased_ = true;
      break;
    case Kind::say:
      read_say_verb();
      break;
    case Kind::voice:
      read_voice(m.meaning.id);
      break;
    case Kind::place:
      set_setting(&Event::place, pending_.place, m);
      break;
    case Kind::time:
      read_time(m);
      break;
    case Kind::weather:
      read_weather(m);
      break;
    case Kind::prop:
      read_prop(m);
      break;
    case Kind::mood:
      return read_mood(m);
    case Kind::position:
      read_position(m.meaning.id);
      break;
    case Kind::facing:
      if (m.word == "from") place_role(&Role::position, pending_.position, m.meaning.id == "right" ? "left" : "right");
      place_role(&Role::facing, pending_.facing, m.meaning.id);
      break;
    case Kind::size:
      story_.size = m.meaning.id;
      break;
    case Kind::move:
      story_.move = m.meaning.id;
      break;
    default:
      break;
  }
  return true;
}

void StoryReader::extend_source(const Mention& m) {
  if (event_ == nullptr) return;
  if (event_->source.end == 0) event_->source = m.span;
  event_->source.begin = std::min(event_->source.begin, m.span.begin);
  event_->source.end = std::max(event_->source.end, m.span.end);
}

// ---- at the end

// A character that the world does not know is played by one of its actors only where the prompt names none, or where they speak. What is
// said of the place goes on to the next event.
void StoryReader::drop_stand_ins() {
  std::vector<Event>& events = story_.events;
  if (!has_stand_in_ || std::none_of(events.begin(), events.end(), [](const Event& e) {
        return std::any_of(e.roles.begin(), e.roles.end(), [](const Role& role) { return role.is_named; });
      }))
    return;
  for (std::size_t i = events.size(); i-- > 0;) {
    Event& event = events[i];
    const bool had_roles = !event.roles.empty();
    const std::string action = had_roles ? event.roles.front().action : "";
    std::erase_if(event.roles,
                  [&](const Role& role) { return !has(named_, role.actor) && (event.line.empty() || role.actor != event.speaker); });
    if (!event.roles.empty() && event.roles.front().action.empty())
      event.roles.front().action = action;  // "a shape strides by: the penguin"
    if (!event.roles.empty() || !had_roles) continue;
    if (i + 1 < events.size()) {
      for (const auto field : {&Event::place, &Event::time, &Event::weather}) {
        if ((events[i + 1].*field).empty()) events[i + 1].*field = event.*field;
      }
    } else if (i > 0 && (!event.place.empty() || !event.time.empty())) {
      continue;  // a last event that shows at least its place
    }
    for (Setting& setting : settings_) setting.events -= setting.events > i ? 1 : 0;
    events.erase(events.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// What happens again and again is one event where a film has no room for all of it: "A robot stands. A robot stands. …"
void StoryReader::merge_repeats() {
  std::vector<Event>& events = story_.events;
  if (events.size() <= static_cast<std::size_t>(world_.max_shots)) return;
  const auto repeats = [](const Event& a, const Event& b) {
    const bool adds_nothing = b.line.empty() && b.props.empty() && (b.place.empty() || b.place == a.place) &&
                              (b.time.empty() || b.time == a.time) && (b.weather.empty() || b.weather == a.weather);
    return adds_nothing && std::equal(a.roles.begin(), a.roles.end(), b.roles.begin(), b.roles.end(), [](const Role& x, const Role& y) {
             return x.actor == y.actor && x.action == y.action && x.mood == y.mood;
           });
  };
  for (std::size_t i = events.size(); i-- > 1;) {
    if (!repeats(events[i - 1], events[i])) continue;
    events.erase(events.begin() + static_cast<std::ptrdiff_t>(i));
    for (Setting& setting : settings_) setting.events -= setting.events > i ? 1 : 0;
  }
}

// Talking and chasing take two: the partner of a talker stands still, the partner of a chaser runs.
void StoryReader::pair_up_roles() {
  for (Event& event : story_.events) {
    for (const auto& [action, answer, alone] : {std::tuple{"talks", "stands", "stands"}, {"chases", "runs", "runs"}}) {
      const auto does = [&, action = action](const Role& role) { return role.action == action; };
      const auto first = std::find_if(event.roles.begin(), event.roles.end(), does);
      if (first == event.roles.end()) continue;
      for (Role& role : event.roles) {
        if (&role != &*first && (role.action.empty() || does(role))) role.action = answer;
      }
      if (event.roles.size() == 1 && has_stand_in_) first->action = alone;
      if (first != event.roles.begin() && std::string(action) == "chases") std::swap(*first, event.roles.front());
    }
  }
}

// Names words that follow each other together: "playing chess"; but not "red dress" and "rides" in "in a red dress rides".
void StoryReader::name_unplaced() {
  std::vector<TextSpan> runs;
  std::stable_sort(unplaced_.begin(), unplaced_.end(), [](const TextSpan& a, const TextSpan& b) { return a.begin < b.begin; });
  for (const TextSpan& span : unplaced_) {
    const bool joins = !runs.empty() && span.begin >= runs.back().end && span.end - runs.back().begin <= PlanCaps::unsupported &&
                       prompt_.substr(runs.back().end, span.begin - runs.back().end) == " " &&
                       !(is_one_thing(prompt_.substr(0, runs.back().begin)) && has_third_person_s(span.of(prompt_)));
    if (joins)
      runs.back().end = span.end;
    else
      runs.push_back(span);
  }
  std::vector<std::string> spans;
  std::vector<std::string> named;
  for (const TextSpan& run : runs) {
    const std::vector<std::string> words = split_words(run.of(prompt_));
    if (std::all_of(words.begin(), words.end(), [&](const std::string& word) { return has(named, word); })) continue;
    named.insert(named.end(), words.begin(), words.end());
    spans.emplace_back(run.of(prompt_));
  }
  name_unsupported(story_.unsupported, spans);
}

// Whether a prompt that says this asks for nothing beyond the world.
bool StoryReader::is_plain(TextSpan span) const {
  const std::vector<std::string> words = split_words(span.of(prompt_));
  return std::all_of(words.begin(), words.end(), [&](const std::string& word) { return lexicon_.is_plain(word); });
}

Story read_story(std::string_view prompt, const World& world, const std::vector<std::string>& present) {
  return StoryReader(prompt, world, present).run();
}

}  // namespace fabula::oracle
