// A published folder as a ClipModel: clips with references by one of its transformers, all others by the other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/bundle.h"
#include "engine/clip_model.h"
#include "engine/machine.h"
#include "video/h3/model.h"
#include "video/h3/request.h"

namespace fabula::h3 {

/// What a bundle's fabula.json says, of a folder that has none. `canvas`: of the film.
[[nodiscard]] Bundle bundle_of(const RequestRules&, const Canvas& canvas);

/// Loads a transformer when the first clip needs it; the other one is released then. Not thread-safe.
class FolderModel final : public ClipModel {
 public:
  FolderModel(const RequestRules&, const Canvas& canvas, Precision precision, Machine machine, Holding holding = {});

  /// Throws Error where the transformer of such clips or a LoRA file for it is not there or does not fit; reads no weights.
  void check(Workflow) const;

  /// Releases the weights until the next clip, which needs them again: something else is to have the memory.
  void release() const;

  [[nodiscard]] ClipFormat format() const override;
  [[nodiscard]] std::string fingerprint() const override;
  [[nodiscard]] std::size_t footprint(const ClipRequest&) const override;
  [[nodiscard]] CleanLatents denoise(const ClipRequest&, const Progress&) override;
  [[nodiscard]] LatentTensor denoise_sound(const ClipRequest&, const LatentTensor& picture, const Progress&) override;
  [[nodiscard]] Sound decode_sound(const ClipRequest&, const LatentTensor& sound) override;
  [[nodiscard]] Sound decode(const ClipRequest&, const CleanLatents&, const FrameReceiver&, const Progress&) override;
  [[nodiscard]] std::vector<StageTime> stage_times() const override;
  [[nodiscard]] std::vector<std::string> notes() const override { return model_ ? model_->notes() : std::vector<std::string>(); }

 private:
  [[nodiscard]] ModelParts parts(bool follows) const;
  void require_transformer(bool follows) const;
  [[nodiscard]] H3Model& model_for(const ClipRequest&) const;

  H3Folder folder_;
  Bundle bundle_;
  Precision precision_;
  Machine machine_;
  Holding holding_;
  // The model in use, and the times of those that were released: which one it is changes no result.
  mutable std::unique_ptr<H3Model> model_;
  mutable bool follows_ = false;
  mutable std::vector<StageTime> released_;
};

}  // namespace fabula::h3
