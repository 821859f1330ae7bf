// Reads what is given, plans, encodes prompt and media clip by clip.
#include "tools/fabula/h3_film.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "library/device_choice.h"
#include "library/planning.h"
#include "library/render.h"
#include "library/two_numbers.h"
#include "planner/check/check.h"
#include "planner/h3/clips.h"
#include "planner/h3/encoder.h"
#include "planner/h3/prompt.h"
#include "planner/schema/caps.h"
#include "planner/text/text.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/checkpoint.h"
#include "video/h3/folder_model.h"
#include "video/h3/given.h"
#include "video/h3/request.h"
#include "video/io/images.h"
#include "video/io/sounds.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

constexpr int rate = h3::folder_fps;

GivenReference reference_of(const std::string& kind, const std::string& file) {
  if (kind == "image") return {.kind = GivenReference::Kind::image, .pictures = {read_image(file)}};
  if (kind == "audio") return {.kind = GivenReference::Kind::audio, .sound = read_sound(file)};
  WholeFilm film = read_whole_film(file);
  return {.kind = GivenReference::Kind::video, .pictures = std::move(film.frames), .fps = film.fps, .sound = std::move(film.sound)};
}

GivenMedia media_of(const ClipChoice& choice) {
  GivenMedia media;
  if (!choice.first_frame.empty()) media.first_frame = read_image(choice.first_frame);
  if (!choice.last_frame.empty()) media.last_frame = read_image(choice.last_frame);
  for (const ClipChoice::Reference& one : choice.references) media.references.push_back(reference_of(one.kind, one.file));
  return media;
}

std::pair<double, double> two_positive(const std::string& text, char between, const char* option) {
  const auto numbers = two_numbers<double>(text, between);
  if (!numbers || !(numbers->first > 0.0) || !(numbers->second > 0.0))
    throw Error(ExitCode::usage,
                std::string(option) + " takes two numbers such as " + (between == 'x' ? "1344x768" : "16:9") + ", not " + text);
  return *numbers;
}

// The clips are made in the film's own size or shape: nothing is scaled afterwards.
h3::Asked asked_of(const ClipChoice& choice, const FormatChoice& format) {
  h3::Asked asked;
  if (!format.size.empty()) {
    const auto [width, height] = two_positive(format.size, 'x', "--size");
    asked.canvas = h3::Canvas{std::llrint(height), std::llrint(width)};
  }
  if (!format.aspect.empty()) {
    std::tie(asked.aspect_width, asked.aspect_height) = two_positive(format.aspect, ':', "--aspect");
    asked.has_aspect = true;
  }
  if (choice.frames > 0) asked.frames = choice.frames;
  if (choice.seconds > 0.0) asked.frames = static_cast<int>(std::lrint(choice.seconds * rate));
  return asked;
}

int milliseconds_of(int frames) { return static_cast<int>(std::lrint(frames * 1000.0 / rate)); }

// One clip before it is encoded.
struct Order {
  std::string prompt;
  h3::ClipOrder clip;
  std::optional<h3::Asked> goes_on = {};  // of a clip that begins with the last picture of the one before: what it is resolved from then
};

// A clip that follows references takes no first frame beside them.
bool continues(const h3::Clip& clip) { return clip.goes_on && clip.references.empty(); }

// Bytes that a phase may take; 0: any.
std::size_t memory_of(const RenderOptions& options) {
  const bool on_host = machine_of(options.planning.model).device == DeviceKind::cpu;
  if (options.clip.memory > 0 && !on_host) throw Error(ExitCode::usage, "--memory is for the processor; on a device a model is held whole");
  return options.clip.memory > 0 ? options.clip.memory : on_host ? available_memory() : 0;
}

