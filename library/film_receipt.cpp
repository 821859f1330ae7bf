// Fills in a film's receipt and hooks labels, signature and comparison into its sink.
#include "library/film_receipt.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "base/error.h"
#include "base/output_file.h"
#include "base/sha256.h"
#include "planner/text/text.h"

namespace fabula {

namespace fs = std::filesystem;

namespace {

void require_same_film(const Receipt& then, const fs::path& film) {
  if (film_digest(film) == (then.signer.empty() ? then.sha256 : then.unsigned_sha256)) return;  // a signature holds the time
  const std::vector<std::string> found = differences(then, build_version());
  throw Error(ExitCode::check_failed, "the film is not that of the receipt, byte for byte" +
                                          (found.empty() ? ", and nothing that the receipt knows differs" : ": " + joined(found)));
}

}  // namespace

void add_receipt_options(CLI::App& command, ReceiptOptions& options) {
  command.add_flag("--no-receipt", options.none,
                   "No FILM.fabula.json beside the film: it says what the film was made from, so that it can be made again");
  command.add_flag("--no-labels", options.no_labels, "Do not write into the film that a model has made it (XMP, AIGC)");
  command
      .add_option("--c2pa", options.signer,
                  "Have the finished film signed by this program: c2patool, or another that takes its arguments (keys: "
                  "C2PA_PRIVATE_KEY, C2PA_SIGN_CERT)")
      ->type_name("SIGNER");
}

bool makes_receipt(const ReceiptOptions& options, const fs::path& output) { return !options.none && !is_stream(output); }

void check_receipt_options(const ReceiptOptions& options, const fs::path& output, bool overwrite) {
  if (!output.empty() && makes_receipt(options, output)) check_receipt(output, overwrite);
  if (!options.signer.empty() && !options.sign) throw Error(ExitCode::usage, "--c2pa: signing is not offered here");
}

FilmReceipt::FilmReceipt(const ReceiptOptions& options, fs::path output, const Bundle& bundle, Receipt draft)
    : options_(options), output_(std::move(output)), receipt_(std::move(draft)) {
  receipt_.build = build_version();
  auto beside_the_bundle = std::exchange(receipt_.model.parts, {});
  receipt_.model = model_version(bundle, options.digest);
  receipt_.model.parts.insert(receipt_.model.parts.end(), beside_the_bundle.begin(), beside_the_bundle.end());
  receipt_.options = options.recorded;
  receipt_.signer = options.signer;
  if (!options.no_labels) receipt_.label = film_id(receipt_);
  if (!options.again) return;
  const std::vector<std::string> found = differences(*options.again, receipt_.model);
  if (!found.empty()) throw Error(ExitCode::check_failed, "the film of the receipt cannot be made again: " + joined(found));
}

void FilmReceipt::prepare(SinkOptions& how) {
  const std::string producer = "Fabula " + receipt_.build.version;
  if (!receipt_.label.empty()) how.labels = FilmLabels{producer, receipt_.label};
  if (!options_.signer.empty()) {
    how.sign = [this](const fs::path& film) {
      receipt_.unsigned_sha256 = sha256_of(film);
      options_.sign(options_.signer, film, receipt_.build.version);
    };
  }
  how.check = [this, own = how.check](const fs::path& film) {
    if (own) own(film);
    if (options_.again) require_same_film(*options_.again, film);
    if (!output_.empty() && makes_receipt(options_, output_)) drop_receipt(output_);
  };
}

void FilmReceipt::write(const fs::path& film, const std::vector<ShotReport>& shots, const std::optional<Mastered>& sound, bool overwrite) {
  if (!makes_receipt(options_, film)) return;
  check_receipt(film, overwrite);
  receipt_.file = film.filename();
  receipt_.sha256 = film_digest(film);
  receipt_.bytes = film_bytes(film);
  receipt_.shots = shots;
  receipt_.sound = sound;
  write_receipt(film, receipt_);
}

}  // namespace fabula
