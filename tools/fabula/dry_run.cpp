// Sizes a film: memory exactly, by dry runs of its shots; disk and time by estimate.
#include "tools/fabula/dry_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/stopwatch.h"
#include "planner/schema/schema.h"
#include "planner/text/text.h"
#include "tools/fabula/megabytes.h"
#include "tools/fabula/stop.h"
#include "tools/fabula/store_location.h"

namespace fabula::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

struct Sizes {
  std::vector<std::string> to_make, to_reuse;  // ids of shots
  std::vector<std::string> remade;             // of those to reuse: the first attempt did not pass the gate
  std::size_t memory = 0;                      // exact, of the largest shot
  std::uint64_t film = 0, store = 0;           // bytes
  double seconds = 0.0;
};

// One step and the decoding of one shot, made and thrown away: what a shot takes here and now.
void measure(Sizes& sizes, ClipModel& model, ClipRequest clip) {
  const auto alive = [](int, int) { return !stop_requested(); };
  const int steps = clip.settings.steps;
  clip.settings.steps = 1;
  const Stopwatch denoising;
  const CleanLatents latents = model.denoise(clip, alive);
  const double step = denoising.seconds();
  const Stopwatch decoding;
  static_cast<void>(model.decode(
      clip, latents, [](const Image&) {}, alive));
  const double decode = decoding.seconds();
  const auto made = static_cast<double>(sizes.to_make.size()), all = made + static_cast<double>(sizes.to_reuse.size());
  sizes.seconds += made * steps * step + all * decode;
  sizes.store = sizes.to_make.size() * (latents.video.values.size() + latents.audio.values.size()) * sizeof(float);
}

Sizes sizes_of(const RenderOptions& options, Studio& studio, const PlannedFilm& planned, const FilmRequest& request,
               const std::string& output, const SinkOptions& how) {
  Sizes sizes;
  const std::vector<ClipRequest> clips = clip_requests(planned, studio.model->format(), studio.bundle.shot_frames, request);
  const std::vector<int> kept = kept_attempts(planned, *studio.model, studio.bundle.shot_frames, request);
  const ClipRequest* longest = nullptr;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const bool is_kept = kept[i] > 0;
    (is_kept ? sizes.to_reuse : sizes.to_make).push_back(planned.film.shots[i].id);
    if (kept[i] > 1 && request.gate) sizes.remade.push_back(planned.film.shots[i].id);
    sizes.memory = std::max(sizes.memory, studio.model->footprint(clips[i]));
    if (longest == nullptr || clips[i].frames > longest->frames) longest = &clips[i];
  }
  sizes.film = estimated_film_bytes(container_for(output, options.format), how, planned.film.total_ms);
  const int threads = thread_count(options.planning.model.threads);
  constexpr double encoded_pixels_a_second = 50e6;  // x264's "superfast" on one core
  sizes.seconds = pixels_in(how, planned.film.total_ms) / (encoded_pixels_a_second * std::min(threads, 4));
  if (longest != nullptr) measure(sizes, *studio.model, *longest);
  return sizes;
}

ordered_json json_of(const Sizes& sizes, const PlannedFilm& planned, const std::string& output, const std::string& store) {
  return {{"film", output},
          {"store", store},
          {"shots_to_make", sizes.to_make},
          {"shots_to_reuse", sizes.to_reuse},
          {"shots_remade", sizes.remade},
          {"memory_bytes", sizes.memory},
          {"estimated_film_bytes", sizes.film},
          {"estimated_store_bytes", sizes.store},
          {"estimated_seconds", std::round(sizes.seconds * 10.0) / 10.0},
          {"plan", ordered_json::parse(plan::to_json(planned.film))}};
}

void print(const Sizes& sizes, const PlannedFilm& planned, const std::string& output, const std::string& store) {
  const plan::Film& film = planned.film;
  std::printf("%s, %.1f s\n", printable(film.title).c_str(), film.total_ms / 1000.0);
  for (const plan::Shot& shot : film.shots) {
    const bool is_kept = std::find(sizes.to_reuse.begin(), sizes.to_reuse.end(), shot.id) != sizes.to_reuse.end();
    std::printf("  %s  %6.2f s  %-6s  %s", shot.id.c_str(), shot.duration_ms / 1000.0, is_kept ? "reuse" : "make", shot.place.c_str());
    for (const plan::ActionBeat& beat : shot.action_beats)
      std::printf(", %s %s", printable(beat.who).c_str(), printable(beat.what).c_str());
    std::printf("\n");
  }
  std::printf("film    %s, about %.1f MB\n", output.c_str(), megabytes(sizes.film));
  if (!store.empty()) std::printf("store   %s, about %.1f MB more\n", store.c_str(), megabytes(sizes.store));
  std::printf("memory  %.1f MB for the largest shot, beside the model\n", megabytes(sizes.memory));
  std::printf("time    about %.0f s\n", std::ceil(sizes.seconds));
  if (!sizes.remade.empty()) std::printf("remade  %s: the first attempt did not pass the check\n", joined(sizes.remade).c_str());
}

}  // namespace

void print_dry_run(const RenderOptions& options, Studio& studio, const PlannedFilm& planned, const FilmRequest& request,
                   const std::string& output, const SinkOptions& how) {
  check_memory(studio, planned, request);
  const Sizes sizes = sizes_of(options, studio, planned, request, output, how);
  check_disk(output, sizes.film, planned.film.total_ms);
  const std::string store = options.store.none ? "" : store_folder(options.store.folder).string();
  if (options.json)
    std::printf("%s\n", json_of(sizes, planned, output, store).dump(2).c_str());
  else
    print(sizes, planned, output, store);
}

}  // namespace fabula::cli
