// Opens model folders, converts number formats, and owns what was converted.
#include "engine/weights/weights.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"
#include "engine/weights/safetensors.h"
#include "kernels/bf16.h"
#include "kernels/device.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

float element(const Tensor& tensor, std::int64_t i) {
  switch (tensor.dtype) {
    case DType::f32: {
      float value;  // mapped data may be unaligned
      std::memcpy(&value, tensor.as<const char>() + i * 4, 4);
      return value;
    }
    case DType::bf16:
    case DType::f16: {
      std::uint16_t bits;
      std::memcpy(&bits, tensor.as<const char>() + i * 2, 2);
      return tensor.dtype == DType::bf16 ? from_bf16(bits) : from_f16(bits);
    }
    default:
      throw Error(ExitCode::bad_data, std::string("a weight is stored as ") + name_of(tensor.dtype) + ", expected f32, bf16 or f16");
  }
}

// `count` elements from `begin` on.
void widen(const Tensor& tensor, std::int64_t begin, std::int64_t count, float* to) {
  if (tensor.dtype == DType::bf16) {
    const char* from = tensor.as<const char>() + begin * 2;
    for (std::int64_t i = 0; i < count; ++i) {
      std::uint16_t bits;
      std::memcpy(&bits, from + i * 2, 2);
      to[i] = from_bf16(bits);
    }
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) to[i] = element(tensor, begin + i);
}

// The row of the file that holds row `row`.
std::int64_t stored_row(const StoredWeight& stored, std::int64_t row) {
  const std::int64_t width = stored.tensor.shape[0] / stored.interleaved_heads, half = width / 2, in_head = row % width;
  return row - in_head + in_head % half * 2 + in_head / half;
}

// Adds elements [begin, begin + count) of an addition.
void add_low_rank(const LowRank& addition, std::int64_t begin, std::int64_t count, float* to) {
  const std::int64_t width = static_cast<std::int64_t>(addition.down.size()) / addition.rank;
  for (std::int64_t at = begin; at < begin + count;) {
    const std::int64_t row = at / width, column = at % width, part = std::min(width - column, begin + count - at);
    float* sum = to + (at - begin);
    for (std::int64_t k = 0; k < addition.rank; ++k) {
      const float up = addition.factor * addition.up[static_cast<std::size_t>(row * addition.rank + k)];
      const float* down = addition.down.data() + k * width + column;
      for (std::int64_t i = 0; i < part; ++i) sum[i] += up * down[i];
    }
    at += part;
  }
}

void widen_stored(const StoredWeight& stored, std::int64_t begin, std::int64_t count, float* to);

// As above with what is added to it; of blocks and rows of blocks, whole ones.
void widen(const StoredWeight& stored, std::int64_t begin, std::int64_t count, float* to) {
  widen_stored(stored, begin, count, to);
  for (const auto& addition : stored.additions) add_low_rank(*addition, begin, count, to);
}

void widen_stored(const StoredWeight& stored, std::int64_t begin, std::int64_t count, float* to) {
  if (stored.interleaved_heads > 0) {
    StoredWeight straight = stored;
    straight.interleaved_heads = 0;
    const std::int64_t width = stored.tensor.elements() / stored.tensor.shape[0];
    for (std::int64_t at = begin; at < begin + count;) {
      const std::int64_t within = at % width, part = std::min(width - within, begin + count - at);
      widen_stored(straight, stored_row(stored, at / width) * width + within, part, to + (at - begin));
      at += part;
    }
    return;
  }
  if (stored.blocks == nullptr) return widen(stored.tensor, begin, count, to);
  const auto* from = stored.tensor.as<const std::uint8_t>();
  for (std::int64_t at = 0; at < count; at += stored.blocks->weights)
    stored.blocks->widen(from + static_cast<std::size_t>((begin + at) / stored.blocks->weights) * stored.blocks->bytes, to + at);
}

// The whole pages of a mapped weight.
void advise(const StoredWeight& mapped, int advice) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(mapped.tensor.data), end = begin + mapped.bytes();
  const std::uintptr_t first = (begin + page - 1) / page * page, last = end / page * page;
  if (first < last) (void)::madvise(reinterpret_cast<void*>(first), last - first, advice);
}

