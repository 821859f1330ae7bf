// One buffer, taken by bumping a pointer; the dry arena only counts.
#include "engine/arena.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "base/error.h"
#include "kernels/device.h"

namespace fabula {
namespace {

#ifdef NDEBUG
constexpr bool poisons = false;
#else
constexpr bool poisons = true;
#endif

struct AlignedDelete {
  void operator()(std::byte* bytes) const { ::operator delete (bytes, std::align_val_t{Arena::alignment}); }
};

std::byte* allocate(std::size_t capacity) {
  auto* bytes =
      static_cast<std::byte*>(::operator new (std::max<std::size_t>(capacity, 1), std::align_val_t{Arena::alignment}, std::nothrow));
  if (bytes == nullptr) throw Error(ExitCode::out_of_memory, "no room for " + std::to_string(capacity >> 20U) + " MiB of activations");
  return bytes;
}

}  // namespace

struct Arena::Impl {
  std::unique_ptr<std::byte, AlignedDelete> host_memory;
  Buffer device_memory;
  std::byte* base = nullptr;  // host_memory or device_memory; null when dry
  std::size_t capacity = 0, used = 0, peak = 0;
  DeviceKind device = DeviceKind::cpu;
  bool dry = true;

  /// All bits set is a NaN in f32, f16 and bf16 alike, so a read before a write shows up as NaN.
  void poison(std::size_t from, std::size_t to) {
    if (poisons && host_memory) std::memset(base + from, 0xFF, to - from);
  }
};

Arena::Arena(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Arena::Arena(std::size_t capacity, DeviceKind device) : impl_(std::make_unique<Impl>()) {
  impl_->capacity = capacity;
  impl_->device = device;
  impl_->dry = false;
  if (device == DeviceKind::cuda) {
    impl_->device_memory = Buffer(capacity, Buffer::Place::device);
    impl_->base = static_cast<std::byte*>(impl_->device_memory.data());
  } else {
    impl_->host_memory.reset(allocate(capacity));
    impl_->base = impl_->host_memory.get();
    impl_->poison(0, capacity);
  }
}

Arena Arena::dry() { return Arena(std::make_unique<Impl>()); }

Arena::~Arena() = default;
Arena::Arena(Arena&&) noexcept = default;
Arena& Arena::operator=(Arena&&) noexcept = default;

Tensor Arena::take(Shape shape, DType dtype) {
  Tensor tensor{.data = nullptr, .shape = shape, .dtype = dtype, .device = impl_->device};
  const std::size_t size = (tensor.bytes() + alignment - 1) / alignment * alignment;
  if (!is_dry() && size > impl_->capacity - impl_->used) {
    throw Error(ExitCode::internal, "arena: " + shape.text() + " " + name_of(dtype) + " does not fit: " + std::to_string(impl_->used) +
                                        " of " + std::to_string(impl_->capacity) +
                                        " bytes are taken (was it sized by a dry run of the same request?)");
  }
  if (!is_dry()) tensor.data = impl_->base + impl_->used;
  impl_->used += size;
  impl_->peak = std::max(impl_->peak, impl_->used);
  return tensor;
}

bool Arena::is_dry() const { return impl_->dry; }
std::size_t Arena::used() const { return impl_->used; }
std::size_t Arena::peak() const { return impl_->peak; }
std::size_t Arena::capacity() const { return impl_->capacity; }

Arena::Scope::Scope(Arena& arena) : arena_(arena), mark_(arena.impl_->used) {}

Arena::Scope::~Scope() {
  arena_.impl_->poison(mark_, arena_.impl_->used);
  arena_.impl_->used = mark_;
}

}  // namespace fabula
