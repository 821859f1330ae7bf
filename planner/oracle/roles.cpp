// Turns mentions into a story: who does what, and who says what.
#include <algorithm>
#include <utility>

#include "planner/oracle/lines.h"
#include "planner/oracle/oracle.h"
#include "planner/oracle/reader.h"
#include "planner/schema/caps.h"
#include "planner/text/names.h"
#include "planner/text/spans.h"

namespace fabula::oracle {

static_assert(most_roles == PlanCaps::cast);

// ---- who

Event& StoryReader::begin_event(std::vector<Role> roles) {
  story_.events.push_back({});
  event_ = &story_.events.back();
  event_->roles = std::move(roles);
  event_->place = std::exchange(pending_.place, {});
  event_->time = std::exchange(pending_.time, {});
  event_->weather = std::exchange(pending_.weather, {});
  event_->weather_source = pending_.weather_source;
  event_->props = std::exchange(pending_.props, {});
  clause_begin_ = 0;
  clause_end_ = event_->roles.size();
  has_verb_ = is_then_ = speaks_ = false;
  named_again_.clear();
  joint_ = Kind::small;
  if (!event_->roles.empty()) {
    Role& first = event_->roles[0];
    if (!pending_.action.empty()) {
      for (Role& role : event_->roles) role.action = pending_.action;
      pending_.action.clear();
      has_verb_ = true;
    }
    if (!pending_.position.empty()) first.position = std::exchange(pending_.position, {});
    if (!pending_.facing.empty()) first.facing = std::exchange(pending_.facing, {});
    if (!pending_voice_.empty()) story_.voices[first.actor] = std::exchange(pending_voice_, {});
  }
  return *event_;
}

bool StoryReader::is_in_event(const std::string& id) const {
  return event_ != nullptr && std::any_of(event_->roles.begin(), event_->roles.end(), [&](const Role& r) { return r.actor == id; });
}

void StoryReader::read_actor(const std::string& id, bool is_named, const Mention& m) {
  if (is_named) name_count(m), spoken_of_.push_back(id);
  strangers_ = strangers_ || !is_named;
  const std::string mood = std::exchange(pending_.mood, {});
  if (awaits_speaker_) {
    set_speaker(id, is_named);
    return set_mood_of(id, mood);
  }
  Role role{id, {}, {}, {}, is_named, mood};
  if (std::exchange(is_chased_, false)) role.action = "chases";
  const Kind joint = std::exchange(joint_, Kind::small);
  if (event_ == nullptr || is_then_) {
    begin_event({role});
  } else if (is_in_event(id) && joint != Kind::with) {
    if (has_verb_ && joint != Kind::small)
      begin_event({role});  // "the fox runs and the fox jumps"
    else
      set_mood_of(named_again_ = id, mood);
  } else if (joint == Kind::with || prepositional_ || (has_verb_ && joint == Kind::small)) {
    join_event(role, m, joint == Kind::with);  // "with the crab"; "to the crab", "sees the crab"
  } else if (!has_verb_ && (event_->line.empty() || !acts_after(at_)) &&
             (joint == Kind::joint || joint == Kind::shot || joint == Kind::small || joint == Kind::meanwhile)) {
    join_event(role, m, true);
  } else if ((joint == Kind::joint || joint == Kind::meanwhile) && event_->roles.size() < most_roles && event_->line.empty()) {
    event_->roles.push_back(role);
    clause_begin_ = event_->roles.size() - 1;
    clause_end_ = event_->roles.size();
    has_verb_ = false;
  } else {
    begin_event({role});
  }
  last_actors_.clear();
  for (const Role& r : event_->roles) last_actors_.push_back(r.actor);
}

void StoryReader::set_mood_of(const std::string& id, const std::string& mood) {
  for (Role& role : event_->roles) {
    if (role.actor == id && !mood.empty()) role.mood = mood;
  }
}

// Adds a role to the event. If it is full, the role waits in crowd_ for an event of its own.
void StoryReader::join_event(Role role, const Mention& m, bool acts_alike) {
  if (is_in_event(role.actor)) return;
  if (event_->roles.size() >= most_roles) {
    if (std::any_of(crowd_.begin(), crowd_.end(), [&](const Role& r) { return r.actor == role.actor; })) return;
    crowd_.push_back(role);
    crowd_spans_.push_back(m.span);
    return;
  }
  if (has_verb_ && acts_alike) role.action = event_->roles[clause_begin_].action;
  event_->roles.push_back(role);
  clause_end_ = event_->roles.size();
}

void StoryReader::read_pronoun(const Mention& m) {
  const std::string& word = m.meaning.id;
  if (last_actors_.empty()) {
    if (word == "it") return;  // "It is night and a fox …"
    last_actors_ = {default_actor()};
  }
  if (const std::string heard = lexicon_.voice_heard(word); !heard.empty()) story_.voices[last_actors_[0]] = heard;
  if (prepositional_) return;  // "with it"
  if (awaits_speaker_) return set_speaker(last_actors_[0], false);
  if (word == "it" && it_is_weather()) return;
  const std::vector<std::string> meant(last_actors_.begin(), word == "they" ? last_actors_.end() : last_actors_.begin() + 1);
  std::vector<Role> roles;
  for (const std::string& id : meant) roles.push_back({.actor = id, .is_meant = nobody_else(meant, word)});
  if (event_ != nullptr && !is_then_ && is_in_event(roles[0].actor) && !(has_verb_ && joint_ != Kind::small)) return;
  pronoun_roles_ = roles;  // what they do decides whether an event begins
  has_open_pronoun_ = true;
  if (event_ != nullptr) event_ = nullptr;
}

// Whether the prompt has spoken of these actors, and of nobody else whom the pronoun may mean.
bool StoryReader::nobody_else(const std::vector<std::string>& actors, const std::string& pronoun) const {
  return !spoken_of_.empty() && !strangers_ && !(pronoun == "it" && things_) &&
         std::all_of(spoken_of_.begin(), spoken_of_.end(), [&](const std::string& id) { return has(actors, id); });
}

// "it is raining", "it is night": the pronoun means nobody.
bool StoryReader::it_is_weather() const {
  std::size_t next = at_ + 1;
  while (next < sentence_->size() && ((*sentence_)[next].is(Kind::copula) || (*sentence_)[next].is(Kind::deny))) ++next;
  if (next >= sentence_->size()) return false;
  const Mention& m = (*sentence_)[next];
  if (next == at_ + 1) return m.is(Kind::weather);  // "it rains"
  return m.is(Kind::time) || m.is(Kind::weather) || (m.what == What::unknown && is_weather_word(m.word));
}

bool StoryReader::is_weather_word(const std::string& word) {
  static const std::vector<std::string> weather = {"raining", "snowing", "storming", "foggy", "rainy",        "stormy", "cloudy",  "windy",
                                                   "rain",    "storm",   "fog",      "mist",  "thunderstorm", "wind",   "snowfall"};
  return std::find(weather.begin(), weather.end(), word) != weather.end();
}

// The pronoun's roles do something other than speak: an event of theirs begins.
void StoryReader::settle_pronoun() {
  if (!has_open_pronoun_) return;
  has_open_pronoun_ = false;
  begin_event(pronoun_roles_);
}

// ---- what they do

void StoryReader::read_action(const std::string& id, const Mention& m) {
  if (has_open_pronoun_) settle_pronoun();
  if (event_ == nullptr) {
    const bool continues = !last_actors_.empty() && !story_.events.empty() && (is_then_ || at_ == 0) && !actor_follows();
    if (!continues) {
      pending_.action = id;
      return;
    }
    std::vector<Role> roles;
    for (const std::string& actor : last_actors_) roles.push_back({.actor = actor, .is_meant = nobody_else(last_actors_, "it")});
    begin_event(roles);
  }
  if (has_verb_ || is_then_) {
    const std::vector<Role> roles = subjects();
    flush_crowd();
    begin_event(roles);
  }
  for (std::size_t i = clause_begin_; i < clause_end_; ++i) event_->roles[i].action = id;
  for (Role& role : crowd_) role.action = role.action.empty() ? id : role.action;
  has_verb_ = true;
  joint_ = Kind::small;
  flush_crowd();
  extend_source(m);
}

// The clause's subjects, who do something else now.
std::vector<Role> StoryReader::subjects() const {
  std::vector<Role> roles;
  for (std::size_t i = clause_begin_; i < clause_end_; ++i) {
    const Role& role = event_->roles[i];
    roles.push_back({.actor = role.actor, .is_named = role.is_named, .is_meant = role.is_meant});
  }
  return roles;
}

bool StoryReader::actor_follows() const {
  return std::any_of(sentence_->begin() + static_cast<std::ptrdiff_t>(at_), sentence_->end(),
                     [](const Mention& m) { return m.is(Kind::actor); });
}

// Whether the next actor of the sentence does something: "and the pig jumps"
bool StoryReader::next_actor_acts() const {
  std::size_t next = at_ + 1;
  while (next < sentence_->size() && !(*sentence_)[next].is(Kind::actor)) ++next;
  return acts_after(next);
}

// Whether the actor at an index of the sentence does or says something.
bool StoryReader::acts_after(std::size_t actor) const {
  for (std::size_t next = actor + 1; next < sentence_->size(); ++next) {
    const Mention& m = (*sentence_)[next];
    if (m.is(Kind::action) || m.is(Kind::say)) return true;
    if (!m.is(Kind::small) && !m.is(Kind::copula)) return false;
  }
  return false;
}

// Gives the waiting roles events of their own, two at a time, in the same setting.
void StoryReader::flush_crowd() {
  if (crowd_.empty()) return;
  const std::vector<Role> crowd = std::exchange(crowd_, {});
  const auto index = event_ == nullptr ? story_.events.size() : static_cast<std::size_t>(event_ - story_.events.data());
  for (std::size_t i = 0; i < crowd.size(); i += most_roles) {
    Event event;
    event.roles.assign(crowd.begin() + static_cast<std::ptrdiff_t>(i),
                       crowd.begin() + static_cast<std::ptrdiff_t>(std::min(i + most_roles, crowd.size())));
    event.source = crowd_spans_[i];
    story_.events.push_back(std::move(event));
  }
  crowd_spans_.clear();
  if (event_ != nullptr) event_ = &story_.events[index];
}

// ---- what they say

void StoryReader::read_say_verb() {
  // A verb of speaking without a line before or after it: something that the world does not show.
  const bool line_follows = std::any_of(sentence_->begin() + static_cast<std::ptrdiff_t>(at_), sentence_->end(),
                                        [](const Mention& m) { return m.what == What::line; });
  if (!line_follows && pending_.line.empty()) {
    const Mention& verb = (*sentence_)[at_];
    const bool is_talk = world_.action("talks") != nullptr && (verb.word.starts_with("speak") || verb.word.starts_with("spoke"));
    if (is_talk) return read_action("talks", verb);
    unplaced_.push_back(verb.span);
    return act_unknown();
  }
  speaks_ = true;
  if (!pending_.line.empty() && !has_open_pronoun_) {
    awaits_speaker_ = true;  // '"Hello!" says the fox.'
    return;
  }
  if (has_open_pronoun_) {
    has_open_pronoun_ = false;
    set_speaker(pronoun_roles_[0].actor, false);
  } else if (event_ != nullptr && clause_begin_ < event_->roles.size()) {
    // A sentence that only gives a line belongs to the event before.
    const Role role = event_->roles[clause_begin_];
    const bool only_speaks = !has_verb_ && event_->roles.size() == 1 && event_->place.empty() && event_->time.empty() &&
                             role.position.empty() && role.facing.empty() && story_.events.size() > 1;
    if (only_speaks && !began_with_then_) {
      Event& before = story_.events[story_.events.size() - 2];
      const bool was_there = std::any_of(before.roles.begin(), before.roles.end(), [&](const Role& r) { return r.actor == role.actor; });
      if (was_there && before.line.empty()) {
        story_.events.pop_back();
        event_ = &story_.events.back();
        clause_begin_ = 0;
        clause_end_ = event_->roles.size();
        has_verb_ = true;
      }
    }
    event_->speaker = role.actor;
  }
}

// Names the speaker of this sentence's line.
void StoryReader::set_speaker(const std::string& id, bool is_named) {
  awaits_speaker_ = false;
  const bool continues =
      !story_.events.empty() && !is_then_ && !began_with_then_ && story_.events.back().line.empty() &&
      std::any_of(story_.events.back().roles.begin(), story_.events.back().roles.end(), [&](const Role& r) { return r.actor == id; });
  if (continues) {
    event_ = &story_.events.back();
    clause_begin_ = 0;
    clause_end_ = event_->roles.size();
    has_verb_ = true;
  } else {
    begin_event({{id, {}, {}, {}, is_named}});
    last_actors_ = {id};
  }
  speaks_ = true;
  event_->speaker = id;
  if (!pending_voice_.empty()) story_.voices[id] = std::exchange(pending_voice_, {});
  if (!pending_.line.empty()) event_->line = std::exchange(pending_.line, {});
}

void StoryReader::read_line(const Mention& m) {
  std::vector<std::string> pieces = pieces_of(m.span.of(prompt_), world_.line_bytes);
  if (pieces.empty()) return unplaced_.push_back(m.span);  // no voice of the world speaks it
  if (has_open_pronoun_) {
    has_open_pronoun_ = false;
    set_speaker(pronoun_roles_[0].actor, false);
  }
  if (event_ != nullptr && !event_->line.empty() && another_says()) event_ = nullptr;
  if (event_ == nullptr) {
    pending_.line = std::move(pieces);
    return;
  }
  add_line(pieces);
  extend_source(m);
}

// Whether a further speaker follows: '…, but "I see," says the crab.'
bool StoryReader::another_says() const {
  std::size_t next = at_ + 1;
  while (next < sentence_->size() && (*sentence_)[next].what == What::comma) ++next;
  if (next >= sentence_->size() || !(*sentence_)[next].is(Kind::say)) return false;
  return std::any_of(sentence_->begin() + static_cast<std::ptrdiff_t>(next), sentence_->end(),
                     [](const Mention& m) { return m.is(Kind::actor) || m.what == What::unknown; });
}

void StoryReader::add_line(std::vector<std::string> pieces) {
  if (event_ == nullptr) {
    if (!story_.events.empty() && story_.events.back().line.empty())
      event_ = &story_.events.back();
    else
      begin_event({{last_actors_.empty() ? default_actor() : last_actors_[0], {}, {}, {}, false}});
  } else if (!event_->line.empty()) {  // a second line: the same event once more
    Event again = *event_;
    again.line.clear();
    // with the speaker alone
    const auto speaks = std::find_if(again.roles.begin(), again.roles.end(), [&](const Role& r) { return r.actor == again.speaker; });
    again.roles = {speaks == again.roles.end() ? again.roles.front() : *speaks};
    again.roles[0].action.clear();
    clause_begin_ = 0;
    clause_end_ = 1;
    story_.events.push_back(again);
    event_ = &story_.events.back();
  }
  if (event_->speaker.empty()) event_->speaker = event_->roles[std::min(clause_begin_, event_->roles.size() - 1)].actor;
  event_->line = std::move(pieces);
  pending_.line.clear();
}

void StoryReader::read_voice(const std::string& id) {
  if (event_ != nullptr && clause_begin_ < event_->roles.size())
    story_.voices[speaks_ && !event_->speaker.empty() ? event_->speaker : event_->roles[clause_begin_].actor] = id;
  else
    pending_voice_ = id;
}

// ---- what the world does not know

// Numbers that say something of the film, not of what it shows.
bool StoryReader::read_number(const Mention& m) {
  const std::size_t digits = m.word.find_first_not_of("0123456789");
  if (digits == std::string::npos && at_ > 0 && (*sentence_)[at_ - 1].is(Kind::shot)) return true;  // "Shot 2: …"
  const bool is_length = digits != std::string::npos && digits > 0 && m.word.substr(digits).starts_with("-sec");
  if (is_length) read_seconds(number_of(m.word.substr(0, digits)), m.span);  // "a 20-second film"
  const bool is_seconds = digits == std::string::npos && at_ + 1 < sentence_->size() && (*sentence_)[at_ + 1].word == "s";
  if (is_seconds) read_seconds(number_of(m.word), {m.span.begin, (*sentence_)[at_ + 1].span.end});  // "10 s"
  return is_length || is_seconds;
}

void StoryReader::read_unknown(const Mention& m) {
  if (read_number(m) || describes_actor(m)) return;
  const bool plain = is_plain(m.span);
  if (!plain) unplaced_.push_back(m.span);
  const char initial = prompt_[m.span.begin];
  const bool is_name = at_ > 0 && initial >= 'A' && initial <= 'Z';
  strangers_ = strangers_ || is_name || Lexicon::is_alive(m.word);
  if (at_ > 0 && at_ == unknown_end_) {  // the rest of "teddy bear", of "eats honey"
    unknown_end_ = at_ + 1;
    articled_ = false;
    return;
  }
  unknown_end_ = at_ + 1;
  if (is_weather_word(m.word)) return;
  const Position stands{std::exchange(prepositional_, false), std::exchange(articled_, false), std::exchange(is_linked_, false)};
  if (!has_stand_in_) {
    if (joint_ == Kind::with) joint_ = Kind::small;
    return;
  }
  std::size_t next = at_ + 1;
  while (next < sentence_->size() &&
         ((*sentence_)[next].what == What::unknown || (*sentence_)[next].is(Kind::small) || (*sentence_)[next].is(Kind::mood)))
    ++next;
  const bool describes_place = next < sentence_->size() && (*sentence_)[next].is(Kind::place);
  if (next < sentence_->size() && ((*sentence_)[next].is(Kind::actor) || (*sentence_)[next].is(Kind::prop)))
    return void(unknown_end_ = next);  // "a tiny glowing fox"
  things_ = things_ || (stands.articled && !plain && !describes_place);
  read_character(m, next, stands);
}

// Whether an unknown word is somebody whom an actor of the world plays, or what somebody does. `next`: index of the next known word.
void StoryReader::read_character(const Mention& m, std::size_t next, const Position& stands) {
  const bool ends = next >= sentence_->size();
  const bool continues =
      !ends && ((*sentence_)[next].is(Kind::action) || (*sentence_)[next].is(Kind::say) || (*sentence_)[next].is(Kind::copula) ||
                (*sentence_)[next].is(Kind::joint) || (*sentence_)[next].is(Kind::meanwhile));
  const std::size_t run = unknown_run_length();
  const bool alive = Lexicon::is_alive(m.word) || (run > 1 && Lexicon::is_alive((*sentence_)[at_ + 1].word));
  const bool acts = run > 1 && !alive_at(at_ + run - 1) &&
                    (ends || !(*sentence_)[next].is(Kind::action));  // "dragon dancing", not "spotted dragon flies"
  const bool says = !ends && (*sentence_)[next].is(Kind::say);
  const std::string stand_in = stand_in_for(m, says);
  if (stands.prepositional) {
    if ((joint_ == Kind::with || needs_partner()) && alive)
      read_actor(stand_in, false, m);
    else if (joint_ == Kind::with)
      joint_ = Kind::small;
    return;
  }
  if (awaits_speaker_) return read_actor(stand_in, false, m);
  const bool answers = says && event_ != nullptr && !event_->line.empty() && joint_ != Kind::small;
  if (answers) return read_actor(stand_in, false, m);  // "and Ben says …"
  const bool is_first = event_ == nullptr && !has_open_pronoun_;
  if (is_first && !stands.linked && (stands.articled || continues || alive || story_.events.empty())) {
    read_actor(stand_in, false, m);
    if (acts) act_unknown();
    return;
  }
  if (!stands.articled) return act_unknown();
  if (alive && needs_partner()) return read_actor(stand_in, false, m);  // "chases a monkey"
  const bool joins = event_ != nullptr && joint_ != Kind::small && (!has_verb_ || continues || run > 1 || alive);
  if (!joins && (event_ == nullptr || !is_then_)) return;
  read_actor(stand_in, false, m);
  if (acts) act_unknown();
}

// "a yellow chick": the chick is yellow.
bool StoryReader::describes_actor(const Mention& m) const {
  const auto end = sentence_->end();
  const auto next = std::find_if(sentence_->begin() + static_cast<std::ptrdiff_t>(at_), end,
                                 [](const Mention& n) { return n.what != What::unknown && !n.is(Kind::small) && !n.is(Kind::mood); });
  if (next == end || !next->is(Kind::actor)) return false;
  const auto actor =
      std::find_if(world_.actors.begin(), world_.actors.end(), [&](const World::Actor& a) { return a.id == next->meaning.id; });
  return actor != world_.actors.end() && has(split_words(actor->look), m.word);
}

// Whether the subjects' action takes a partner who is not named yet.
bool StoryReader::needs_partner() const {
  return event_ != nullptr && has_verb_ && event_->roles.size() < most_roles && clause_begin_ < event_->roles.size() &&
         takes_two(event_->roles[clause_begin_].action);
}

bool StoryReader::alive_at(std::size_t index) const { return Lexicon::is_alive((*sentence_)[index].word); }

// How many unknown words follow each other from here.
std::size_t StoryReader::unknown_run_length() const {
  std::size_t end = at_;
  while (end < sentence_->size() && (*sentence_)[end].what == What::unknown) ++end;
  return end - at_;
}

// An action that the world cannot show: its subjects only appear.
void StoryReader::act_unknown() {
  if (has_open_pronoun_) settle_pronoun();
  if (event_ == nullptr) return;
  if ((has_verb_ && joint_ != Kind::small) || is_then_) {
    begin_event(subjects());
  }
  has_verb_ = true;
  joint_ = Kind::small;
}

// The actor of the world who plays a character that it does not know: the same for the same word, another for another.
std::string StoryReader::stand_in_for(const Mention& m, bool is_character) {
  const auto played = story_.stand_ins.find(m.word);
  if (played != story_.stand_ins.end()) return played->second;
  const auto is_free = [&](const World::Actor& actor) {
    return !has(named_, actor.id) &&
           std::none_of(story_.stand_ins.begin(), story_.stand_ins.end(), [&](const auto& entry) { return entry.second == actor.id; });
  };
  const auto free = std::find_if(world_.actors.begin(), world_.actors.end(), is_free);
  const std::string& actor = free == world_.actors.end() ? world_.actors[0].id : free->id;
  if (is_character || awaits_speaker_ || Lexicon::is_alive(m.word)) story_.stand_ins[m.word] = actor;
  return actor;
}

// Who does something that nobody is said to do.
std::string StoryReader::default_actor() const { return named_.empty() ? world_.actors[0].id : named_[0]; }

// ---- numbers

// "in three shots"
void StoryReader::read_shot_count() {
  const int number = at_ > 0 ? number_of((*sentence_)[at_ - 1].word) : 0;
  const bool is_article = at_ > 0 && (*sentence_)[at_ - 1].is(Kind::article);  // "a shot of a fox"
  if (number > 0 && !is_article) story_.shots = number;
  if (number > 0 && (*sentence_)[at_ - 1].what == What::unknown && !unplaced_.empty()) unplaced_.pop_back();
}

// "20 seconds": as many shots as fill the time, or as many as a film can have.
void StoryReader::read_seconds(int seconds, TextSpan span) {
  if (seconds <= 0) return;
  const bool is_number_unknown = !unplaced_.empty() && unplaced_.back().begin == span.begin;
  if (is_number_unknown) unplaced_.pop_back();
  if (story_.shots > 0) return;
  const int shots = shots_in(seconds, world_);
  story_.shots = std::min(shots, world_.max_shots);
  if (shots > world_.max_shots) unplaced_.push_back(span);
}

// "two pigs": the world has one of each.
void StoryReader::name_count(const Mention& m) {
  for (std::size_t i = at_; i-- > 0;) {
    const Mention& before = (*sentence_)[i];
    const int number = before.is(Kind::article) || before.word == "one" ? 0 : number_of(before.word);
    if (number > 1) {
      if (!unplaced_.empty() && unplaced_.back().begin == before.span.begin) unplaced_.pop_back();
      return unplaced_.push_back({before.span.begin, m.span.end});
    }
    if (!before.is(Kind::small) && !before.is(Kind::mood)) return;
  }
}

}  // namespace fabula::oracle
