// From mentions to a story: sentences, and where and when they are.
#include <algorithm>

#include "planner/grammar/plan_grammar.h"
#include "planner/oracle.h"
#include "planner/oracle/reader.h"

namespace fabula::oracle {

Story StoryReader::run() {
  for (const Sentence& sentence : sentences_of(prompt_, lexicon_)) read(sentence);
  settle();
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
  voice_.clear();
  pending_ = {};
  unknown_end_ = 0;
  if (is_setting()) return;
  for (at_ = 0; at_ < sentence.size(); ++at_) mention(sentence[at_]);
  if (is_waiting_ && std::all_of(sentence.begin(), sentence.end(),
                                 [](const Mention& m) { return m.is(Kind::pronoun) || m.is(Kind::then) || m.is(Kind::joint) || m.what == What::comma; }))
    stop_waiting();
  if (event_ == nullptr && !pending_.action.empty()) begin_event({{last_.empty() ? world_.actors[0].id : last_[0], {}, {}, {}, false}});  // "Run!"
  if (event_ == nullptr && !pending_.line.empty()) speak(pending_.line);
  flush_crowd();
  spread(first_);
  if (event_ == nullptr && (!pending_.place.empty() || !pending_.time.empty())) settings_.push_back({story_.events.size(), pending_.place, pending_.time});
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
  for (const auto field : {&Event::place, &Event::time}) {
    const auto told = [&](const Event& e) { return !(e.*field).empty(); };
    if (std::none_of(events.begin() + static_cast<std::ptrdiff_t>(first), events.end() - 1, told)) story_.events[first].*field = events.back().*field;
  }
}

// "It is night.", "We are in the forest.", "It all happens on the moon.": a place or a time, and nobody who does anything.
bool StoryReader::is_setting() {
  Setting setting{story_.events.size(), {}, {}};
  bool happens = false, they = false;
  std::size_t others = 0;
  for (const Mention& m : *sentence_) {
    if (m.is(Kind::place))
      setting.place = m.meaning.id;
    else if (m.is(Kind::time))
      setting.time = m.meaning.id;
    else if (m.is(Kind::pronoun))
      they = they || m.meaning.id == "they" || m.meaning.id == "it", happens = happens || m.meaning.id == "he" || m.meaning.id == "she";
    else if (m.is(Kind::actor) || m.is(Kind::action) || m.is(Kind::say) || m.is(Kind::position) || m.is(Kind::facing) || m.is(Kind::then) || m.what == What::line)
      ++others;
  }
  const bool is_it = !sentence_->empty() && sentence_->front().is(Kind::pronoun) && sentence_->front().meaning.id == "it";
  if (others > 0 || happens || (setting.place.empty() && setting.time.empty())) return false;
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
      if (m.word == "day" && at_ > 0 && (*sentence_)[at_ - 1].what == What::unknown) break;  // "on a rainy day"
      set(&Event::time, pending_.time, m);
      break;
    case Kind::position:
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
    next.*field = m.meaning.id;
    story_.events.push_back(next);
    event_ = &story_.events.back();
  }
}

void StoryReader::stage(std::string Role::*field, std::string& pending, const std::string& id) {
  if (is_waiting_) stop_waiting();
  if (event_ == nullptr || clause_begin_ >= event_->roles.size())
    pending = id;
  else
    event_->roles[has_verb_ || clause_end_ == 0 ? clause_begin_ : clause_end_ - 1].*field = id;
}

// ---- at the end

void StoryReader::settle() {
  for (const Setting& setting : settings_) {
    place(&Event::place, setting.place, setting.events);
    place(&Event::time, setting.time, setting.events);
  }
}

void StoryReader::place(std::string Event::*field, const std::string& said, std::size_t from) {
  if (said.empty()) return;
  std::vector<Event>& events = story_.events;
  if (events.empty()) events.push_back({});
  const bool was_said =
      std::any_of(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(std::min(from, events.size())), [&](const Event& e) { return !(e.*field).empty(); });
  Event& target = was_said && from < events.size() ? events[from] : events.front();
  if ((target.*field).empty()) target.*field = said;
}

// Words that stand together are named together: "eats an apple".
void StoryReader::name_unplaced() {
  std::vector<TextSpan> runs;
  for (const TextSpan& span : unplaced_) {
    const bool joins =
        !runs.empty() && span.begin >= runs.back().end && span.end - runs.back().begin <= PlanCaps::unsupported && only_articles(runs.back().end, span.begin);
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

Story read_story(std::string_view prompt, const World& world, const std::vector<std::string>& present) { return StoryReader(prompt, world, present).run(); }

}  // namespace fabula::oracle
