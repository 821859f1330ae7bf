// golden_check: what a part's runner takes and returns.
//
// A runner computes the case's results and hands every one to the comparison under the reference's name ("out.sample",
// "tap.transformer_blocks.0"). The harness then checks that nothing the file holds was left out. To add a part: write run_PART.cpp and one
// row in parts.cpp.
#pragma once

#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/machine.h"
#include "engine/ops.h"
#include "engine/weights/safetensors.h"

namespace fabula::golden {

struct Case {
  std::filesystem::path file;     ///< the case itself
  std::filesystem::path weights;  ///< folder of config.json and weights: the case's own, or the one that weights.json there names
  std::string part;
  std::string parameters;                ///< JSON text of the metadata's `case`
  const Safetensors* tensors = nullptr;  ///< null for the tokenizer's JSON cases

  [[nodiscard]] Tensor in(const std::string& name) const { return tensors->at("in." + name); }
  [[nodiscard]] bool has(const std::string& name) const { return tensors->has(name); }
};

/// The folder that holds configuration and weights for the cases of a folder: itself, or the one that weights.json there names.
[[nodiscard]] std::filesystem::path weights_folder(const std::filesystem::path& folder);

/// How the networks are run.
struct Setup {
  Machine machine;
  Precision precision = Precision::fp32;
  Machine exact;  ///< for what is fp32 in every profile: the encoders of given media, and all of sound
};

/// How far a result may be from the reference's: the largest difference, and the root mean square of all; 0: not looked at. Both 0: equal.
struct Bound {
  double largest = 0.0, rms = 0.0;
};

/// Collects results against a case's `out.*` and `tap.*`.
class Comparison {
 public:
  /// machine: where the results are.
  Comparison(const Safetensors* expected, const Machine& machine) : expected_(expected), stream_(machine.exec().stream) {}

  /// Compares with the stored tensor of that name, if there is one (a runner may offer more taps than were stored). Extents of 1 are
  /// ignored in the shapes. Floats: absolute difference, of tensors whose root mean square exceeds one as a part of that; integers must be
  /// equal. A mismatch of shape or an integer throws Error(check_failed). On the dry device, where data is null, nothing happens.
  void operator()(const std::string& name, const Tensor& actual);
  /// The `item`-th of `items` slices along the first axis, for results made one batch item at a time.
  void slice(const std::string& name, std::int64_t item, std::int64_t items, const Tensor& actual);
  /// The same for values that are not in a tensor.
  void values(const std::string& name, std::span<const float> actual, Shape shape);
  void values(const std::string& name, std::span<const double> actual, Shape shape);
  void values(const std::string& name, std::span<const std::int64_t> actual, Shape shape);
  /// Whether the file stores this name: to skip work for absent taps.
  [[nodiscard]] bool wants(const std::string& name) const { return expected_ != nullptr && expected_->has(name); }
  /// As operator(), with a bound of the tensor's own, which integers may use up, too. What counts as error is the share of the bound that
  /// is used up: such a part's tolerance is 1.
  void within(const Bound&, const std::string& name, const Tensor& actual);
  /// For results that are no tensors: throws Error(check_failed) with the sentence unless `equal`.
  void exact(bool equal, const std::string& sentence);

  /// Over all results: what the tolerance bounds.
  [[nodiscard]] double largest_error() const { return largest_; }
  [[nodiscard]] const std::string& worst() const { return worst_; }  ///< name of the tensor with the largest error
  /// Names stored and never compared.
  [[nodiscard]] std::set<std::string> left_out() const;

 private:
  [[nodiscard]] Tensor on_host(const Tensor& result, std::vector<std::byte>& memory) const;
  void note(double error, const std::string& name);
  void compare(const std::string& name, const Tensor& actual, std::int64_t offset, std::int64_t items);

  const Safetensors* expected_;
  void* stream_;
  std::map<std::string, std::int64_t> compared_;  // elements
  double largest_ = 0.0;
  std::string worst_;
};

using Runner = void (*)(const Case&, const Setup&, Comparison&);

/// fabula::run_sized for a case: one that asks for more than 4 GB is refused.
template <typename Body>
void run_case(const Machine& machine, Body&& body) {
  constexpr std::size_t limit = std::size_t{4} << 30;
  const std::size_t footprint = footprint_of(machine, body);
  if (footprint > limit) throw Error(ExitCode::bad_data, "the case asks for more than 4 GB of memory");
  run_in(machine, footprint, body);
}
template <typename Body>
void run_sized(const Setup& setup, Body&& body) {
  run_case(setup.machine, std::forward<Body>(body));
}

// Each in its own file; parts that differ in their weights alone share one.
void run_rng(const Case&, const Setup&, Comparison&);
void run_scheduler(const Case&, const Setup&, Comparison&);
void run_layout(const Case&, const Setup&, Comparison&);
void run_geometry(const Case&, const Setup&, Comparison&);
void run_patchify(const Case&, const Setup&, Comparison&);
void run_tokenizer(const Case&, const Setup&, Comparison&);
void run_qwen3(const Case&, const Setup&, Comparison&);
void run_transformer(const Case&, const Setup&, Comparison&);
void run_vae(const Case&, const Setup&, Comparison&);
void run_audio_vae(const Case&, const Setup&, Comparison&);
void run_sampler(const Case&, const Setup&, Comparison&);
void run_h3_folder(const Case&, const Setup&, Comparison&);

}  // namespace fabula::golden
