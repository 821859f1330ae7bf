// `fabula export`: a plan as an editor's timeline, with a file of media for every shot.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "audio/mix.h"
#include "base/error.h"
#include "base/sha256.h"
#include "library/planning.h"
#include "library/render.h"
#include "library/version.h"
#include "planner/schema/schema.h"
#include "tools/batch/names.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/film_report.h"
#include "tools/fabula/stop.h"
#include "tools/fabula/studio.h"
#include "tools/fabula/terminal.h"
#include "tools/timeline/timeline.h"
#include "video/io/paced_sink.h"
#include "video/io/probe.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t handle_frames = 12;  // of the film, on both sides of a shot

struct ExportOptions {
  RenderOptions film;
  std::string folder;
  bool no_media = false;
  std::vector<const timeline::Format*> formats;
};

// Holds a shot's first and last picture, in silence, before and behind it.
class HandleSink : public MediaSink {
 public:
  HandleSink(std::unique_ptr<MediaSink> inner, const timeline::Handles& handles, int fps)
      : inner_(std::move(inner)), handles_(handles), fps_(fps) {
    silence(handles_.head);
  }
  void frame(const Image& image) override {
    for (std::int64_t i = is_first_ ? 0 : handles_.head; i < handles_.head; ++i) inner_->frame(image);
    is_first_ = false;
    last_ = image;
    inner_->frame(image);
  }
  void samples(std::span<const float> interleaved_stereo) override { inner_->samples(interleaved_stereo); }
  void finish() override {
    for (std::int64_t i = 0; i < handles_.held_tail; ++i) inner_->frame(last_);
    silence(handles_.held_tail);
    inner_->finish();
  }

 private:
  void silence(std::int64_t frames) {
    if (frames > 0) inner_->samples(std::vector<float>(static_cast<std::size_t>(samples_before(frames, fps_) * film_channels)));
  }

  std::unique_ptr<MediaSink> inner_;
  timeline::Handles handles_;
  int fps_;
  bool is_first_ = true;
  Image last_;
};

// The model begins a shot with its first frame, so a head can only be held; behind the end there is what the model made beyond the plan.
// One frame more than asked for, because rates round. `under_next`: frames under the next shot's transition.
timeline::Handles handles_of(const plan::Shot& shot, int fps, const ClipRequest& clip, int model_fps, std::int64_t under_next) {
  const std::int64_t made = std::int64_t{clip.frames} * fps / model_fps;
  const std::int64_t frames = frames_before(shot.start_ms + shot.duration_ms, fps) - frames_before(shot.start_ms, fps);
  timeline::Handles handles{.head = handle_frames, .tail = std::max({handle_frames + 1, under_next + 1, made - frames}), .held_tail = 0};
  handles.held_tail = handles.tail - (made - frames);
  return handles;
}

// A film of this shot alone, as long as the model makes it, from the same latents as in the whole film.
PlannedFilm alone(const PlannedFilm& planned, std::size_t index, const ClipRequest& clip, int model_fps) {
  PlannedFilm one{.film = planned.film, .shots = {planned.shots[index]}};
  plan::Shot shot = planned.film.shots[index];
  const std::int64_t made = std::int64_t{clip.frames} * planned.film.fps / model_fps;
  shot.start_ms = 0;
  shot.duration_ms = static_cast<int>((made * 1000 + planned.film.fps / 2) / planned.film.fps);
  shot.transition = plan::Transition();
  one.film.shots = {shot};
  one.film.total_ms = shot.duration_ms;
  return one;
}

class Export {
 public:
  explicit Export(const ExportOptions& options)
      : options_(options),
        source_(read_source_aloud(options.film.source, options.film.planning.format)),
        studio_(open_studio(options.film)) {}

  void run() {
    planned_ = plan_by_model(source_, studio_.bundle.folder, options_.film.planning);
    load_model(studio_, options_.film);
    request_ = film_request(options_.film, studio_, planned_.film);
    clips_ = clip_requests(planned_, studio_.model->format(), studio_.bundle.shot_frames, request_);
    how_ = sink_options(options_.film, studio_, planned_.film.fps);
    how_.existing = existing_of(options_.film.overwriting);
    how_.loudness.gain_db = 0.0;  // the mix is the editor's
    const Container& container = media_container();
    const timeline::Timeline cut = timeline_to_write(container);
    make_folders();
    std::vector<std::string> files = check_files(cut);
    if (!options_.no_media) make_media(container, cut);
    for (std::size_t i = 0; i < options_.formats.size(); ++i) {
      const std::string text = options_.formats[i]->write(cut, fs::absolute(options_.folder).lexically_normal().string());
      write_whole_file(files[i], std::as_bytes(std::span(text)), how_.existing);
      std::printf("%s\n", files[i].c_str());
    }
    report_handles();
  }

 private:
  [[nodiscard]] const Container& media_container() const {
    FormatChoice format = options_.film.format;
    if (format.codec.empty()) format.codec = "prores";
    const Container& container = container_for({}, format);
    if (container.holds != Container::Holds::both)
      throw Error(ExitCode::usage, std::string("--codec: a timeline's media have picture and sound, and ") + container.codec + " has not");
    return container;
  }

  [[nodiscard]] timeline::Timeline timeline_to_write(const Container& container) {
    for (std::size_t i = 0; i < clips_.size(); ++i)
      handles_.push_back(
          handles_of(planned_.film.shots[i], planned_.film.fps, clips_[i], studio_.model->format().fps, edges_of(planned_.film, i).handle));
    timeline::Timeline cut = timeline::timeline_of(planned_.film, how_.rate, handles_, std::string("media/{id}") + container.extension);
    cut.width = how_.width;
    cut.height = how_.height;
    return cut;
  }

