// Reads tokens that are not cached yet, with drafts behind them, and truncates wrong drafts.
#include "planner/lm/session.h"

#include <algorithm>
#include <utility>

namespace fabula {

struct Session::Own {
  Passes passes;
  KvPool pool;
};

Session::Session(const Qwen3& model, KvPool& pool, Reader reader)
    : reader_(std::move(reader)), vocabulary_(model.config.vocabulary), width_(model.config.hidden), cache_(pool) {}

Session::Session(const Qwen3& model, std::int64_t tap_layer, const Machine& machine)
    : own_(new Own{Passes(model, tap_layer, machine), KvPool(model.config, 0, false, machine.exec().stream)}),
      reader_([own = own_.get()](Request& request) {
        Request* one = &request;
        return own->passes.run(std::span(&one, 1));
      }),
      vocabulary_(model.config.vocabulary),
      width_(model.config.hidden),
      cache_(own_->pool) {}

void Session::truncate(std::size_t tokens) {
  tokens_.resize(std::min(tokens_.size(), tokens));
  length_ = std::min(length_, tokens_.size());
  learned_ = std::min(learned_, length_);
  draft_end_ = std::min(draft_end_, tokens_.size());
  draft_begin_ = std::min(draft_begin_, draft_end_);
  cache_.truncate(static_cast<std::int64_t>(tokens_.size()));
  states_.resize(std::min(states_.size(), tokens_.size() * static_cast<std::size_t>(width_)));
}

void Session::rewind(std::size_t tokens) {
  settle_draft();
  length_ = std::min(length_, tokens);
  learned_ = std::min(learned_, length_);
}

// Drops drafted tokens that did not come, and adapts the length of the next draft.
void Session::settle_draft() {
  if (draft_begin_ == draft_end_) return;
  const std::size_t drafted = draft_end_ - draft_begin_, accepted = std::clamp(length_, draft_begin_, draft_end_) - draft_begin_;
  stats_.accepted += static_cast<std::int64_t>(accepted);
  draft_ = accepted == drafted ? std::min(most_draft, 2 * draft_) : std::max<std::size_t>(2, accepted + accepted / 2);
  draft_begin_ = draft_end_;
  if (accepted < drafted) truncate(length_);
}

DecodingStats Session::take_stats() {
  settle_draft();
  stats_.tokens = static_cast<std::int64_t>(length_);
  return std::exchange(stats_, {});
}

std::span<const float> Session::logits_after(std::size_t tokens) const {
  const auto row = static_cast<std::size_t>(vocabulary_);
  const bool kept = tokens > logits_first_ && tokens <= tokens_.size() && (tokens - logits_first_) * row <= logits_.size();
  return kept ? std::span(logits_).subspan((tokens - logits_first_ - 1) * row, row) : std::span<const float>();
}

std::span<const float> Session::advance(std::span<const std::int32_t> tokens, bool logits, std::size_t draft) {
  if (logits) ++stats_.chosen;
  const auto known = tokens_.begin() + static_cast<std::ptrdiff_t>(length_);
  const auto same = static_cast<std::size_t>(std::mismatch(tokens.begin(), tokens.end(), known, tokens_.end()).first - tokens.begin());
  length_ += same;
  tokens = tokens.subspan(same);
  if (tokens.empty() && (!logits || length_ == 0 || !logits_after(length_).empty()))
    return logits ? logits_after(length_) : std::span<const float>();

  settle_draft();
  std::int32_t last = 0;
  if (tokens.empty()) {  // cached, but without logits: read the last token again
    last = tokens_[--length_];
    tokens = std::span(&last, 1);
  }
  truncate(length_);
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  const std::size_t before = length_;
  length_ = tokens_.size();
  if (draft > 0) {
    drafter_.learn(tokens_, learned_);
    learned_ = length_;
  }
  const std::vector<std::int32_t> drafted = drafter_.draft(tokens_, draft, evidence);
  tokens_.insert(tokens_.end(), drafted.begin(), drafted.end());
  draft_begin_ = length_, draft_end_ = tokens_.size();
  logits_first_ = length_ - 1;
  Request request{.cache = cache_,
                  .tokens = tokens_,
                  .logit_rows = logits ? static_cast<std::int64_t>(drafted.size()) + 1 : 0,
                  .states = states_,
                  .logits = logits_};
  try {
    stats_.passes += reader_(request);
  } catch (...) {
    truncate(before);
    throw;
  }
  stats_.read += static_cast<std::int64_t>(tokens_.size() - before);
  stats_.drafted += static_cast<std::int64_t>(drafted.size());
  return logits_after(length_);
}

}  // namespace fabula
