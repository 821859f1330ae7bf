// `fabula render` and `fabula assemble`: a prompt, a plan or finished shots become a film.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/stopwatch.h"
#include "library/planning.h"
#include "library/render.h"
#include "planner/schema/schema.h"
#include "tools/batch/names.h"
#include "tools/fabula/cast_file.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/dry_run.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/film_report.h"
#include "tools/fabula/h3_film.h"
#include "tools/fabula/output.h"
#include "tools/fabula/preview.h"
#include "tools/fabula/render_options.h"
#include "tools/fabula/sign.h"
#include "tools/fabula/stop.h"
#include "tools/fabula/studio.h"
#include "tools/fabula/terminal.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

// "A fox at night" -> "a_fox_at_night.mp4"
std::string file_name_of(const std::string& title, const FormatChoice& format) { return batch::file_word(title) + ending_for(format); }

// Whether two names mean one file, which need not exist.
bool same_name(const std::string& a, const std::string& b) {
  std::error_code failed;
  return fs::weakly_canonical(fs::absolute(a), failed) == fs::weakly_canonical(fs::absolute(b), failed) && !is_stream(a);
}

// What is to be written. Refused before minutes of work, not after.
struct Wanted {
  bool film, plan;
};
Wanted wanted(const RenderOptions& options) {
  const std::string& film = options.output;
  if (!film.empty() && !options.save_plan.empty() && same_name(film, options.save_plan))
    throw Error(ExitCode::usage, "the film and its plan are both to be " + film);
  std::vector<std::string> inputs = {options.planning.cast.file, options.from_receipt};
  if (options.source == "-" || is_source_file(options.source)) inputs.push_back(options.source);
  const bool writes_film = check_outputs(options, inputs);
  if (writes_film && !options.receipt.signer.empty()) require_signer(options.receipt.signer);
  return {writes_film, writes_film && !options.save_plan.empty() && may_write(options.save_plan, options.overwriting, terminal(), inputs)};
}

// "s010,s030-s050" -> indices in the film's order.
std::vector<std::size_t> selected_shots(const std::string& selection, const plan::Film& film) {
  const auto index_of = [&](const std::string& id) {
    const auto found = std::find_if(film.shots.begin(), film.shots.end(), [&](const plan::Shot& shot) { return shot.id == id; });
    if (found == film.shots.end()) throw Error(ExitCode::usage, "--shots: the film has no shot " + id);
    return static_cast<std::size_t>(found - film.shots.begin());
  };
  std::set<std::size_t> indices;
  std::istringstream parts(selection);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t dash = part.find('-');
    const std::size_t first = index_of(part.substr(0, dash));
    const std::size_t last = dash == std::string::npos ? first : index_of(part.substr(dash + 1));
    if (last < first) throw Error(ExitCode::usage, "--shots: " + part + " runs backwards");
    for (std::size_t i = first; i <= last; ++i) indices.insert(i);
  }
  return {indices.begin(), indices.end()};
}

// A planned film and what makes it.
struct Production {
  Studio studio;
  PlannedFilm planned;
  FilmRequest request;
  std::vector<Stage> stages;
};

Production prepare(const RenderOptions& options, const Source& source, bool writes_plan) {
  Production p{.studio = open_studio(options), .planned = {}, .request = {}, .stages = {}};
  const Stopwatch planning;
  if (p.studio.is_published) {
    PublishedFilm published = plan_published(source, options);
    p.studio.bundle = std::move(published.bundle);
    p.studio.model = std::move(published.model);
    p.planned = std::move(published.planned);
  } else {
    require_published(options);
    p.planned = plan_by_model(source, p.studio.bundle.folder, options.planning);
  }
  p.request = film_request(options, p.studio, p.planned.film);
  if (writes_plan) write_output(options.save_plan, plan::to_json(p.planned.as_planned()) + "\n", options.overwriting);
  p.stages.push_back({"plan", planning.seconds()});

  const Stopwatch loading;
  if (!p.studio.model) load_model(p.studio, options);
  check_memory(p.studio, p.planned, p.request);
  p.stages.push_back({"load", loading.seconds()});
  return p;
}

