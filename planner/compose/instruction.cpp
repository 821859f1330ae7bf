// Writes the system turn from a world, or from the nodes of a film program.
#include "planner/compose/instruction.h"

#include <vector>

#include "planner/grammar/plan_grammar.h"
#include "planner/oracle/oracle.h"
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

constexpr std::string_view any_example =
    R"({"treatment":"We meet the keeper at her lamp, then see what the light finds out at sea.","version":"fabula.plan/1",)"
    R"("title":"The Lamp","aspect":"16:9","fps":24,"total_ms":8000,"language":"en",)"
    R"("characters":[{"id":"keeper","name":"Ada","look":"an old woman in a yellow raincoat","voice":{"voice_id":"low"}}],)"
    R"("places":[{"id":"tower","description":"the lamp room of a lighthouse","time_of_day":"dusk"}],)"
    R"("beats":[{"id":"lights","summary":"Ada lights the lamp"}],)"
    R"("shots":[{"id":"s010","beat":"lights","place":"tower","start_ms":0,"duration_ms":8000,"cast":[{"id":"keeper","position":"left","facing":"right"}],)"
    R"("action_beats":[{"at_ms":500,"who":"keeper","what":"lights the lamp"}],"camera":{"size":"medium","move":"push in"},)"
    R"("dialogue":[{"speaker":"keeper","text":"There you are.","start_ms":3000,"end_ms":5000,"mode":"on_screen"}],)"
    R"("ambience":"wind and waves"}],"sound":{"music":"a slow cello"},"unsupported":[]})";

// The rules' plan of the first actor in the first place, in the order in which a published model writes it.
std::string example_of(const World& world, const Tokenizer& tokenizer, const PhonesFunction& phones) {
  oracle::Role lead;
  lead.actor = world.actors.front().id, lead.action = world.actions.front().id, lead.is_named = true;
  oracle::Event event;
  event.roles = {lead}, event.place = world.places.front().id;
  oracle::Story story;
  story.events = {event};
  plan::Film film = oracle::film_of(story, "", world, phones);
  Follower follower(tokenizer);
  write_plan(follower, film, world, phones, open_brief(world), {.own = false});
  return tokenizer.decode(follower.tokens());
}

}  // namespace

std::string_view example_of_any_film() { return any_example; }

std::string instruction(const FilmProgram& program) {
  return role + "Its keys come in this order; those of which a film has no need are left out: " + keys_of(program, program.root()) +
         ".\n"
         "Times are milliseconds. Write the treatment first: how you mean to tell it. Characters, places and props are named by their ids "
         "wherever they are meant. The beats say what the "
         "story must show; each shot shows one of them. What holds in the film's world at the start stands in world, what a shot changes "
         "of it in its effects. "
         "unsupported takes words of the user's that no film can show.\n"
         "The plan of another film, as an example of the form: " +
         std::string(any_example);
}

std::string instruction(const World& world, const Tokenizer& tokenizer, const PhonesFunction& phones) {
  const auto seconds = [](int ms) { return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100); };
  // In a world with props, places are given by id alone: the ids are descriptive, and a small model reads only so much.
  const std::string places = world.props.empty() ? described(world.places, &World::Place::description) : joined(ids_of(world.places));
  return role +
         "Its keys come in this order: treatment (how you mean to tell it, one or two sentences), version, title, aspect, fps, total_ms, "
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
         joined(world.ambiences) +
         ".\n"
         "The plan of another film, as an example of the form: " +
         example_of(world, tokenizer, phones);
}

}  // namespace fabula