h3::Holding holding_of(const RenderOptions& options) {
  h3::Holding holding{.memory = memory_of(options), .adapters = {}, .shift = options.clip.shift, .audio_shift = options.clip.audio_shift};
  if (options.clip.weights == "int8") holding.transformer = Precision::int8;
  holding.digest = options.receipt.digest;
  for (const std::string& choice : options.clip.loras) {
    const auto [file, scale] = lora_of(choice);
    holding.adapters.push_back({file, scale});
  }
  return holding;
}

// All prompts through the text encoder, which is gone afterwards.
std::vector<Conditioning> read_prompts(const h3::H3Folder& folder, const std::vector<Order>& orders, bool sees,
                                       const RenderOptions& options) {
  const Precision precision = options.clip.weights == "int8" ? Precision::int8 : precision_of(options.planning.model.precision);
  const Machine machine = machine_of(options.planning.model);
  const h3::PromptReader reader = h3::PromptReader::open(folder.tokenizer, folder.processor);
  std::vector<h3::Presentation> presentations;
  for (const Order& order : orders) presentations.push_back(h3::present(reader, order.prompt, order.clip.media, rate));
  const PhaseNeeds needs = h3::encoder_needs(folder.text_encoder, sees, precision, machine, presentations);
  const Residence residence = residence_within(memory_of(options), needs, "the text encoder");
  const h3::TextEncoder encoder(folder.text_encoder, sees, precision, machine, residence);
  std::vector<Conditioning> all;
  for (const h3::Presentation& presentation : presentations) all.push_back(encoder.encode(presentation));
  return all;
}

// All prompts, then all media through the two autoencoders: one part at a time is in memory.
std::vector<Conditioning> encoded(const h3::H3Folder& folder, const std::vector<Order>& orders, const RenderOptions& options) {
  const bool sees = std::any_of(orders.begin(), orders.end(), [](const Order& order) { return !order.clip.media.empty(); });
  std::vector<Conditioning> all = read_prompts(folder, orders, sees, options);
  if (!sees) return all;
  ModelOptions exact = options.planning.model;
  exact.precision = "fp32";  // the encoders', whatever the others compute in
  const Machine machine = machine_of(exact);
  const h3::VideoVae vae = h3::VideoVae::load(folder.vae, Precision::fp32, machine.device);
  const h3::AudioVae audio_vae = h3::AudioVae::load(folder.audio_vae, machine.device);
  for (std::size_t i = 0; i < orders.size(); ++i) {
    all[i].given = h3::encode_given(machine, vae, audio_vae, orders[i].clip.media);
    all[i].goes_on = orders[i].goes_on.has_value();
  }
  return all;
}

// Encodes a clip anew, with the picture that it goes on from as its first frame.
auto continuation(const h3::RequestRules& rules, const std::vector<Order>& orders, const RenderOptions& options,
                  const h3::FolderModel& model) {
  std::map<std::size_t, Order> open;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    if (orders[i].goes_on) open[i] = {orders[i].prompt, {}, orders[i].goes_on};
  }
  return [rules, open, options, &model](std::size_t shot, const Image& before) {
    Order order = open.at(shot);
    order.clip = h3::resolve(rules, *order.goes_on, {.first_frame = before});
    model.release();
    return std::move(encoded(rules.folder, {order}, options).front());
  };
}

// A film of one shot, the whole prompt. A plan has places; this has none, which is how it is known again (is_verbatim).
plan::Film verbatim_film(const std::string& prompt, int frames, const h3::Canvas& canvas, std::optional<std::uint64_t> seed) {
  plan::Film film;
  film.prompt = prompt;
  film.title = prompt_words(prompt, PlanCaps::title);
  if (film.title.empty()) film.title = "clip";
  film.aspect = aspect_of(static_cast<int>(canvas.width), static_cast<int>(canvas.height));
  film.fps = rate;
  film.language = "und";
  film.total_ms = milliseconds_of(frames);
  plan::Shot shot;
  // What a plan must say, of a shot that only its prompt knows.
  shot.id = "s010";
  shot.place = "prompt";
  shot.camera = {.size = "medium", .move = "static"};
  shot.ambience = "as the prompt says";
  shot.duration_ms = film.total_ms;
  // The request's own generator, which takes 32 bits of its seed, as PyTorch's does.
  shot.seed = static_cast<std::int64_t>(seed.value_or(0) & 0xFFFFFFFFU);
  film.shots.push_back(std::move(shot));
  return film;
}

