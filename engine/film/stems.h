// Stems: a shot's voices and its other sounds, each made by the model from its own part of the score.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/clip_model.h"
#include "engine/film/transitions.h"

namespace fabula {

enum class Stem : std::uint8_t { dialogue, effects };
inline constexpr std::array all_stems = {Stem::dialogue, Stem::effects};

/// What stems of a film need, and where they go.
struct StemRequest {
  /// Of each row of a shot's score whether it is speech.
  std::function<std::vector<bool>(std::size_t shot)> is_speech;
  std::function<void(Stem, const Sound&, const SoundEdges&)> receive;  ///< null: they are made for `mix` alone
  /// The shot's sound instead of the one that was made with its picture; null: that one.
  std::function<Sound(std::size_t shot, const Sound& dialogue, const Sound& effects)> mix = {};
};

/// The conditioning without the other stem's rows of the score. Throws Error(bad_data) unless there is one entry for each of them.
[[nodiscard]] Conditioning part_of(const Conditioning&, const std::vector<bool>& is_speech, Stem);

/// The stem of a clip whose picture is made: the same noise, the picture given, the score's part alone. The model has heard the whole score
/// while it made the mix, so the stems do not add up to it exactly.
[[nodiscard]] Sound make_stem(ClipModel&, const ClipRequest&, const CleanLatents& made, const std::vector<bool>& is_speech, Stem,
                              const ClipModel::Progress&);

}  // namespace fabula
