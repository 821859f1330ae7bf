// The compiler for MiniMax-H3: a plan as the prompts that the model was trained on, with what each is conditioned on. Pure: the same plan,
// the same text.
//
// Where the format is from:
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

/// What a reference is for: a picture or voice of `of`, an id of the plan.
struct Use {
  std::string role;  ///< portrait, voice, plate (of a place), prop, first_frame, last_frame or reference (of a shot)
  std::string of;
};

/// A file that the model is given beside the text. A file stands once in a clip, whatever it is used for.
struct Reference {
  std::string label;  ///< "<Picture 1>": how the text names it
  std::string kind;   ///< image, video or audio
  std::string file;
  std::vector<Use> uses;
};

/// One request. It makes `frames` at 24 fps, of which the film takes the first `duration_ms`.
struct Clip {
  int start_ms = 0, duration_ms = 0;  ///< on the film's clock
  int frames = 0, trimmed_ms = 0;
  std::vector<std::string> shots;     ///< ids; [Shot N] is the Nth
  plan::Transition transition;        ///< how its first shot begins: the assembly's to make
  bool goes_on = false;               ///< its first picture is the last of the clip before: a shot that was split, or a "continue"
  std::vector<std::string> speakers;  ///< ids of characters; (S1) is the first

  /// With references the model's guide calls it detailed_description and puts the next three before it; without, these are empty.
  std::string integrated_multimodal_description;
  std::string subject_definitions, summary, retention_analysis;
  std::string overall_soundscape, non_diegetic_music;
  std::vector<Reference>
      references;  ///< in the order in which the model reads them: of each character portrait and voice, then places, props, shots
};

struct Prompts {
  std::vector<Clip> clips;
  std::vector<std::string> left_out;  ///< what of the plan the model cannot be given, a sentence each
};

/// `film` must be without errors (plan::check). Throws Error(bad_data) where its shots do not tile it.
[[nodiscard]] Prompts compile(const plan::Film& film);

/// The text that the model reads, as one string.
[[nodiscard]] std::string text_of(const Clip&);

}  // namespace fabula::h3
