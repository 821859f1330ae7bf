// Taps: what single modules put out, under the reference's module names. For comparison with the reference; absent in production.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "kernels/tensor.h"

namespace fabula {

/// Called as tap("attn", out); the receiver sees "transformer_blocks.0.attn". Costs one branch when absent. The tensor is valid during the
/// call only; a receiver must not expect values on the dry device.
class Tap {
 public:
  using Receiver = std::function<void(const std::string& module, Tensor out)>;

  Tap() = default;
  explicit Tap(Receiver receiver, std::string prefix = "") : receiver_(std::move(receiver)), prefix_(std::move(prefix)) {}

  [[nodiscard]] bool absent() const { return !receiver_; }
  void operator()(const char* module, Tensor out) const {
    if (receiver_) receiver_(prefix_ + module, out);
  }
  /// What a parent hands to its i-th child: under("blocks.", i) taps "blocks.i.…".
  [[nodiscard]] Tap under(const char* children, std::size_t i) const {
    return receiver_ ? Tap(receiver_, prefix_ + children + std::to_string(i) + ".") : Tap();
  }
  [[nodiscard]] Tap under(const char* child) const { return receiver_ ? Tap(receiver_, prefix_ + child + ".") : Tap(); }
  /// Taps "NAME.i": for the i-th of several things of one name.
  [[nodiscard]] Tap numbered(std::size_t i) const {
    if (!receiver_) return {};
    return Tap([receiver = receiver_, i](const std::string& module, Tensor out) { receiver(module + "." + std::to_string(i), out); },
               prefix_);
  }
  /// The output of the module that this tap stands for itself.
  void self(Tensor out) const {
    if (receiver_) receiver_(prefix_.substr(0, prefix_.empty() ? 0 : prefix_.size() - 1), out);
  }

 private:
  Receiver receiver_;
  std::string prefix_;
};

}  // namespace fabula
