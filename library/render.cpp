// Makes a film of a plan: the shots, the file, and what goes beside it.
#include "library/render.h"

#include <algorithm>
#include <fstream>

#include "base/error.h"
#include "base/sha256.h"
#include "engine/sample/samplers.h"
#include "library/device_choice.h"
#include "library/film_size.h"
#include "library/frames_out.h"
#include "library/shot_pictures.h"
#include "video/families.h"
#include "video/io/paced_sink.h"
#include "video/io/probe.h"

namespace fabula {

namespace fs = std::filesystem;

std::size_t available_memory() {
  std::ifstream in("/proc/meminfo");
  std::string key;
  std::size_t kilobytes = 0;
  while (in >> key >> kilobytes) {
    if (key == "MemAvailable:") return kilobytes * 1024;
    in.ignore(64, '\n');
  }
  return 0;
}

void check_memory(const Studio& studio, const PlannedFilm& planned, const FilmRequest& request) {
  const auto needed_for = [&](int frames) {
    std::size_t needed = 0;
    for (const Conditioning& conditioning : planned.shots)
      needed = std::max(needed, studio.model->footprint({&conditioning, frames, 0, request.settings}));
    return needed;
  };
  const std::size_t available = available_memory();
  std::size_t needed = 0;
  for (const ClipRequest& clip : clip_requests(planned, studio.model->format(), studio.bundle.shot_frames, request))
    needed = std::max(needed, studio.model->footprint(clip));
  if (available == 0 || needed <= available) return;
  std::string sentence =
      "a shot needs " + std::to_string(needed >> 20) + " MB of memory and " + std::to_string(available >> 20) + " MB are free";
  int fits = 0;
  for (const int frames : studio.bundle.shot_frames) {
    if (frames > fits && needed_for(frames) <= available) fits = frames;
  }
  if (fits > 0) sentence += "; shots of at most " + std::to_string(fits * 1000 / studio.model->format().fps) + " ms would fit";
  throw Error(ExitCode::out_of_memory, sentence);
}

void load_model(Studio& studio, const FilmOptions& options) {
  studio.model = load_clip_model(studio.bundle.folder, precision_of(options.planning.model.precision), machine_of(options.planning.model));
}

FilmRequest film_request(const FilmOptions& options, const Studio& studio, const plan::Film& film) {
  FilmRequest request;
  request.seed = options.seed.value_or(static_cast<std::uint64_t>(film.seed.value_or(0)));
  request.settings.sampler = sampler_named(options.sampler).name;
  request.settings.steps = options.steps > 0 ? options.steps : studio.bundle.steps;
  request.store = studio.store.get();
  request.only_stored = options.assemble;
  request.gate = !options.no_gate;
  return request;
}

bool check_outputs(const FilmOptions& options, const std::vector<std::string>& inputs) {
  const std::string& film = options.output;
  check_subtitles(container_for(film, options.format), options.delivery);
  if (film.empty()) check_output("film.mp4", Existing::keep_both);  // the name comes with the plan, the folder is known now
  if (!may_write(film, options.overwriting, options.planning.caller, inputs)) return false;
  check_beside(film, options.delivery, options.overwriting, options.planning.caller, inputs);
  check_frames_out(options.frames_out);
  check_receipt_options(options.receipt, film, options.overwriting.overwrite);
  return true;
}

// A small canvas is enlarged by a whole number, which players would do worse.
SinkOptions sink_options(const FilmOptions& options, const Studio& studio, int fps) {
  constexpr int comfortable_height = 480;
  const ClipFormat format = studio.model->format();
  SinkOptions sink;
  sink.crf = options.crf;
  const int factor = options.scale > 0 ? options.scale : (comfortable_height + format.height - 1) / format.height;
  sink.width = format.width * factor;
  sink.height = format.height * factor;
  FormatChoice choice = options.format;
  if (studio.is_published) choice.aspect.clear();  // the shape in which its clips are made
  set_format(choice, fps, sink);
  sink.existing = options.output.empty() ? Existing::keep_both : existing_of(options.overwriting);
  return sink;
}

double writing_seconds(const plan::Film& film, const SinkOptions& sink) {
  constexpr double pixels_a_second = 60e6, sound_seconds_a_second = 0.15;
  const double sound = film.total_ms / 1000.0 * sound_seconds_a_second;
  return film.shots.empty() ? sound : sound + pixels_in(sink, film.shots.back().duration_ms) / pixels_a_second;
}

namespace {

// Every film is read back before it gets its name.
void verify_film(const fs::path& file, const std::string& name, const Container& container, std::int64_t frames) {
  const FilmProbe probe = probe_film(file);
  const std::int64_t expected = container.holds == Container::Holds::sound ? 0 : frames;
  const bool needs_sound = container.holds != Container::Holds::picture;
  if (probe.video_frames != expected || (needs_sound && !probe.has_audio)) {
    throw Error(ExitCode::check_failed, name + " did not pass its check: " + std::to_string(probe.video_frames) + " of " +
                                            std::to_string(expected) + " frames" + (!needs_sound || probe.has_audio ? "" : ", no sound"));
  }
}

// A published folder films anything and lists nothing.
World world_of(const Studio& studio) { return studio.is_published ? World{} : World::open(studio.bundle.folder / "world.json"); }

// What the receipt of a film needs to know of its making.
Receipt receipt_draft(const FilmOptions& options, const plan::Film& planned, std::uint64_t seed, const SinkOptions& how) {
  Receipt receipt;
  receipt.width = how.width;
  receipt.height = how.height;
  receipt.seed = seed;
  receipt.precision = name_of(precision_of(options.planning.model.precision));
  receipt.plan = planned;
  for (std::size_t i = 0; i < options.receipt.loras.size(); ++i)
    receipt.model.parts.emplace_back("lora " + std::to_string(i + 1), options.receipt.digest(options.receipt.loras[i]));
  return receipt;
}

}  // namespace

FilmInTheMaking make_film(const FilmOptions& options, Studio& studio, const PlannedFilm& planned, const std::string& output,
                          const FilmHooks& hooks) {
  const plan::Film& film = planned.film;
  FilmInTheMaking making;
  making.output = output;
  making.how = sink_options(options, studio, film.fps);
  making.beside.reset(new BesideTheFilm{.options = options, .film = film, .world = world_of(studio)});
  BesideTheFilm& beside = *making.beside;
  const DeliveryChoice& delivery = beside.options.delivery;
  beside.subtitles = deliver(beside.film, beside.world, delivery, making.how);
  const Container& container = container_for(output, options.format);
  check_subtitles(container, delivery);
  making.container = &container;
  check_disk(output, estimated_film_bytes(container, making.how, film.total_ms), film.total_ms);
  const Rate film_rate = {film.fps, 1};
  const std::int64_t frames =
      frames_at(frames_before(film.total_ms, film.fps) + card_frames(delivery, film.fps), film_rate, making.how.rate);
  making.how.check = [output, hooks, &container, frames](const fs::path& finished) {
    verify_film(finished, output, container, frames);
    if (hooks.on_whole) hooks.on_whole(finished);
  };
  FilmRequest request = film_request(options, studio, film);
  beside.receipt.emplace(beside.options.receipt, options.output, studio.bundle,
                         receipt_draft(options, planned.as_planned(), request.seed, making.how));
  beside.receipt->prepare(making.how);
  if (delivery.needs_stems()) {
    beside.stems.emplace(beside.film, beside.world, delivery, beside.options.overwriting);
    request.stems = &beside.stems->request();
  }
  auto file = container.open(output, making.how);
  making.file = file.get();
  making.writing = std::make_unique<BackgroundSink>(std::make_unique<PacedSink>(std::move(file), film_rate, making.how.rate));
  RecordedSink recorded(*making.writing, beside.stems ? &*beside.stems : nullptr);
  CardSink with_cards(recorded, cards_of(film, delivery, making.how));
  FramesOut frames_out(with_cards, options.frames_out);
  ShotPictures pictures(frames_out, film, hooks.on_picture);
  TeeSink tee(pictures, hooks.media);
  ShotSounds sounds;
  const SoundJoin join = [&](const Sound& sound, const SoundEdges& edges) { return sounds.next(sound, edges); };
  making.shots = render_film(planned, *studio.model, studio.bundle.shot_frames, tee, join, request, hooks.progress);
  return making;
}

void complete(FilmInTheMaking& making) {
  making.writing->wait();
  BesideTheFilm& beside = *making.beside;
  const FilmOptions& options = beside.options;
  const std::optional<Mastered>& sound = making.file->mastered();
  if (beside.stems && sound) making.stem_residual_db = beside.stems->finish(*sound, making.how.loudness);
  write_sidecars(making.file->output(), !options.output.empty(), beside.subtitles, options.delivery, options.overwriting);
  beside.receipt->write(making.file->output(), making.shots, sound, options.overwriting.overwrite);
}

}  // namespace fabula