// Mapped pages that have been converted are not read again: without this a process would seem to hold the file as well. The pages come
// back from the file if need be.
void let_go(const StoredWeight& mapped) { advise(mapped, MADV_DONTNEED); }

// Quantises row (count) to integers in [−127, 127] and returns their scale; 0 for a row of zeros. Magnitudes are compared as bits
// and rounded by an addition, so that the compiler makes vector loops of both: a large checkpoint has billions of weights.
float quantise(const float* row, std::int64_t count, std::int8_t* to) {
  std::uint32_t most = 0;
  for (std::int64_t i = 0; i < count; ++i) most = std::max(most, std::bit_cast<std::uint32_t>(row[i]) & 0x7FFFFFFFU);
  const auto largest = std::bit_cast<float>(most);
  const float inverse = largest > 0.0F ? 127.0F / largest : 0.0F;
  constexpr float ones = 12582912.0F;  // 1.5 · 2^23: a float this large has no places behind the point
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<std::int8_t>(static_cast<std::int32_t>((row[i] * inverse + ones) - ones));
  return largest / 127.0F;
}

// The shards of an index file: each a plain file name in the same folder.
std::set<std::string> shards_of(const fs::path& index) {
  const std::string text = read_file(index);
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) throw Error(ExitCode::bad_data, index.string() + " is not JSON: " + json_fault(text));
  if (!root.is_object() || !root.contains("weight_map") || !root["weight_map"].is_object())
    throw Error(ExitCode::bad_data, index.string() + " has no weight_map");
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : root["weight_map"].items()) {
    const std::string name = shard.is_string() ? shard.get<std::string>() : "";
    if (name.empty() || fs::path(name).filename() != name || name == "..")
      throw Error(ExitCode::bad_data, index.string() + " names the shard of \"" + tensor + "\" wrongly");
    shards.insert(name);
  }
  return shards;
}

std::vector<Safetensors> open_files(const fs::path& folder) {
  for (const char* stem : {"model", "diffusion_pytorch_model"}) {
    const fs::path single = folder / (std::string(stem) + ".safetensors"), index = folder / (std::string(stem) + ".safetensors.index.json");
    std::vector<Safetensors> files;
    if (fs::exists(single)) {
      files.push_back(Safetensors::open(single));
      return files;
    }
    if (fs::exists(index)) {
      for (const std::string& shard : shards_of(index)) files.push_back(Safetensors::open(folder / shard));
      return files;
    }
  }
  throw Error(ExitCode::input_missing,
              "no weights in " + folder.string() + " (neither model.safetensors nor diffusion_pytorch_model.safetensors)");
}

}  // namespace

struct Weights::Impl {
  fs::path folder;
  Precision precision;
  DeviceKind device = DeviceKind::cpu;
  bool measures = false, claims = false;
  std::optional<std::span<std::byte>> slot;  // what is left of the memory that is read into
  std::vector<Safetensors> files;
  std::shared_ptr<const void> mapping;  // of a model that others mapped
  std::map<std::string, StoredWeight> stored;
  std::set<std::string> left;
  std::vector<std::unique_ptr<std::byte[]>> owned;
  std::vector<Buffer> on_device;
  std::unique_ptr<Stream> upload;  // where there is a device
  std::size_t bytes = 0;

  const StoredWeight& find(const std::string& name) const {
    const auto found = stored.find(name);
    if (found == stored.end()) throw Error(ExitCode::bad_data, folder.string() + ": the weight \"" + name + "\" is missing");
    return found->second;
  }

