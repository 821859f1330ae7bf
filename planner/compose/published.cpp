// Plans a film in a conversation with a published checkpoint, with or without a picture.
#include "planner/compose/published.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "planner/check/check.h"
#include "planner/compose/brief.h"
#include "planner/compose/instruction.h"
#include "planner/compose/repair.h"
#include "planner/grammar/film_program.h"
#include "planner/lm/qwen3_vl.h"
#include "planner/lm/session.h"
#include "planner/oracle/filmable.h"
#include "planner/text/prompt.h"

namespace fabula {
namespace {

// Each row of a picture costs the language model as much as a word. 1024 rows of 32 × 32 pixels show enough for a plan.
constexpr std::int64_t most_pixels = 1 << 20;
constexpr std::size_t longest_chat = 32768;  // tokens, where a checkpoint does not say

Patches read_picture(const Checkpoint& checkpoint, const VisionConfig& vision, const Picture& picture) {
  PictureConfig config = PictureConfig::open(checkpoint.path);
  if (config.patch != vision.patch || config.temporal_patch != vision.temporal_patch || config.merge != vision.merge ||
      vision.channels != 3) {
    throw Error(ExitCode::bad_data, checkpoint.path.string() + ": the picture's patches are not those of config.json's vision_config");
  }
  config.most_pixels = std::max(config.fewest_pixels, std::min(config.most_pixels, most_pixels));
  return patches_of(config, picture);
}

// A model and its session. Loads the vision tower only if there is a picture.
class Reader {
 public:
  Reader(const Checkpoint& checkpoint, const Picture* picture, Precision precision, Machine machine)
      : checkpoint_(checkpoint), machine_(std::move(machine)), weights_(checkpoint.open_weights(precision, machine_.device)) {
    if (picture == nullptr) {
      model_.decoder = load_qwen3(checkpoint.config, weights_);
    } else {
      const Qwen3VlConfig config = Qwen3VlConfig::open(checkpoint.path / "config.json");
      patches_ = read_picture(checkpoint, config.vision, *picture);
      model_ = load_qwen3_vl(config, weights_);
    }
    passes_.emplace(model_.decoder, checkpoint.config.layers, machine_);
    pages_.emplace(model_.decoder.config, 0, false, machine_.exec().stream);
    session_.emplace(model_.decoder, *pages_,
                     [this](Request& request) { return patches_ ? see_and_read(request) : passes_->run(std::array{&request}); });
  }

  [[nodiscard]] std::int64_t image_rows() const { return patches_ ? patches_->grid.merged(model_.config.vision) : 0; }
  [[nodiscard]] std::size_t length() const { return session_->length(); }

  // Returns the logits after the tokens. The first call holds the picture's placeholders, if any.
  std::span<const float> read(std::span<const std::int32_t> tokens) {
    const std::size_t needed = session_->length() + tokens.size();
    if (checkpoint_.config.context > 0 && needed > static_cast<std::size_t>(checkpoint_.config.context)) {
      throw Error(ExitCode::bad_data, "the prompt and its plan are longer than the model's context of " +
                                          std::to_string(checkpoint_.config.context) + " tokens");
    }
    return patches_ ? session_->read(tokens) : session_->read_ahead(tokens);
  }

 private:
  // Reads the picture and the text around it in one pass, because the picture's rows attend to each other.
  std::int64_t see_and_read(Request& request) {
    const auto see = [&](Context& ctx, KvCache& cache, const StateReceiver& keep) {
      const Tensor pixels = constant(ctx, patches_->pixels, {patches_->grid.patches(), model_.config.vision.patch_width()});
      const PatchedImage image{pixels, patches_->grid};
      return forward(ctx, model_, cache, request.tokens, std::span(&image, 1), Logits::last, keep);
    };
    const std::size_t footprint = footprint_of(machine_, [&](Context& ctx) {
      KvPool no_pages(model_.decoder.config, 0, /*dry=*/true);
      KvCache nothing(no_pages);
      return see(ctx, nothing, nullptr);
    });
    request.logits = run_in(machine_, footprint, [&](Context& ctx) {
      const auto keep = [&](std::int64_t layer, Tensor states) {
        if (layer != checkpoint_.config.layers) return;
        const std::vector<float> values = to_host(ctx, states);
        request.states.insert(request.states.end(), values.begin(), values.end());
      };
      return to_host(ctx, see(ctx, request.cache, keep));
    });
    patches_.reset();  // read once
    return 1;
  }

