// The ring of slots and its reading thread.
#include "engine/weights/layers.h"

#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <thread>

#include "base/error.h"

namespace fabula {

Residence residence_within(std::size_t budget, const PhaseNeeds& needs, const char* phase) {
  if (budget == 0 || needs.resident + needs.activations <= budget) return Residence::resident;
  const std::size_t least = needs.streamed + needs.activations;
  if (least <= budget) return Residence::streamed;
  const auto megabytes = [](std::size_t bytes) { return std::to_string((bytes + 999'999) / 1'000'000) + " MB"; };
  throw Error(ExitCode::out_of_memory, std::string(phase) + " needs " + megabytes(least) + " of memory, of which " +
                                           megabytes(needs.activations) + " are for the size of the clip, and may take " +
                                           megabytes(budget));
}

struct LayerRing::Impl {
  static constexpr std::int64_t none = -1;

  std::int64_t layers;
  std::function<void(std::int64_t, std::size_t)> read;
  std::mutex mutex;
  std::condition_variable changed;
  std::array<std::int64_t, slots> held{none, none};  // by slot: a layer, once it is whole
  std::size_t in_use = slots;                        // a slot, or none
  std::int64_t wanted = 0;                           // the layer to be read next, where no slot holds it
  bool ends = false;
  std::exception_ptr fault;
  std::thread reader;

  [[nodiscard]] std::size_t slot_of(std::int64_t layer) const {
    for (std::size_t slot = 0; slot < slots; ++slot) {
      if (held[slot] == layer) return slot;
    }
    return slots;
  }
  [[nodiscard]] bool has_work() const { return !fault && slot_of(wanted) == slots; }

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return ends || has_work(); });
      if (ends) return;
      const std::size_t slot = in_use == 0 ? 1 : 0;
      const std::int64_t layer = wanted;
      held[slot] = none;
      lock.unlock();
      std::exception_ptr failed;
      try {
        read(layer, slot);
      } catch (...) {
        failed = std::current_exception();
      }
      lock.lock();
      fault = failed;
      if (!failed) held[slot] = layer;
      changed.notify_all();
    }
  }
};

LayerRing::LayerRing(std::int64_t layers, std::function<void(std::int64_t, std::size_t)> read) : impl_(std::make_unique<Impl>()) {
  impl_->layers = layers;
  impl_->read = std::move(read);
  impl_->reader = std::thread([this] { impl_->run(); });
}

LayerRing::~LayerRing() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->ends = true;
  }
  impl_->changed.notify_all();
  impl_->reader.join();
}

std::size_t LayerRing::at(std::int64_t layer) {
  Impl& ring = *impl_;
  std::unique_lock lock(ring.mutex);
  // Both slots are free until the layer is there: a run that was stopped in its midst leaves others behind.
  ring.in_use = ring.slot_of(layer);
  if (ring.in_use == slots) ring.wanted = layer;
  ring.changed.notify_all();
  ring.changed.wait(lock, [&] { return ring.fault || ring.slot_of(layer) < slots; });
  if (ring.fault) std::rethrow_exception(ring.fault);
  ring.in_use = ring.slot_of(layer);
  ring.wanted = (layer + 1) % ring.layers;
  ring.changed.notify_all();
  return ring.in_use;
}

}  // namespace fabula
