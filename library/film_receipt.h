// What a render does for its film's receipt, labels and signature, from its options to the written file.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "library/receipt.h"
#include "video/io/sinks.h"

namespace CLI {
class App;
}

namespace fabula {

struct ReceiptOptions {
  bool none = false;       ///< no receipt
  bool no_labels = false;  ///< the film does not say that a model made it
  std::string signer;      ///< empty: the film is not signed
  /// Has `signer` sign a film in place; `version` is that of the program that made it.
  std::function<void(const std::string& signer, const std::filesystem::path& film, const std::string& version)> sign;
  FileDigest digest = read_digest();  ///< of the model's files
  std::vector<std::string> recorded;  ///< recorded_options() of the command
  std::vector<std::string> loras;     ///< files that the model was changed by
  std::optional<Receipt> again;       ///< the receipt of the film that is to be made again
};
/// --no-receipt, --no-labels and --c2pa.
void add_receipt_options(CLI::App&, ReceiptOptions&);

/// Whether a film that goes to `output` has a receipt: one that is no device or pipe, unless --no-receipt.
[[nodiscard]] bool makes_receipt(const ReceiptOptions&, const std::filesystem::path& output);
/// Before any work: throws Error as check_receipt does, and usage where nobody can sign. `output` is empty where the film's name comes with
/// its plan.
void check_receipt_options(const ReceiptOptions&, const std::filesystem::path& output, bool overwrite);

/// The receipt of one film while it is made.
class FilmReceipt {
 public:
  /// `output`: as check_receipt_options has it. `draft`: plan, seed, precision, size of the picture, and parts of the model that are
  /// not the bundle's; the rest is filled in. Throws Error(check_failed) if the film is to be made again and its model is another.
  FilmReceipt(const ReceiptOptions& options, std::filesystem::path output, const Bundle& bundle, Receipt draft);

  /// Has the sink write the labels, sign the film and, after its own check, compare it with the film that is made again. This object must
  /// outlive the sink's finish().
  void prepare(SinkOptions& how);
  /// When all else is done: the receipt's presence says so.
  void write(const std::filesystem::path& film, const std::vector<ShotReport>& shots, const std::optional<Mastered>& sound, bool overwrite);

 private:
  const ReceiptOptions& options_;
  std::filesystem::path output_;
  Receipt receipt_;
};

}  // namespace fabula
