// flite's phones of a text and how long each lasts. Its waveform is not used.
#pragma once

#include <string>
#include <vector>

#include "engine/score.h"

namespace fabula {

/// The phones of `text` in the US English flite voice `voice` ("slt", "rms"), in order, without the pauses at either end; pauses inside
/// are kept under their name "pau". Times are seconds of flite's own utterance, so the first phone rarely starts at 0. Empty where
/// nothing is spoken. Equal to tools/train/world/speech.py's phones_of, bit for bit: start_s + duration_s is the next phone's start.
/// Throws Error(bad_data) for an unknown voice. May be called from any thread; flite's state is global, so calls take turns.
[[nodiscard]] std::vector<Phone> phones_of(const std::string& text, const std::string& voice);

}  // namespace fabula