bool is_verbatim(const plan::Film& film) { return film.places.empty() && film.shots.size() == 1; }

// "c010"
std::string clip_id(std::size_t index) {
  char id[16];
  std::snprintf(id, sizeof id, "c%03zu", 10 * (index + 1));
  return id;
}

// A plan's film with its clips in place of its shots. Lines go to the clip in which they begin.
plan::Film film_of_clips(const plan::Film& planned, const std::vector<h3::Clip>& clips) {
  plan::Film film = planned;
  film.fps = rate;
  film.shots.clear();
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const h3::Clip& clip = clips[i];
    plan::Shot shot;
    shot.id = clip_id(i);
    shot.start_ms = clip.start_ms;
    shot.duration_ms = clip.duration_ms;
    if (clip.transition.kind != "continue") shot.transition = clip.transition;
    for (const plan::Shot& one : planned.shots) {
      if (std::find(clip.shots.begin(), clip.shots.end(), one.id) == clip.shots.end()) continue;
      if (shot.place.empty()) shot.place = one.place;
      for (const plan::Line& line : one.dialogue) {
        if (line.start_ms >= clip.start_ms && line.start_ms < clip.start_ms + clip.duration_ms) shot.dialogue.push_back(line);
      }
    }
    film.shots.push_back(std::move(shot));
  }
  return film;
}

plan::Film plan_of(const Source& source, const h3::H3Folder& folder, const RenderOptions& options) {
  if (source.is_plan) return source.film;
  const std::string& planner = options.clip.planner;
  if (planner == "rules") return plan_by_rules(source, locate_bundle(""), options.planning);
  CheckpointOptions checkpoint;
  checkpoint.any_film = true;
  checkpoint.folder = planner == "lm" ? options.clip.lm : folder.text_encoder.string();
  return plan_by_checkpoint(source, options.planning, checkpoint);
}

void check_choice(const Source& source, const ClipChoice& choice, bool verbatim) {
  if ((choice.planner == "lm") == choice.lm.empty()) throw Error(ExitCode::usage, "--planner lm and --lm DIR go together");
  if (source.is_plan && !choice.planner.empty()) throw Error(ExitCode::usage, "--planner plans a prompt; this is a plan already");
  if (!verbatim && (choice.has_media() || choice.frames > 0 || choice.seconds > 0.0))
    throw Error(ExitCode::usage,
                "a plan says itself what its clips are given and how long they are; leave out --first-frame, --last-frame, "
                "--ref-…, --frames and --seconds");
}

// In the place of a picture that is not made yet.
Image black(const h3::Canvas& canvas) {
  return {static_cast<int>(canvas.width), static_cast<int>(canvas.height),
          std::vector<std::uint8_t>(3 * static_cast<std::size_t>(canvas.width) * static_cast<std::size_t>(canvas.height))};
}

// The prompt as it stands: one clip.
std::pair<std::vector<Order>, PlannedFilm> one_clip(const Source& source, const h3::RequestRules& rules, const RenderOptions& options) {
  const std::string& prompt = source.is_plan ? source.film.prompt : source.prompt;
  std::vector<Order> orders = {{prompt, h3::resolve(rules, asked_of(options.clip, options.format), media_of(options.clip))}};
  PlannedFilm planned;
  planned.film = source.is_plan ? source.film : verbatim_film(prompt, orders[0].clip.frames, orders[0].clip.canvas, options.seed);
  return {std::move(orders), std::move(planned)};
}