  void make_folders() const {
    std::error_code failed;
    fs::create_directories(fs::path(options_.folder) / "media", failed);
    if (failed) throw Error(ExitCode::cannot_create, "the folder " + options_.folder + " cannot be created: " + failed.message());
  }

  // Refused before minutes of work. -> the timelines' names
  [[nodiscard]] std::vector<std::string> check_files(const timeline::Timeline& cut) const {
    std::vector<std::string> files;
    for (const timeline::Format* format : options_.formats) {
      files.push_back((fs::path(options_.folder) / (batch::file_word(planned_.film.title) + format->extension)).string());
      check_output(files.back(), how_.existing);
    }
    for (const timeline::Clip& clip : cut.clips) {
      if (!options_.no_media) check_output(fs::path(options_.folder) / clip.media, how_.existing);
    }
    return files;
  }

  void make_media(const Container& container, const timeline::Timeline& cut) {
    Progress progress(options_.film.progress, options_.film.quiet || options_.film.json, stdout);
    const std::size_t shots = clips_.size();
    for (std::size_t i = 0; i < shots; ++i) {
      make_shot(container, cut.clips[i], i, [&](const FilmProgress& at) {
        progress.show((static_cast<double>(i) + at.fraction) / static_cast<double>(shots), {.shot = i, .shots = shots});
        return !stop_requested();
      });
    }
    progress.clear();
  }

  void make_shot(const Container& container, const timeline::Clip& clip, std::size_t index,
                 const std::function<bool(const FilmProgress&)>& progress) {
    const int fps = planned_.film.fps;
    const PlannedFilm one = alone(planned_, index, clips_[index], studio_.model->format().fps);
    SinkOptions how = how_;
    how.title = clip.name;
    how.language = planned_.film.language;
    how.labels = FilmLabels{"Fabula " + build_version().version, label_of(clip.id)};
    how.check = [&](const fs::path& file) {
      const std::int64_t found = probe_film(file).video_frames;
      if (found < clip.media_frames())
        throw Error(ExitCode::check_failed, clip.media + " did not pass its check: " + std::to_string(found) + " of " +
                                                std::to_string(clip.media_frames()) + " frames");
    };
    auto file = container.open(fs::path(options_.folder) / clip.media, how);
    HandleSink sink(std::make_unique<PacedSink>(std::move(file), Rate{fps, 1}, how.rate), handles_[index], fps);
    ShotSounds sounds;
    FilmRequest request = request_;
    request.seed = seed_alone(request.seed, index);
    render_film(
        one, *studio_.model, studio_.bundle.shot_frames, sink,
        [&](const Sound& sound, const SoundEdges& edges) { return sounds.next(sound, edges); }, request, progress);
  }

  [[nodiscard]] std::string label_of(const std::string& shot) const {
    return Sha256().field(plan::to_json(planned_.film)).field(shot).field(std::to_string(request_.seed)).hex().substr(0, 32);
  }

  void report_handles() const {
    if (options_.film.quiet) return;
    std::string held;
    for (std::size_t i = 0; i < handles_.size(); ++i) {
      if (handles_[i].held_tail > 0) held += (held.empty() ? "" : ", ") + planned_.film.shots[i].id;
    }
    std::fprintf(stderr, "fabula: the media begin with %lld frames of the first picture, held, for transitions\n",
                 static_cast<long long>(handle_frames));
    if (!held.empty())
      std::fprintf(stderr, "fabula: the model makes no longer shots, so the handles behind %s are the last picture, held\n", held.c_str());
  }

  const ExportOptions& options_;
  Source source_;
  Studio studio_;
  PlannedFilm planned_;
  FilmRequest request_;
  std::vector<ClipRequest> clips_;
  std::vector<timeline::Handles> handles_;
  SinkOptions how_;
};

void run(ExportOptions& options, const CLI::App& command) {
  for (const timeline::Format& format : timeline::formats()) {
    if (command.count(std::string("--") + format.option) > 0) options.formats.push_back(&format);
  }
  if (options.formats.empty()) throw Error(ExitCode::usage, "export needs a kind of timeline: --otio, --edl or --fcp7");
  Export(options).run();
}

}  // namespace

void add_export_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("export", "Write a plan as an editor's timeline, with a file of media for every shot");
  command->footer(
      footer("  fabula export film.json --otio --edl -o cut\n"
             "  fabula export film.json --fcp7 --codec dnxhr --fps 25 -o cut --store shots\n\n"
             "Shots that are in the store are not made again. The sound of the media has the model's own level.",
             {0, 2, 65, 66, 69, 71, 73, 74, 76, 78, 130}));
  const auto options = std::make_shared<ExportOptions>();
  command->add_option("plan", options->film.source, "A plan (FILE.json)")->required();
  command->add_option("-o,--output", options->folder, "The folder of the timelines; the media go into its folder media")
      ->type_name("DIR")
      ->required();
  for (const timeline::Format& format : timeline::formats()) {
    const std::string what = std::string("Write ") + format.what;
    command->add_flag(std::string("--") + format.option, what);
  }
  command->add_flag("--no-media", options->no_media, "Write the timelines alone");
  add_overwrite_options(*command, options->film.overwriting);
  add_making_options(*command, options->film);
  command->callback([options, command] { run(*options, *command); });
}

}  // namespace fabula::cli
