// The C API: every call is one of the functions that the command line calls, with its options read by the same table.
#include "library/fabula.h"

#include <dlfcn.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio/mix.h"
#include "library/bundle_near.h"
#include "library/device_choice.h"
#include "library/failure.h"
#include "library/film_notes.h"
#include "library/pace.h"
#include "library/planning.h"
#include "library/render.h"
#include "library/version.h"
#include "planner/schema/schema.h"

using namespace fabula;
namespace fs = std::filesystem;

struct fabula_options {
  std::map<std::string, std::string> given;  // name -> value, as receipts have them
  std::string error;
};

struct fabula_model {
  Studio studio;
  ModelOptions opened;  // its folder is empty until then
  std::atomic<bool> is_stopped = false;
  std::string error, notes;
};

struct fabula_plan {
  PlannedFilm planned;
  std::string json;
  std::string maker;  // of the states: maker_of()
};

namespace {

// What a model is opened with. (Nothing depends on the number of threads.)
constexpr std::array<std::pair<const char*, std::string ModelOptions::*>, 2> of_the_model = {
    {{"precision", &ModelOptions::precision}, {"device", &ModelOptions::device}}};
// What is for a terminal, or an argument of a call.
constexpr std::array<std::string_view, 8> not_offered = {"help", "model", "format", "verbose", "no-store", "no-cast", "no-clobber", "c2pa"};

bool is_among(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// No thread that computes runs a signal handler of the program around us (docs/DESIGN.md, section 6). Threads that start meanwhile inherit
// the mask.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t all;
    sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, fault);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

 private:
  sigset_t before_;
};

// Runs `work`; what it throws becomes a code, and a sentence in `error`.
template <typename Work>
int guarded(std::string& error, Work&& work) noexcept {
  const HeldSignals held;
  try {
    work();
    return FABULA_DONE;
  } catch (...) {
    try {
      Failure failure = current_failure();
      error = std::move(failure.sentence);
      return static_cast<int>(failure.code);
    } catch (...) {  // no memory even for the sentence
      error.clear();
      return FABULA_OUT_OF_MEMORY;
    }
  }
}

void require(const void* argument, const char* what) {
  if (argument == nullptr) throw Error(ExitCode::usage, std::string(what) + " is missing: NULL was given");
}

void read_options(const std::map<std::string, std::string>& given, FilmOptions& options) {
  CLI::App app;
  add_film_options(app, options);
  add_overwrite_options(app, options.overwriting);
  std::vector<std::string> arguments;
  for (const auto& [name, value] : given) arguments.push_back("--" + name + "=" + value);
  std::reverse(arguments.begin(), arguments.end());  // the order that CLI11 takes them in
  app.parse(std::move(arguments));
}

void require_known(const std::string& name) {
  FilmOptions options;
  CLI::App app;
  add_film_options(app, options);
  add_overwrite_options(app, options.overwriting);
  if (is_among(not_offered, name) || name.empty() || app.get_option_no_throw("--" + name) == nullptr)
    throw Error(ExitCode::usage, "there is no option \"" + name + "\"");
}

// Whether one option needs or excludes another is seen when they are used.
void check_value(const std::string& name, const std::string& value) {
  try {
    FilmOptions ignored;
    read_options({{name, value}}, ignored);
  } catch (const CLI::RequiresError&) {
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::usage, error.what());
  }
}

// The options of a call: those of a film, and those that the model was opened with. What there is to say goes to the model's notes.
FilmOptions options_of(fabula_model& model, const fabula_options* given) {
  FilmOptions options;
  options.planning.caller = {.say = [&model](const std::string& sentence) { model.notes += sentence + "\n"; },
                             .is_waiting = [&model] { return !model.is_stopped; }};
  if (given == nullptr) return options;
  try {
    read_options(given->given, options);
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::usage, error.what());
  }
  for (const auto& [name, value] : given->given) {
    if (is_recorded(name)) options.receipt.recorded.push_back(recorded(name, value));
  }
  std::sort(options.receipt.recorded.begin(), options.receipt.recorded.end());
  return options;
}

FilmOptions options_of_call(fabula_model& model, const fabula_options* given) {
  if (model.opened.model.empty()) throw Error(ExitCode::usage, "the model has not been opened");
  FilmOptions options = options_of(model, given);
  const ModelOptions& asked = options.planning.model;
  for (const auto& [name, member] : of_the_model) {
    if (given != nullptr && given->given.contains(name) && asked.*member != model.opened.*member)
      throw Error(ExitCode::usage, std::string(name) + " was settled by fabula_model_open()");
  }
  options.planning.model = model.opened;
  options.planning.cast.none = options.planning.cast.file.empty();
  options.store.none = options.store.folder.empty();
  return options;
}

