// Makes the films of a batch: plans of many jobs together, their shots in turn, each film encoded while the next is made.
#include "tools/fabula/batch_run.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <utility>

#include "base/file.h"
#include "base/sha256.h"
#include "base/stopwatch.h"
#include "library/planning.h"
#include "planner/schema/schema.h"
#include "planner/text/text.h"
#include "tools/batch/page.h"
#include "tools/fabula/batch_job.h"
#include "tools/fabula/batch_plans.h"
#include "tools/fabula/cast_file.h"
#include "tools/fabula/film_report.h"
#include "tools/fabula/h3_film.h"
#include "tools/fabula/output.h"
#include "tools/fabula/preview.h"
#include "tools/fabula/stop.h"
#include "tools/fabula/studio.h"
#include "tools/fabula/terminal.h"
#include "video/io/images.h"

namespace fabula::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

// Everything that a bundle adds to a film.
std::string model_hash(const Studio& studio) {
  Sha256 hash;
  hash.field(studio.model->fingerprint());
  std::set<fs::path> files = {studio.bundle.folder / "fabula.json", studio.bundle.folder / "world.json",
                              studio.bundle.folder / "voices.json"};
  for (const char* part : {"planner", "vae", "audio_vae"}) {
    for (const auto& entry : fs::directory_iterator(studio.bundle.folder / part)) files.insert(entry.path());
  }
  for (const fs::path& file : files) {
    if (fs::is_regular_file(file)) hash.field(file.filename().string()).field(sha256_of(file));
  }
  return hash.hex();
}

// Everything that a published folder adds to a film.
std::string folder_hash(const RenderOptions& film) {
  Bundle bundle;
  bundle.folder = film.planning.model.model;
  Sha256 hash;
  hash.field(name_of(precision_of(film.planning.model.precision)));
  for (const auto& [part, digest] : model_version(bundle, film.receipt.digest).parts) hash.field(part).field(digest);
  return hash.hex();
}

void make_folder(const fs::path& folder) {
  std::error_code failed;
  if (!folder.empty()) fs::create_directories(folder, failed);
  if (failed) throw Error(ExitCode::cannot_create, "cannot create the folder " + folder.string() + ": " + failed.message());
}

// A film that is being encoded, and what its job is to be told.
struct Pending {
  const BatchJob* job = nullptr;
  plan::Film plan;
  batch::FilmRecord record;
  std::vector<Image> pictures;  // of its shots
  Stopwatch watch = {};
  FilmInTheMaking making;  // last: its thread uses the others
};

class Batch {
 public:
  explicit Batch(const BatchRequest& request)
      : request_(request),
        folder_(request.folder.empty() ? "." : request.folder),
        progress_(request.film.progress, request.film.quiet || request.film.json),
        studio_(open_studio(request.film)) {
    if (!studio_.is_published) load_model(studio_, request.film);
    jobs_ = ready_jobs(request, studio_.is_published ? folder_hash(request.film) : model_hash(studio_));
    make_folder(folder_);
    if (const fs::path page = folder_ / page_name; fs::exists(page) && !batch::is_page(page) && !request.film.overwriting.overwrite)
      throw Error(ExitCode::cannot_create, page.string() + " is not the page of a batch; move it, or replace it with -y");
    ledger_.emplace(folder_ / "batch.db");
  }

  // Throws Error: interrupted. A film whose shots are all made is finished even then.
  void run() {
    try {
      make_films();
    } catch (const Error& error) {
      settle();
      progress_.fail(error);
      throw;
    }
    progress_.show(1.0, {.stage = "done", .film = done_, .films = total_});
    progress_.clear();
    if (progress_.takes_results())
      progress_.event("result", ordered_json{{"jobs", jobs_.size()}, {"failed", failures_}, {"folder", folder_.string()}}.dump());
  }

  void write_page() const {
    std::vector<batch::PageEntry> entries;
    for (const BatchJob& job : jobs_) {
      const auto found = shown_.find(job.number);
      if (found != shown_.end()) entries.push_back(found->second);
    }
    if (entries.empty()) return;
    const std::string page = batch::page_of(entries, folder_);
    write_whole_file(folder_ / page_name, std::as_bytes(std::span(page)), Existing::replace);
  }

