// Cuts the film into shots on whole frames and samples, makes each, and passes it to the sink.
#include "engine/film/film.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace fabula {
namespace {

constexpr std::int64_t sample_rate = 48000;

// value · numerator / denominator, rounded to nearest; all non-negative.
std::int64_t scale_rounded(std::int64_t value, std::int64_t numerator, std::int64_t denominator) {
  return (value * numerator + denominator / 2) / denominator;
}

// Frames a model frame rate that may differ from the film's: film frame k shows model frame floor(k · model / film), so a 12 fps model is
// shown on twos. Frames past the shot's end are the model's surplus and are dropped.
class FrameRepeater {
 public:
  FrameRepeater(MediaSink& sink, std::int64_t film_frames, int film_fps, int model_fps)
      : sink_(sink), remaining_(film_frames), film_fps_(film_fps), model_fps_(model_fps) {}

  void receive(const Image& image) {
    ++received_;
    while (remaining_ > 0 && shown_ * model_fps_ / film_fps_ < received_) {
      sink_.frame(image);
      ++shown_;
      --remaining_;
    }
  }
  [[nodiscard]] std::int64_t missing() const { return remaining_; }

 private:
  MediaSink& sink_;
  std::int64_t remaining_, shown_ = 0, received_ = 0;
  int film_fps_, model_fps_;
};

}  // namespace

std::int64_t frames_before(std::int64_t ms, int fps) { return scale_rounded(ms, fps, 1000); }

std::int64_t samples_before(std::int64_t frames, int fps) { return scale_rounded(frames, sample_rate, fps); }

int model_frames(std::int64_t frames, int film_fps, int model_fps, const std::vector<int>& legal) {
  const std::int64_t needed = (frames * model_fps + film_fps - 1) / film_fps;
  int best = 0;
  for (const int length : legal) {
    if (length >= needed && (best == 0 || length < best)) best = length;
  }
  if (best == 0) {
    throw Error(ExitCode::bad_data, "a shot of " + std::to_string(frames) + " frames is longer than this model can make (" +
                                        std::to_string(*std::max_element(legal.begin(), legal.end()) * film_fps / model_fps) + " frames)");
  }
  return best;
}

std::uint64_t shot_seed(std::uint64_t film_seed, std::size_t shot) {
  // SplitMix64 (Steele, Lea, Flood 2014).
  std::uint64_t z = film_seed + 0x9E3779B97F4A7C15ULL * (shot + 1);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

void render_film(const PlannedFilm& planned, ClipModel& model, const std::vector<int>& legal_frames, MediaSink& sink,
                 const SoundConform& conform, const FilmRequest& request, const std::function<bool(const FilmProgress&)>& progress) {
  const plan::Film& film = planned.film;
  const std::size_t shots = film.shots.size();
  if (planned.shots.size() != shots) throw Error(ExitCode::internal, "render_film: one conditioning a shot is needed");
  const ClipFormat format = model.format();

  for (std::size_t i = 0; i < shots; ++i) {
    const plan::Shot& shot = film.shots[i];
    const std::int64_t first = frames_before(shot.start_ms, film.fps);
    const std::int64_t last = frames_before(shot.start_ms + shot.duration_ms, film.fps);

    ClipRequest clip;
    clip.conditioning = &planned.shots[i];
    clip.frames = model_frames(last - first, film.fps, format.fps, legal_frames);
    clip.seed = shot.seed ? static_cast<std::uint64_t>(*shot.seed) : shot_seed(request.seed, i);
    clip.settings = request.settings;

    FrameRepeater repeater(sink, last - first, film.fps, format.fps);
    const Sound sound = model.generate(
        clip, [&](const Image& image) { repeater.receive(image); },
        [&](int done, int total) {
          return progress({i, shots, (static_cast<double>(i) + static_cast<double>(done) / total) / static_cast<double>(shots)});
        });
    if (repeater.missing() != 0) throw Error(ExitCode::internal, "the model made too few frames for shot " + shot.id);
    sink.samples(conform(sound, samples_before(last, film.fps) - samples_before(first, film.fps)));
  }
  sink.finish();
}

}  // namespace fabula
