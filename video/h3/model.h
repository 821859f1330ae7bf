// A bundle of the H3 family as a ClipModel: one denoising loop makes picture and sound, two decoders turn them into frames and samples.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "engine/bundle.h"
#include "engine/clip_model.h"
#include "engine/machine.h"
#include "video/h3/adapter.h"
#include "video/h3/audio_vae/audio_vae.h"
#include "video/h3/bundle_block.h"
#include "video/h3/denoise.h"
#include "video/h3/dit.h"
#include "video/h3/vae.h"

namespace fabula::h3 {

/// Where a model's parts are.
struct ModelParts {
  std::filesystem::path transformer, vae, audio_vae, scheduler, audio_scheduler;
  bool follows = false;  ///< the transformer is the one that follows references

  /// In the sub-folders of a bundle.
  static ModelParts in(const std::filesystem::path& folder);
};

/// How a model is held, and what is changed of it.
struct Holding {
  /// Bytes that weights and activations of one phase may take; 0: any, and all parts stay in memory. A transformer that does not fit is
  /// streamed; where transformer and decoders do not fit together, each goes when the other is needed.
  std::size_t memory = 0;
  std::vector<AdapterFile> adapters = {};              ///< added in this order
  std::optional<Precision> transformer = {};           ///< of the transformer's weights; absent: the model's precision
  std::optional<double> shift = {}, audio_shift = {};  ///< of the schedules; absent: the model's own
  FileDigest digest = read_digest();                   ///< of the files that the fingerprint names
};

/// ClipModel::fingerprint() of a model of these parts.
[[nodiscard]] std::string fingerprint_of(const Bundle&, const BundleBlock&, Precision, const ModelParts&, const Holding&);

/// Not thread-safe: one call at a time, on the machine's threads.
class H3Model final : public ClipModel {
 public:
  /// Loads transformer, vae, audio_vae and both schedulers. Throws Error: input_missing, or bad_data where they do not fit one another.
  H3Model(Bundle bundle, const BundleBlock& block, Precision precision, Machine machine);
  /// The same of parts that are elsewhere.
  H3Model(Bundle bundle, const BundleBlock& block, Precision precision, Machine machine, ModelParts parts, const Holding& holding = {});

  [[nodiscard]] ClipFormat format() const override;
  [[nodiscard]] std::string fingerprint() const override;
  [[nodiscard]] std::size_t footprint(const ClipRequest&) const override;
  /// Normalised, as the transformer leaves them: video (channels, frames, height, width), audio rows (channels · latents, latent channels).
  [[nodiscard]] CleanLatents denoise(const ClipRequest&, const Progress&) override;
  [[nodiscard]] LatentTensor denoise_sound(const ClipRequest&, const LatentTensor& picture, const Progress&) override;
  [[nodiscard]] Sound decode_sound(const ClipRequest&, const LatentTensor& sound) override;
  [[nodiscard]] Sound decode(const ClipRequest&, const CleanLatents&, const FrameReceiver&, const Progress&) override;
  [[nodiscard]] std::vector<StageTime> stage_times() const override;
  [[nodiscard]] std::vector<std::string> notes() const override { return {notes_.begin(), notes_.end()}; }

  /// What the arena held at most in the last denoise() and the decode() after it: equal to the footprint.
  [[nodiscard]] std::size_t last_peak() const { return last_peak_; }

 private:
  struct Seconds {
    double denoise = 0.0, sound = 0.0, picture = 0.0;
  };

  [[nodiscard]] ClipGeometry geometry(const ClipRequest&) const;
  // `picture`: given, or null.
  [[nodiscard]] ClipLatents make(Context&, const Dit&, const ClipRequest&, const AfterStep&, const LatentTensor* picture = nullptr) const;
  [[nodiscard]] Shape video_shape(const ClipGeometry&) const;
  [[nodiscard]] Shape audio_shape(const ClipGeometry&) const;
  [[nodiscard]] int chunks(const ClipRequest&) const;
  [[nodiscard]] Precision dit_precision() const { return holding_.transformer.value_or(precision_); }
  [[nodiscard]] Dit taken(Weights weights, Residence) const;
  // A part, loaded now if it is not there, for a run that takes so many bytes of activations.
  [[nodiscard]] const Dit& transformer(std::size_t activations);
  [[nodiscard]] const VideoVae& decoder(std::size_t activations);
  [[nodiscard]] const Dit& shape_of_dit() const { return dit_ ? *dit_ : *resident_dit_; }
  [[nodiscard]] const VideoVae& shape_of_vae() const { return vae_ ? *vae_ : *measured_vae_; }
  [[nodiscard]] std::size_t denoise_footprint(const ClipRequest&) const;
  [[nodiscard]] std::size_t decode_footprint(const ClipRequest&) const;
  [[nodiscard]] Sound decode_clip(Context&, const VideoVae&, const ClipLatents&, const FrameReceiver&, const std::function<bool()>& go_on,
                                  Seconds&) const;

  Bundle bundle_;
  BundleBlock block_;
  ModelParts parts_;
  Holding holding_;
  DitConfig dit_config_;
  VaeConfig vae_config_;
  // Shapes alone, where memory is limited; what is held of them now.
  std::optional<Dit> resident_dit_, streamed_dit_, dit_;
  std::optional<VideoVae> measured_vae_, vae_;
  Residence residence_ = Residence::resident;  // of dit_
  AudioVae audio_vae_;                         // small: it stays
  Schedules schedules_;                        // points are set on a copy, by request
  Precision precision_;
  Machine machine_;
  Seconds seconds_;
  mutable std::set<std::string> notes_;  // each once, however many clips it is true of
  std::size_t last_peak_ = 0;
};

}  // namespace fabula::h3
