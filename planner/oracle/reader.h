// Reads the sentences of a prompt one after the other into a story. read.cpp: sentences, places and times; roles.cpp: who does and says
// what.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/oracle/mentions.h"
#include "planner/oracle/story.h"
#include "planner/text/spans.h"

namespace fabula::oracle {

constexpr std::size_t most_roles = 2;  // PlanCaps::cast

/// Whether an action needs somebody else.
[[nodiscard]] inline bool takes_two(const std::string& action) { return action == "talks" || action == "chases"; }

/// One pass over the mentions; what is read of a sentence so far stands in the members below.
class StoryReader {
 public:
  StoryReader(std::string_view prompt, const World& world, const std::vector<std::string>& present)
      : prompt_(prompt), world_(world), lexicon_(world), stands_in_(present.empty()), last_(present) {}

  Story run();

 private:
  using What = Mention::What;

  // Place or time of a sentence of its own, after `events` events.
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
  void read(const Sentence& sentence);
  void spread(std::size_t first);
  bool is_denial();
  bool is_setting();
  void set_scene();
  [[nodiscard]] bool unknown_subject() const;
  void mention(const Mention& m);
  void extend(const Mention& m);

  // ---- who
  Event& begin_event(std::vector<Role> roles);
  [[nodiscard]] bool is_in_event(const std::string& id) const;
  void actor(const std::string& id, bool is_named, const Mention& m);
  void join(Role role, const Mention& m, bool acts_alike);
  void pronoun(const Mention& m);
  [[nodiscard]] bool is_weather() const;
  static bool is_weather(const std::string& word);
  void stop_waiting();

  // ---- what they do
  void action(const std::string& id, const Mention& m);
  [[nodiscard]] bool actor_follows() const;
  void flush_crowd();

  // ---- what they say
  void say();
  void speaker(const std::string& id, bool is_named);
  void line(const Mention& m);
  void speak(std::vector<std::string> pieces);
  [[nodiscard]] bool another_says() const;

  // ---- where and when
  void set(std::string Event::*field, std::string& pending, const Mention& m);
  void stage(std::string Role::*field, std::string& pending, const std::string& id);

  // ---- in which weather, beside which things, and how they feel
  void weather(const Mention& m);
  void prop(const Mention& m);
  bool mood(const Mention& m);
  [[nodiscard]] bool qualifies_actor() const;
  [[nodiscard]] bool is_told_of_subject() const;
  void feel(const std::string& mood, bool is_all);
  void feels(const std::string& id, const std::string& mood);
  void merge_feeling(std::size_t first);
  [[nodiscard]] bool is_with_another() const;

  // ---- what the world does not know
  void unknown(const Mention& m);
  [[nodiscard]] bool alive_at(std::size_t index) const;
  [[nodiscard]] std::size_t run_length() const;
  void act_unknown();
  void shots();

  // ---- at the end
  void settle();
  void place(std::string Event::*field, const std::string& said, std::size_t from, bool begins);
  void rain(const Setting& setting);
  void furnish(const Setting& setting);
  void pair_up();
  void name_unplaced();
  [[nodiscard]] bool only_articles(std::size_t begin, std::size_t end) const;

  std::string_view prompt_;
  const World& world_;
  Lexicon lexicon_;
  bool stands_in_;                 // somebody of the world plays whom the world does not know
  std::vector<std::string> last_;  // who was told of last
  Story story_;
  std::vector<Setting> settings_;
  std::vector<TextSpan> unplaced_;

  const Sentence* sentence_ = nullptr;
  std::size_t at_ = 0, unknown_end_ = 0, first_ = 0;                   // first_: how many events there were before the sentence
  Event* event_ = nullptr;                                             // that of the sentence
  std::size_t clause_begin_ = 0, clause_end_ = 0;                      // its roles of which the clause tells
  bool has_verb_ = false, speaks_ = false;                             // the clause's subjects act; they say something
  bool is_then_ = false, began_with_then_ = false;                     // "then" was read since the last event; before the sentence's first
  bool prepositional_ = false, articled_ = false, is_linked_ = false;  // "in", "a", "is" stand before what comes
  Kind joint_ = Kind::small;                                           // what joins it to what came before; shot: a comma
  Pending pending_;                                                    // said before anybody was named
  bool follows_heading_ = false, is_heading_ = false;                  // "EXT." was the sentence before
  bool only_feels_ = false;                                            // the sentence tells how somebody feels and nothing else
  std::string again_;                                                  // who of the event is named once more
  bool is_chased_ = false;                                             // "is chased by" was read: who comes next chases
  std::string voice_;                                                  // likewise
  bool awaits_speaker_ = false;                                        // '"Hello!" says …'
  bool is_waiting_ = false;            // a pronoun was read: what waiting_ do tells whether they begin an event
  std::vector<Role> waiting_, crowd_;  // crowd_: those for whom the event has no room
  std::vector<TextSpan> crowd_spans_;
};

}  // namespace fabula::oracle
