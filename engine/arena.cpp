// One buffer, taken by bumping a pointer; the dry arena only counts.
#include "engine/arena.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <string>

#include "base/error.h"
#include "engine/guarded_memory.h"
#include "kernels/device.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

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

// AddressSanitizer shall know that this part of the buffer belongs to no tensor, or that it does.
void forbid([[maybe_unused]] std::byte* at, [[maybe_unused]] std::size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  ASAN_POISON_MEMORY_REGION(at, bytes);
#endif
}
void allow([[maybe_unused]] std::byte* at, [[maybe_unused]] std::size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  ASAN_UNPOISON_MEMORY_REGION(at, bytes);
#endif
}

bool guards_tensors() {
  const char* asked = std::getenv("FABULA_GUARD");
  return asked != nullptr && std::string(asked) == "1";
}

}  // namespace

struct Arena::Impl {
  std::optional<GuardedMemory> guarded;  // in place of host_memory: a piece for each tensor
  std::unique_ptr<std::byte, AlignedDelete> host_memory;
  Buffer device_memory;
  std::byte* base = nullptr;  // host_memory or device_memory; null when dry
  std::size_t capacity = 0, used = 0, peak = 0;
  DeviceKind device = DeviceKind::cpu;
  bool dry = true;

  /// All bits set is a NaN in f32, f16 and bf16 alike, so a read before a write shows up as NaN.
  void poison(std::size_t from, std::size_t to) {
    if (!host_memory) return;
    allow(base + from, to - from);
    if (poisons) std::memset(base + from, 0xFF, to - from);
    forbid(base + from, to - from);
  }

  void* data_of(const Tensor& tensor) {
    if (dry) return nullptr;
    if (guarded) return guarded->take(tensor.bytes(), alignment);
    if (host_memory) allow(base + used, tensor.bytes());
    return base + used;
  }
  ~Impl() {
    if (host_memory) allow(base, capacity);
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
  } else if (guards_tensors()) {
    impl_->guarded.emplace();
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
  tensor.data = impl_->data_of(tensor);
  impl_->used += size;
  impl_->peak = std::max(impl_->peak, impl_->used);
  return tensor;
}

bool Arena::is_dry() const { return impl_->dry; }
std::size_t Arena::used() const { return impl_->used; }
std::size_t Arena::peak() const { return impl_->peak; }
std::size_t Arena::capacity() const { return impl_->capacity; }

Arena::Scope::Scope(Arena& arena)
    : arena_(arena), mark_(arena.impl_->used), pieces_(arena.impl_->guarded ? arena.impl_->guarded->count() : 0) {}

Arena::Scope::~Scope() {
  if (arena_.impl_->guarded) arena_.impl_->guarded->give_back_from(pieces_);
  arena_.impl_->poison(mark_, arena_.impl_->used);
  arena_.impl_->used = mark_;
}

}  // namespace fabula
