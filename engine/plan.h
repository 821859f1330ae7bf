// The plan as plain data: what the planner writes, a person edits and the decoders follow. Times are integer milliseconds on the film
// clock, or on the shot's where it says so. In each struct the fields that every plan has come first; the others are absent from the JSON
// at their default. planner/schema/fields.h has the JSON keys, in their order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fabula::plan {

/// A person's voice: voice_id names one that the model has, the rest describes it to models that can follow a description.
struct Voice {
  std::string voice_id;
  std::string age = {}, pitch = {}, timbre = {}, pace = {}, accent = {}, description = {};  ///< pace: slow, normal or fast
  std::vector<std::string> ref_audio = {};                                                  ///< files
  bool operator==(const Voice&) const = default;
};

struct Character {
  std::string id, name, look;
  Voice voice;
  std::string wardrobe = {};                 ///< what they wear when the film starts
  std::vector<std::string> ref_images = {};  ///< files
  std::string cast_id = {};                  ///< who they are in the cast that is kept across films
  bool operator==(const Character&) const = default;
};

/// A landmark: what it is, and on which side of the picture.
struct Landmark {
  std::string name, screen;
  bool operator==(const Landmark&) const = default;
};

struct Place {
  std::string id, description, time_of_day;
  std::string weather = {}, lighting = {};
  std::vector<Landmark> landmarks = {};
  std::vector<std::string> ref_images = {};
  bool operator==(const Place&) const = default;
};

struct Prop {
  std::string id, description;
  std::vector<std::string> states = {};  ///< the values that its attribute "state" may have
  std::vector<std::string> ref_images = {};
  bool operator==(const Prop&) const = default;
};

/// Something that holds in the film's world (planner/check/simulate.h): (entity, attribute) -> value.
struct Fact {
  std::string entity, attribute, value;
  bool operator==(const Fact&) const = default;
};

/// What the story must show.
struct Beat {
  std::string id, summary;
  std::vector<std::string> needs = {};  ///< "requires": beats that must be over when this one begins
  bool operator==(const Beat&) const = default;
};

/// How a shot begins.
struct Transition {
  std::string kind = "cut";  ///< cut, dissolve, fade, wipe or continue
  int ms = 0;                ///< how long both shots are seen
  bool operator==(const Transition&) const = default;
};

struct CastMember {
  std::string id, position, facing;
  std::string depth = {};  ///< foreground, midground or background
  int visible_at = 0;      ///< when they are first seen, ms on the shot's clock
  std::string mood = {};   ///< how they feel
  bool operator==(const CastMember&) const = default;
};

/// A thing in a shot's picture. It need not be one of the film's props: those are what the story is about.
struct ShotProp {
  std::string id, position;
  bool operator==(const ShotProp&) const = default;
};

struct ActionBeat {
  int at_ms = 0;  ///< on the shot's clock
  std::string who, what;
  bool operator==(const ActionBeat&) const = default;
};

struct Camera {
  std::string size, move;
  std::string angle = {}, amplitude = {}, speed = {};
  int lens_mm = 0;          ///< focal length for a 36 mm wide picture; 0: not said
  std::string target = {};  ///< a character, a prop or a landmark of the shot's place
  bool operator==(const Camera&) const = default;
};

struct Line {
  std::string speaker, text;
  int start_ms = 0, end_ms = 0;
  std::string mode = "on_screen";            ///< on_screen, off_screen or voiceover
  std::string language = {}, delivery = {};  ///< language: the film's, if empty
  bool crosses_cut = false;                  ///< it may continue in the next shot
  bool operator==(const Line&) const = default;
};

struct SoundEffect {
  int at_ms = 0;  ///< on the shot's clock
  std::string description;
  bool operator==(const SoundEffect&) const = default;
};

/// What a shot is made from besides its text; filled by the compiler, not by the language model.
struct Conditioning {
  std::string mode = "text";                 ///< text, first_frame, first_last_frame, references or chain
  std::string chain_from = {};               ///< the earlier shot whose end this one continues
  std::vector<std::string> references = {};  ///< files
  bool operator==(const Conditioning&) const = default;
};

struct Shot {
  std::string id, place;
  int start_ms = 0, duration_ms = 0;
  std::vector<CastMember> cast;
  std::vector<ActionBeat> action_beats;
  Camera camera;
  std::vector<Line> dialogue;
  std::string ambience;
  std::string beat = {};  ///< the beat that it shows
  std::vector<ShotProp> props = {};
  Transition transition = Transition();      // {} triggers a false warning in g++ 12
  std::vector<Fact> pre = {}, effects = {};  ///< must hold before; hold after
  std::vector<SoundEffect> sfx = {};
  std::string first_frame = {}, last_frame = {};  ///< descriptions
  Conditioning conditioning = Conditioning();
  std::optional<std::int64_t> seed = {};  ///< instead of the one that follows from the film's
  std::vector<std::string> locked = {};   ///< paths of fields of this shot that a person set, such as "camera.size"
  bool operator==(const Shot&) const = default;
};

struct Sound {
  std::string music = "none";
  std::optional<int> music_in_ms = {}, music_out_ms = {};  ///< the film's start and end, if absent
  std::string ambience_bed = {};
  bool operator==(const Sound&) const = default;
};

struct Film {
  std::string prompt;  ///< what was asked; kept in the file because the planner's states depend on it
  std::string treatment, title, aspect = "16:9";
  int fps = 24;
  int total_ms = 0;
  std::string language = "en";
  std::vector<Character> characters;
  std::vector<Place> places;
  std::vector<Shot> shots;
  Sound sound;
  std::vector<std::string> unsupported;
  std::string logline = {}, style = {};
  std::optional<std::int64_t> seed = {};  ///< of the render, where the command line names none
  std::vector<Prop> props = {};
  std::vector<Fact> world = {};  ///< what holds at the start
  std::vector<Beat> beats = {};
  Transition ending = Transition();  ///< how the last shot ends: cut, or fade to black
  bool operator==(const Film&) const = default;
};

}  // namespace fabula::plan
