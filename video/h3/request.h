// What a request comes to: workflow, canvas, length, and what is given, brought to the model's own sizes and rates. References:
// MiniMaxH3ResizeStep, MiniMaxH3Ref2VASetupStep, MiniMaxH3PrepareLayoutStep (diffusers).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/given_media.h"
#include "video/h3/folder.h"
#include "video/h3/layout.h"

namespace fabula::h3 {

/// t2va: from text alone; fl2va: with a first or a last frame; ref2va: with references.
enum class Workflow : std::uint8_t { t2va, fl2va, ref2va };
[[nodiscard]] const char* name_of(Workflow);
/// Throws Error(usage) for frames and references at once.
[[nodiscard]] Workflow workflow_of(const GivenMedia&);

struct Asked {
  std::optional<Canvas> canvas = {};
  double aspect_width = 16.0, aspect_height = 9.0;  ///< without a canvas
  bool has_aspect = false;                          ///< else a keyframe's own comes first
  int frames = default_frames;
};

/// The numbers of a folder's networks that a request must fit.
struct RequestRules {
  H3Folder folder;
  std::int64_t multiple = 32;  ///< of a canvas's sides
  std::int64_t chunk = 17, kept = 5;
  int sample_rate = 32000;
};

/// Reads the configurations of the folder's networks. Throws Error: input_missing, bad_data.
[[nodiscard]] RequestRules rules_of(const H3Folder&);
/// The lengths that the model makes, rising.
[[nodiscard]] std::vector<int> lengths_of(const RequestRules&);

struct ClipOrder {
  Workflow workflow = Workflow::t2va;
  Canvas canvas;
  int frames = 0;
  GivenMedia media;  ///< normalised: as they are encoded
};

/// Throws Error(usage) for what the model cannot make or follow, each with one sentence.
[[nodiscard]] ClipOrder resolve(const RequestRules&, const Asked&, const GivenMedia&);

}  // namespace fabula::h3