// One call on a model: its notes begin anew, and a request to stop ends with it.
template <typename Work>
int call(fabula_model* model, Work&& work) noexcept {
  if (model == nullptr) return FABULA_USAGE;
  const int code = guarded(model->error, [&] {
    model->notes.clear();
    work(*model);
  });
  model->is_stopped = false;
  return code;
}

fs::path own_bundle() {
  Dl_info here{};
  fs::path library;
  if (dladdr(reinterpret_cast<const void*>(&fabula_version), &here) != 0 && here.dli_fname != nullptr)
    library = fs::canonical(here.dli_fname);
  const fs::path bundle = bundle_near(library);
  if (bundle.empty()) throw Error(ExitCode::unavailable, "no model is installed near " + library.string() + ": name the folder of one");
  return bundle;
}

std::string maker_of(const fabula_model& model) { return model.opened.model + "\n" + name_of(precision_of(model.opened.precision)); }

fabula_plan* plan_of(fabula_model& model, const Source& source, const FilmOptions& options) {
  for (const std::string& note : source.notes) options.planning.caller.tell(note);
  auto plan = std::make_unique<fabula_plan>();
  plan->planned = plan_by_model(source, model.studio.bundle.folder, options.planning);
  plan->json = plan::to_json(plan->planned.as_planned()) + "\n";
  plan->maker = maker_of(model);
  return plan.release();
}

// The caller's callbacks, as the film's hooks.
class Callbacks {
 public:
  Callbacks(const fabula_callbacks* given, const fabula_model& model) : model_(model) {
    if (given == nullptr) return;
    if (given->size < sizeof(given->size)) throw Error(ExitCode::usage, "fabula_callbacks.size is to be sizeof(fabula_callbacks)");
    std::memcpy(&callbacks_, given, std::min(given->size, sizeof callbacks_));
  }

  /// For the time left: how long the file is still being written once its shots are made.
  void expect_writing(std::size_t shots, double seconds) { pace_.begin({0.0, 1.0, 1.0 / static_cast<double>(shots), seconds}); }

  [[nodiscard]] FilmHooks hooks() {
    FilmHooks hooks{.progress = [this](const FilmProgress& at) { return goes_on(at); }, .on_picture = {}, .on_whole = {}};
    if (callbacks_.frame != nullptr) {
      hooks.media.frame = [this](const Image& image) {
        require_going(callbacks_.frame(callbacks_.user, image.rgb.data(), image.width, image.height));
      };
    }
    if (callbacks_.samples != nullptr) {
      hooks.media.samples = [this](std::span<const float> samples) {
        require_going(callbacks_.samples(callbacks_.user, samples.data(), samples.size() / film_channels));
      };
    }
    return hooks;
  }

 private:
  [[nodiscard]] bool goes_on(const FilmProgress& at) const {
    if (model_.is_stopped) return false;
    if (callbacks_.progress == nullptr) return true;
    fabula_progress progress{};
    progress.size = sizeof progress;
    progress.shot = at.shot;
    progress.shots = at.shots;
    progress.attempt = at.attempt;
    progress.step = at.done;
    progress.steps = at.total;
    progress.fraction = at.fraction;
    progress.seconds_left = pace_.left(at.fraction, Pace::Clock::now());
    return callbacks_.progress(callbacks_.user, &progress) == 0 && !model_.is_stopped;
  }

  void require_going(int code) const {
    if (code != 0 || model_.is_stopped) throw Error(ExitCode::interrupted, "the film was stopped");
  }

  const fabula_model& model_;
  fabula_callbacks callbacks_{};
  Pace pace_;
};

// A film that has no file.
class Nowhere final : public MediaSink {
 public:
  void frame(const Image&) override {}
  void samples(std::span<const float>) override {}
  void finish() override {}
};

void film_to_callbacks(fabula_model& model, const PlannedFilm& planned, const FilmRequest& request, const FilmHooks& hooks,
                       const Caller& caller) {
  Nowhere nowhere;
  TeeSink tee(nowhere, hooks.media);
  ShotSounds sounds;
  const auto join = [&](const Sound& sound, const SoundEdges& edges) { return sounds.next(sound, edges); };
  const auto shots = render_film(planned, *model.studio.model, model.studio.bundle.shot_frames, tee, join, request, hooks.progress);
  for (const std::string& note : shot_notes(shots, model.studio)) caller.tell(note);
}