  const Checkpoint& checkpoint_;
  Machine machine_;
  Weights weights_;
  Qwen3Vl model_;  // of weights_; without a picture only its decoder
  std::optional<Patches> patches_;
  std::optional<Passes> passes_;  // of model_
  std::optional<KvPool> pages_;
  std::optional<Session> session_;  // of these
};

// A conversation with a checkpoint.
class Chat {
 public:
  Chat(const Checkpoint& checkpoint, const Picture* picture, const PublishedOptions& options)
      : checkpoint_(checkpoint),
        options_(options),
        tokenizer_(checkpoint.tokenizer()),
        table_(tokenizer_),
        reader_(checkpoint, picture, options.precision, options.machine) {}

  [[nodiscard]] const Tokenizer& tokenizer() const { return tokenizer_; }
  [[nodiscard]] Vocabulary words() const { return {tokenizer_, table_}; }

  [[nodiscard]] Conversation about(const std::string& system, const std::string& prompt) const {
    return {.opening = chat_tokens(tokenizer_, checkpoint_.chat, {.system = system, .user = prompt, .image_rows = reader_.image_rows()}),
            .turn =
                [this](const std::string& faults) {
                  return further_turn_tokens(
                      tokenizer_, checkpoint_.chat,
                      "This plan has faults:\n" + faults + "\nWrite the whole plan again, as one JSON object, without these faults.");
                },
            .own = false,
            .stops = checkpoint_.stops};
  }

  [[nodiscard]] Composer::NextLogits next_logits() {
    return [this](std::span<const std::int32_t> tokens) {
      if (options_.progress && !options_.progress(static_cast<int>(reader_.length())))
        throw Error(ExitCode::interrupted, "stopped while planning");
      return reader_.read(tokens);
    };
  }

 private:
  const Checkpoint& checkpoint_;
  const PublishedOptions& options_;
  Tokenizer tokenizer_;
  TokenTable table_;  // of tokenizer_
  Reader reader_;
};

void require_sight(const Checkpoint& checkpoint, const Picture* picture) {
  if (picture == nullptr || checkpoint.sees) return;
  throw Error(ExitCode::usage,
              checkpoint.path.string() + " is a " + checkpoint.model_type + " without a vision tower; a picture needs a Qwen3-VL");
}

}  // namespace

PlannedFilm plan_film(const Checkpoint& checkpoint, const World& world, const std::string& prompt, const Picture* picture,
                      const PhonesFunction& phones, const PublishedOptions& options) {
  require_sight(checkpoint, picture);
  Assignment assignment = assignment_of(prepare_prompt(prompt), world, phones, options.shots);
  // What a picture shows is not in the prompt.
  if (picture == nullptr) oracle::require_filmable(assignment.prompt, assignment.story, assignment.by_rules, world, options.leniency);
  assignment.brief = offer_of(assignment.story, world);
  Chat chat(checkpoint, picture, options);
  const std::size_t context = checkpoint.config.context > 0 ? static_cast<std::size_t>(checkpoint.config.context) : longest_chat;
  RepairedPlan planned = plan_with_repairs(assignment, world, chat.words(), chat.next_logits(), phones, context, options.sampling,
                                           chat.about(instruction(world, chat.tokenizer(), phones), assignment.prompt));
  planned.origin.notes = oracle::notes_of(assignment.story, planned.film, world);
  if (const std::string replaced = retitle(planned.film, assignment.by_rules, world); !replaced.empty())
    planned.origin.notes.push_back(replaced);
  plan::require_valid(planned.film, world);
  return {.film = std::move(planned.film), .shots = {}, .origin = std::move(planned.origin)};
}

plan::Film plan_any_film(const Checkpoint& checkpoint, const std::string& prompt, const Picture* picture, const PublishedOptions& options) {
  require_sight(checkpoint, picture);
  plan::Film film;
  film.prompt = prepare_prompt(prompt);
  const FilmProgram program({});
  Chat chat(checkpoint, picture, options);
  Composer composer(chat.tokenizer(), chat.words().table, chat.next_logits(), options.sampling, checkpoint.stops);
  composer.append(chat.about(instruction(program), film.prompt).opening);
  write_any_plan(composer, film, program);
  return film;
}

}  // namespace fabula