  StoredWeight claim(const std::string& name, const Shape& expected) {
    const StoredWeight& found = find(name);
    const Tensor& tensor = found.tensor;
    if (tensor.shape != expected) {
      throw Error(ExitCode::bad_data,
                  folder.string() + ": the weight \"" + name + "\" has shape " + tensor.shape.text() + ", expected " + expected.text());
    }
    if (found.blocks == nullptr && tensor.dtype != DType::f32 && tensor.dtype != DType::bf16 && tensor.dtype != DType::f16) {
      throw Error(ExitCode::bad_data,
                  folder.string() + ": the weight \"" + name + "\" is stored as " + name_of(tensor.dtype) + ", expected f32, bf16 or f16");
    }
    if (!slot && left.erase(name) == 0) throw Error(ExitCode::internal, "the weight \"" + name + "\" is taken twice");
    return found;
  }

  // Memory of the slot.
  std::byte* from_slot(std::size_t size) {
    const std::size_t padded = (size + Arena::alignment - 1) / Arena::alignment * Arena::alignment;
    if (padded > slot->size()) throw Error(ExitCode::internal, "weights: a slot is too small");
    std::byte* at = slot->data();
    slot = slot->subspan(padded);
    return at;
  }

  void count(std::size_t size) { bytes += claims ? (size + Arena::alignment - 1) / Arena::alignment * Arena::alignment : size; }

  Tensor own(const Shape& shape, DType dtype) {
    Tensor tensor;
    tensor.shape = shape;
    tensor.dtype = dtype;
    count(tensor.bytes());
    if (measures) return tensor;
    if (slot) {
      tensor.data = from_slot(tensor.bytes());
      return tensor;
    }
    owned.push_back(std::make_unique_for_overwrite<std::byte[]>(tensor.bytes()));
    tensor.data = owned.back().get();
    return tensor;
  }

  // Where the kernels read it: itself, or its copy on the device, which replaces what own() holds of it.
  Tensor placed(Tensor tensor) {
    if (device == DeviceKind::cpu || measures) return tensor;
    Buffer& buffer = on_device.emplace_back(tensor.bytes(), Buffer::Place::device);
    copy_bytes(buffer.data(), tensor.data, tensor.bytes(), upload->handle());
    upload->wait();
    std::erase_if(owned, [&](const auto& memory) { return memory.get() == tensor.data; });
    tensor.data = buffer.data();
    tensor.device = device;
    return tensor;
  }

  Tensor as(const StoredWeight& weight, DType dtype) {
    Tensor tensor = weight.tensor;
    const bool aligned = reinterpret_cast<std::uintptr_t>(tensor.data) % size_of(dtype) == 0;
    const bool as_stored = tensor.dtype == dtype && weight.blocks == nullptr && weight.interleaved_heads == 0 && weight.additions.empty();
    if (as_stored && aligned && !slot) {
      count(tensor.bytes());
      if (measures) tensor.data = nullptr;
      return tensor;
    }
    const Tensor result = own(tensor.shape, dtype);
    if (measures) return result;
    in_pieces(weight, [&](const StoredWeight& piece, std::int64_t begin) {
      if (as_stored) {
        std::memcpy(result.as<std::byte>() + begin * static_cast<std::int64_t>(size_of(dtype)), piece.tensor.data, piece.bytes());
      } else {
        convert(weight, begin, piece.tensor.elements(), result);
      }
    });
    return result;
  }

  // Elements [begin, begin + count) of a weight.
  void convert(const StoredWeight& weight, std::int64_t begin, std::int64_t count, Tensor to) const {
    constexpr std::int64_t block = 4096;
    float values[block];
    for (std::int64_t at = begin; at < begin + count; at += block) {
      const std::int64_t some = std::min(block, begin + count - at);
      widen(weight, at, some, values);
      if (to.dtype == DType::f32)
        std::copy_n(values, some, to.f32() + at);
      else
        std::transform(values, values + some, to.as<std::uint16_t>() + at, to_bf16);
    }
  }

