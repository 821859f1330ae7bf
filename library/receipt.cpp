// Writes receipts, reads them back, and compares them with this machine.
#include "library/receipt.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"
#include "base/output_file.h"
#include "base/sha256.h"
#include "engine/bundle.h"
#include "kernels/instruction_set.h"
#include "planner/schema/schema.h"
#include "video/io/sequence.h"

namespace fabula {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr const char* format = "fabula.receipt/1";
constexpr const char* ending = ".fabula.json";
constexpr std::size_t largest = std::size_t{16} << 20U;

constexpr std::array<const char*, 4> outcomes = {"reused", "made", "made_again", "made_for_this_profile"};  // ShotStore::Outcome

const char* name_of(ShotStore::Outcome outcome) { return outcomes.at(static_cast<std::size_t>(outcome)); }

// Of the files of a folder, or of one file; empty where there is none.
std::string digest_of(const fs::path& part, const FileDigest& digest) {
  if (fs::is_regular_file(part)) return digest(part);
  if (!fs::is_directory(part)) return {};
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(part)) {
    if (entry.is_regular_file()) files.insert(entry.path());
  }
  Sha256 hash;
  for (const fs::path& file : files) hash.field(file.filename().string()).field(digest(file));
  return hash.hex();
}

ordered_json json_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
  ordered_json object = ordered_json::object();
  for (const auto& [key, value] : pairs) object[key] = value;
  return object;
}

ordered_json json_of(const ShotReport& shot) {
  ordered_json object = {{"id", shot.id}, {"seed", shot.seed}, {"outcome", name_of(shot.outcome)}};
  if (!shot.profile.empty()) object["profile"] = shot.profile;
  for (const ShotReport::Refused& refused : shot.refused) object["refused"].push_back({{"seed", refused.seed}, {"why", refused.fault}});
  return object;
}

ordered_json json_of(const Receipt& r) {
  ordered_json root = {{"format", format}};
  root["film"] = {{"file", r.file},   {"sha256", r.sha256}, {"bytes", r.bytes},
                  {"width", r.width}, {"height", r.height}, {"aspect", aspect_of(r.width, r.height)}};
  root["title"] = r.plan.title;
  root["total_ms"] = r.plan.total_ms;
  root["unsupported"] = r.plan.unsupported;
  root["program"] = {{"version", r.build.version},
                     {"commit", r.build.commit},
                     {"instruction_set", r.build.instruction_set},
                     {"libraries", json_of(r.build.libraries)}};
  root["model"] = {{"name", r.model.name}, {"version", r.model.version}, {"sha256", json_of(r.model.parts)}};
  root["seed"] = r.seed;
  root["precision"] = r.precision;
  root["options"] = r.options;
  root["shots"] = ordered_json::array();
  for (const ShotReport& shot : r.shots) root["shots"].push_back(json_of(shot));
  if (r.sound) {
    root["sound"] = {{"gain_db", r.sound->gain_db}, {"gain_was_limited", r.sound->gain_was_limited}};
    if (std::isfinite(r.sound->lufs)) root["sound"]["loudness_lufs"] = r.sound->lufs;
  }
  if (!r.label.empty()) root["labels"] = {{"id", r.label}, {"digital_source_type", "trainedAlgorithmicMedia"}, {"aigc", true}};
  if (!r.signer.empty()) root["signature"] = {{"signer", r.signer}, {"unsigned_sha256", r.unsigned_sha256}};
  root["plan"] = ordered_json::parse(plan::to_json(r.plan));
  return root;
}

std::vector<std::pair<std::string, std::string>> pairs_of(const JsonFields& object, const std::string& key) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [name, value] : object.texts(key)) pairs.emplace_back(name, value);
  return pairs;
}

