// The compiler for MiniMax-H3: turns a plan into prompts of the form that the model was trained on, with their references. Pure: the same
// plan gives the same text. Sources of the format:
//   three fields (integrated_multimodal_description, overall_soundscape, non_diegetic_music), [Shot N] At MM:SS.mmm, (S1), <d>[Language]
//   …</d>, <scenetrans>, <cutoff>, camera words, "says in an off-screen voiceover", N/A: skills/h3-prompt-writing/references/base-en.txt of
//   MiniMax-AI/MiniMax-H3; six sections for requests with references, <Subject N>, retention: its ref-en.txt; labels <Picture i>, <Audio
//   j>, <Video k>, numbered each for itself in packed order; at most 9 pictures, 3 videos, 3 audio clips, 12 in all, audio never alone; the
//   prompt verbatim, without a chat template: diffusers, modular_pipelines/minimax_h3 (encoders.py, references.py, before_encoder.py).
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"

namespace fabula::h3 {

/// One use of a reference: a picture or voice of `of`, an id of the plan.
struct Use {
  std::string role;  ///< portrait, voice, plate (of a place), prop, first_frame, last_frame or reference (of a shot)
  std::string of;
};

/// A file that accompanies the text. A file appears once per clip, with all its uses.
struct Reference {
  std::string label;  ///< its name in the text: "<Picture 1>"
  std::string kind;   ///< image, video or audio
  std::string file;
  std::vector<Use> uses;
};

/// One request for `frames` at 24 fps; the film uses the first `duration_ms`.
struct Clip {
  int start_ms = 0, duration_ms = 0;  ///< on the film's clock
  int frames = 0, trimmed_ms = 0;
  std::vector<std::string> shots;     ///< ids; [Shot N] is the Nth
  plan::Transition transition;        ///< into its first shot; made when the film is assembled
  bool goes_on = false;               ///< its first picture is the last of the previous clip (a split shot, or "continue")
  std::vector<std::string> speakers;  ///< ids of characters; (S1) is the first

  /// With references, the model's guide calls this field detailed_description and puts the next three before it. Without, those are empty.
  std::string integrated_multimodal_description;
  std::string subject_definitions, summary, retention_analysis;
  std::string overall_soundscape, non_diegetic_music;
  std::vector<Reference> references;  ///< in reading order: portrait and voice of each character, then places, props, shots
};

struct Prompts {
  std::vector<Clip> clips;
  std::vector<std::string> left_out;  ///< parts of the plan that no prompt can hold, one sentence each
};

/// `film` must have no errors (plan::check). Throws Error(bad_data) if its shots do not tile it.
[[nodiscard]] Prompts compile(const plan::Film& film);

/// The whole text of a request.
[[nodiscard]] std::string text_of(const Clip&);

}  // namespace fabula::h3