  // Calls use(piece, its first element) on one part of the file after another, so that no more of it than that is in memory beside what it
  // is converted to; a weight whose rows or blocks do not lie in order is one piece.
  template <typename Use>
  static void in_pieces(const StoredWeight& weight, const Use& use) {
    constexpr std::int64_t most = std::int64_t{1} << 21;
    const std::int64_t all = weight.tensor.elements();
    const bool whole = weight.blocks != nullptr || weight.interleaved_heads > 0;
    for (std::int64_t at = 0; at < all; at += most) {
      StoredWeight piece = weight;
      if (!whole) {
        piece.tensor.shape = {std::min(most, all - at)};
        piece.tensor.data = weight.tensor.as<std::byte>() + at * static_cast<std::int64_t>(size_of(weight.tensor.dtype));
        advise(piece, MADV_WILLNEED);
      }
      use(piece, at);
      let_go(piece);
      if (whole) return;
    }
  }

  // (rows, width) -> i8 and the scales of its rows.
  void quantised(const StoredWeight& weight, Linear& into) {
    const Tensor& tensor = weight.tensor;
    const std::int64_t rows = tensor.shape[0], width = tensor.shape[1];
    into.weight = own(tensor.shape, DType::i8);
    into.scale = own({rows}, DType::f32);
    if (measures) return;
    std::vector<float> row(static_cast<std::size_t>(width));
    constexpr std::int64_t rows_read = 256;  // of the file, before its pages are let go
    for (std::int64_t i = 0; i < rows; ++i) {
      widen(weight, i * width, width, row.data());
      into.scale.f32()[i] = quantise(row.data(), width, into.weight.as<std::int8_t>() + i * width);
      if (i % rows_read == rows_read - 1) let_go(weight);
    }
    let_go(weight);
    into.weight = placed(into.weight);
    into.scale = placed(into.scale);
  }
};