// What is needed to make the film again or to compare it; the rest is for readers.
Receipt receipt_from(const std::string& text, const std::string& name) {
  constexpr std::int64_t any = INT64_MAX;
  const JsonFields fields = JsonFields::parse(text, name);
  (void)fields.choice("format", {format});
  const JsonFields film = fields.object("film"), program = fields.object("program"), model = fields.object("model");
  Receipt r;
  r.file = film.text("file");
  r.sha256 = film.text("sha256");
  r.bytes = film.integer<std::uint64_t>("bytes", 0, any);
  r.width = film.integer<int>("width", 1, 65536);
  r.height = film.integer<int>("height", 1, 65536);
  r.build = {program.text("version"), program.text("commit"), program.text("instruction_set"), pairs_of(program, "libraries")};
  r.model = {model.text("name"), model.text("version"), pairs_of(model, "sha256")};
  r.precision = fields.text("precision");
  if (fields.has("labels")) r.label = fields.object("labels").text("id");
  if (fields.has("signature")) {
    r.signer = fields.object("signature").text("signer");
    r.unsigned_sha256 = fields.object("signature").text("unsigned_sha256");
  }
  const auto root = nlohmann::json::parse(text);  // the parts that are no single fields
  if (!root.contains("seed") || !root["seed"].is_number_unsigned()) fields.refuse("\"seed\" is not a whole number");
  r.seed = root["seed"].get<std::uint64_t>();
  if (!root.contains("options") || !root["options"].is_array()) fields.refuse("\"options\" is not a list");
  for (const auto& option : root["options"]) {
    if (!option.is_string()) fields.refuse("\"options\" holds something other than text");
    r.options.push_back(option.get<std::string>());
  }
  if (!root.contains("plan")) fields.refuse("the field \"plan\" is missing");
  r.plan = plan::from_json(root["plan"].dump());
  return r;
}

void compare(std::vector<std::string>& found, const std::string& what, const std::string& then, const std::string& now) {
  if (then != now) found.push_back(what + " was " + (then.empty() ? "absent" : then) + " and is " + (now.empty() ? "absent" : now));
}

std::string value_in(const std::vector<std::pair<std::string, std::string>>& pairs, const std::string& key) {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == key; });
  return found == pairs.end() ? "" : found->second;
}

}  // namespace

ModelVersion model_version(const Bundle& bundle, const FileDigest& digest) {
  static const std::vector<const char*> of_a_bundle = {"fabula.json", "world.json", "planner",   "transformer",
                                                       "vae",         "audio_vae",  "scheduler", "audio_scheduler"};
  static const std::vector<const char*> of_a_published_folder = {
      "modular_model_index.json", "text_encoder", "tokenizer", "processor", "transformer",
      "transformer_ref",          "vae",          "audio_vae", "scheduler", "audio_scheduler"};
  ModelVersion model{bundle.name, bundle.version, {}};
  const bool is_published = fs::is_regular_file(bundle.folder / of_a_published_folder.front());
  for (const char* part : is_published ? of_a_published_folder : of_a_bundle)
    model.parts.emplace_back(part, digest_of(bundle.folder / part, digest));
  return model;
}

fs::path receipt_of(const fs::path& film) { return film.parent_path() / (film.stem().string() + ending); }

std::string film_digest(const fs::path& film) {
  const std::optional<SequenceName> pictures = sequence_name(film);
  if (!pictures) return sha256_of(film);
  Sha256 hash;
  for (const fs::path& file : pictures->existing()) hash.field(file.filename().string()).field(sha256_of(file));
  return hash.hex();
}

std::uint64_t film_bytes(const fs::path& film) {
  const std::optional<SequenceName> pictures = sequence_name(film);
  if (!pictures) return fs::file_size(film);
  std::uint64_t bytes = 0;
  for (const fs::path& file : pictures->existing()) bytes += fs::file_size(file);
  return bytes;
}

bool is_receipt_name(const std::string& file) { return file.ends_with(ending); }

void check_receipt(const fs::path& film, bool overwrite) {
  const fs::path file = receipt_of(film);
  if (!output_exists(file)) return check_output(file, Existing::refuse);
  try {
    (void)read_receipt(file);
  } catch (const Error&) {
    if (!overwrite)
      throw Error(ExitCode::cannot_create,
                  file.string() + ", where the film's receipt goes, exists already; -y (--overwrite) replaces it, --no-receipt makes none");
  }
  check_output(file, Existing::replace);
}

