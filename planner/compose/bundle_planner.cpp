// Plans films with a bundle's model, alone or in batches, and keeps the states of each plan as its conditioning.
#include "planner/compose/bundle_planner.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "engine/bundle.h"
#include "engine/world.h"
#include "planner/check/check.h"
#include "planner/compose/repair.h"
#include "planner/grammar/plan_grammar.h"
#include "planner/lm/batch.h"
#include "planner/lm/session.h"
#include "planner/lm/tokenizer.h"
#include "planner/oracle/oracle.h"
#include "planner/text/prompt.h"

namespace fabula {
namespace {

// The rows of one shot (docs/BUNDLE.md, "Conditioning of a shot"), each once, in stream order.
Conditioning conditioning_of(const plan::Film& film, std::size_t index, const PlanSpans& spans, const Session& session) {
  const plan::Shot& shot = film.shots[index];
  std::vector<TokenSpan> taken;
  for (std::size_t i = 0; i < film.characters.size(); ++i) {
    const auto is_it = [&](const plan::CastMember& member) { return member.id == film.characters[i].id; };
    if (std::any_of(shot.cast.begin(), shot.cast.end(), is_it)) taken.push_back(spans.characters[i]);
  }
  for (std::size_t i = 0; i < film.places.size(); ++i) {
    if (film.places[i].id == shot.place) taken.push_back(spans.places[i]);
  }
  taken.insert(taken.end(), {spans.shots[index], spans.scores[index]});

  Conditioning rows;
  rows.dim = session.width();
  std::size_t count = 0;
  for (const TokenSpan span : taken) count += span.end - span.begin;
  rows.states.reserve(count * static_cast<std::size_t>(rows.dim));  // those of all shots are kept until the film is made
  for (const TokenSpan span : taken) {
    const auto begin = session.states().begin() + static_cast<std::ptrdiff_t>(span.begin) * rows.dim;
    rows.states.insert(rows.states.end(), begin, begin + static_cast<std::ptrdiff_t>(span.end - span.begin) * rows.dim);
  }
  for (const ScoreSound& sound : spans.sounds[index]) rows.score_start.push_back(sound.start_s);
  return rows;
}

using Clock = std::chrono::steady_clock;

class BundlePlanner final : public LanguagePlanner {
 public:
  BundlePlanner(const Bundle& bundle, Precision precision, const Machine& machine, PhonesFunction phones, const PlannerOptions& options)
      : world_(World::open(bundle.folder / "world.json")),
        tokenizer_(Tokenizer::open(bundle.folder / "planner" / "tokenizer.json")),
        table_(tokenizer_),
        weights_(Weights::open(bundle.folder / "planner", precision, machine.device)),
        model_(load_qwen3(Qwen3Config::open(bundle.folder / "planner" / "config.json"), weights_)),
        tap_layer_(bundle.tap_layer),
        machine_(machine),
        phones_(std::move(phones)),
        sampling_(options.sampling),
        leniency_(options.leniency),
        shots_(options.shots),
        session_(model_, tap_layer_, machine_) {
    oracle::add_names(world_, options.names);
    const std::string folder = (bundle.folder / "planner").string();
    if (tokenizer_.size() > model_.config.vocabulary) {
      throw Error(ExitCode::bad_data, folder + ": tokenizer.json has " + std::to_string(tokenizer_.size()) + " tokens, the model " +
                                          std::to_string(model_.config.vocabulary));
    }
    if (tap_layer_ > model_.config.layers) {
      throw Error(ExitCode::bad_data, folder + ": the tap layer " + std::to_string(tap_layer_) + " is beyond the model's " +
                                          std::to_string(model_.config.layers) + " layers");
    }
  }

  PlannedFilm plan_film(const std::string& prompt, const Progress& progress) override {
    return plan_in(session_, prompt, stats_, progress);
  }

  PlannedFilm read_plan(const plan::Film& film, const Progress& progress) override {
    plan::require_valid(film, world_);
    return keep_states(film, session_, stats_, Clock::now(), progress);
  }

  const DecodingStats& stats() const override { return stats_; }

  std::size_t cache_bytes(const BatchOptions& options) const override { return KvPool::bytes(model_.config, tokens_of(options)); }

