// The score: what sounds when, in a shot. The Python twin is tools/train/world/speech.py; both compute the same numbers, bit for bit.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/world.h"

namespace fabula {

/// One phone of a spoken text, in seconds of the speech synthesiser's utterance.
struct Phone {
  std::string name;
  double start_s = 0.0, duration_s = 0.0;
};

/// The phones of a text in a flite voice, without outer pauses (audio/phonemes.h has one).
using PhonesFunction = std::function<std::vector<Phone>(const std::string& text, const std::string& flite_voice)>;

/// One token of the score ("<|ph:ow|>", "<|snd:step|>") and when it sounds, in seconds from the shot's start.
struct ScoreSound {
  std::string token;
  double start_s = 0.0;
};

constexpr int line_lead_ms = 250;  ///< from a shot's start to its line's start
constexpr int line_tail_ms = 100;  ///< silence kept at a shot's end

/// What is heard in a shot beside voices: its `sfx` where the plan has some that the world knows, else the sounds of its actions. As
/// written, not sorted.
[[nodiscard]] std::vector<plan::SoundEffect> sounds_of(const plan::Shot&, const World&);

/// The score of a shot in order of time: its sounds_of() and its lines' phones. Of equal starts the sounds come first, in the plan's order.
/// The shot's names must be the world's, its speakers the film's characters.
[[nodiscard]] std::vector<ScoreSound> score_of(const plan::Film&, const plan::Shot&, const World&, const PhonesFunction&);

/// When a line with this text ends that starts line_lead_ms after the shot's start, on the film's clock: spoken out, or line_tail_ms
/// before the shot's end.
[[nodiscard]] int line_end_ms(const plan::Shot&, const std::string& text, const World::Voice&, const PhonesFunction&);

}  // namespace fabula
