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

namespace {

// One shot of a film: its place on the film's clock, and what the model is asked.
struct ShotPlan {
  std::int64_t first_frame, frames;  // of the film
  ClipRequest clip;
};

ShotPlan shot_plan(const PlannedFilm& planned, std::size_t index, const ClipFormat& format, const std::vector<int>& legal_frames,
                   const FilmRequest& request) {
  const plan::Film& film = planned.film;
  const plan::Shot& shot = film.shots[index];
  ShotPlan result{frames_before(shot.start_ms, film.fps), 0, {}};
  result.frames = frames_before(shot.start_ms + shot.duration_ms, film.fps) - result.first_frame;
  result.clip.conditioning = &planned.shots[index];
  result.clip.frames = model_frames(result.frames, film.fps, format.fps, legal_frames);
  result.clip.seed = shot.seed ? static_cast<std::uint64_t>(*shot.seed) : shot_seed(request.seed, index);
  result.clip.settings = request.settings;
  return result;
}

void require_conditioning(const PlannedFilm& planned) {
  if (planned.shots.size() != planned.film.shots.size()) throw Error(ExitCode::internal, "a film needs one conditioning per shot");
}

// Progress over several shots, of which `index` is in work.
ClipModel::Progress progress_of(const std::function<bool(const FilmProgress&)>& progress, std::size_t index, std::size_t shots) {
  return [&progress, index, shots](int done, int total) {
    return progress({index, shots, (static_cast<double>(index) + static_cast<double>(done) / total) / static_cast<double>(shots)});
  };
}

ShotStore::Clip latents_of(ClipModel& model, const ClipRequest& clip, const std::string& fingerprint, ShotStore* store,
                           const ClipModel::Progress& progress) {
  const auto make = [&] { return model.denoise(clip, progress); };
  if (store == nullptr) return {make(), ShotStore::Outcome::made, ""};
  return store->get_or_make(clip_key(fingerprint, clip), make, [&] { return progress(0, 1); });
}

void require_stored(const PlannedFilm& planned, const std::string& fingerprint, const ClipFormat& format,
                    const std::vector<int>& legal_frames, const FilmRequest& request) {
  std::string missing;
  for (std::size_t i = 0; i < planned.film.shots.size(); ++i) {
    if (request.store != nullptr && request.store->has(clip_key(fingerprint, shot_plan(planned, i, format, legal_frames, request).clip)))
      continue;
    missing += (missing.empty() ? "" : ", ") + planned.film.shots[i].id;
  }
  if (!missing.empty()) throw Error(ExitCode::checkpointed, "these shots are not in the store yet: " + missing);
}

}  // namespace

std::vector<ClipRequest> clip_requests(const PlannedFilm& planned, const ClipFormat& format, const std::vector<int>& legal_frames,
                                       const FilmRequest& request) {
  require_conditioning(planned);
  std::vector<ClipRequest> clips;
  for (std::size_t i = 0; i < planned.film.shots.size(); ++i) clips.push_back(shot_plan(planned, i, format, legal_frames, request).clip);
  return clips;
}

std::vector<ShotReport> make_shots(const PlannedFilm& planned, ClipModel& model, const std::vector<int>& legal_frames,
                                   const std::vector<std::size_t>& indices, const FilmRequest& request,
                                   const std::function<bool(const FilmProgress&)>& progress) {
  require_conditioning(planned);
  const ClipFormat format = model.format();
  const std::string fingerprint = model.fingerprint();
  std::vector<ShotReport> reports;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const ShotPlan shot = shot_plan(planned, indices[i], format, legal_frames, request);
    const auto outcome = latents_of(model, shot.clip, fingerprint, request.store, progress_of(progress, i, indices.size())).outcome;
    reports.push_back({planned.film.shots[indices[i]].id, outcome});
  }
  return reports;
}

std::vector<ShotReport> render_film(const PlannedFilm& planned, ClipModel& model, const std::vector<int>& legal_frames, MediaSink& sink,
                                    const SoundJoin& join, const FilmRequest& request,
                                    const std::function<bool(const FilmProgress&)>& progress) {
  require_conditioning(planned);
  const plan::Film& film = planned.film;
  const std::size_t shots = film.shots.size();
  const ClipFormat format = model.format();
  const std::string fingerprint = request.store != nullptr ? model.fingerprint() : "";
  if (request.only_stored) require_stored(planned, fingerprint, format, legal_frames, request);

  std::vector<ShotReport> reports;
  for (std::size_t i = 0; i < shots; ++i) {
    const ShotPlan shot = shot_plan(planned, i, format, legal_frames, request);
    const ClipModel::Progress of_the_film = progress_of(progress, i, shots);
    const ShotStore::Clip clip = latents_of(model, shot.clip, fingerprint, request.store, of_the_film);
    reports.push_back({film.shots[i].id, clip.outcome});

    FrameRepeater repeater(sink, shot.frames, film.fps, format.fps);
    const Sound sound = model.decode(
        shot.clip, clip.latents, [&](const Image& image) { repeater.receive(image); }, of_the_film);
    if (repeater.missing() != 0) throw Error(ExitCode::internal, "the model made too few frames for shot " + film.shots[i].id);
    const std::int64_t end = samples_before(shot.first_frame + shot.frames, film.fps);
    sink.samples(join(sound, end - samples_before(shot.first_frame, film.fps), i + 1 == shots));
  }
  sink.finish();
  return reports;
}

}  // namespace fabula
