// Writes the system turn from a world, or from the nodes of a film program.
#include "planner/compose/instruction.h"

#include <vector>

#include "planner/text/text.h"

namespace fabula {
namespace {

// "fox (an orange fox), crab (a red crab)"
template <typename Entries, typename Text>
std::string described(const Entries& entries, Text Entries::value_type::*text) {
  std::vector<std::string> words;
  for (const auto& entry : entries) words.push_back(entry.id + " (" + entry.*text + ")");
  return joined(words);
}

// "id, name, voice{voice_id, age}, ref_images[]"
std::string keys_of(const FilmProgram& program, const FilmNode& object) {
  std::vector<std::string> keys;
  for (std::size_t i = object.first; i < object.first + object.count; ++i) {
    const bool list = program.nodes()[i].kind == FilmNode::Kind::list;
    const FilmNode& value = list ? program.nodes()[program.nodes()[i].first] : program.nodes()[i];
    const std::string inner = value.kind == FilmNode::Kind::object ? "{" + keys_of(program, value) + "}" : "";
    keys.push_back(program.nodes()[i].key + (list ? "[" + inner + "]" : inner));
  }
  return joined(keys);
}

const std::string role =
    "You are the director of a short film. The user says what the film is to show. Answer with the plan of the film: one compact JSON "
    "object, without "
    "spaces between its parts and nothing else.\n";

}  // namespace

std::string instruction(const FilmProgram& program) {
  return role + "Its keys come in this order; those of which a film has no need are left out: " + keys_of(program, program.root()) +
         ".\n"
         "Times are milliseconds. Write the treatment first: how you mean to tell it. Characters, places and props are named by their ids "
         "wherever they are meant. The beats say what the "
         "story must show; each shot shows one of them. What holds in the film's world at the start stands in world, what a shot changes "
         "of it in its effects. "
         "unsupported takes words of the user's that no film can show.";
}

std::string instruction(const World& world) {
  const auto seconds = [](int ms) { return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100); };
  // In a world with props, places are given by id alone: the ids are descriptive, and a small model reads only so much.
  const std::string places = world.props.empty() ? described(world.places, &World::Place::description) : joined(ids_of(world.places));
  return role +
         "Its keys come in this order: version, treatment (how you mean to tell it, one or two sentences), title, aspect, fps, total_ms, "
         "language, characters, places, shots, "
         "sound, unsupported.\n"
         "A character has id, name, look and voice. A place has id, description" +
         (world.weathers.empty() ? " and time_of_day" : ", time_of_day and weather") +
         ". "
         "A shot has id, place, start_ms, duration_ms, cast (id, position, facing" +
         (world.moods.empty() ? "" : ", mood") + "), " + (world.props.empty() ? "" : "props (id, position), ") +
         "action_beats (at_ms, who, what), camera (size, move), dialogue (speaker, text, start_ms, end_ms, mode) and ambience.\n"
         "Every shot lasts " +
         seconds(world.film_ms(1)) + " seconds; a film has 1 to " + std::to_string(world.max_shots) +
         " of them, as many as the story needs. "
         "At most two characters are in a shot" +
         (world.props.empty() ? "" : ", and at most two props") +
         ". What is said must stand word for word in the user's text. Put words of the user's that ask for what cannot be filmed into "
         "unsupported.\n"
         "Only these can be filmed.\n"
         "Characters: " +
         described(world.actors, &World::Actor::look) +
         ".\n"
         "Voices: " +
         joined(ids_of(world.voices)) +
         ".\n"
         "Places: " +
         places +
         ".\n"
         "Times of day: " +
         joined(world.times) + ".\n" + (world.weathers.empty() ? "" : "Weather: " + joined(ids_of(world.weathers)) + ".\n") +
         (world.moods.empty() ? "" : "Moods: " + joined(ids_of(world.moods)) + ".\n") +
         (world.props.empty() ? "" : "Props: " + joined(ids_of(world.props)) + ".\n") + "Actions: " + joined(ids_of(world.actions)) +
         ".\n"
         "Positions: " +
         joined(world.positions) + ". Facing: " + joined(world.facings) +
         ".\n"
         "Camera sizes: " +
         joined(world.camera_sizes) + ". Camera moves: " + joined(world.camera_moves) +
         ".\n"
         "Ambience: " +
         joined(world.ambiences) + ".";
}

}  // namespace fabula
