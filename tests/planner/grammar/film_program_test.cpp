// The whole schema as a program: whatever a model prefers, it writes a plan that can be read back and keeps every rule that a grammar can
// enforce. The quality of the story and locked fields are left to the validator, the repair and people.
#include "planner/grammar/film_program.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "planner/check/check.h"
#include "planner/grammar/film_rules.h"
#include "planner/schema/schema.h"
#include "tests/support/random.h"

namespace fabula {
namespace {

using nlohmann::json;

const std::string root = FABULA_SOURCE_DIR;

// The rules that hold by construction, whatever the logits.
const std::set<std::string> promised = {
    "not-json", "version", "duplicate-key", "unknown-field", "missing-field", "wrong-type", "out-of-range", "unknown-choice", "empty-text",
    "bad-text", "id-pattern", "id-duplicate", "unknown-place", "unknown-character", "unknown-beat", "unknown-target", "unknown-entity",
    "duplicate-member", "actor-not-in-cast", "speaker-not-in-cast", "locked-path", "no-shots", "shot-tiling", "shot-duration",
    "total-mismatch", "beat-uncovered", "beat-order", "beat-requires", "too-many-actors", "too-many-actions", "time-outside-shot",
    "transition-time", "transition-start", "transition-continue", "conditioning-chain", "music-time", "same-size", "late-beat",
    "line-outside-shot", "line-too-fast", "line-overlap", "line-outlasts-action", "pre-fails", "prop-state", "fact-twice", "one-holder",
    "one-place", "destroyed", "wardrobe-undeclared",
    // of a program for a world
    "model-text", "model-format", "model-shots", "model-shot-length", "model-character", "model-voice", "model-place", "model-cast",
    "model-prop", "model-action", "model-camera", "model-line", "model-transition", "model-ignores"};
// And those that do not depend on what is written: the prompt is given, and locks compare two plans.
const std::set<std::string> not_promised = {"model-prompt", "locked-changed", "prompt-event"};

const World& world() {
  static const World storybook = World::open(root + "/assets/world/world.json");
  return storybook;
}

const Tokenizer& tokenizer() {
  static const Tokenizer small = Tokenizer::open(root + "/tests/goldens/tokenizer/tokenizer.json");
  return small;
}
const TokenTable& table() {
  static const TokenTable prepared(tokenizer());
  return prepared;
}

struct Written {
  plan::Film film;
  std::string text;
};

// A model with random preferences, plus a tendency to end values that is drawn for each film.
class Noise {
 public:
  explicit Noise(std::uint64_t seed) : random_(seed), noise_(random_.normals(60'000)) {
    for (std::int32_t token = 0; token < tokenizer().size(); ++token) {
      if (tokenizer().bytes(token).starts_with('"')) enders_.push_back(token);
    }
  }

  // `lead`: a text that the model prefers to write as long as it is allowed to.
  Written compose(const FilmProgram& program, const std::string& prompt, const std::string& lead = "") {
    const float ending = random_.uniform(4.0F, 9.0F);
    std::string so_far;
    Composer composer(tokenizer(), table(), [&](std::span<const std::int32_t> tokens) {
      for (const std::int32_t token : tokens) so_far += tokenizer().bytes(token);
      const auto from = noise_.begin() + random_.below(static_cast<std::int64_t>(noise_.size()) - tokenizer().size());
      logits_.assign(from, from + tokenizer().size());
      for (const std::int32_t token : enders_) logits_[static_cast<std::size_t>(token)] += ending;
      for (std::int32_t token = 0; lead.starts_with(so_far) && token < tokenizer().size(); ++token) {
        const std::string& bytes = tokenizer().bytes(token);
        if (!bytes.empty() && lead.compare(so_far.size(), bytes.size(), bytes) == 0)
          logits_[static_cast<std::size_t>(token)] = 100.0F + static_cast<float>(bytes.size());
      }
      return std::span<const float>(logits_);
    });
    Written written;
    written.film.prompt = prompt;
    write_any_plan(composer, written.film, program);
    for (const std::int32_t token : composer.tokens()) written.text += tokenizer().bytes(token);
    return written;
  }

  test::Random random_;

 private:
  std::vector<float> noise_, logits_;
  std::vector<std::int32_t> enders_;
};

void collect_paths(const json& value, const std::string& path, std::set<std::string>& paths) {
  if (!path.empty()) paths.insert(path);
  if (value.is_array()) {
    for (const json& entry : value) collect_paths(entry, path + "[]", paths);
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.items()) collect_paths(member, path.empty() ? key : path + "." + key, paths);
  }
}

// Everything wrong with what a program wrote; empty if it keeps its promises.
std::string broken_promises(const Written& written, const FilmOptions& options) {
  std::string wrong;
  const std::string saved = plan::to_json(written.film);
  if (written.text != plan::to_compact_json(written.film)) wrong += "the text is not the film's JSON: " + written.text + "\n";
  if (!(plan::from_json(saved) == written.film)) wrong += "the film is not what is read back\n";
  const std::vector<plan::Finding> findings =
      options.world != nullptr ? plan::check(written.film, *options.world) : plan::check(written.film);
  for (const plan::Finding& finding : findings) {
    if (promised.contains(finding.rule)) wrong += finding.rule + ": " + finding.path + " " + finding.sentence + "\n";
  }
  return wrong.empty() ? wrong : wrong + saved;
}

// Writes `count` films, half of them on a second thread. Returns the paths that were written.
std::set<std::string> decode(const FilmOptions& options, int count) {
  const FilmProgram program(options);
  std::set<std::string> paths;
  std::mutex mutex;
  const auto half = [&](std::uint64_t seed, int films) {
    Noise model(seed);
    std::set<std::string> seen;
    int faults = 0;
    for (int i = 0; i < films && faults < 3; ++i) {
      const Written written =
          model.compose(program, model.random_.below(4) == 0 ? "..." : "A fox says hello! And a na\u00efve crab sings.");
      const std::string wrong = broken_promises(written, options);
      if (i % 8 == 0) collect_paths(json::parse(written.text), "", seen);
      if (wrong.empty()) continue;
      ++faults;
      const std::lock_guard lock(mutex);
      ADD_FAILURE() << wrong;
    }
    const std::lock_guard lock(mutex);
    paths.merge(seen);
  };
  auto other = std::async(std::launch::async, half, test::seed() + 1, count / 2);
  half(test::seed(), count - count / 2);
  other.get();
  return paths;
}

std::set<std::string> paths_of(const FilmProgram& program) {
  std::set<std::string> paths;
  for (const FilmNode& node : program.nodes()) {
    if (!node.path.empty()) paths.insert(node.path);
  }
  return paths;
}

// A path that noise never takes would be an untested promise.
void expect_all_written(const std::set<std::string>& written, const FilmOptions& options) {
  for (const std::string& path : paths_of(FilmProgram(options))) EXPECT_TRUE(written.contains(path)) << path << " was never written";
}

TEST(FilmProgram, TellsOfEveryRuleWhetherItIsPromised) {
  for (const plan::Rule& rule : plan::rules()) EXPECT_EQ(promised.contains(rule.id) + not_promised.contains(rule.id), 1) << rule.id;
  EXPECT_EQ(promised.size() + not_promised.size(), plan::rules().size());
}

TEST(FilmProgram, HasEachRuleInOneTableForAFieldOfThePlan) {
  const std::set<std::string> paths = paths_of(FilmProgram({.max_shots = 4, .all_fields = true}));
  std::set<std::string> common;
  for (const FilmRule& rule : rules_in_common()) EXPECT_TRUE(common.insert(rule.path).second) << rule.path;
  for (const auto& table : {rules_of_world(), rules_of_any_film()}) {
    std::set<std::string> all = common;
    for (const FilmRule& rule : table) EXPECT_TRUE(all.insert(rule.path).second) << rule.path;
    for (const std::string& path : all) EXPECT_TRUE(paths.contains(path)) << path;
  }
}

TEST(FilmProgram, WritesOnlyFilmsInWhichNothingIsWrong) {
  const FilmOptions options{.max_shots = 4, .all_fields = true};
  expect_all_written(decode(options, 4000), options);
}

TEST(FilmProgram, LeavesOutWhatIsNotTheModels) {
  const FilmOptions options{.max_shots = 6, .shortest_shot_ms = 900, .longest_shot_ms = 1800};
  const std::set<std::string> paths = decode(options, 3000);
  for (const char* path : {"seed", "shots[].locked", "shots[].conditioning", "characters[].ref_images"})
    EXPECT_FALSE(paths.contains(path)) << path;
  expect_all_written(paths, options);
}

TEST(FilmProgram, OfAWorldWritesItsWeathersMoodsAndPropsWhereItHasSome) {
  const World nano = World::open(root + "/assets/models/nano/world.json");
  for (const char* path : {"places[].weather", "shots[].cast[].mood", "shots[].props"}) {
    EXPECT_TRUE(paths_of(FilmProgram({.world = &world()})).contains(path)) << path;
    EXPECT_FALSE(paths_of(FilmProgram({.world = &nano})).contains(path)) << path;
  }
}

TEST(FilmProgram, OfAWorldWritesOnlyWhatItsModelCanFilm) {
  const FilmOptions options{.world = &world()};
  expect_all_written(decode(options, 3000), options);
}

// A model that tries to copy each committed bad plan gets only as far as the grammar permits.
TEST(FilmProgram, IsNotLedIntoWhatIsWrong) {
  Noise model(test::seed());
  std::size_t led = 0, stopped = 0;
  for (const auto& file : std::filesystem::directory_iterator(root + "/tests/planner/plans/bad")) {
    std::ifstream in(file.path());
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    plan::Film bad;
    try {
      bad = plan::from_json(text);
    } catch (const Error&) {
      continue;  // the fault is not in the film
    }
    if (bad.prompt.size() > 4000) continue;
    const std::string lead = plan::to_compact_json(bad);
    for (const World* narrowed : {static_cast<const World*>(nullptr), &world()}) {
      const FilmOptions options{.world = narrowed, .all_fields = true};
      const Written written = model.compose(FilmProgram(options), bad.prompt, lead);
      std::string wrong = broken_promises(written, options);
      EXPECT_TRUE(wrong.empty()) << file.path() << ": " << wrong;
      ++led;
      stopped += written.text != lead;
    }
  }
  EXPECT_GT(led, 80U);
  EXPECT_GT(stopped, 60U);
}

TEST(FilmProgram, HasEveryFieldOfTheSchemaButThePrompt) {
  const json schema = json::parse(plan::json_schema());
  std::set<std::string> fields;
  const std::function<void(const json&, const std::string&)> walk = [&](const json& type, const std::string& path) {
    if (!path.empty()) fields.insert(path);
    if (type.contains("$ref")) return walk(schema["$defs"][type["$ref"].get<std::string>().substr(8)], path);
    if (type.contains("items")) walk(type["items"], path + "[]");
    if (!type.contains("properties")) return;
    for (const auto& [key, member] : type["properties"].items()) walk(member, path.empty() ? key : path + "." + key);
  };
  walk(schema, "");
  fields.erase("prompt");
  fields.erase("version");
  EXPECT_EQ(paths_of(FilmProgram({.all_fields = true})), fields);
}

// A published model has learnt JSON as its tokenizer cuts it. If texts begin and end with letters, the program's segments are cut in the
// same places, so no token healing is needed.
TEST(FilmProgram, WritesTheTokensOfItsJson) {
  const json plan = json::parse(
      R"({"version":"fabula.plan/1","prompt":"A fox.","treatment":"A fox finds a lantern and brings it home","title":"The lantern","logline":"Light comes home","aspect":"16:9","fps":24,
    "total_ms":9000,"language":"en","characters":[{"id":"fox","name":"Fox","look":"a red fox","wardrobe":"a green scarf","voice":{"voice_id":"warm","pace":"slow"}},{"id":"owl","name":"Owl","look":"a grey owl","voice":{"voice_id":"deep"}}],
    "places":[{"id":"forest","description":"tall dark trees","time_of_day":"night","weather":"fog","landmarks":[{"name":"the old oak","screen":"left"}]}],
    "props":[{"id":"lantern","description":"a brass lantern","states":["dark","lit"]}],"world":[{"entity":"lantern","attribute":"state","value":"dark"}],
    "beats":[{"id":"found","summary":"the fox finds it"},{"id":"home","summary":"it burns","requires":["found"]}],
    "shots":[{"id":"s010","beat":"found","place":"forest","start_ms":0,"duration_ms":4000,"cast":[{"id":"fox","position":"left","depth":"foreground","facing":"right","visible_at":500}],
      "action_beats":[{"at_ms":0,"who":"fox","what":"walks"},{"at_ms":1500,"who":"fox","what":"lights the lantern"}],"pre":[{"entity":"lantern","attribute":"state","value":"dark"}],
      "effects":[{"entity":"lantern","attribute":"state","value":"lit"}],"camera":{"size":"wide","move":"static","lens_mm":35,"target":"the old oak"},
      "dialogue":[{"speaker":"fox","text":"A light in the dark","start_ms":1000,"end_ms":3500,"mode":"on_screen"}],"ambience":"wind"},
     {"id":"s020","beat":"home","place":"forest","start_ms":4000,"duration_ms":5000,"transition":{"kind":"dissolve","ms":400},"cast":[],"action_beats":[],"camera":{"size":"close","move":"push_in"},"dialogue":[],
      "sfx":[{"at_ms":200,"description":"a door"}],"ambience":"wind","last_frame":"the lantern alone"}],
    "sound":{"music":"a quiet flute"},"unsupported":["fox"]})");
  const plan::Film goal = plan::from_json(plan.dump());
  std::string text = plan::to_compact_json(goal);  // the program writes the treatment first
  const std::string version = R"("version":"fabula.plan/1",)", treatment = R"("treatment":"A fox finds a lantern and brings it home",)";
  ASSERT_EQ(text.find(version + treatment), 1U) << text;
  text.replace(1, version.size() + treatment.size(), treatment + version);
  const std::vector<std::int32_t> natural = tokenizer().encode(text, AddedTokens::plain);
  std::vector<float> logits;
  std::size_t read = 0;
  Composer composer(tokenizer(), table(), [&](std::span<const std::int32_t> tokens) {
    read += tokens.size();
    logits.assign(static_cast<std::size_t>(tokenizer().size()), 0.0F);
    if (read < natural.size()) logits[static_cast<std::size_t>(natural[read])] = 1.0F;
    return std::span<const float>(logits);
  });
  plan::Film film;
  film.prompt = goal.prompt;
  write_any_plan(composer, film, FilmProgram({}));
  EXPECT_EQ(plan::to_json(film), plan::to_json(goal));
  EXPECT_EQ(composer.tokens(), natural);
}

TEST(FilmProgram, RefusesShotLengthsThatCannotTileAFilm) {
  EXPECT_THROW((void)FilmProgram({.max_shots = 0}), Error);
  EXPECT_THROW((void)FilmProgram({.shortest_shot_ms = 0}), Error);
  EXPECT_THROW((void)FilmProgram({.shortest_shot_ms = 1000, .longest_shot_ms = 1999}), Error);
}

}  // namespace
}  // namespace fabula