  // One thread per plan chooses its tokens; the model reads for all of them in shared passes.
  void plan_all(std::span<const std::string> prompts, const BatchOptions& options, const Progress& progress,
                const std::function<void(BatchResult)>& receive) override {
    Passes passes(model_, tap_layer_, machine_);
    KvPool pages(model_.config, KvPool::pages_of(tokens_of(options)), false, machine_.exec().stream);
    Batch batch(passes, pages);
    std::atomic<std::size_t> next = 0;
    std::mutex receiving;
    std::exception_ptr failure;
    const auto work = [&] {
      std::optional<Batch::Seat> seat;
      Session session(model_, pages, [&](Request& request) { return seat->read(request); });
      for (std::size_t i = next++; i < prompts.size(); i = next++) {
        DecodingStats stats;
        seat.emplace(batch);
        std::variant<PlannedFilm, Error> outcome = attempt([&] { return plan_in(session, prompts[i], stats, progress); });
        session.truncate(0);
        seat.reset();
        const std::lock_guard lock(receiving);
        try {
          if (!failure) receive({i, std::move(outcome), stats});
        } catch (...) {
          failure = std::current_exception();
          next = prompts.size();
        }
      }
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < std::min(prompts.size(), static_cast<std::size_t>(std::max(1, options.plans))); ++i)
        threads.emplace_back(work);
    }
    if (failure) std::rethrow_exception(failure);
  }

 private:
  // The longest text that the model can read, in tokens.
  [[nodiscard]] std::int64_t context() const { return model_.config.context > 0 ? model_.config.context : 32768; }

  [[nodiscard]] std::int64_t tokens_of(const BatchOptions& options) const {
    return options.cache_tokens > 0 ? options.cache_tokens : std::max(context(), std::int64_t{1024} * options.plans);
  }

  static std::variant<PlannedFilm, Error> attempt(const std::function<PlannedFilm()>& job) {
    try {
      return job();
    } catch (const Error& error) {
      return error;
    } catch (const std::bad_alloc&) {
      return Error(ExitCode::out_of_memory, "out of memory");
    } catch (const std::exception& error) {
      return Error(ExitCode::unexpected, error.what());
    }
  }

  PlannedFilm plan_in(Session& session, const std::string& prompt, DecodingStats& stats, const Progress& progress) const {
    const auto start = Clock::now();
    session.rewind(0);
    std::int64_t given = 0;
    const auto next_logits = [&](std::span<const std::int32_t> tokens) {
      report(progress, session.length());
      if (given == 0) given = static_cast<std::int64_t>(tokens.size());
      return session.read_ahead(tokens);
    };
    const Assignment assignment = assignment_of(prepare_prompt(prompt), world_, phones_, shots_);
    oracle::require_filmable(assignment.prompt, assignment.story, assignment.by_rules, world_, leniency_);
    RepairedPlan repaired =
        plan_with_repairs(assignment, world_, {tokenizer_, table_}, next_logits, phones_, static_cast<std::size_t>(context()), sampling_,
                          bundle_conversation(tokenizer_, assignment.prompt));
    repaired.origin.notes = oracle::notes_of(assignment.story, repaired.film, world_);
    PlannedFilm planned = keep_states(std::move(repaired.film), session, stats, start, progress);
    planned.origin = std::move(repaired.origin);
    stats.given = given;
    return planned;
  }

  static void report(const Progress& progress, std::size_t tokens) {
    if (progress && !progress(static_cast<int>(tokens))) throw Error(ExitCode::interrupted, "stopped while planning");
  }

  // Reads the film's own token stream; the session skips the tokens that it has already read. The model may have spelt a value in other
  // tokens than the tokenizer would: from there on the states are read again, so that a plan's states do not depend on who wrote it.
  PlannedFilm keep_states(plan::Film film, Session& session, DecodingStats& stats, Clock::time_point start,
                          const Progress& progress) const {
    Follower follower(tokenizer_);
    const PlanSpans spans = write_plan(follower, film, world_, phones_);
    session.rewind(0);
    report(progress, 0);
    session.read(follower.tokens(), Logits::none);
    report(progress, follower.tokens().size());
    stats = session.take_stats();
    stats.seconds = std::chrono::duration<double>(Clock::now() - start).count();

    PlannedFilm planned;
    for (std::size_t i = 0; i < film.shots.size(); ++i) planned.shots.push_back(conditioning_of(film, i, spans, session));
    planned.film = std::move(film);
    return planned;
  }

  World world_;
  Tokenizer tokenizer_;
  TokenTable table_;  // of tokenizer_
  Weights weights_;
  Qwen3 model_;  // of weights_
  std::int64_t tap_layer_;
  Machine machine_;
  PhonesFunction phones_;
  Sampling sampling_;
  oracle::Leniency leniency_;
  int shots_;
  Session session_;  // keeps what it has read from call to call
  DecodingStats stats_;
};

}  // namespace

std::unique_ptr<LanguagePlanner> load_planner(const std::filesystem::path& bundle, Precision precision, const Machine& machine,
                                              PhonesFunction phones, const PlannerOptions& options) {
  return std::make_unique<BundlePlanner>(Bundle::open(bundle), precision, machine, std::move(phones), options);
}

}  // namespace fabula