  [[nodiscard]] std::size_t failures() const { return failures_; }
  [[nodiscard]] std::size_t jobs() const { return jobs_.size(); }

 private:
  static constexpr const char* page_name = "index.html";

  [[nodiscard]] double fraction_of(double film) const {
    return total_ == 0 ? 1.0 : (static_cast<double>(done_) + film) / static_cast<double>(total_);
  }

  void make_films() {
    const std::vector<const BatchJob*> wanted = jobs_to_do();
    total_ = wanted.size();
    constexpr std::size_t waves = 4;  // plans ahead, in turns of the planner; they stay in memory until they are filmed
    const std::size_t ahead = waves * static_cast<std::size_t>(request_.plans);
    for (std::size_t first = 0; first < wanted.size(); first += ahead) {
      const std::span<const BatchJob* const> wave(wanted.data() + first, std::min(ahead, wanted.size() - first));
      done_ = first;
      progress_.show(fraction_of(0.0), {.stage = "planning", .film = done_, .films = total_});
      std::vector<PlanOutcome> plans = studio_.is_published ? std::vector<PlanOutcome>(wave.size(), PlannedFilm{})
                                                            : plan_jobs(wave, studio_.bundle.folder, request_.plans);
      if (first == 0) progress_.pace().begin({});
      for (std::size_t i = 0; i < wave.size(); ++i) {
        done_ = first + i;
        attempt(*wave[i], [&] {
          if (const Error* error = std::get_if<Error>(&plans[i])) throw *error;
          if (studio_.is_published) plans[i] = planned_for_folder(*wave[i]);
          start(*wave[i], std::get<PlannedFilm>(plans[i]));
        });
        plans[i] = Error(ExitCode::internal, "filmed");  // its states are not needed any more
      }
    }
    settle();
  }

  // Clips of a published folder have their film's own canvas, and so has the model; the one before goes first.
  PlannedFilm planned_for_folder(const BatchJob& job) {
    studio_.model.reset();
    PublishedFilm film = plan_published(job.source, job.options);
    studio_.bundle = std::move(film.bundle);
    studio_.model = std::move(film.model);
    return std::move(film.planned);
  }

  // Runs one job's work; what fails is that job.
  template <typename Work>
  void attempt(const BatchJob& job, Work&& work) {
    try {
      work();
    } catch (const Error& error) {
      if (error.code() == ExitCode::interrupted) throw;
      report_failed(job, error);
    } catch (const std::bad_alloc&) {
      report_failed(job, Error(ExitCode::out_of_memory, "out of memory"));
    } catch (const fs::filesystem_error& error) {
      report_failed(job, Error(ExitCode::io, error.path1().string() + " cannot be used: " + error.code().message()));
    }
  }

  std::vector<const BatchJob*> jobs_to_do() {
    std::vector<const BatchJob*> wanted;
    for (const BatchJob& job : jobs_) {
      attempt(job, [&] {
        if (job.fault) throw *job.fault;
        const std::optional<batch::FilmRecord> known = ledger_->find(job.key);
        const bool has_film = known && batch::is_whole(at_its_place(*known));
        if (has_film && is_complete(job, at_its_place(*known))) return report_skipped(job, at_its_place(*known));
        if (has_film) incomplete_[job.number] = at_its_place(*known).output;
        wanted.push_back(&job);
      });
    }
    return wanted;
  }

  // Whether a film has all that goes beside it: a batch may have been killed between the two. `finished` is entered when all is written,
  // and the receipt, where there is to be one, was the last.
  [[nodiscard]] static bool is_complete(const BatchJob& job, const batch::FilmRecord& film) {
    if (film.finished.empty()) return false;
    if (!makes_receipt(job.options.receipt, film.output)) return true;
    try {
      return read_receipt(receipt_of(film.output)).sha256 == film.sha256;
    } catch (const Error&) {
      return false;
    }
  }

  // The ledger names films relative to its folder, which may be moved.
  [[nodiscard]] batch::FilmRecord at_its_place(batch::FilmRecord record) const {
    record.output = (folder_ / record.output).lexically_normal().string();
    return record;
  }

