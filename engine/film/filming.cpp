// Makes, decodes and judges attempts at a shot.
#include "engine/film/filming.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace fabula {
namespace {

// What a kept shot, which is only decoded and encoded, is of the work of one that is made.
constexpr double kept_share = 0.7;

FilmedShot decoded(const ShotMaker& maker, const ClipRequest& clip, ShotRows& rows, const ClipModel::Progress& progress) {
  FilmedShot shot{.clip = clip, .made = {}, .take = {}, .measures = {}, .refused = {}};
  const auto make = [&] {
    ClipRequest ready = clip;
    ready.conditioning = &rows.get();
    return maker.model.denoise(ready, progress);
  };
  ShotStore* store = maker.request.store;
  if (store == nullptr) {
    shot.made = {make(), ShotStore::Outcome::made, ""};
  } else {
    const std::string key = clip_key(maker.fingerprint, clip);
    if (maker.request.only_stored && !store->has(key)) throw Error(ExitCode::checkpointed, "an attempt is not in the store");
    shot.made = store->get_or_make(key, make, [&] { return progress(0, 1); });
  }
  shot.take.sound = maker.model.decode(
      clip, shot.made.latents, [&](const Image& image) { shot.take.frames.push_back(image); }, progress);
  return shot;
}

}  // namespace

const Conditioning& ShotRows::get() {
  if (before_ == nullptr) return planned_.shots.at(shot_);
  if (!made_) made_ = planned_.continued(shot_, before_->picture);
  return *made_;
}

FilmWork::FilmWork(const Report& report, const std::vector<bool>& is_kept) : report_(report), is_kept_(is_kept), begins_{0.0} {
  for (const bool kept : is_kept) begins_.push_back(begins_.back() + (kept ? kept_share : 1.0));
  for (double& begin : begins_) begin /= std::max(kept_share, begins_.back());
}

ClipModel::Progress FilmWork::of(std::size_t shot, int steps, int attempt) {
  return [this, shot, steps, attempt](int done, int total) {
    const int skipped = is_kept_[shot] && attempt == 0 ? std::min(steps, total - 1) : 0;
    const double part = std::clamp(static_cast<double>(done - skipped) / (total - skipped), 0.0, 1.0);
    furthest_ = std::max(furthest_, begins_[shot] + part * (begins_[shot + 1] - begins_[shot]));
    return report_({shot, is_kept_.size(), furthest_, attempt, done, total});
  };
}

FilmedShot film_shot(const ShotMaker& maker, const ClipRequest& clip, ShotRows& rows, const TakeExpected& expected, int attempts,
                     const std::function<ClipModel::Progress(int attempt)>& progress_of) {
  std::vector<ShotReport::Refused> refused;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    ClipRequest again = clip;
    again.seed = attempt_seed(clip.seed, attempt);
    FilmedShot shot = decoded(maker, again, rows, progress_of(attempt));
    if (!maker.request.gate) return shot;
    shot.measures = measures_of(shot.take);
    const std::string fault = fault_of(shot.measures, expected);
    if (!fault.empty()) refused.push_back({again.seed, fault});
    shot.passed = fault.empty();
    shot.refused = refused;
    if (shot.passed || attempts == 1) return shot;
  }
  FilmedShot first = decoded(maker, clip, rows, progress_of(0));
  first.measures = measures_of(first.take);
  first.refused = std::move(refused);
  first.passed = false;
  return first;
}

}  // namespace fabula
