// From mentions to a story: sentences, and where and when they are.
#include <algorithm>
#include <tuple>
#include <utility>

#include "planner/oracle/oracle.h"
#include "planner/oracle/reader.h"
#include "planner/schema/caps.h"
#include "planner/text/spans.h"

namespace fabula::oracle {

Story StoryReader::run() {
  for (const Sentence& sentence : sentences_of(prompt_, lexicon_)) read(sentence);
  settle();
  pair_up();
  name_unplaced();
  return std::move(story_);
}

// ---- a sentence

void StoryReader::read(const Sentence& sentence) {
  sentence_ = &sentence;
  first_ = story_.events.size();
  event_ = nullptr;
  joint_ = Kind::small;
  clause_begin_ = clause_end_ = 0;
  has_verb_ = speaks_ = is_then_ = began_with_then_ = prepositional_ = articled_ = is_linked_ = awaits_speaker_ = is_waiting_ = false;
  only_feels_ = is_chased_ = false;
  again_.clear();
  voice_.clear();
  pending_ = {};
  unknown_end_ = 0;
  is_heading_ = std::exchange(follows_heading_, sentence.size() == 1 && (sentence[0].word == "ext" || sentence[0].word == "int"));
  if (is_denial() || is_setting()) return;
  for (at_ = 0; at_ < sentence.size(); ++at_) mention(sentence[at_]);
  if (is_waiting_ && std::all_of(sentence.begin(), sentence.end(), [](const Mention& m) {
        return m.is(Kind::pronoun) || m.is(Kind::then) || m.is(Kind::joint) || m.what == What::comma;
      }))
    stop_waiting();
  if (is_waiting_ && began_with_then_ && lexicon_.reads_scripts()) stop_waiting();  // "Now in the snow, he."
  if (event_ == nullptr && !pending_.action.empty())
    begin_event({{last_.empty() ? world_.actors[0].id : last_[0], {}, {}, {}, false}});  // "Run!"
  if (event_ == nullptr && !pending_.line.empty()) speak(pending_.line);
  flush_crowd();
  merge_feeling(first_);
  spread(first_);
  if (event_ == nullptr) set_scene();
}

// What a sentence says of the scene, in which nobody does anything.
void StoryReader::set_scene() {
  std::vector<Event>& events = story_.events;
  const bool begins = began_with_then_ && !events.empty() && !pending_.weather.empty();
  if (begins) {  // "Then it starts to rain.": the same goes on in the rain
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

// "No rain.", "There is no crab.", "It does not snow.": what is not to be seen.
bool StoryReader::is_denial() {
  const Sentence& s = *sentence_;
  if (world_.props.empty() || std::any_of(s.begin(), s.end(), [](const Mention& m) {
        return m.is(Kind::action) || m.is(Kind::say) || m.is(Kind::add) || m.what == What::line;
      }))
    return false;
  const bool is_without = !s.empty() && (s[0].is(Kind::remove) || (s.size() > 1 && s[0].is(Kind::small) && s[1].is(Kind::remove)));
  const auto rains = std::find_if(s.begin(), s.end(), [](const Mention& m) { return m.is(Kind::weather); });
  const bool is_dry = rains != s.end() && std::any_of(s.begin(), rains, [](const Mention& m) {
                        return m.word == "not" || m.word == "doesn't" || m.word == "isn't";
                      });
  if (!is_without && !is_dry) return false;
  for (const Mention& m : s) {
    if (m.is(Kind::actor)) story_.removed.push_back(m.meaning.id);
    if (m.is(Kind::prop)) story_.removed_props.push_back(m.meaning.id);
    if (m.what == What::unknown) unplaced_.push_back(m.span);
  }
  return true;
}

// "A fox hops, then spins on the moon.": where and when it ends it began.
void StoryReader::spread(std::size_t first) {
  const std::vector<Event>& events = story_.events;
  if (first + 1 >= events.size()) return;
  const auto same_actors = [&](const Event& e) {
    return std::equal(e.roles.begin(), e.roles.end(), events[first].roles.begin(), events[first].roles.end(),
                      [](const Role& a, const Role& b) { return a.actor == b.actor; });
  };
  if (!std::all_of(events.begin() + static_cast<std::ptrdiff_t>(first), events.end(), same_actors)) return;
  for (const auto field : {&Event::place, &Event::time, &Event::weather}) {
    const auto told = [&](const Event& e) { return !(e.*field).empty(); };
    if (std::none_of(events.begin() + static_cast<std::ptrdiff_t>(first), events.end() - 1, told))
      story_.events[first].*field = events.back().*field;
  }
  if (!events[first].weather.empty() && events[first].weather_source.end == 0)
    story_.events[first].weather_source = events.back().weather_source;
}

// "It is night.", "We are in the forest.", "It is raining.": a place, a time or a weather, and nobody who does anything.
bool StoryReader::is_setting() {
  Setting setting{.events = story_.events.size(), .is_heading = is_heading_};
  bool happens = false, they = false;
  std::size_t others = 0;
  for (const Mention& m : *sentence_) {
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
  if (is_it && !setting.place.empty() && !story_.events.empty()) return false;  // "It is on the beach.": who was seen last
  if (!they && unknown_subject()) return false;
  settings_.push_back(setting);
  return true;
}

// Whether somebody that the world does not know is said to be there: "A dragon in the forest."
bool StoryReader::unknown_subject() const {
  for (const Mention& m : *sentence_) {
    if (m.what == What::unknown) return true;
    if (m.is(Kind::among) || m.is(Kind::with)) return false;
  }
  return false;
}

void StoryReader::mention(const Mention& m) {
  switch (m.what) {
    case What::comma:
      if (joint_ == Kind::small) joint_ = Kind::shot;  // a comma joins, too
      prepositional_ = articled_ = false;
      return;
    case What::colon:
      prepositional_ = articled_ = false;
      return;
    case What::line:
      return line(m);
    case What::unknown:
      return unknown(m);
    case What::meaning:
      break;
  }
  switch (m.meaning.kind) {
    case Kind::actor:
      actor(m.meaning.id, true, m);
      break;
    case Kind::pronoun:
      pronoun(m);
      break;
    case Kind::action:
      action(m.meaning.id, m);
      break;
    case Kind::place:
      set(&Event::place, pending_.place, m);
      break;
    case Kind::time:
      if (m.word == "day" && at_ > 0 && ((*sentence_)[at_ - 1].what == What::unknown || (*sentence_)[at_ - 1].is(Kind::weather)))
        break;  // "on a rainy day"
      set(&Event::time, pending_.time, m);
      break;
    case Kind::weather:
      weather(m);
      break;
    case Kind::mood:
      if (!mood(m)) return;  // whose it is comes after
      break;
    case Kind::prop:
      prop(m);
      break;
    case Kind::chased:
      action("runs", m);
      is_chased_ = true;
      break;
    case Kind::position:
      if (at_ > 0 && (*sentence_)[at_ - 1].is(Kind::prop)) {  // "a tree on the left"
        std::vector<Thing>& props = event_ != nullptr ? event_->props : pending_.props;
        if (!props.empty()) props.back().position = m.meaning.id;
        break;
      }
      stage(&Role::position, pending_.position, m.meaning.id);
      break;
    case Kind::facing:
      stage(&Role::facing, pending_.facing, m.meaning.id);
      break;
    case Kind::voice:
      if (event_ != nullptr && clause_begin_ < event_->roles.size())
        story_.voices[speaks_ && !event_->speaker.empty() ? event_->speaker : event_->roles[clause_begin_].actor] = m.meaning.id;
      else
        voice_ = m.meaning.id;
      break;
    case Kind::size:
      story_.size = m.meaning.id;
      break;
    case Kind::move:
      story_.move = m.meaning.id;
      break;
    case Kind::say:
      say();
      break;
    case Kind::joint:
      if (joint_ != Kind::meanwhile) joint_ = Kind::joint;
      prepositional_ = articled_ = false;
      return;
    case Kind::meanwhile:
      joint_ = Kind::meanwhile, prepositional_ = articled_ = false;
      return;
    case Kind::then:
      is_then_ = true, began_with_then_ = began_with_then_ || event_ == nullptr, prepositional_ = articled_ = false;
      return;
    case Kind::with:
      joint_ = Kind::with, prepositional_ = true, articled_ = false;
      return;
    case Kind::remove:
      joint_ = Kind::remove, prepositional_ = true;
      return;
    case Kind::among:
      prepositional_ = true, articled_ = false;
      return;
    case Kind::article:
      articled_ = true;
      return;
    case Kind::add:
      story_.is_addition = true;
      return;
    case Kind::silent:
      story_.is_silent = true;
      return;
    case Kind::shot:
      shots();
      return;
    case Kind::opener:
      prepositional_ = articled_ = false;
      return;
    case Kind::copula:
      is_linked_ = true;
      return;
    case Kind::small:
      return;
  }
  prepositional_ = articled_ = is_linked_ = false;
  extend(m);
}

void StoryReader::extend(const Mention& m) {
  if (event_ == nullptr) return;
  if (event_->source.end == 0) event_->source = m.span;
  event_->source.begin = std::min(event_->source.begin, m.span.begin);
  event_->source.end = std::max(event_->source.end, m.span.end);
}

// ---- where and when

void StoryReader::set(std::string Event::*field, std::string& pending, const Mention& m) {
  if (is_waiting_) stop_waiting();
  if (event_ == nullptr) {
    if (pending.empty())
      pending = m.meaning.id;
    else if (pending != m.meaning.id)
      unplaced_.push_back(m.span);
    return;
  }
  std::string& said = event_->*field;
  if (said.empty()) {
    said = m.meaning.id;
  } else if (said != m.meaning.id) {  // "from the forest to the beach": it goes on there
    Event next = *event_;
    next.line.clear();
    next.speaker.clear();
    next.props.clear();
    next.*field = m.meaning.id;
    story_.events.push_back(next);
    event_ = &story_.events.back();
  }
}

void StoryReader::stage(std::string Role::*field, std::string& pending, const std::string& id) {
  if (is_waiting_) stop_waiting();
  const bool after_other = event_ != nullptr && event_->roles.size() == most_roles && at_ > 0 && (*sentence_)[at_ - 1].is(Kind::actor) &&
                           takes_two(event_->roles[clause_begin_].action);
  if (after_other)
    event_->roles.back().*field = id;  // "chases a crab on the right"
  else if (event_ == nullptr || clause_begin_ >= event_->roles.size())
    pending = id;
  else
    event_->roles[has_verb_ || clause_end_ == 0 ? clause_begin_ : clause_end_ - 1].*field = id;
}

// ---- in which weather, beside which things, and how they feel

void StoryReader::weather(const Mention& m) {
  set(&Event::weather, pending_.weather, m);
  TextSpan& source = event_ == nullptr ? pending_.weather_source : event_->weather_source;
  if ((event_ == nullptr ? pending_.weather : event_->weather) == m.meaning.id) source = m.span;
}

void StoryReader::prop(const Mention& m) {
  if (joint_ == Kind::remove) {
    story_.removed_props.push_back(m.meaning.id);
    joint_ = Kind::small;
    return;
  }
  if (joint_ == Kind::with) joint_ = Kind::small;
  if (is_waiting_) stop_waiting();
  std::vector<Thing>& props = event_ != nullptr ? event_->props : pending_.props;
  const bool is_there = std::any_of(props.begin(), props.end(), [&](const Thing& thing) { return thing.prop == m.meaning.id; });
  if (!is_there) props.push_back({m.meaning.id, {}, m.span});
}

// Gives whether it was told of those who are there already.
bool StoryReader::mood(const Mention& m) {
  const bool is_predicate = is_told_of_subject();
  if (!is_predicate) {
    if (qualifies_actor()) {
      pending_.mood = m.meaning.id;
      return false;
    }
    if (articled_ || event_ == nullptr) return false;  // "in a quiet forest"
  }
  feel(m.meaning.id, is_predicate);  // "the fox and the crab dance happily": the first does
  return true;
}

// "is sad", "looks very happy"
bool StoryReader::is_told_of_subject() const {
  if (articled_) return false;
  if (is_linked_) return true;
  for (std::size_t i = at_; i-- > 0 && (*sentence_)[i].is(Kind::small);) {
    const std::string& word = (*sentence_)[i].word;
    if (word.starts_with("look") || word.starts_with("turn")) return true;
  }
  return false;
}

// "a sad fox", "the angry and lonely old robot"
bool StoryReader::qualifies_actor() const {
  for (std::size_t i = at_ + 1; i < sentence_->size(); ++i) {
    const Mention& m = (*sentence_)[i];
    if (m.what == What::unknown && Lexicon::is_alive(m.word)) return true;  // somebody of the world plays them
    const bool joins = (m.is(Kind::joint) || m.what == What::comma) && i + 1 < sentence_->size() && (*sentence_)[i + 1].is(Kind::mood);
    if (m.is(Kind::actor)) return true;
    if (!joins && !m.is(Kind::small) && !m.is(Kind::mood) && m.what != What::unknown) return false;
  }
  return false;
}

void StoryReader::feel(const std::string& mood, bool is_all) {
  if (is_waiting_) stop_waiting();
  if (event_ == nullptr || clause_begin_ >= event_->roles.size()) return;
  only_feels_ = !has_verb_;
  if (!again_.empty()) return feels(again_, mood);
  const std::size_t end = is_all ? clause_end_ : clause_begin_ + 1;
  for (std::size_t i = clause_begin_; i < end; ++i) event_->roles[i].mood = mood;
}

// "A fox walks. It is sad.": the second sentence is about what the first one shows, unless the mood is another than before.
void StoryReader::merge_feeling(std::size_t first) {
  std::vector<Event>& events = story_.events;
  if (!only_feels_ || began_with_then_ || first == 0 || events.size() != first + 1) return;
  const Event& told = events.back();
  const bool is_more =
      has_verb_ || !told.place.empty() || !told.time.empty() || !told.weather.empty() || !told.props.empty() || !told.line.empty();
  if (is_more) return;
  Event& before = events[first - 1];
  const auto same = [&](const Role& role) {
    return std::find_if(before.roles.begin(), before.roles.end(),
                        [&](const Role& r) { return r.actor == role.actor && (r.mood.empty() || r.mood == role.mood); });
  };
  if (std::any_of(told.roles.begin(), told.roles.end(),
                  [&](const Role& role) { return same(role) == before.roles.end() || !role.position.empty() || !role.facing.empty(); }))
    return;
  for (const Role& role : told.roles) same(role)->mood = role.mood;
  events.pop_back();
  event_ = &events.back();
}

// ---- at the end

void StoryReader::settle() {
  for (const Setting& setting : settings_) {
    place(&Event::place, setting.place, setting.events, setting.is_heading);
    place(&Event::time, setting.time, setting.events, setting.is_heading);
    rain(setting);
    furnish(setting);
  }
}

// `begins`: it is said of what comes after, as a screenplay's headings are.
void StoryReader::place(std::string Event::*field, const std::string& said, std::size_t from, bool begins) {
  if (said.empty()) return;
  std::vector<Event>& events = story_.events;
  if (events.empty()) events.push_back({});
  const bool was_said = std::any_of(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(std::min(from, events.size())),
                                    [&](const Event& e) { return !(e.*field).empty(); });
  Event& target = (was_said || begins) && from < events.size() ? events[from] : events.front();
  if ((target.*field).empty()) target.*field = said;
}

// It rains where the film is when it is said, from the first event there on.
void StoryReader::rain(const Setting& setting) {
  if (setting.weather.empty()) return;
  std::vector<Event>& events = story_.events;
  if (events.empty()) events.push_back({});
  const bool is_next = setting.events == 0 || !setting.place.empty();
  std::size_t index = std::min(is_next ? setting.events : setting.events - 1, events.size() - 1);
  while (!is_next && index > 0 && events[index].place.empty()) --index;
  if (!events[index].weather.empty()) index = setting.events;  // another weather than before comes later
  if (index >= events.size() || !events[index].weather.empty()) return;
  events[index].weather = setting.weather;
  events[index].weather_source = setting.weather_source;
}

// "There is a tree.": it stands where the film is, or where the sentence goes.
void StoryReader::furnish(const Setting& setting) {
  if (setting.props.empty()) return;
  std::vector<Event>& events = story_.events;
  if (events.empty()) events.push_back({});
  const std::size_t index = setting.place.empty() && setting.events > 0 ? setting.events - 1 : setting.events;
  std::vector<Thing>& props = events[std::min(index, events.size() - 1)].props;
  props.insert(props.end(), setting.props.begin(), setting.props.end());
}

// Talking and chasing take two: one talks and the other stands there, one chases and the other runs.
void StoryReader::pair_up() {
  for (Event& event : story_.events) {
    for (const auto& [action, answer, alone] : {std::tuple{"talks", "stands", "stands"}, {"chases", "runs", "runs"}}) {
      const auto does = [&, action = action](const Role& role) { return role.action == action; };
      const auto first = std::find_if(event.roles.begin(), event.roles.end(), does);
      if (first == event.roles.end()) continue;
      for (Role& role : event.roles) {
        if (&role != &*first && (role.action.empty() || does(role))) role.action = answer;
      }
      if (event.roles.size() == 1 && stands_in_) first->action = alone;
      if (first != event.roles.begin() && std::string(action) == "chases") std::swap(*first, event.roles.front());
    }
  }
}

// Words that stand together are named together: "eats an apple".
void StoryReader::name_unplaced() {
  std::vector<TextSpan> runs;
  for (const TextSpan& span : unplaced_) {
    const bool joins = !runs.empty() && span.begin >= runs.back().end && span.end - runs.back().begin <= PlanCaps::unsupported &&
                       only_articles(runs.back().end, span.begin);
    if (joins)
      runs.back().end = span.end;
    else
      runs.push_back(span);
  }
  std::vector<std::string> spans;
  for (const TextSpan& run : runs) spans.emplace_back(run.of(prompt_));
  name_unsupported(story_.unsupported, spans);
}

bool StoryReader::only_articles(std::size_t begin, std::size_t end) const {
  const std::string_view between = prompt_.substr(begin, end - begin);
  if (between.find_first_of(".,:;!?\"\\\n") != std::string_view::npos) return false;
  const std::vector<std::string> words = split_words(between);
  return std::all_of(words.begin(), words.end(), [](const std::string& w) { return w == "a" || w == "an" || w == "the" || w == "some"; });
}

Story read_story(std::string_view prompt, const World& world, const std::vector<std::string>& present) {
  return StoryReader(prompt, world, present).run();
}

}  // namespace fabula::oracle