// The shares of a film's time. Shots take most of it; writing goes on beside them, and ends after them.
constexpr double shots_begin = 0.03, shots_end = 0.9;

// Shows how far the shots are; false once the work is to stop.
std::function<bool(const FilmProgress&)> shown_on(Progress& progress, std::size_t shots, double seconds_of_writing) {
  progress.pace().begin({shots_begin, shots_end, (shots_end - shots_begin) / static_cast<double>(shots), seconds_of_writing});
  return [&progress](const FilmProgress& p) {
    progress.show(shots_begin + p.fraction * (shots_end - shots_begin), {.shot = p.shot, .shots = p.shots, .attempt = p.attempt});
    return !stop_requested();
  };
}

// What fails is told to those who follow the progress, too.
template <typename Work>
void followed(const RenderOptions& options, Work&& work) {
  Progress progress(options.progress, options.quiet || options.json || options.dry_run, results_stream(options.output));
  try {
    progress.show(0.0, {.stage = "planning"});
    work(progress);
  } catch (const Error& error) {
    progress.fail(error);
    throw;
  }
}

Source source_of(const RenderOptions& options) {
  if (options.receipt.again) return {.prompt = {}, .is_plan = true, .film = options.receipt.again->plan};
  return read_source_aloud(options.source, options.planning.format);
}

void film_planned(const RenderOptions& options, Production p, Progress& progress) {
  const plan::Film& film = p.planned.film;
  const std::string output = options.output.empty() ? file_name_of(film.title, options.format) : options.output;
  if (options.dry_run) return print_dry_run(options, p.studio, p.planned, p.request, output, sink_options(options, p.studio, film.fps));
  const Stopwatch rendering;
  Preview preview(output, options.preview);
  Posters posters(options.posters, film);
  const auto shown = shown_on(progress, film.shots.size(), writing_seconds(film, sink_options(options, p.studio, film.fps)));
  std::size_t filmed = 0;  // shots whose states go: what grows with the film's length is not kept to its end
  const FilmHooks hooks{.progress =
                            [&](const FilmProgress& at) {
                              for (; filmed < at.shot; ++filmed) p.planned.shots[filmed] = {};
                              preview.poll();
                              return shown(at);
                            },
                        .on_picture =
                            [&](const Image& picture) {
                              posters.add(picture);
                              preview.add(picture);
                            },
                        .on_whole = {}};
  FilmInTheMaking making = make_film(options, p.studio, p.planned, output, hooks);
  progress.show(shots_end, {.stage = "writing"});
  complete(making);
  progress.show(1.0, {.stage = "done"});
  progress.clear();
  add_stage_times(p.stages, *p.studio.model, rendering.seconds());
  remember_film(options.planning.cast, film);
  report_notes(options, film_notes(making, p.studio));
  report(options, p.request.seed, film,
         {making.file->output(), making.how.width, making.how.height, making.shots, making.file->mastered(), std::move(p.stages)},
         progress);
}

void film_source(const RenderOptions& options) {
  const Source source = source_of(options);
  const auto [writes_film, writes_plan] = wanted(options);
  if (!writes_film) return;
  followed(options, [&, plans = writes_plan && !options.dry_run](Progress& progress) {
    film_planned(options, prepare(options, source, plans), progress);
  });
}

void make_shots_of(const RenderOptions& options, Production p, Progress& progress) {
  ShotStore* store = p.studio.store.get();
  if (store == nullptr) throw Error(ExitCode::usage, "--shots makes shots for a store: name one with --store DIR");
  const std::vector<std::size_t> indices = selected_shots(options.shots, p.planned.film);
  const auto shots =
      make_shots(p.planned, *p.studio.model, p.studio.bundle.shot_frames, indices, p.request, shown_on(progress, indices.size(), 0.0));
  progress.show(1.0, {.stage = "done"});
  progress.clear();
  if (!store->failure().empty()) throw Error(ExitCode::io, store->failure());
  report_notes(options, shot_notes(shots, p.studio));
  report_shots(options, shots, progress);
}