Weights::Weights(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Weights::~Weights() = default;
Weights::Weights(Weights&&) noexcept = default;
Weights& Weights::operator=(Weights&&) noexcept = default;

Weights Weights::open(const fs::path& folder, Precision precision, DeviceKind device) {
  auto impl = std::make_unique<Impl>();
  impl->device = device;
  if (device != DeviceKind::cpu) impl->upload = std::make_unique<Stream>();
  impl->folder = folder;
  impl->precision = precision;
  impl->files = open_files(folder);
  for (const Safetensors& file : impl->files) {
    for (const auto& [name, tensor] : file.tensors()) {
      if (!impl->stored.emplace(name, StoredWeight{tensor}).second)
        throw Error(ExitCode::bad_data, folder.string() + ": two shards hold the weight \"" + name + "\"");
      impl->left.insert(name);
    }
  }
  return Weights(std::move(impl));
}

Weights Weights::open(const StoredModel& model, Precision precision, DeviceKind device) {
  auto impl = std::make_unique<Impl>();
  impl->device = device;
  if (device != DeviceKind::cpu) impl->upload = std::make_unique<Stream>();
  impl->folder = model.path;
  impl->precision = precision;
  impl->mapping = model.memory;
  impl->stored = model.weights;
  for (const auto& [name, weight] : model.weights) impl->left.insert(name);
  return Weights(std::move(impl));
}

Weights Weights::measured() && {
  impl_->measures = true;
  return std::move(*this);
}

std::size_t Weights::claimed(const std::function<void()>& take) {
  const std::size_t before = std::exchange(impl_->bytes, 0);
  const bool measured = std::exchange(impl_->measures, true);
  impl_->claims = true;
  take();
  impl_->claims = false;
  impl_->measures = measured;
  return std::exchange(impl_->bytes, before);
}

Weights Weights::reader() const {
  if (impl_->device != DeviceKind::cpu) throw Error(ExitCode::unavailable, "weights are streamed to the processor alone");
  auto impl = std::make_unique<Impl>();
  impl->folder = impl_->folder;
  impl->precision = impl_->precision;
  impl->files = impl_->files;
  impl->mapping = impl_->mapping;
  impl->stored = impl_->stored;
  return Weights(std::move(impl));
}

void Weights::read_into(std::span<std::byte> slot) {
  void* begin = slot.data();
  std::size_t size = slot.size();
  if (std::align(Arena::alignment, 1, begin, size) == nullptr) throw Error(ExitCode::internal, "weights: a slot is too small");
  impl_->slot = {static_cast<std::byte*>(begin), size};
}

Weights Weights::measure(const fs::path& folder, Precision precision) { return open(folder, precision).measured(); }

bool Weights::has(std::string_view name) const { return impl_->stored.contains(std::string(name)); }
Shape Weights::shape(std::string_view name) const { return impl_->find(std::string(name)).tensor.shape; }

std::vector<std::string> Weights::names() const {
  std::vector<std::string> names;
  for (const auto& [name, weight] : impl_->stored) names.push_back(name);
  return names;
}

void Weights::add(const std::string& name, std::shared_ptr<const LowRank> addition) {
  StoredWeight& stored = impl_->stored.at(name);
  const auto rank = static_cast<std::size_t>(addition->rank);
  const Shape found{static_cast<std::int64_t>(addition->up.size() / rank), static_cast<std::int64_t>(addition->down.size() / rank)};
  if (stored.tensor.shape != found)
    throw Error(ExitCode::bad_data,
                "an addition to \"" + name + "\" has shape " + found.text() + ", expected " + stored.tensor.shape.text());
  stored.additions.push_back(std::move(addition));
}

Tensor Weights::take(const std::string& name, Shape expected) { return impl_->placed(impl_->as(impl_->claim(name, expected), DType::f32)); }

std::vector<float> Weights::take_values(const std::string& name, Shape expected) {
  const StoredWeight stored = impl_->claim(name, expected);
  std::vector<float> values(static_cast<std::size_t>(expected.elements()));
  impl_->bytes += values.size() * sizeof(float);
  if (!impl_->measures) widen(stored, 0, expected.elements(), values.data());
  return values;
}

Tensor Weights::take_matrix(const std::string& name, Shape expected) {
  return impl_->placed(impl_->as(impl_->claim(name, expected), impl_->precision == Precision::fp32 ? DType::f32 : DType::bf16));
}

Linear Weights::take_linear(const std::string& prefix, std::int64_t in, std::int64_t out, bool bias) {
  Linear result;
  if (impl_->precision == Precision::int8)
    impl_->quantised(impl_->claim(prefix + ".weight", {out, in}), result);
  else
    result.weight = take_matrix(prefix + ".weight", {out, in});
  if (bias) result.bias = take(prefix + ".bias", {out});
  return result;
}

Tensor Weights::take_weight_norm(const std::string& prefix, Shape expected) {
  std::vector<std::int64_t> norms(static_cast<std::size_t>(expected.rank()), 1);
  norms[0] = expected[0];
  const Tensor g = impl_->claim(prefix + ".weight_g", Shape(norms)).tensor, v = impl_->claim(prefix + ".weight_v", expected).tensor;
  const Tensor folded = impl_->own(expected, DType::f32);
  const std::int64_t width = expected.elements() / expected[0];
  for (std::int64_t row = 0; row < expected[0]; ++row) {
    double squares = 0.0;
    for (std::int64_t i = 0; i < width; ++i) squares += std::pow(static_cast<double>(element(v, row * width + i)), 2.0);
    const auto factor = static_cast<float>(element(g, row) / std::sqrt(squares));
    for (std::int64_t i = 0; i < width; ++i) folded.f32()[row * width + i] = element(v, row * width + i) * factor;
  }
  return impl_->placed(folded);
}

void Weights::ignore(const std::string& name) {
  (void)impl_->find(name);
  impl_->left.erase(name);
}

void Weights::finish() const {
  if (impl_->left.empty()) return;
  throw Error(ExitCode::bad_data, impl_->folder.string() + ": " + std::to_string(impl_->left.size()) +
                                      " weights belong to no layer, the first is \"" + *impl_->left.begin() + "\"");
}

std::size_t Weights::bytes() const { return impl_->bytes; }

std::int64_t Weights::stored_parameters() const {
  std::int64_t count = 0;
  for (const auto& [name, weight] : impl_->stored) count += weight.tensor.elements();
  return count;
}

std::size_t Weights::stored_bytes() const {
  std::size_t count = 0;
  for (const auto& [name, weight] : impl_->stored) count += weight.bytes();
  return count;
}

}  // namespace fabula