std::pair<std::vector<Order>, PlannedFilm> clips_of_plan(const Source& source, const h3::RequestRules& rules,
                                                         const RenderOptions& options) {
  PlannedFilm planned;
  planned.plan = plan_of(source, rules.folder, options);
  const std::vector<plan::Finding> findings = plan::check(*planned.plan);
  if (has_errors(findings)) throw plan::PlanError("the plan has errors", findings);
  const h3::Prompts prompts = h3::compile(*planned.plan);
  for (const std::string& sentence : prompts.left_out) std::fprintf(stderr, "fabula: left out: %s\n", printable(sentence).c_str());
  for (const h3::Clip& clip : prompts.clips) {
    if (clip.goes_on && !continues(clip))
      std::fprintf(
          stderr,
          "fabula: left out: shot %s is to go on from the last picture before it; its clip follows references, which leave no room "
          "for a first frame, and begins anew\n",
          printable(clip.shots.front()).c_str());
  }
  h3::Asked asked = asked_of(options.clip, options.format);
  if (options.format.aspect.empty())
    std::tie(asked.aspect_width, asked.aspect_height) = two_positive(planned.plan->aspect, ':', "the plan's aspect");
  asked.has_aspect = true;  // all clips of a film have one canvas
  std::vector<Order> orders;
  for (const h3::Clip& clip : prompts.clips) {
    GivenMedia media;
    for (const h3::Reference& reference : clip.references) media.references.push_back(reference_of(reference.kind, reference.file));
    asked.frames = clip.frames;
    if (continues(clip)) media.first_frame = black(orders.front().clip.canvas);
    orders.push_back({h3::text_of(clip), h3::resolve(rules, asked, media)});
    if (continues(clip)) orders.back().goes_on = asked;
  }
  planned.film = film_of_clips(*planned.plan, prompts.clips);
  return {std::move(orders), std::move(planned)};
}

}  // namespace

bool is_published_folder(const std::string& model) { return !model.empty() && h3::H3Folder::is_at(model); }

void require_published(const RenderOptions& options) {
  if (options.clip.any() && !is_published_folder(options.planning.model.model))
    throw Error(ExitCode::usage, "this model takes no frames, references, lengths or LoRA files: they are for a published folder");
}

std::vector<std::string> published_tasks(const plan::Film& film, const RenderOptions& options) {
  const bool verbatim = is_verbatim(film);
  check_choice({.prompt = {}, .is_plan = true, .film = film}, options.clip, verbatim);
  if (verbatim) return {film.shots.front().id};
  const std::vector<h3::Clip> clips = h3::compile(film).clips;
  std::vector<std::string> tasks;
  for (std::size_t first = 0, i = 0; i < clips.size(); ++i) {
    if (!continues(clips[i])) {
      first = i;
      tasks.push_back(clip_id(i));
    } else {
      tasks.back() = clip_id(first) + "-" + clip_id(i);
    }
  }
  return tasks;
}

PublishedFilm plan_published(const Source& source, const RenderOptions& options) {
  const h3::H3Folder folder = h3::H3Folder::open(options.planning.model.model);
  const h3::RequestRules rules = h3::rules_of(folder);
  const bool verbatim = source.is_plan ? is_verbatim(source.film) : options.clip.planner.empty() && source.title.empty();
  check_choice(source, options.clip, verbatim);
  auto [orders, planned] = verbatim ? one_clip(source, rules, options) : clips_of_plan(source, rules, options);
  const h3::Canvas canvas = orders.front().clip.canvas;
  PublishedFilm film{.bundle = h3::bundle_of(rules, canvas), .model = nullptr, .planned = std::move(planned)};
  auto model = std::make_unique<h3::FolderModel>(rules, canvas, precision_of(options.planning.model.precision),
                                                 machine_of(options.planning.model), holding_of(options));
  // Refused before the prompts are read, which takes minutes with a large encoder.
  for (const Order& order : orders) model->check(order.clip.workflow);
  film.planned.shots = encoded(folder, orders, options);
  film.planned.continued = continuation(rules, orders, options, *model);
  film.model = std::move(model);
  return film;
}

}  // namespace fabula::cli
