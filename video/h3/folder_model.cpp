// Chooses the transformer by what a clip is given.
#include "video/h3/folder_model.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/sha256.h"

namespace fabula::h3 {
namespace {

bool follows_references(const ClipRequest& request) {
  using Kind = GivenLatents::Kind;
  if (request.conditioning == nullptr) return false;
  return std::any_of(request.conditioning->given.begin(), request.conditioning->given.end(),
                     [](const GivenLatents& g) { return g.kind != Kind::first_frame && g.kind != Kind::last_frame; });
}

void add(std::vector<ClipModel::StageTime>& sums, const std::vector<ClipModel::StageTime>& times) {
  for (const ClipModel::StageTime& time : times) {
    const auto found =
        std::find_if(sums.begin(), sums.end(), [&](const ClipModel::StageTime& sum) { return std::string_view(sum.stage) == time.stage; });
    if (found == sums.end())
      sums.push_back(time);
    else
      found->seconds += time.seconds;
  }
}

}  // namespace

Bundle bundle_of(const RequestRules& rules, const Canvas& canvas) {
  Bundle bundle;
  bundle.folder = rules.folder.root;
  bundle.name = "MiniMax-H3";
  bundle.version = rules.folder.made_with;
  bundle.family = "h3";
  bundle.fps = folder_fps;
  bundle.sample_rate = rules.sample_rate;
  bundle.audio_channels = folder_audio_channels;
  bundle.width = static_cast<int>(canvas.width);
  bundle.height = static_cast<int>(canvas.height);
  bundle.shot_frames = lengths_of(rules);
  bundle.steps = default_points - 1;
  return bundle;
}

FolderModel::FolderModel(const RequestRules& rules, const Canvas& canvas, Precision precision, Machine machine, Holding holding)
    : folder_(rules.folder),
      bundle_(bundle_of(rules, canvas)),
      precision_(precision),
      machine_(std::move(machine)),
      holding_(std::move(holding)) {}

ModelParts FolderModel::parts(bool follows) const {
  return {follows ? folder_.transformer_ref : folder_.transformer,
          folder_.vae,
          folder_.audio_vae,
          folder_.scheduler,
          folder_.audio_scheduler,
          follows};
}

void FolderModel::require_transformer(bool follows) const {
  const std::filesystem::path transformer = parts(follows).transformer;
  if (H3Folder::has_weights(transformer)) return;
  throw Error(ExitCode::unavailable, transformer.string() + ", which makes clips " +
                                         (follows ? "with references" : "from a prompt or a first or last frame") + ", is not there");
}

void FolderModel::check(Workflow workflow) const {
  const bool follows = workflow == Workflow::ref2va;
  require_transformer(follows);
  if (holding_.adapters.empty()) return;
  Weights weights = Weights::measure(parts(follows).transformer, Precision::fp32);
  for (const AdapterFile& adapter : holding_.adapters) add_adapter(weights, adapter, follows);
}

void FolderModel::release() const {
  if (model_) add(released_, model_->stage_times());
  model_.reset();
}

H3Model& FolderModel::model_for(const ClipRequest& request) const {
  const bool follows = follows_references(request);
  if (model_ && follows == follows_) return *model_;
  release();
  require_transformer(follows);
  model_ = std::make_unique<H3Model>(bundle_, BundleBlock{}, precision_, machine_, parts(follows), holding_);
  follows_ = follows;
  return *model_;
}

ClipFormat FolderModel::format() const { return {bundle_.width, bundle_.height, bundle_.fps, bundle_.sample_rate, bundle_.audio_channels}; }

std::string FolderModel::fingerprint() const {
  Sha256 hash;
  for (const bool follows : {false, true}) {
    if (H3Folder::has_weights(parts(follows).transformer))
      hash.field(fingerprint_of(bundle_, BundleBlock{}, precision_, parts(follows), holding_));
  }
  return hash.hex();
}

std::size_t FolderModel::footprint(const ClipRequest& request) const { return model_for(request).footprint(request); }

CleanLatents FolderModel::denoise(const ClipRequest& request, const Progress& progress) {
  return model_for(request).denoise(request, progress);
}

LatentTensor FolderModel::denoise_sound(const ClipRequest& request, const LatentTensor& picture, const Progress& progress) {
  return model_for(request).denoise_sound(request, picture, progress);
}

Sound FolderModel::decode_sound(const ClipRequest& request, const LatentTensor& sound) {
  return model_for(request).decode_sound(request, sound);
}

Sound FolderModel::decode(const ClipRequest& request, const CleanLatents& latents, const FrameReceiver& receive, const Progress& progress) {
  return model_for(request).decode(request, latents, receive, progress);
}

std::vector<ClipModel::StageTime> FolderModel::stage_times() const {
  std::vector<StageTime> times = released_;
  if (model_) add(times, model_->stage_times());
  return times;
}

}  // namespace fabula::h3
