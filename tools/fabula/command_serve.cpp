// `fabula serve`: films for programs and people over HTTP, one after another.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>

#include "audio/phonemes.h"
#include "base/error.h"
#include "base/file.h"
#include "engine/bundle.h"
#include "engine/world.h"
#include "library/film_format.h"
#include "library/version.h"
#include "planner/text/text.h"
#include "tools/fabula/batch_job.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/h3_film.h"
#include "tools/fabula/render_options.h"
#include "tools/fabula/stop.h"
#include "tools/serve/guard.h"
#include "tools/serve/service.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

struct ServeOptions {
  RenderOptions film;
  serve::ServiceOptions service;
  std::string folder, token_file;
  std::int64_t longest_s = 3600;
};

fs::path state_folder(const std::string& given) {
  if (!given.empty()) return fs::absolute(given).lexically_normal();
  // A relative XDG_STATE_HOME is to be ignored (XDG base directory specification).
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && fs::path(state).is_absolute())
    return fs::path(state) / "fabula/serve";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return fs::path(home) / ".local/state/fabula/serve";
  throw Error(ExitCode::configuration, "there is no home for the service's state: name a folder with --dir");
}

std::string token_in(const std::string& file) {
  constexpr std::size_t most = 4096, least = 16;
  const std::string text = read_file(file, most, "the token");
  std::string token(trimmed(text));
  if (token.size() < least) throw Error(ExitCode::bad_data, file + ": a token has at least " + std::to_string(least) + " characters");
  return token;
}

// What every film of the service is made with. The films run in folders of their own, so paths must hold there.
std::map<std::string, std::string> options_of_films(const CLI::App& command) {
  std::map<std::string, std::string> options = film_options_given(command);
  for (const char* name : {"model", "device", "precision", "threads", "store", "no-store", "any-machine"}) {
    const CLI::Option* given = command.get_option_no_throw(std::string("--") + name);
    if (given != nullptr && given->count() > 0) options[name] = given->results().front();
  }
  for (const char* name : {"model", "store", "cast", "stems"}) {
    if (options.contains(name)) options[name] = fs::absolute(options[name]).lexically_normal().string();
  }
  options.erase("preview");  // always made
  options.erase("format");
  return options;
}

void run(const ServeOptions& options, const CLI::App& command) {
  serve::ServiceOptions service = options.service;
  if (!options.film.delivery.stems.empty()) throw Error(ExitCode::usage, "--stems is for one film: a service has no one place for them");
  (void)container_for("film.mp4", options.film.format);
  if (!options.token_file.empty()) service.token = token_in(options.token_file);
  service.folder = state_folder(options.folder);
  service.version = build_version().version;
  service.worker.program = fs::read_symlink("/proc/self/exe").string();
  service.worker.options = options_of_films(command);
  service.worker.longest = std::chrono::seconds(options.longest_s);
  const std::string& model = options.film.planning.model.model;
  std::optional<World> world;
  if (is_published_folder(model)) {
    service.model = fs::absolute(model).lexically_normal().filename().string();
  } else {
    const Bundle bundle = Bundle::open(locate_bundle(model));
    world = World::open(bundle.folder / "world.json");
    service.model = bundle.name;
    service.editor.world = &*world;
  }
  service.model_created = serve::now_s();
  service.editor.phones = phones_of;
  const serve::Service running(std::move(service));
  std::printf("%s\n", running.url().c_str());
  std::fflush(stdout);
  if (!options.film.quiet) std::fprintf(stderr, "fabula: serving %s until Ctrl-C\n", running.url().c_str());
  while (!stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

void add_service_options(CLI::App& serve, ServeOptions& options) {
  serve::ServiceOptions& service = options.service;
  serve.add_option("--host", service.host, "Address to listen at; any but this machine's own needs a token")
      ->type_name("ADDRESS")
      ->capture_default_str();
  serve.add_option("--port", service.port, "Port to listen at; 0 takes a free one, which is printed")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  serve
      .add_option("--token-file", options.token_file,
                  "File with the token that requests must carry (Authorization: Bearer TOKEN), at least 16 characters")
      ->type_name("FILE");
  serve
      .add_option("--allow-host", service.hosts,
                  "A further name by which the service may be called, for example behind a proxy; repeatable")
      ->type_name("NAME");
  serve
      .add_option("--dir", options.folder,
                  "Folder of the videos and their list (default: $XDG_STATE_HOME/fabula/serve, else ~/.local/state/fabula/serve)")
      ->type_name("DIR");
  serve.add_option("--workers", service.worker.at_once, "Videos made at a time")->check(CLI::Range(1, 64))->capture_default_str();
  serve.add_option("--queue", service.limits.queued, "Videos that may wait or be made at a time; more are refused (429)")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  serve.add_option("--keep", service.limits.kept, "Videos that are kept; more are refused (429) until one is deleted")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  serve.add_option("--longest", options.longest_s, "Seconds that a video may take; 0: as long as it likes")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  serve.add_option("--most-seconds", service.order.seconds, "Longest video that may be asked for, in seconds")
      ->check(CLI::Range(1, 36000))
      ->capture_default_str();
}

}  // namespace

void add_serve_command(CLI::App& app) {
  CLI::App* serve = app.add_subcommand("serve", "Make films for a page in the browser and for programs, over HTTP");
  serve->footer(
      footer("  fabula serve                                    (then open http://127.0.0.1:8080/)\n"
             "  fabula serve --steps 4 --scale 2 --dir films    (options of `fabula render` hold for every film)\n"
             "  fabula serve --host 0.0.0.0 --token-file token\n"
             "  curl http://127.0.0.1:8080/v1/videos -H 'Content-Type: application/json' -d '{\"prompt\": \"A crab jumps.\"}'\n\n"
             "The programs' side is OpenAI's videos API. What was asked for survives a kill: the same command goes on with it.",
             {0, 2, 65, 66, 69, 73, 74, 78}));
  const auto options = std::make_shared<ServeOptions>();
  add_service_options(*serve, *options);
  add_film_options(*serve, options->film);
  serve->callback([options, serve] { run(*options, *serve); });
}

}  // namespace fabula::cli
