// Cuts, dissolves, fades and wipes: how a shot's picture and sound meet those of its neighbours.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/media_sink.h"
#include "engine/plan.h"

namespace fabula {

/// What transitions make of one shot, in film frames. A dissolve or a wipe begins at the cut: the shot before is seen on, beyond its end,
/// in its handle. A fade goes through black: half of it ends the shot before, the other half begins this one; the film's first shot begins
/// with all of it, and the last one ends with all of the film's ending. So the film is as long as its plan, whatever the transitions.
struct ShotEdges {
  std::int64_t frames = 0;    ///< of the shot itself
  std::int64_t cross_in = 0;  ///< over which the shot before is still seen
  bool is_wipe = false;       ///< the kind of cross_in: an edge that crosses from the left, else a dissolve
  std::int64_t handle = 0;    ///< beyond the end, seen under the next shot
  std::int64_t fade_in = 0, fade_out = 0;
};
/// How a shot's sound meets its neighbours', in sample frames at 48 kHz: the picture's edges.
struct SoundEdges {
  std::int64_t count = 0;                  ///< of the shot itself
  std::int64_t handle = 0;                 ///< beyond its end, heard under the next shot; 0: a cut
  std::int64_t fade_in = 0, fade_out = 0;  ///< from and to silence
  bool is_last = false;
};
/// Throws Error(bad_data) for a transition "continue", which no model of this program can make.
[[nodiscard]] ShotEdges edges_of(const plan::Film&, std::size_t shot);

/// Sends the frames of a film's shots to a sink, with their transitions. Holds the frames of one handle.
class PictureEdit {
 public:
  explicit PictureEdit(MediaSink& sink) : sink_(sink) {}

  void begin(const ShotEdges&);
  /// A frame of the shot or of its handle, in order.
  void frame(const Image&);
  /// Frames of the shot that are still missing.
  [[nodiscard]] std::int64_t missing() const { return edges_.frames > shown_ ? edges_.frames - shown_ : 0; }
  /// Ends the shot. Where frames of its handle are missing, the last one is held. -> for how many.
  std::int64_t end();

 private:
  MediaSink& sink_;
  ShotEdges edges_;
  std::int64_t shown_ = 0;
  std::vector<Image> before_, handle_;  // handles: the previous shot's, this one's
  Image last_;
};

}  // namespace fabula