void make_selected_shots(const RenderOptions& options) {
  const Source source = source_of(options);
  followed(options, [&](Progress& progress) { make_shots_of(options, prepare(options, source, false), progress); });
}

void run(const RenderOptions& given) {
  if (given.from_receipt.empty() && given.source.empty())
    throw Error(ExitCode::usage, "render needs a prompt, a plan, a screenplay, or --from-receipt FILE");
  const RenderOptions options = given.from_receipt.empty() ? given : options_of_receipt(given);
  if (options.shots.empty())
    film_source(options);
  else
    make_selected_shots(options);
}

}  // namespace

void add_render_command(CLI::App& app) {
  CLI::App* render = app.add_subcommand("render", "Render a prompt or a plan to a film");
  render->footer(
      footer("  fabula render \"A fox runs through a forest at night. It says: hello moon.\"\n"
             "  fabula render fox.json -o fox.mp4 --seed 7\n"
             "  fabula render story.fountain --save-plan story.json\n"
             "  fabula render film.json --shots s020 --store shots\n"
             "  fabula render --from-receipt fox.fabula.json -o again.mp4\n"
             "  fabula render film.json --dry-run\n"
             "  fabula render \"A red fox.\" --model H3 --first-frame fox.png --seconds 6\n"
             "  echo \"A crab on the beach.\" | fabula render - -o crab.mp4",
             {0, 2, 65, 66, 69, 71, 73, 74, 76, 78, 130}));
  const auto options = std::make_shared<RenderOptions>();
  render->add_option("source", options->source,
                     "A prompt, a screenplay (FILE.fountain), a plan (FILE.json), or - to read a prompt or a plan from standard input");
  add_output_options(*render, *options);
  add_film_options(*render, *options);
  add_save_plan_option(*render, *options);
  render->add_option("--frames-out", options->frames_out, "Also write every frame, as it is before it is encoded, as a PNG")
      ->type_name("DIR");
  render->add_option("--posters", options->posters, "Also write a small picture of each shot as it is made, SHOT.jpg")->type_name("DIR");
  render->add_flag(
      "--dry-run", options->dry_run,
      "Print the plan, the paths, the shots to make and to reuse, the memory, and about how much disk and time; write nothing");
  render->add_option("--shots", options->shots, "Make these shots into the store and no film: ids and ranges, such as s010,s030-s050")
      ->type_name("IDS")
      ->excludes("--output")
      ->excludes("--save-plan")
      ->excludes("--dry-run")
      ->excludes("--no-store");
  render->add_option("--from-receipt", options->from_receipt, "Make the film of a receipt again, to the byte, or say what differs")
      ->type_name("FILM.fabula.json")
      ->excludes("--c2pa")
      ->excludes("--shots");
  render->callback([options, render] {
    keep_reference_order(*render, options->clip);
    options->receipt.recorded = recorded_options(*render);
    options->receipt.loras = lora_files(options->clip);
    run(*options);
  });
}

void add_assemble_command(CLI::App& app) {
  CLI::App* assemble = app.add_subcommand("assemble", "Make the film of a plan from shots that are in the store already");
  assemble->footer(
      footer("  fabula render film.json --shots s010-s030 --store shots     (on one machine)\n"
             "  fabula render film.json --shots s040-s060 --store shots     (on another)\n"
             "  fabula assemble film.json --store shots -o film.mp4\n\n"
             "The seed, the steps and the model must be those that the shots were made with.",
             {0, 2, 65, 66, 69, 73, 74, 75, 76, 78, 130}));
  const auto options = std::make_shared<RenderOptions>();
  options->assemble = true;
  assemble->add_option("plan", options->source, "A plan (FILE.json)")->required();
  add_output_options(*assemble, *options);
  add_film_options(*assemble, *options);
  assemble->callback([options, assemble] {
    keep_reference_order(*assemble, options->clip);
    options->receipt.recorded = recorded_options(*assemble);
    options->receipt.loras = lora_files(options->clip);
    run(*options);
  });
}

}  // namespace fabula::cli
