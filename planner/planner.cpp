#include "planner/planner.h"

#include <algorithm>

#include "engine/bundle.h"
#include "engine/world.h"
#include "kernels/error.h"
#include "planner/grammar/plan_grammar.h"
#include "planner/lm/session.h"
#include "planner/lm/tokenizer.h"
#include "planner/oracle.h"
#include "planner/prompt.h"
#include "planner/repair.h"
#include "planner/check.h"

namespace fabula {
namespace {

// The rows of one shot (docs/BUNDLE.md, "Conditioning of a shot"), each once, in stream order.
Conditioning conditioning_of(const plan::Film& film, std::size_t index, const PlanSpans& spans, const Session& session) {
  Conditioning rows;
  rows.dim = session.width();
  const auto take = [&](TokenSpan span) {
    const auto begin = session.states().begin() + static_cast<std::ptrdiff_t>(span.begin) * rows.dim;
    rows.states.insert(rows.states.end(), begin, begin + static_cast<std::ptrdiff_t>(span.end - span.begin) * rows.dim);
  };
  const plan::Shot& shot = film.shots[index];
  for (std::size_t i = 0; i < film.characters.size(); ++i) {
    const auto is_it = [&](const plan::CastMember& member) { return member.id == film.characters[i].id; };
    if (std::any_of(shot.cast.begin(), shot.cast.end(), is_it)) take(spans.characters[i]);
  }
  for (std::size_t i = 0; i < film.places.size(); ++i) {
    if (film.places[i].id == shot.place) take(spans.places[i]);
  }
  take(spans.shots[index]);
  take(spans.scores[index]);
  for (const ScoreSound& sound : spans.sounds[index]) rows.score_start.push_back(sound.start_s);
  return rows;
}

class BundlePlanner final : public Planner {
 public:
  BundlePlanner(const Bundle& bundle, Precision precision, int threads, PhonesFunction phones, const std::vector<ActorName>& names)
      : world_(World::open(bundle.folder / "world.json")), tokenizer_(Tokenizer::open(bundle.folder / "planner" / "tokenizer.json")), table_(tokenizer_),
        weights_(Weights::open(bundle.folder / "planner", precision)),
        model_(load_qwen3(Qwen3Config::open(bundle.folder / "planner" / "config.json"), weights_)), tap_layer_(bundle.tap_layer), pool_(threads),
        phones_(std::move(phones)) {
    oracle::add_names(world_, names);
    const std::string folder = (bundle.folder / "planner").string();
    if (tokenizer_.size() > model_.config.vocabulary) {
      throw Error(ExitCode::bad_data, folder + ": tokenizer.json has " + std::to_string(tokenizer_.size()) + " tokens, the model " + std::to_string(model_.config.vocabulary));
    }
    if (tap_layer_ > model_.config.layers) {
      throw Error(ExitCode::bad_data, folder + ": the tap layer " + std::to_string(tap_layer_) + " is beyond the model's " + std::to_string(model_.config.layers) + " layers");
    }
  }

  Direction direct(const std::string& prompt, const Progress& progress) override {
    Session session(model_, tap_layer_, cpu_kernels(), &pool_);
    const auto next_logits = [&](std::span<const std::int32_t> tokens) {
      report(progress, session.length());
      return session.read(tokens);
    };
    const auto most_tokens = static_cast<std::size_t>(model_.config.positions);
    Composed composed = compose(prepare_prompt(prompt), world_, {tokenizer_, table_}, next_logits, phones_, most_tokens);
    Direction direction = keep_states(std::move(composed.film), session, composed.read, progress);
    direction.origin = std::move(composed.origin);
    return direction;
  }

  Direction direct(const plan::Film& film, const Progress& progress) override {
    plan::require_valid(film, world_);
    Session session(model_, tap_layer_, cpu_kernels(), &pool_);
    return keep_states(film, session, {}, progress);
  }

 private:
  static void report(const Progress& progress, std::size_t tokens) {
    if (progress && !progress(static_cast<int>(tokens))) throw Error(ExitCode::interrupted, "stopped while planning");
  }

  // The stream of the film as it stands; what the session has read of it already is not read again. A model may spell a value in other tokens than
  // its text alone would have: from there on the states are those of the text, so that a plan's states do not depend on who wrote it.
  Direction keep_states(plan::Film film, Session& session, std::span<const std::int32_t> read, const Progress& progress) {
    Follower follower(tokenizer_);
    const PlanSpans spans = write_plan(follower, film, world_, phones_);
    const std::vector<std::int32_t>& tokens = follower.tokens();
    const std::size_t limit = std::min(read.size(), tokens.size());
    const auto same = static_cast<std::size_t>(std::mismatch(read.begin(), read.begin() + static_cast<std::ptrdiff_t>(limit), tokens.begin()).first - read.begin());
    session.truncate(same);
    report(progress, same);
    session.read(std::span(tokens).subspan(same), Logits::none);
    report(progress, tokens.size());

    Direction direction;
    for (std::size_t i = 0; i < film.shots.size(); ++i) direction.shots.push_back(conditioning_of(film, i, spans, session));
    direction.film = std::move(film);
    return direction;
  }

  World world_;
  Tokenizer tokenizer_;
  TokenTable table_;  // of tokenizer_
  Weights weights_;
  Qwen3 model_;  // of weights_
  std::int64_t tap_layer_;
  ThreadPool pool_;
  PhonesFunction phones_;
};

}  // namespace

std::unique_ptr<Planner> load_planner(const std::filesystem::path& bundle, Precision precision, int threads, PhonesFunction phones, const std::vector<ActorName>& names) {
  return std::make_unique<BundlePlanner>(Bundle::open(bundle), precision, threads, std::move(phones), names);
}

}  // namespace fabula
