// Every field of a plan, once: its JSON key, member, limits and meaning, in the order of the file. Reading, writing, the JSON Schema, the
// check of single values and the film program all walk this list, so none can know a field that another does not. The planner's token
// stream (docs/BUNDLE.md) has the same order and all compulsory fields. An optional field at its default is absent from the JSON.
#pragma once

#include <cstdint>
#include <span>

#include "engine/plan.h"

namespace fabula::plan {

/// Limits of a single value: strings use the first three members, integers `low` and `high`. Defaults: a non-empty string; a time in ms.
struct Limits {
  bool may_be_empty = false;
  bool is_id = false;
  std::span<const char* const> choices = {};
  std::int64_t low = 0, high = 86'400'000;  ///< a film lasts a day at most
};

constexpr const char* plan_version = "fabula.plan/1";
constexpr std::size_t longest_text = 65'536;  ///< bytes
constexpr std::size_t longest_list = 10'000;  ///< entries

namespace limits {

inline constexpr const char* paces[] = {"slow", "normal", "fast"};
inline constexpr const char* depths[] = {"foreground", "midground", "background"};
inline constexpr const char* transitions[] = {"cut", "dissolve", "fade", "wipe", "continue"};
inline constexpr const char* angles[] = {"eye_level", "low", "high", "overhead", "ground", "dutch", "over_shoulder", "point_of_view"};
inline constexpr const char* amplitudes[] = {"small", "medium", "large"};
inline constexpr const char* modes[] = {"on_screen", "off_screen", "voiceover"};
inline constexpr const char* conditionings[] = {"text", "first_frame", "first_last_frame", "references", "chain"};

inline constexpr Limits any_text{.may_be_empty = true};
inline constexpr Limits id{.is_id = true};
inline constexpr Limits fps{.low = 1, .high = 240};
inline constexpr Limits lens{.low = 0, .high = 2000};
inline constexpr Limits seed{.low = 0, .high = (std::int64_t{1} << 53) - 1};  // integers that every JSON reader keeps exactly
constexpr Limits one_of(std::span<const char* const> choices) { return {.choices = choices}; }

}  // namespace limits

/// list(v) calls v.need(key, member, meaning, limits = {}) for each compulsory field and v.may(…) for each optional one.
template <typename T>
struct Fields;

template <typename S, typename M>
[[nodiscard]] bool is_default(const S& object, M S::*member) {
  static const S defaults{};
  return object.*member == defaults.*member;
}

template <>
struct Fields<Voice> {
  static constexpr const char* name = "voice";
  static void list(auto& v) {
    v.need("voice_id", &Voice::voice_id, "a voice that the model has");
    v.may("age", &Voice::age, "how old it sounds");
    v.may("pitch", &Voice::pitch, "how high it is");
    v.may("timbre", &Voice::timbre, "its colour: warm, husky, bright");
    v.may("pace", &Voice::pace, "how fast it speaks", limits::one_of(limits::paces));
    v.may("accent", &Voice::accent, "where it sounds from");
    v.may("description", &Voice::description, "the voice in a sentence");
    v.may("ref_audio", &Voice::ref_audio, "files with the voice");
  }
};

template <>
struct Fields<Character> {
  static constexpr const char* name = "character";
  static void list(auto& v) {
    v.need("id", &Character::id, "what the other fields call them", limits::id);
    v.need("name", &Character::name, "what people call them");
    v.need("look", &Character::look, "what they look like");
    v.may("wardrobe", &Character::wardrobe, "what they wear when the film starts");
    v.need("voice", &Character::voice, "how they sound");
    v.may("ref_images", &Character::ref_images, "files with pictures of them");
    v.may("cast_id", &Character::cast_id, "who they are in the cast that is kept across films");
  }
};

template <>
struct Fields<Landmark> {
  static constexpr const char* name = "landmark";
  static void list(auto& v) {
    v.need("name", &Landmark::name, "what it is");
    v.need("screen", &Landmark::screen, "where in the picture it is: left, right, behind");
  }
};

template <>
struct Fields<Place> {
  static constexpr const char* name = "place";
  static void list(auto& v) {
    v.need("id", &Place::id, "what the other fields call it", limits::id);
    v.need("description", &Place::description, "what it looks like");
    v.need("time_of_day", &Place::time_of_day, "day, night, dusk");
    v.may("weather", &Place::weather, "rain, fog, a clear sky");
    v.may("lighting", &Place::lighting, "where light comes from and how it looks");
    v.may("landmarks", &Place::landmarks, "what stays where it is from shot to shot");
    v.may("ref_images", &Place::ref_images, "files with pictures of it");
  }
};

template <>
struct Fields<Prop> {
  static constexpr const char* name = "prop";
  static void list(auto& v) {
    v.need("id", &Prop::id, "what the other fields call it", limits::id);
    v.need("description", &Prop::description, "what it looks like");
    v.may("states", &Prop::states, "the values that its attribute state may have");
    v.may("ref_images", &Prop::ref_images, "files with pictures of it");
  }
};

template <>
struct Fields<Fact> {
  static constexpr const char* name = "fact";
  static void list(auto& v) {
    v.need("entity", &Fact::entity, "a character, a place or a prop", limits::id);
    v.need("attribute", &Fact::attribute, "place, holder, state, wardrobe, or any other word", limits::id);
    v.need("value", &Fact::value, "what it is; for place and holder an id");
  }
};

template <>
struct Fields<Beat> {
  static constexpr const char* name = "beat";
  static void list(auto& v) {
    v.need("id", &Beat::id, "what shots call it", limits::id);
    v.need("summary", &Beat::summary, "what happens");
    v.may("requires", &Beat::needs, "beats that must be over when this one begins", limits::id);
  }
};

template <>
struct Fields<Transition> {
  static constexpr const char* name = "transition";
  static void list(auto& v) {
    v.need("kind", &Transition::kind, "continue: the same take continues", limits::one_of(limits::transitions));
    v.may("ms", &Transition::ms, "how long it takes");
  }
};

template <>
struct Fields<CastMember> {
  static constexpr const char* name = "cast_member";
  static void list(auto& v) {
    v.need("id", &CastMember::id, "a character", limits::id);
    v.need("position", &CastMember::position, "where in the picture");
    v.may("depth", &CastMember::depth, "how far from the camera", limits::one_of(limits::depths));
    v.need("facing", &CastMember::facing, "where they look");
    v.may("mood", &CastMember::mood, "how they feel: calm, happy, sad");
    v.may("visible_at", &CastMember::visible_at, "when they are first seen, ms on the shot's clock");
  }
};

template <>
struct Fields<ShotProp> {
  static constexpr const char* name = "shot_prop";
  static void list(auto& v) {
    v.need("id", &ShotProp::id, "what it is", limits::id);
    v.need("position", &ShotProp::position, "where in the picture");
  }
};

template <>
struct Fields<ActionBeat> {
  static constexpr const char* name = "action_beat";
  static void list(auto& v) {
    v.need("at_ms", &ActionBeat::at_ms, "when it begins, on the shot's clock");
    v.need("who", &ActionBeat::who, "one of the cast", limits::id);
    v.need("what", &ActionBeat::what, "what they do");
  }
};

template <>
struct Fields<Camera> {
  static constexpr const char* name = "camera";
  static void list(auto& v) {
    v.need("size", &Camera::size, "wide, medium, close");
    v.may("angle", &Camera::angle, "where it looks from", limits::one_of(limits::angles));
    v.need("move", &Camera::move, "static, push_in, pan_left");
    v.may("amplitude", &Camera::amplitude, "how far it moves", limits::one_of(limits::amplitudes));
    v.may("speed", &Camera::speed, "how fast it moves", limits::one_of(limits::paces));
    v.may("lens_mm", &Camera::lens_mm, "focal length for a 36 mm wide picture", limits::lens);
    v.may("target", &Camera::target, "a character, a prop or a landmark of the place");
  }
};

template <>
struct Fields<Line> {
  static constexpr const char* name = "line";
  static void list(auto& v) {
    v.need("speaker", &Line::speaker, "a character", limits::id);
    v.need("text", &Line::text, "what they say");
    v.need("start_ms", &Line::start_ms, "on the film's clock");
    v.need("end_ms", &Line::end_ms, "on the film's clock");
    v.may("language", &Line::language, "the film's, if absent");
    v.may("delivery", &Line::delivery, "how they say it");
    v.need("mode", &Line::mode, "whether the speaker is seen", limits::one_of(limits::modes));
    v.may("crosses_cut", &Line::crosses_cut, "whether it may go on in the next shot");
  }
};

template <>
struct Fields<SoundEffect> {
  static constexpr const char* name = "sound_effect";
  static void list(auto& v) {
    v.need("at_ms", &SoundEffect::at_ms, "when it begins, on the shot's clock");
    v.need("description", &SoundEffect::description, "what is heard");
  }
};

template <>
struct Fields<Conditioning> {
  static constexpr const char* name = "conditioning";
  static void list(auto& v) {
    v.need("mode", &Conditioning::mode, "what the shot is made from beside its text", limits::one_of(limits::conditionings));
    v.may("chain_from", &Conditioning::chain_from, "the earlier shot whose end this one continues", limits::id);
    v.may("references", &Conditioning::references, "files, in the order in which the model is given them");
  }
};

template <>
struct Fields<Shot> {
  static constexpr const char* name = "shot";
  static void list(auto& v) {
    v.need("id", &Shot::id, "what people and tools call it", limits::id);
    v.may("beat", &Shot::beat, "the beat that it shows", limits::id);
    v.need("place", &Shot::place, "where it is", limits::id);
    v.need("start_ms", &Shot::start_ms, "on the film's clock");
    v.need("duration_ms", &Shot::duration_ms, "how long it lasts");
    v.may("transition", &Shot::transition, "how it begins");
    v.need("cast", &Shot::cast, "who is seen");
    v.may("props", &Shot::props, "things that are seen beside the cast");
    v.need("action_beats", &Shot::action_beats, "who does what when, at most 3");
    v.may("pre", &Shot::pre, "what must hold before it");
    v.may("effects", &Shot::effects, "what holds after it");
    v.need("camera", &Shot::camera, "how it is seen");
    v.need("dialogue", &Shot::dialogue, "what is said");
    v.may("sfx", &Shot::sfx, "what is heard beside voices");
    v.need("ambience", &Shot::ambience, "what the place sounds like");
    v.may("first_frame", &Shot::first_frame, "how it looks when it begins");
    v.may("last_frame", &Shot::last_frame, "how it looks when it ends");
    v.may("conditioning", &Shot::conditioning, "filled by the compiler, not by the language model");
    v.may("seed", &Shot::seed, "instead of the one that follows from the film's", limits::seed);
    v.may("locked", &Shot::locked, "paths of fields of this shot that a person set, such as camera.size");
  }
};

template <>
struct Fields<Sound> {
  static constexpr const char* name = "sound";
  static void list(auto& v) {
    v.need("music", &Sound::music, "none, or what it is like");
    v.may("music_in_ms", &Sound::music_in_ms, "when it begins, on the film's clock; the film's start, if absent");
    v.may("music_out_ms", &Sound::music_out_ms, "when it ends; the film's end, if absent");
    v.may("ambience_bed", &Sound::ambience_bed, "what is heard below the whole film");
  }
};

template <>
struct Fields<Film> {
  static constexpr const char* name = "plan";
  static void list(auto& v) {
    v.constant("version", plan_version);
    v.need("prompt", &Film::prompt, "what was asked", limits::any_text);
    v.need("treatment", &Film::treatment, "the film in free text, written before the rest", limits::any_text);
    v.need("title", &Film::title, "what the film is called");
    v.may("logline", &Film::logline, "the film in a sentence");
    v.may("style", &Film::style, "what all pictures have in common");
    v.need("aspect", &Film::aspect, "width to height, such as 16:9");
    v.need("fps", &Film::fps, "frames a second", limits::fps);
    v.need("total_ms", &Film::total_ms, "how long the film lasts");
    v.need("language", &Film::language, "what is spoken, as in BCP 47");
    v.may("seed", &Film::seed, "another seed gives another film", limits::seed);
    v.need("characters", &Film::characters, "who is in the film");
    v.need("places", &Film::places, "where it happens");
    v.may("props", &Film::props, "things that matter");
    v.may("world", &Film::world, "what holds at the start");
    v.may("beats", &Film::beats, "what the story must show, in order");
    v.need("shots", &Film::shots, "they follow each other without gap");
    v.may("ending", &Film::ending, "how the film ends: a cut, or a fade to black");
    v.need("sound", &Film::sound, "what is heard across shots");
    v.need("unsupported", &Film::unsupported, "what was asked for and the model cannot show");
  }
};

}  // namespace fabula::plan