void drop_receipt(const fs::path& film) {
  std::error_code ignored;
  fs::remove(receipt_of(film), ignored);
}

void write_receipt(const fs::path& film, const Receipt& receipt) {
  const std::string text = json_of(receipt).dump(2) + "\n";
  write_whole_file(receipt_of(film), std::as_bytes(std::span(text)), Existing::replace);
}

Receipt read_receipt(const fs::path& file) { return receipt_from(read_file(file, largest, "the receipt"), file.string()); }

std::string film_id(const Receipt& receipt) {
  Sha256 hash;
  hash.field(plan::to_json(receipt.plan)).field(std::to_string(receipt.seed)).field(receipt.precision);
  for (const std::string& option : receipt.options) hash.field(option);
  for (const auto& [part, digest] : receipt.model.parts) hash.field(part).field(digest);
  return hash.hex().substr(0, 32);
}

std::vector<std::string> differences(const Receipt& receipt, const BuildVersion& now) {
  std::vector<std::string> found;
  compare(found, "Fabula", receipt.build.version, now.version);
  compare(found, "the commit", receipt.build.commit, now.commit);
  compare(found, "the processor", processor_profile(receipt.build.instruction_set), processor_profile(now.instruction_set));
  for (const auto& [name, number] : now.libraries) compare(found, name, value_in(receipt.build.libraries, name), number);
  return found;
}

std::vector<std::string> differences(const Receipt& receipt, const ModelVersion& now) {
  std::vector<std::string> found;
  compare(found, "the model", receipt.model.name + " " + receipt.model.version, now.name + " " + now.version);
  for (const auto& [part, digest] : now.parts) {
    if (value_in(receipt.model.parts, part) != digest) found.push_back("the model's " + part + " is another");
  }
  return found;
}

bool is_recorded(const std::string& option) {
  // Where things are and what is told; and what the plan, the seed and the precision of the receipt already say.
  static const std::set<std::string> left_out = {
      "help",        "output",    "overwrite", "no-clobber", "quiet",      "json",    "store",     "no-store",     "any-machine", "threads",
      "model",       "save-plan", "cast",      "no-cast",    "shots",      "seed",    "precision", "from-receipt", "no-receipt",  "c2pa",
      "temperature", "top-p",     "min-p",     "plan-seed",  "progress",   "log",     "preview",   "dry-run",      "duration",    "anyway",
      "strict",      "verbose",   "format",    "stems",      "frames-out", "posters", "planner",   "lm",           "memory"};
  return !left_out.contains(option);
}

bool is_ordered(const std::string& option) { return option.starts_with("ref-") || option == "lora"; }

// A flag's value is "true", or what was given with it: --subtitles=track.
std::string recorded(const std::string& option, const std::string& value) { return "--" + option + (value == "true" ? "" : "=" + value); }

std::vector<std::string> spelt_options(const CLI::App& command, const std::function<bool(const std::string&)>& wanted,
                                       const OptionValue& value) {
  const auto name_of = [](const CLI::Option& option) { return option.get_lnames().empty() ? std::string() : option.get_lnames().front(); };
  const auto spelt = [&](const CLI::Option& option, const std::string& given) {
    return recorded(name_of(option), value ? value(option, given) : given);
  };
  std::vector<std::string> options;
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = name_of(*option);
    if (option->count() == 0 || name.empty() || is_ordered(name) || !wanted(name)) continue;
    for (const std::string& given : option->results()) options.push_back(spelt(*option, given));
  }
  std::sort(options.begin(), options.end());
  std::map<const CLI::Option*, std::size_t> taken;
  for (const CLI::Option* option : command.parse_order()) {
    const std::string name = name_of(*option);
    if (name.empty() || !is_ordered(name) || !wanted(name)) continue;
    if (const std::size_t next = taken[option]++; next < option->results().size())
      options.push_back(spelt(*option, option->results()[next]));
  }
  return options;
}

std::vector<std::string> recorded_options(const CLI::App& command) { return spelt_options(command, is_recorded); }

}  // namespace fabula
