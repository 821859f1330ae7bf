// The receipt of a film, FILM.fabula.json beside it: what it was made from and how, so that the same bytes can be made again. It is
// written last, so its presence says that the film is whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audio/master.h"
#include "base/sha256.h"
#include "engine/bundle.h"
#include "engine/film/film.h"
#include "engine/plan.h"
#include "library/version.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace fabula {

/// The model that made a film: a SHA-256 for each part of its bundle.
struct ModelVersion {
  std::string name, version;
  std::vector<std::pair<std::string, std::string>> parts;  ///< ("transformer", 64 digits)
};
/// Takes the digest of every file of the bundle.
[[nodiscard]] ModelVersion model_version(const Bundle& bundle, const FileDigest& digest = read_digest());

struct Receipt {
  std::string file, sha256;  ///< of the film; file: its name without folders
  std::uint64_t bytes = 0;
  int width = 0, height = 0;
  BuildVersion build;
  ModelVersion model;
  std::uint64_t seed = 0;
  std::string precision;             ///< fp32 or bf16
  std::vector<std::string> options;  ///< of the command line, as far as the bytes depend on them, apart from the two above: "--steps=6"
  plan::Film plan;                   ///< as it was filmed
  std::vector<ShotReport> shots;
  std::optional<Mastered> sound;
  std::string label;            ///< FilmLabels::id; empty: no labels
  std::string signer;           ///< the program that signed the film, whose bytes then differ each time; empty: none
  std::string unsigned_sha256;  ///< of a signed film before it was signed
};

/// "film.fabula.json" of "film.mp4".
[[nodiscard]] std::filesystem::path receipt_of(const std::filesystem::path& film);

/// To be called before any work. Throws Error(cannot_create) if the file of the receipt's name is no receipt and may not be replaced: a
/// receipt whose film is replaced or gone has no further use.
void check_receipt(const std::filesystem::path& film, bool overwrite);
/// Removes a receipt that is about to be wrong, because its film is replaced.
void drop_receipt(const std::filesystem::path& film);
void write_receipt(const std::filesystem::path& film, const Receipt&);
/// Throws Error: input_missing; bad_data for a file that is no receipt.
[[nodiscard]] Receipt read_receipt(const std::filesystem::path& file);
/// SHA-256 and size of a film: of its file, or of all the pictures of a sequence.
[[nodiscard]] std::string film_digest(const std::filesystem::path& film);
[[nodiscard]] std::uint64_t film_bytes(const std::filesystem::path& film);
[[nodiscard]] bool is_receipt_name(const std::string& file);

/// A name for what a film is made from, for its labels: 32 digits of a SHA-256 over model, plan, seed and options.
[[nodiscard]] std::string film_id(const Receipt&);

/// What of the machine, the program and the model differs from the receipt's, one sentence each.
[[nodiscard]] std::vector<std::string> differences(const Receipt&, const BuildVersion&);
[[nodiscard]] std::vector<std::string> differences(const Receipt&, const ModelVersion&);

/// Whether a film's bytes depend on an option (its name without dashes) of which the receipt says nothing else.
[[nodiscard]] bool is_recorded(const std::string& option);
/// An option as a receipt has it: "--steps=6", "--sdh".
[[nodiscard]] std::string recorded(const std::string& option, const std::string& value);
/// Whether it may be given several times and their order is the film's: these are recorded last, as they stand.
[[nodiscard]] bool is_ordered(const std::string& option);
/// Of the options that were given on the line of a command, those whose names (without dashes) are `wanted`, spelt as a receipt has them:
/// sorted, then the ordered ones as they stand, so that a film has one receipt however it was asked for. `value`, where there is one,
/// writes an option's value differently.
using OptionValue = std::function<std::string(const CLI::Option&, const std::string& value)>;
[[nodiscard]] std::vector<std::string> spelt_options(const CLI::App& command, const std::function<bool(const std::string& name)>& wanted,
                                                     const OptionValue& value = {});
/// Those for Receipt::options.
[[nodiscard]] std::vector<std::string> recorded_options(const CLI::App& command);

}  // namespace fabula
