// Reads the sentences of a prompt, in order, into a story. read.cpp: sentences, places and times; roles.cpp: who does and says what.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/oracle/mentions.h"
#include "planner/oracle/story.h"
#include "planner/text/spans.h"

namespace fabula::oracle {

constexpr std::size_t most_roles = 2;  // PlanCaps::cast

/// Whether an action needs a partner.
[[nodiscard]] inline bool takes_two(const std::string& action) { return action == "talks" || action == "chases"; }

/// One pass over the mentions; the members below hold the state of the current sentence.
class StoryReader {
 public:
  StoryReader(std::string_view prompt, const World& world, const std::vector<std::string>& present)
      : prompt_(prompt), world_(world), lexicon_(world), has_stand_in_(present.empty()), last_actors_(present), spoken_of_(present) {}

  Story run();

 private:
  using What = Mention::What;

  // A place, time, weather or props that a sentence gives without an event, after `events` events.
  struct Setting {
    std::size_t events;
    std::string place = {}, time = {}, weather = {};
    TextSpan weather_source = {0, 0};
    std::vector<Thing> props = {};
    bool is_heading = false;  // of a screenplay
  };
  struct Pending {
    std::string place, time, weather, action, position, facing, mood;
    TextSpan weather_source = {0, 0};
    std::vector<Thing> props;
    std::vector<std::string> line;
  };

  // ---- a sentence
  void read_sentence(const Sentence& sentence);
  void spread_setting(std::size_t first);
  bool is_setting();
  void keep_setting();
  [[nodiscard]] bool unknown_subject() const;
  void read_mention(const Mention& m);
  bool is_denied(const Mention& m);
  void leave_out(const Mention& m);
  bool read_function_word(Kind kind);
  bool read_content_word(const Mention& m);
  void extend_source(const Mention& m);

  // ---- who
  Event& begin_event(std::vector<Role> roles);
  [[nodiscard]] bool is_in_event(const std::string& id) const;
  void read_actor(const std::string& id, bool is_named, const Mention& m);
  void join_event(Role role, const Mention& m, bool acts_alike);
  void read_pronoun(const Mention& m);
  [[nodiscard]] bool it_is_weather() const;
  static bool is_weather_word(const std::string& word);
  void settle_pronoun();
  [[nodiscard]] bool nobody_else(const std::vector<std::string>& actors, const std::string& pronoun) const;

  // ---- what they do
  void read_action(const std::string& id, const Mention& m);
  [[nodiscard]] std::vector<Role> subjects() const;
  [[nodiscard]] bool actor_follows() const;
  [[nodiscard]] bool next_actor_acts() const;
  [[nodiscard]] bool acts_after(std::size_t actor) const;
  void flush_crowd();

  // ---- what they say
  void read_say_verb();
  void set_speaker(const std::string& id, bool is_named);
  void read_line(const Mention& m);
  void add_line(std::vector<std::string> pieces);
  void read_voice(const std::string& id);
  [[nodiscard]] bool another_says() const;

  // ---- where and when
  void read_time(const Mention& m);
  void read_position(const std::string& id);
  void set_setting(std::string Event::*field, std::string& pending, const Mention& m);
  void place_role(std::string Role::*field, std::string& pending, const std::string& id);

  // ---- weather, props and moods
  void read_weather(const Mention& m);
  void read_prop(const Mention& m);
  bool read_mood(const Mention& m);
  [[nodiscard]] bool qualifies_actor() const;
  [[nodiscard]] bool is_predicate() const;
  void set_mood(const std::string& mood, bool is_all);
  void set_mood_of(const std::string& id, const std::string& mood);
  void merge_mood_sentence(std::size_t first);
  [[nodiscard]] bool needs_partner() const;

  // ---- what the world does not know
  void read_unknown(const Mention& m);
  [[nodiscard]] bool read_number(const Mention& m);
  /// How an unknown word stands among the others.
  struct Position {
    bool prepositional, articled, linked;
  };
  void read_character(const Mention& m, std::size_t next, const Position& stands);
  [[nodiscard]] bool describes_actor(const Mention& m) const;
  [[nodiscard]] bool alive_at(std::size_t index) const;
  [[nodiscard]] std::size_t unknown_run_length() const;
  void act_unknown();
  void read_shot_count();
  void read_seconds(int seconds, TextSpan span);
  void name_count(const Mention& m);
  [[nodiscard]] std::string default_actor() const;
  [[nodiscard]] std::string stand_in_for(const Mention& m, bool is_character);

  // ---- at the end
  void apply_settings();
  void apply_setting(std::string Event::*field, const std::string& said, std::size_t from, bool begins);
  void apply_weather(const Setting& setting);
  void apply_props(const Setting& setting);
  void pair_up_roles();
  void drop_stand_ins();
  void merge_repeats();
  void begin_later(std::string Event::*field, const Mention& m);
  void name_unplaced();
  [[nodiscard]] bool is_plain(TextSpan span) const;

  std::string_view prompt_;
  const World& world_;
  Lexicon lexicon_;
  bool has_stand_in_;                     // an actor of the world plays characters that the world does not know
  std::vector<std::string> last_actors_;  // those the prompt spoke of last
  std::vector<std::string> spoken_of_;    // those it has named so far
  bool strangers_ = false;                // it has spoken of somebody whom the world does not know
  bool things_ = false;                   // it has spoken of something that "it" may mean
  Story story_;
  std::vector<Setting> settings_;
  std::vector<TextSpan> unplaced_;

  const Sentence* sentence_ = nullptr;
  std::size_t at_ = 0, unknown_end_ = 0;
  std::size_t first_event_ = 0;                        // the number of events before the sentence
  Event* event_ = nullptr;                             // the event of the sentence
  std::size_t clause_begin_ = 0, clause_end_ = 0;      // the event's roles that are the clause's subjects
  bool has_verb_ = false, speaks_ = false;             // the subjects act; they say something
  bool is_then_ = false, began_with_then_ = false;     // "then" came after the last event; before the sentence's first
  Kind denied_ = Kind::small;                          // remove or deny: what follows must not be seen
  bool is_later_ = false, turned_ = false;             // "until" came before; what it named began another event
  std::vector<std::string> named_;                     // the actors that the prompt names anywhere
  bool prepositional_ = false;                         // the next word follows "in", "to" …
  bool articled_ = false, is_linked_ = false;          // it follows "a"; it follows "is"
  Kind joint_ = Kind::small;                           // what joins it to the words before; shot: a comma
  Pending pending_;                                    // given before any actor was named
  bool follows_heading_ = false, is_heading_ = false;  // the sentence before was "EXT."
  bool only_feels_ = false;                            // the sentence gives a mood and nothing else
  std::string named_again_;                            // an actor of the event who is named once more
  bool is_chased_ = false;                             // "is chased by" was read: the next actor chases
  std::string pending_voice_;                          // a voice given before its speaker
  bool awaits_speaker_ = false;                        // '"Hello!" says …'
  bool has_open_pronoun_ = false;                      // a pronoun was read; what its pronoun_roles_ do decides whether an event begins
  std::vector<Role> pronoun_roles_, crowd_;            // crowd_: roles that the event has no room for
  std::vector<TextSpan> crowd_spans_;
};

}  // namespace fabula::oracle