  // Makes the shots of a film; the one before is encoded meanwhile.
  void start(const BatchJob& job, const PlannedFilm& planned) {
    const FilmRequest request = film_request(job.options, studio_, planned.film);
    const auto incomplete = incomplete_.find(job.number);  // this batch's own film, which is written once more with what goes beside it
    const bool is_new = incomplete == incomplete_.end();
    const fs::path output = is_new ? output_of(job, folder_, planned.film, request.seed) : incomplete->second;
    const OverwriteOptions overwriting = is_new ? job.options.overwriting : OverwriteOptions{.overwrite = true};
    claim(job, output);
    make_folder(output.parent_path());
    if (!may_write(output, overwriting, terminal(), {request_.file, job.file})) return report_kept(job, output);
    check_memory(studio_, planned, request);
    if (!job.options.save_plan.empty()) save_plan(job, planned.film);

    auto next = std::make_unique<Pending>();
    Pending& film = *next;
    film.job = &job;
    film.plan = planned.film;
    film.record = record_of(job, planned, output, request.seed);
    Preview preview(output, job.options.preview);
    const FilmHooks hooks{.progress =
                              [&](const FilmProgress& p) {
                                preview.poll();
                                return show(p);
                              },
                          .on_picture =
                              [&](const Image& picture) {
                                film.pictures.push_back(picture);
                                preview.add(picture);
                              },
                          .on_whole = [this, &film](const fs::path& whole) { enter(film, whole); }};
    RenderOptions options = job.options;
    options.output = output.string();
    options.overwriting = overwriting;
    if (!options.delivery.stems.empty()) options.delivery.stems = inside(folder_, options.delivery.stems).string();
    film.making = make_film(options, studio_, planned, output, hooks);
    settle();
    pending_ = std::move(next);
  }

  bool show(const FilmProgress& p) {
    progress_.show(fraction_of(p.fraction), {.film = done_, .films = total_, .shot = p.shot, .shots = p.shots, .attempt = p.attempt});
    return !stop_requested();
  }

  // No two jobs of a batch write one file, whatever may be replaced.
  void claim(const BatchJob& job, const fs::path& output) {
    const auto [other, is_new] = claimed_.emplace(output.lexically_normal(), job.number);
    if (!is_new && other->second != job.number)
      throw Error(ExitCode::bad_data, "job " + std::to_string(other->second) + " already writes " + output.string());
  }

  void save_plan(const BatchJob& job, const plan::Film& film) const {
    const fs::path file = inside(folder_, job.options.save_plan);
    const std::string text = plan::to_json(film) + "\n";
    make_folder(file.parent_path());
    if (fs::is_regular_file(file) && fs::file_size(file) == text.size() && read_file(file, text.size(), "the plan") == text)
      return;  // a killed batch has written it
    if (may_write(file, job.options.overwriting, terminal(), {request_.file, job.file})) write_output(file, text, job.options.overwriting);
  }

  [[nodiscard]] batch::FilmRecord record_of(const BatchJob& job, const PlannedFilm& planned, const fs::path& output,
                                            std::uint64_t seed) const {
    batch::FilmRecord record;
    record.output = output.lexically_proximate(folder_).string();
    record.title = planned.film.title;
    record.prompt = job.prompt;
    record.seed = std::to_string(seed);
    record.unsupported = planned.film.unsupported;
    record.warnings = job.source.notes;
    for (const std::string& note : planning_notes(planned.origin, job.options.planning.verbose)) record.warnings.push_back(note);
    return record;
  }

  // Entered before the film takes its name: one that has its name and is not in the ledger would look like a stranger's.
  void enter(Pending& film, const fs::path& whole) {
    film.record.bytes = static_cast<std::int64_t>(film_bytes(whole));
    film.record.sha256 = film_digest(whole);
    film.record.milliseconds = std::lround(film.watch.seconds() * 1000.0);
    const std::vector<std::uint8_t> poster = jpeg_of(film.pictures.at(film.pictures.size() / 2));
    film.record.poster.assign(poster.begin(), poster.end());
    ledger_->put(film.job->key, film.record);
  }

