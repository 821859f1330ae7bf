// When a shot's phones and sounds are heard.
#include "engine/score.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace fabula {
namespace {

const World::Voice& voice_of(const plan::Film& film, const std::string& speaker, const World& world) {
  for (const plan::Character& character : film.characters) {
    if (character.id != speaker) continue;
    if (const World::Voice* voice = world.voice(character.voice.voice_id)) return *voice;
  }
  throw Error(ExitCode::internal, "score_of: \"" + speaker + "\" has no voice of the world");
}

void add_sounds(const plan::Shot& shot, const plan::ActionBeat& beat, const World& world, std::vector<plan::SoundEffect>& sounds) {
  const World::Action* action = world.action(beat.what);
  if (action == nullptr) throw Error(ExitCode::internal, "sounds_of: \"" + beat.what + "\" is no action of the world");
  for (const World::ActionSound& sound : action->sounds) {
    for (int ms = beat.at_ms + sound.first_ms; ms < shot.duration_ms; ms += sound.every_ms) sounds.push_back({ms, sound.sound});
  }
}

// The phones fill the line's span: their times are stretched linearly. Phones that the world does not name (pauses) get no token.
void add_phones(const plan::Shot& shot, const plan::Line& line, const std::vector<Phone>& phones, const World& world,
                std::vector<ScoreSound>& score) {
  if (phones.empty()) return;
  const double begin = phones.front().start_s;
  const double end = phones.back().start_s + phones.back().duration_s;
  const double lead = line.start_ms - shot.start_ms;
  const double span = line.end_ms - line.start_ms;
  for (const Phone& phone : phones) {
    if (std::find(world.phones.begin(), world.phones.end(), phone.name) == world.phones.end()) continue;
    score.push_back({"<|ph:" + phone.name + "|>", (lead + span * (phone.start_s - begin) / (end - begin)) / 1000.0});
  }
}

}  // namespace

// A plan that times its sounds needs no rule. Descriptions of sounds the world does not have get no token.
std::vector<plan::SoundEffect> sounds_of(const plan::Shot& shot, const World& world) {
  std::vector<plan::SoundEffect> sounds;
  for (const plan::SoundEffect& effect : shot.sfx) {
    if (std::find(world.sounds.begin(), world.sounds.end(), effect.description) != world.sounds.end()) sounds.push_back(effect);
  }
  if (!sounds.empty()) return sounds;
  for (const plan::ActionBeat& beat : shot.action_beats) add_sounds(shot, beat, world, sounds);
  return sounds;
}

std::vector<ScoreSound> score_of(const plan::Film& film, const plan::Shot& shot, const World& world, const PhonesFunction& phones) {
  std::vector<ScoreSound> score;
  for (const plan::SoundEffect& sound : sounds_of(shot, world))
    score.push_back({"<|snd:" + sound.description + "|>", sound.at_ms / 1000.0});
  for (const plan::Line& line : shot.dialogue)
    add_phones(shot, line, phones(line.text, voice_of(film, line.speaker, world).flite), world, score);
  std::stable_sort(score.begin(), score.end(), [](const ScoreSound& a, const ScoreSound& b) { return a.start_s < b.start_s; });
  return score;
}

int line_end_ms(const plan::Shot& shot, const std::string& text, const World::Voice& voice, const PhonesFunction& phones) {
  const std::vector<Phone> spoken = phones(text, voice.flite);
  double speech_ms = 0.0;
  if (!spoken.empty()) {
    const double end = spoken.back().start_s + spoken.back().duration_s;
    speech_ms = std::floor(1000 * (end - spoken.front().start_s) / voice.tempo + 0.5);
  }
  const int start = shot.start_ms + line_lead_ms;
  return std::min(start + static_cast<int>(speech_ms), shot.start_ms + shot.duration_ms - line_tail_ms);
}

}  // namespace fabula
