// world.json: what a model knows. Planner, validator and score read this one list.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fabula {

struct World {
  // words: what prompts call it; may be empty.
  struct Actor {
    std::string id, name, look;
    std::vector<std::string> words = {};
  };
  struct Place {
    std::string id, description, ambience;
    std::vector<std::string> words = {};
    std::vector<std::string> weathers = {};  ///< those that can be seen there, the world's first among them; empty where the world has none
  };
  /// A weather or a mood.
  struct Named {
    std::string id;
    std::vector<std::string> words = {};
  };
  /// A thing that a shot may show.
  struct Prop {
    std::string id, name, look;
    std::vector<std::string> words = {};
  };
  /// A sound at first_ms, first_ms + every_ms … of an action, as long as its shot lasts; one that is heard once has the longest every_ms.
  struct ActionSound {
    std::string sound;
    int first_ms = 0, every_ms = 0;
  };
  struct Action {
    std::string id;
    std::vector<ActionSound> sounds;
    std::vector<std::string> words = {};  ///< in the third person: "walks"
  };
  /// flite: the voice whose phones and durations are taken; tempo: its speed relative to flite's.
  struct Voice {
    std::string id, flite;
    double tempo = 1.0;
    std::string description = {};  ///< "a calm man's voice"; may be empty
  };

  int fps = 12;          ///< the model's own frame rate
  int shot_frames = 22;  ///< of a shot, at that rate
  int max_shots = 12;
  std::size_t line_bytes = 28;  ///< the longest line that fits in a shot
  std::vector<Actor> actors;
  std::vector<Place> places;
  std::vector<Action> actions;
  std::vector<Voice> voices;
  /// The first is the default where a plan names none. A world may lack any of the three; its plans then omit it.
  std::vector<Named> weathers, moods;
  std::vector<Prop> props;
  std::vector<std::string> plain_words;  ///< of prompts that ask for nothing beyond this world; may be empty
  std::vector<std::string> times, positions, facings, camera_sizes, camera_moves, ambiences, sounds, phones;

  /// Throws Error: input_missing when the file cannot be read, bad_data when it is malformed (naming the field).
  static World open(const std::filesystem::path& file);
  /// `name` is the file's name in messages.
  static World parse(std::string_view json, const std::string& name);

  /// Film clock at the end of `shots` full shots, in ms: round(1000·shot_frames·shots/fps).
  [[nodiscard]] int film_ms(int shots) const;
  /// Null when there is none with this id.
  [[nodiscard]] const Action* action(std::string_view id) const;
  /// The world's place behind a plan's entry: a film that shows a place by day and by night has two entries, "forest" and "forest_2".
  [[nodiscard]] const Place* place(std::string_view entry) const;
  [[nodiscard]] const Voice* voice(std::string_view id) const;
  /// The weather or mood of a plan: the world's first where `said` is empty; empty where the world has none.
  [[nodiscard]] static std::string or_first(const std::string& said, const std::vector<Named>& names);
};

/// A further name of an actor.
struct ActorName {
  std::string actor, name;
};

/// The ids of a list of the world (or of a plan), in its order.
template <typename Entries>
[[nodiscard]] std::vector<std::string> ids_of(const Entries& entries) {
  std::vector<std::string> ids;
  for (const auto& entry : entries) ids.push_back(entry.id);
  return ids;
}

}  // namespace fabula
