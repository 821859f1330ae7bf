// Selects a stem's rows of the score and has the model make its sound.
#include "engine/film/stems.h"

#include <string>

#include "base/error.h"

namespace fabula {

Conditioning part_of(const Conditioning& whole, const std::vector<bool>& is_speech, Stem stem) {
  if (is_speech.size() != whole.score_start.size()) {
    throw Error(ExitCode::bad_data, "this model's planner writes " + std::to_string(whole.score_start.size()) + " rows for a score of " +
                                        std::to_string(is_speech.size()) + " sounds, so its stems cannot be told apart");
  }
  const auto untimed = static_cast<std::ptrdiff_t>(whole.untimed() * whole.dim), width = static_cast<std::ptrdiff_t>(whole.dim);
  Conditioning part{whole.dim, {whole.states.begin(), whole.states.begin() + untimed}, {}};
  for (std::size_t i = 0; i < is_speech.size(); ++i) {
    if (is_speech[i] != (stem == Stem::dialogue)) continue;
    const auto row = whole.states.begin() + untimed + static_cast<std::ptrdiff_t>(i) * width;
    part.states.insert(part.states.end(), row, row + width);
    part.score_start.push_back(whole.score_start[i]);
  }
  return part;
}

Sound make_stem(ClipModel& model, const ClipRequest& request, const CleanLatents& made, const std::vector<bool>& is_speech, Stem stem,
                const ClipModel::Progress& progress) {
  const Conditioning part = part_of(*request.conditioning, is_speech, stem);
  ClipRequest own = request;
  own.conditioning = &part;
  return model.decode_sound(own, model.denoise_sound(own, made.video, progress));
}

}  // namespace fabula
