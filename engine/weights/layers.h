// The layers of a model: all in memory, or read from the files as a run comes to them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "engine/arena.h"
#include "engine/weights/weights.h"

namespace fabula {

/// How a phase's layers are held.
enum class Residence : std::uint8_t { resident, streamed };

/// What a phase of a film takes: bytes of its weights either way, and of activations.
struct PhaseNeeds {
  std::size_t resident = 0, streamed = 0, activations = 0;
};
/// Resident where that fits `budget` (bytes; 0: any), else streamed. Throws Error(out_of_memory) where neither fits; `phase`: its name in
/// the sentence.
[[nodiscard]] Residence residence_within(std::size_t budget, const PhaseNeeds&, const char* phase);

/// A ring of two slots, and the thread that fills the one while the other is in use. Layers go round: the first follows the last.
class LayerRing {
 public:
  /// `read` puts a layer into a slot; it runs in the ring's thread.
  LayerRing(std::int64_t layers, std::function<void(std::int64_t layer, std::size_t slot)> read);
  ~LayerRing();
  LayerRing(const LayerRing&) = delete;
  LayerRing& operator=(const LayerRing&) = delete;

  /// The slot that holds a layer, once it does; the slot of the call before may be filled anew. Throws what `read` threw.
  [[nodiscard]] std::size_t at(std::int64_t layer);

  static constexpr std::size_t slots = 2;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Layer: a struct of tensors. One run at a time.
template <typename Layer>
class Layers {
 public:
  /// Takes a layer's tensors.
  using Take = std::function<Layer(Weights&, std::int64_t)>;

  Layers() = default;
  /// Takes all layers from `weights`, which must outlive resident ones. Streamed, their values are read later, again and again; the same
  /// bits either way. Throws as Weights does for what is missing or of another shape.
  Layers(Weights& weights, std::int64_t count, const Take& take, Residence residence) {
    if (residence == Residence::streamed)
      stream(weights, count, take);
    else
      for (std::int64_t i = 0; i < count; ++i) all_.push_back(take(weights, i));
  }

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(all_.size()); }
  /// Valid until the next call. On the dry device a streamed layer has shapes alone.
  [[nodiscard]] const Layer& at(const Arena& arena, std::int64_t i) const {
    if (!stream_ || arena.is_dry()) return all_.at(static_cast<std::size_t>(i));
    if (!stream_->ring) stream_->start(size());
    return stream_->held[stream_->ring->at(i)];
  }
  /// Bytes of the slots, where layers are streamed.
  [[nodiscard]] std::size_t slots_bytes() const {
    return stream_ ? std::min<std::size_t>(LayerRing::slots, all_.size()) * stream_->room() : 0;
  }
  /// Gives the slots back until the next at().
  void rest() const {
    if (stream_) stream_->stop();
  }

 private:
  struct Streaming {
    Weights reader;
    Take take;
    std::size_t slot_bytes;
    std::unique_ptr<std::byte[]> memory[LayerRing::slots];
    Layer held[LayerRing::slots];
    std::unique_ptr<LayerRing> ring;  // last: its thread uses the others

    [[nodiscard]] std::size_t room() const { return slot_bytes + Arena::alignment; }
    void start(std::int64_t count) {
      for (auto& slot : memory) slot = std::make_unique_for_overwrite<std::byte[]>(room());
      ring = std::make_unique<LayerRing>(count, [this](std::int64_t layer, std::size_t slot) {
        reader.read_into({memory[slot].get(), room()});
        held[slot] = take(reader, layer);
      });
    }
    void stop() {
      ring.reset();
      for (auto& slot : memory) slot.reset();
    }
  };

  void stream(Weights& weights, std::int64_t count, const Take& take) {
    std::size_t largest = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      largest = std::max(largest, weights.claimed([&] { all_.push_back(take(weights, i)); }));
    }
    stream_ = std::make_unique<Streaming>(Streaming{weights.reader(), take, largest, {}, {}, nullptr});
  }

  std::vector<Layer> all_;  // streamed: with shapes and no data
  std::unique_ptr<Streaming> stream_;
};

}  // namespace fabula