  // Waits for the film that is being encoded.
  void settle() {
    const std::unique_ptr<Pending> film = std::exchange(pending_, nullptr);
    if (film == nullptr) return;
    attempt(*film->job, [&] {
      complete(film->making);
      remember_film(film->job->options.planning.cast, film->plan);
      const std::vector<std::string> notes = film_notes(film->making, studio_);
      film->record.warnings.insert(film->record.warnings.end(), notes.begin(), notes.end());
      film->record.finished = utc_now();
      ledger_->put(film->job->key, film->record);
      report_done(*film);
    });
  }

  // ---- what is printed

  void print(const BatchJob& job, const char* status, const std::string& rest, ordered_json fields) {
    ordered_json line = {{"job", job.number}, {"status", status}};
    line.update(fields);
    const std::string text = line.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    progress_.clear();
    if (progress_.takes_results())
      progress_.event("job", text);
    else if (request_.film.json)
      std::puts(text.c_str());
    else
      std::printf("%s %s %s\n", three_digits(job.number).c_str(), status, rest.c_str());
    std::fflush(stdout);
  }

  void report_done(const Pending& film) {
    const batch::FilmRecord record = at_its_place(film.record);
    shown_[film.job->number] = {film.job->number, record, ""};
    print(*film.job, "done", record.output,
          {{"output", record.output},
           {"title", record.title},
           {"seed", std::stoull(record.seed)},
           {"seconds", static_cast<double>(record.milliseconds) / 1000.0},
           {"shots_made", ids_of(film.making.shots, false)},
           {"shots_reused", ids_of(film.making.shots, true)},
           {"shots_remade", remade_ids(film.making.shots)},
           {"unsupported", record.unsupported},
           {"warnings", record.warnings}});
    if (request_.film.quiet) return;
    const std::string begin = "fabula: job " + three_digits(film.job->number) + ": ";
    for (const std::string& missing : record.unsupported)
      std::fprintf(stderr, "%sthis model cannot show \"%s\"; the plan leaves it out\n", begin.c_str(), missing.c_str());
    for (const std::string& warning : record.warnings) std::fprintf(stderr, "%s%s\n", begin.c_str(), warning.c_str());
  }

  void report_skipped(const BatchJob& job, const batch::FilmRecord& record) {
    claim(job, record.output);
    shown_[job.number] = {job.number, record, ""};
    print(job, "skipped", record.output, {{"output", record.output}});
  }

  void report_kept(const BatchJob& job, const fs::path& output) { print(job, "kept", output.string(), {{"output", output.string()}}); }

  void report_failed(const BatchJob& job, const Error& error) {
    ++failures_;
    batch::PageEntry& entry = shown_[job.number];
    entry = {job.number, {}, error.what()};
    entry.film.prompt = job.prompt;
    const int code = static_cast<int>(error.code());
    print(job, "failed", std::to_string(code), {{"code", code}, {"error", error.what()}});
    std::fprintf(stderr, "fabula: job %s: %s\n", three_digits(job.number).c_str(), error.what());
  }

  const BatchRequest& request_;
  const fs::path folder_;
  Progress progress_;
  Studio studio_;
  std::vector<BatchJob> jobs_;
  std::optional<batch::Ledger> ledger_;
  std::map<fs::path, std::size_t> claimed_;          // output -> job
  std::map<std::size_t, fs::path> incomplete_;       // by job: films that lack what goes beside them
  std::map<std::size_t, batch::PageEntry> shown_;    // by job
  std::size_t total_ = 0, done_ = 0, failures_ = 0;  // of the jobs to do
  std::unique_ptr<Pending> pending_;                 // last: its thread writes into the ledger
};

}  // namespace

void run_batch(const BatchRequest& request) {
  Batch batch(request);
  try {
    batch.run();
  } catch (const Error&) {  // stopped: what is done is shown
    batch.write_page();
    throw;
  }
  batch.write_page();
  if (batch.failures() > 0)
    throw Error(ExitCode::some_jobs_failed, std::to_string(batch.failures()) + " of " + std::to_string(batch.jobs()) + " jobs failed");
}

}  // namespace fabula::cli
