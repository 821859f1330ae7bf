#include "planner/instruction.h"

#include <vector>

namespace fabula {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// "fox (an orange fox), crab (a red crab)"
template <typename Entries, typename Text>
std::string described(const Entries& entries, Text Entries::value_type::* text) {
  std::vector<std::string> words;
  for (const auto& entry : entries) words.push_back(entry.id + " (" + entry.*text + ")");
  return joined(words);
}

}  // namespace

std::string instruction(const World& world) {
  const auto seconds = [](int ms) { return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100); };
  return "You are the director of a short animated film. The user says what the film is to show. Answer with the plan of the film: one compact JSON object, without spaces "
         "between its parts and nothing else.\n"
         "Its keys come in this order: version, treatment (how you mean to tell it, one or two sentences), title, aspect, fps, total_ms, language, characters, places, shots, "
         "sound, unsupported.\n"
         "A character has id, name, look and voice. A place has id, description and time_of_day. A shot has id, place, start_ms, duration_ms, cast (id, position, facing), "
         "action_beats (at_ms, who, what), camera (size, move), dialogue (speaker, text, start_ms, end_ms, mode) and ambience.\n"
         "Every shot lasts " + seconds(world.film_ms(1)) + " seconds; a film has 1 to " + std::to_string(world.max_shots) + " of them, as many as the story needs. "
         "At most two characters are in a shot. What is said must stand word for word in the user's text. Put words of the user's that ask for what cannot be filmed into unsupported.\n"
         "Only these can be filmed.\n"
         "Characters: " + described(world.actors, &World::Actor::look) + ".\n"
         "Voices: " + joined(ids_of(world.voices)) + ".\n"
         "Places: " + described(world.places, &World::Place::description) + ".\n"
         "Times of day: " + joined(world.times) + ".\n"
         "Actions: " + joined(ids_of(world.actions)) + ".\n"
         "Positions: " + joined(world.positions) + ". Facing: " + joined(world.facings) + ".\n"
         "Camera sizes: " + joined(world.camera_sizes) + ". Camera moves: " + joined(world.camera_moves) + ".\n"
         "Ambience: " + joined(world.ambiences) + ".";
}

}  // namespace fabula
