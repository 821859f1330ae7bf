// Cuts the film into shots on whole frames and samples, makes each, and passes it to the sink.
#include "engine/film/film.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "engine/film/filming.h"
#include "engine/film/gate.h"
#include "engine/film/transitions.h"

namespace fabula {
namespace {

constexpr std::int64_t sample_rate = 48000;

// value · numerator / denominator, rounded to nearest; all non-negative.
std::int64_t scale_rounded(std::int64_t value, std::int64_t numerator, std::int64_t denominator) {
  return (value * numerator + denominator / 2) / denominator;
}

// Frames a model frame rate that may differ from the film's: film frame k shows model frame floor(k · model / film), so a 12 fps model is
// shown on twos. Frames past the shot's end and its handle are the model's surplus and are dropped.
class FrameRepeater {
 public:
  FrameRepeater(PictureEdit& edit, std::int64_t film_frames, int film_fps, int model_fps)
      : edit_(edit), remaining_(film_frames), film_fps_(film_fps), model_fps_(model_fps) {}

  void receive(const Image& image) {
    ++received_;
    while (remaining_ > 0 && shown_ * model_fps_ / film_fps_ < received_) {
      edit_.frame(image);
      ++shown_;
      --remaining_;
    }
  }

 private:
  PictureEdit& edit_;
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

std::uint64_t seed_alone(std::uint64_t film_seed, std::size_t shot) { return film_seed + 0x9E3779B97F4A7C15ULL * shot; }

std::uint64_t shot_seed(std::uint64_t film_seed, std::size_t shot) {
  // SplitMix64 (Steele, Lea, Flood 2014).
  std::uint64_t z = seed_alone(film_seed, shot + 1);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

std::uint64_t attempt_seed(std::uint64_t seed, int attempt) {
  return attempt == 0 ? seed : shot_seed(seed, static_cast<std::size_t>(attempt));
}

namespace {

// One shot of a film: its place on the film's clock, how it meets its neighbours, and what the model is asked.
struct ShotPlan {
  std::int64_t first_frame;  // of the film
  ShotEdges edges;
  ClipRequest clip;
};

// With the handle, where the model can make a shot of that length.
int clip_frames(const ShotEdges& edges, int film_fps, int model_fps, const std::vector<int>& legal_frames) {
  const std::int64_t longest = std::int64_t{*std::max_element(legal_frames.begin(), legal_frames.end())} * film_fps / model_fps;
  return model_frames(std::max(edges.frames, std::min(edges.frames + edges.handle, longest)), film_fps, model_fps, legal_frames);
}

ShotPlan shot_plan(const PlannedFilm& planned, std::size_t index, const ClipFormat& format, const std::vector<int>& legal_frames,
                   const FilmRequest& request) {
  const plan::Film& film = planned.film;
  const plan::Shot& shot = film.shots[index];
  ShotPlan result{frames_before(shot.start_ms, film.fps), edges_of(film, index), {}};
  result.clip.conditioning = &planned.shots[index];
  result.clip.frames = clip_frames(result.edges, film.fps, format.fps, legal_frames);
  result.clip.seed = shot.seed ? static_cast<std::uint64_t>(*shot.seed) : shot_seed(request.seed, index);
  result.clip.settings = request.settings;
  return result;
}

SoundEdges sound_edges(const ShotPlan& shot, int fps, bool is_last) {
  const ShotEdges& e = shot.edges;
  const std::int64_t start = samples_before(shot.first_frame, fps), end = samples_before(shot.first_frame + e.frames, fps);
  const auto from_end = [&](std::int64_t frames) { return end - samples_before(shot.first_frame + e.frames - frames, fps); };
  const auto from_start = [&](std::int64_t frames) { return samples_before(shot.first_frame + frames, fps) - start; };
  return {end - start, samples_before(shot.first_frame + e.frames + e.handle, fps) - end, from_start(e.fade_in), from_end(e.fade_out),
          is_last};
}

void require_conditioning(const PlannedFilm& planned) {
  if (planned.shots.size() != planned.film.shots.size()) throw Error(ExitCode::internal, "a film needs one conditioning per shot");
}

// -> the shot's sound: that of its stems where these are mixed, else `made`.
Sound make_stems(ClipModel& model, const ClipRequest& clip, const CleanLatents& latents, Sound made, const StemRequest& stems,
                 std::size_t shot, const SoundEdges& edges, const ClipModel::Progress& of_the_film) {
  const std::vector<bool> is_speech = stems.is_speech(shot);
  std::array<Sound, all_stems.size()> sounds;
  for (const Stem stem : all_stems) {
    Sound& sound = sounds[static_cast<std::size_t>(stem)];
    sound = make_stem(model, clip, latents, is_speech, stem, [&](int, int) { return of_the_film(1, 1); });
    if (stems.receive) stems.receive(stem, sound, edges);
  }
  return stems.mix ? stems.mix(shot, sounds[0], sounds[1]) : made;
}

bool goes_on(const PlannedFilm& planned, std::size_t shot) {
  return shot > 0 && shot < planned.shots.size() && planned.shots[shot].goes_on;
}

// The model's frame that a shot shows last before its cut.
std::int64_t last_frame(const ShotPlan& shot, int film_fps, int model_fps) { return (shot.edges.frames - 1) * model_fps / film_fps; }

std::string ending_name(const std::string& key, std::int64_t frame) { return key + ":" + std::to_string(frame); }

Ending ending_of(const ShotMaker& maker, const ShotPlan& shot, const FilmedShot& filmed, int film_fps) {
  const std::int64_t frame = last_frame(shot, film_fps, maker.model.format().fps);
  return {filmed.take.frames.at(static_cast<std::size_t>(frame)), ending_name(clip_key(maker.fingerprint, filmed.clip), frame)};
}

// A seed that a person gave is the one that is filmed.
int attempts_at(const plan::Shot& shot) { return shot.seed ? 1 : most_attempts; }

// Of the shots with these indices, rising, how many attempts the store has. Which attempt a shot goes on from is not known before it is
// judged, so each that the store has is tried.
std::vector<int> kept_of(const ShotStore* store, const std::string& fingerprint, int model_fps, const PlannedFilm& planned,
                         const std::vector<ShotPlan>& all, const std::vector<std::size_t>& indices) {
  std::vector<int> kept(indices.size(), 0);
  if (store == nullptr) return kept;
  std::vector<std::string> endings;  // of the shot before
  for (std::size_t k = 0; k < indices.size(); ++k) {
    const std::size_t i = indices[k];
    const std::vector<std::string> before = goes_on(planned, i) ? endings : std::vector<std::string>{""};
    const std::int64_t last = last_frame(all[i], planned.film.fps, model_fps);
    endings.clear();
    for (const std::string& ending : before) {
      int attempt = 0;
      for (; attempt < attempts_at(planned.film.shots[i]); ++attempt) {
        ClipRequest clip = all[i].clip;
        clip.seed = attempt_seed(clip.seed, attempt);
        clip.before = ending;
        const std::string key = clip_key(fingerprint, clip);
        if (!store->has(key)) break;
        endings.push_back(ending_name(key, last));
      }
      kept[k] = std::max(kept[k], attempt);
    }
  }
  return kept;
}

std::vector<bool> are_kept(const std::vector<int>& attempts) {
  std::vector<bool> kept;
  for (const int count : attempts) kept.push_back(count > 0);
  return kept;
}

std::vector<std::size_t> all_of(const std::vector<ShotPlan>& shots) {
  std::vector<std::size_t> indices(shots.size());
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  return indices;
}

// The same shots, rising, and those that they go on from.
std::vector<std::size_t> with_those_before(const PlannedFilm& planned, const std::vector<std::size_t>& indices) {
  std::set<std::size_t> all;
  for (std::size_t i : indices) {
    for (all.insert(i); goes_on(planned, i); all.insert(--i)) continue;
  }
  return {all.begin(), all.end()};
}

void require_stored(const plan::Film& film, const std::vector<bool>& is_kept) {
  std::string missing;
  for (std::size_t i = 0; i < film.shots.size(); ++i) {
    if (!is_kept[i]) missing += (missing.empty() ? "" : ", ") + film.shots[i].id;
  }
  if (!missing.empty()) throw Error(ExitCode::checkpointed, "these shots are not in the store yet: " + missing);
}

std::size_t first_of_place(const plan::Film& film, std::size_t shot) {
  std::size_t first = 0;
  while (film.shots[first].place != film.shots[shot].place) ++first;
  return first;
}

// By place: the colours of its first shot; none where the gate refused that one.
using PlaceColours = std::map<std::string, std::optional<Colours>>;

// Films a shot and, if it is the first of its place, notes the colours.
FilmedShot film_shot(const ShotMaker& maker, const PlannedFilm& planned, std::size_t index, const ShotPlan& shot, ShotRows& rows,
                     PlaceColours& places, const std::function<ClipModel::Progress(int attempt)>& progress_of) {
  const plan::Shot& asked = planned.film.shots[index];
  TakeExpected expected = expected_of(asked, planned.shots[index]);
  const auto [place, is_first] = places.try_emplace(asked.place);
  if (!is_first && place->second) expected.place = &*place->second;
  ClipRequest clip = shot.clip;
  clip.before = rows.before();
  try {
    FilmedShot filmed = film_shot(maker, clip, rows, expected, attempts_at(asked), progress_of);
    if (is_first && filmed.passed && maker.request.gate) place->second = filmed.measures.colours;
    return filmed;
  } catch (const Error& error) {
    if (error.code() != ExitCode::checkpointed) throw;
    throw Error(error.code(), "shot " + asked.id + " has to be made again with another seed, and that attempt is not in the store yet: " +
                                  "--shots " + asked.id + " makes it, --no-gate takes the first as it is");
  }
}

ShotReport report_of(const std::string& id, const FilmedShot& shot) {
  return {id, shot.made.outcome, shot.clip.seed, shot.made.profile, 0, shot.refused};
}

std::vector<ShotPlan> shot_plans(const PlannedFilm& planned, const ClipFormat& format, const std::vector<int>& legal_frames,
                                 const FilmRequest& request) {
  require_conditioning(planned);
  std::vector<ShotPlan> shots;
  for (std::size_t i = 0; i < planned.film.shots.size(); ++i) shots.push_back(shot_plan(planned, i, format, legal_frames, request));
  return shots;
}

}  // namespace

std::vector<ClipRequest> clip_requests(const PlannedFilm& planned, const ClipFormat& format, const std::vector<int>& legal_frames,
                                       const FilmRequest& request) {
  std::vector<ClipRequest> clips;
  for (const ShotPlan& shot : shot_plans(planned, format, legal_frames, request)) clips.push_back(shot.clip);
  return clips;
}

std::vector<int> kept_attempts(const PlannedFilm& planned, const ClipModel& model, const std::vector<int>& legal_frames,
                               const FilmRequest& request) {
  const std::vector<ShotPlan> shots = shot_plans(planned, model.format(), legal_frames, request);
  const std::string fingerprint = request.store != nullptr ? model.fingerprint() : "";
  return kept_of(request.store, fingerprint, model.format().fps, planned, shots, all_of(shots));
}

std::vector<ShotReport> make_shots(const PlannedFilm& planned, ClipModel& model, const std::vector<int>& legal_frames,
                                   const std::vector<std::size_t>& indices, const FilmRequest& request,
                                   const std::function<bool(const FilmProgress&)>& progress) {
  const std::vector<ShotPlan> all = shot_plans(planned, model.format(), legal_frames, request);
  const ShotMaker maker{model, model.fingerprint(), request};
  FilmRequest of_the_store = request;
  of_the_store.only_stored = true;
  const ShotMaker reader{model, maker.fingerprint, of_the_store};
  const int model_fps = model.format().fps;
  const std::vector<std::size_t> wanted = with_those_before(planned, indices);
  FilmWork work(progress, are_kept(kept_of(request.store, maker.fingerprint, model_fps, planned, all, wanted)));
  PlaceColours places;
  std::optional<Ending> before;
  std::vector<ShotReport> reports;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::size_t index = wanted[i];
    const auto progress_of = [&](int attempt) { return work.of(i, request.settings.steps, attempt); };
    const std::size_t first = first_of_place(planned.film, index);
    if (request.gate && request.store != nullptr && first != index && !goes_on(planned, first) &&
        !places.contains(planned.film.shots[first].place)) {
      const auto stands_still = [&](int) { return [&](int, int) { return progress_of(0)(0, 1); }; };
      try {
        ShotRows rows(planned, first, nullptr);
        (void)film_shot(reader, planned, first, all[first], rows, places, stands_still);
      } catch (const Error& error) {
        if (error.code() != ExitCode::checkpointed) throw;
      }
    }
    ShotRows rows(planned, index, goes_on(planned, index) ? &before.value() : nullptr);
    const FilmedShot filmed = film_shot(maker, planned, index, all[index], rows, places, progress_of);
    reports.push_back(report_of(planned.film.shots[index].id, filmed));
    if (goes_on(planned, index + 1)) before = ending_of(maker, all[index], filmed, planned.film.fps);
  }
  return reports;
}

std::vector<ShotReport> render_film(const PlannedFilm& planned, ClipModel& model, const std::vector<int>& legal_frames, MediaSink& sink,
                                    const SoundJoin& join, const FilmRequest& request,
                                    const std::function<bool(const FilmProgress&)>& progress) {
  const plan::Film& film = planned.film;
  const ClipFormat format = model.format();
  const std::vector<ShotPlan> shots = shot_plans(planned, format, legal_frames, request);
  const ShotMaker maker{model, request.store != nullptr ? model.fingerprint() : "", request};
  const std::vector<bool> is_kept = are_kept(kept_of(request.store, maker.fingerprint, format.fps, planned, shots, all_of(shots)));
  if (request.only_stored) require_stored(film, is_kept);

  FilmWork work(progress, is_kept);
  PlaceColours places;
  std::optional<Ending> before;
  std::vector<ShotReport> reports;
  PictureEdit edit(sink);
  for (std::size_t i = 0; i < shots.size(); ++i) {
    const ShotPlan& shot = shots[i];
    const auto progress_of = [&](int attempt) { return work.of(i, request.settings.steps, attempt); };
    ShotRows rows(planned, i, goes_on(planned, i) ? &before.value() : nullptr);
    FilmedShot filmed = film_shot(maker, planned, i, shot, rows, places, progress_of);

    edit.begin(shot.edges);
    FrameRepeater repeater(edit, shot.edges.frames + shot.edges.handle, film.fps, format.fps);
    for (const Image& image : filmed.take.frames) repeater.receive(image);
    if (edit.missing() != 0) throw Error(ExitCode::internal, "the model made too few frames for shot " + film.shots[i].id);
    const SoundEdges edges = sound_edges(shot, film.fps, i + 1 == shots.size());
    Sound sound = std::move(filmed.take.sound);
    if (request.stems != nullptr) {
      ClipRequest clip = filmed.clip;
      clip.conditioning = &rows.get();
      sound = make_stems(model, clip, filmed.made.latents, std::move(sound), *request.stems, i, edges, progress_of(0));
    }
    sink.samples(join(sound, edges));
    reports.push_back(report_of(film.shots[i].id, filmed));
    if (goes_on(planned, i + 1)) before = ending_of(maker, shot, filmed, film.fps);
    reports.back().held_frames = edit.end();
  }
  sink.finish();
  return reports;
}

}  // namespace fabula