void render(fabula_model& model, const fabula_plan& plan, const char* file, const fabula_options* given,
            const fabula_callbacks* callbacks) {
  FilmOptions options = options_of_call(model, given);
  if (plan.maker != maker_of(model)) throw Error(ExitCode::usage, "the plan was made by another model or in another precision");
  Callbacks heard(callbacks, model);
  if (file != nullptr) options.output = file;
  if (file != nullptr && options.output.empty()) throw Error(ExitCode::usage, "the film's file has no name");
  if (file != nullptr) (void)check_outputs(options, {options.planning.cast.file});
  model.studio.store = open_store(options.store, options.store.folder, device_profile(model.opened.device));
  if (!model.studio.model) load_model(model.studio, options);
  const FilmRequest request = film_request(options, model.studio, plan.planned.film);
  check_memory(model.studio, plan.planned, request);
  const FilmHooks hooks = heard.hooks();
  if (file == nullptr) return film_to_callbacks(model, plan.planned, request, hooks, options.planning.caller);
  const plan::Film& film = plan.planned.film;
  heard.expect_writing(film.shots.size(), writing_seconds(film, sink_options(options, model.studio, film.fps)));
  FilmInTheMaking making = make_film(options, model.studio, plan.planned, options.output, hooks);
  complete(making);
  for (const std::string& note : film_notes(making, model.studio)) options.planning.caller.tell(note);
}

}  // namespace

const char* fabula_version(void) { return version_number(); }

int fabula_api_version(void) { return FABULA_API_VERSION; }

fabula_options* fabula_options_new(void) { return new (std::nothrow) fabula_options; }

void fabula_options_free(fabula_options* options) { delete options; }

int fabula_options_set(fabula_options* options, const char* name, const char* value) {
  if (options == nullptr) return FABULA_USAGE;
  return guarded(options->error, [&] {
    require(name, "the option's name");
    require_known(name);
    if (value != nullptr) check_value(name, value);
    if (value == nullptr)
      options->given.erase(name);
    else
      options->given[name] = value;
  });
}

const char* fabula_options_error(const fabula_options* options) { return options == nullptr ? "" : options->error.c_str(); }

fabula_model* fabula_model_new(void) { return new (std::nothrow) fabula_model; }

void fabula_model_free(fabula_model* model) { delete model; }

int fabula_model_open(fabula_model* model, const char* folder, const fabula_options* options) {
  return call(model, [&](fabula_model& opening) {
    if (!opening.opened.model.empty()) throw Error(ExitCode::usage, "the model is open already");
    ModelOptions how = options_of(opening, options).planning.model;
    how.model = folder == nullptr ? own_bundle().string() : folder;
    (void)device_profile(how.device);  // refused now where there is no such device
    opening.studio.bundle = Bundle::open(how.model);
    opening.opened = how;
  });
}

const char* fabula_model_error(const fabula_model* model) { return model == nullptr ? "" : model->error.c_str(); }

const char* fabula_model_notes(const fabula_model* model) { return model == nullptr ? "" : model->notes.c_str(); }

void fabula_model_cancel(fabula_model* model) {
  if (model != nullptr) model->is_stopped = true;
}

int fabula_plan_write(fabula_model* model, const char* prompt, const fabula_options* options, fabula_plan** plan) {
  if (plan != nullptr) *plan = nullptr;
  return call(model, [&](fabula_model& planning) {
    require(plan, "the place for the plan");
    require(prompt, "the prompt");
    const FilmOptions how = options_of_call(planning, options);
    const std::string text = prompt;
    const Source source = source_of_text(text, text.find('\n') == std::string::npos ? Format::prompt : Format::automatic, "the prompt");
    if (source.is_plan) throw Error(ExitCode::usage, "this is a plan already: fabula_plan_read() reads it");
    *plan = plan_of(planning, source, how);
  });
}

int fabula_plan_read(fabula_model* model, const char* json, const fabula_options* options, fabula_plan** plan) {
  if (plan != nullptr) *plan = nullptr;
  return call(model, [&](fabula_model& reading) {
    require(plan, "the place for the plan");
    require(json, "the plan");
    const FilmOptions how = options_of_call(reading, options);
    *plan = plan_of(reading, source_of_text(json, Format::plan, "the plan"), how);
  });
}

void fabula_plan_free(fabula_plan* plan) { delete plan; }

const char* fabula_plan_json(const fabula_plan* plan) { return plan == nullptr ? "" : plan->json.c_str(); }

size_t fabula_plan_shots(const fabula_plan* plan) { return plan == nullptr ? 0 : plan->planned.as_planned().shots.size(); }

int fabula_plan_milliseconds(const fabula_plan* plan) { return plan == nullptr ? 0 : plan->planned.as_planned().total_ms; }

int fabula_render(fabula_model* model, const fabula_plan* plan, const char* file, const fabula_options* options,
                  const fabula_callbacks* callbacks) {
  return call(model, [&](fabula_model& filming) {
    require(plan, "the plan");
    render(filming, *plan, file, options, callbacks);
  });
}
