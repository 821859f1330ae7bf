// Maps a file and reads its header as one that may be hostile.
#include "engine/weights/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/weights/map_file.h"

namespace fabula {
namespace {

using nlohmann::json;

// The format allows 100 MB; no checkpoint comes near a third of it, and a hostile header must not cost gigabytes once parsed.
constexpr std::uint64_t longest_header = 32U << 20;

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& why) {
  throw Error(ExitCode::bad_data, file.string() + " is not a valid safetensors file: " + why);
}

// Parses with what nlohmann's DOM would let pass refused: repeated keys (it keeps the last) and deep nesting.
json parse_header(const std::filesystem::path& file, std::string_view text) {
  // nlohmann takes a NUL for the end; the reference takes spaces alone for padding.
  if (text.find('\0') != std::string_view::npos) refuse(file, "its header has a NUL byte in it");
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > 3) refuse(file, "its header is nested too deeply");
    if (event == json::parse_event_t::object_start) {
      keys.resize(static_cast<std::size_t>(depth) + 1);
      keys.back().clear();
    } else if (event == json::parse_event_t::key &&
               !keys.at(static_cast<std::size_t>(depth) - 1).insert(parsed.get<std::string>()).second) {
      refuse(file, "its header names \"" + parsed.get<std::string>() + "\" twice");
    }
    return true;
  };
  try {
    return json::parse(text, watch);
  } catch (const json::exception&) {
    refuse(file, "its header is not JSON in UTF-8");
  }
}

// A dtype of the format (safetensors 0.6, Dtype). Those that are not read have a name for people.
struct StoredType {
  const char* name;
  unsigned bits;
  std::optional<DType> read;
  const char* said = "";
};
constexpr StoredType stored_types[] = {{"F32", 32, DType::f32},
                                       {"BF16", 16, DType::bf16},
                                       {"F16", 16, DType::f16},
                                       {"F64", 64, DType::f64},
                                       {"I8", 8, DType::i8},
                                       {"U8", 8, DType::u8},
                                       {"I32", 32, DType::i32},
                                       {"I64", 64, DType::i64},
                                       {"BOOL", 8, DType::boolean},
                                       {"F8_E4M3", 8, {}, "FP8"},
                                       {"F8_E5M2", 8, {}, "FP8"},
                                       {"F8_E8M0", 8, {}, "FP8"},
                                       {"F6_E2M3", 6, {}, "FP6"},
                                       {"F6_E3M2", 6, {}, "FP6"},
                                       {"F4", 4, {}, "FP4"},
                                       {"C64", 64, {}, "complex numbers"},
                                       {"I16", 16, {}, "16-bit integers"},
                                       {"U16", 16, {}, "16-bit integers"},
                                       {"U32", 32, {}, "unsigned 32-bit integers"},
                                       {"U64", 64, {}, "unsigned 64-bit integers"}};

const StoredType* type_named(const std::string& name) {
  const auto* found =
      std::find_if(std::begin(stored_types), std::end(stored_types), [&](const StoredType& type) { return name == type.name; });
  return found == std::end(stored_types) ? nullptr : found;
}

struct Range {
  std::uint64_t begin, end;
  std::string name;
  const StoredType* type;
};

// A scalar, whose shape is [], gets one axis of extent 1: a tensor of rank 0 means "absent" here.
Tensor read_entry(const std::filesystem::path& file, const std::string& name, const json& entry, std::uint64_t data_size, Range& range) {
  const std::string who = "tensor \"" + name + "\"";
  if (!entry.is_object()) refuse(file, who + " is not described by an object");
  const auto dtype_text = entry.find("dtype"), shape = entry.find("shape"), offsets = entry.find("data_offsets");
  if (dtype_text == entry.end() || !dtype_text->is_string() || shape == entry.end() || !shape->is_array() || offsets == entry.end() ||
      !offsets->is_array() || offsets->size() != 2 || entry.size() != 3) {
    refuse(file, who + " needs dtype, shape and two data_offsets");
  }
  const StoredType* type = type_named(dtype_text->get<std::string>());
  if (type == nullptr) refuse(file, who + " has the unknown dtype " + dtype_text->get<std::string>());
  if (shape->size() > Shape::max_rank) refuse(file, who + " has more than five axes");

  std::vector<std::int64_t> extents;
  std::uint64_t elements = 1;
  for (const json& extent : *shape) {
    if (!extent.is_number_unsigned()) refuse(file, who + " has an extent that is not a whole number");
    const auto value = extent.get<std::uint64_t>();
    // The file bounds every product that can be right, so the multiplication cannot overflow unnoticed. The smallest type has 4 bits.
    if (value != 0 && elements > 2 * data_size / value) refuse(file, who + " is larger than the file");
    elements *= value;
    extents.push_back(static_cast<std::int64_t>(value));
  }
  if (extents.empty()) extents.push_back(1);
  for (const json& offset : *offsets) {
    if (!offset.is_number_unsigned()) refuse(file, who + " has an offset that is not a whole number");
  }
  range = {(*offsets)[0].get<std::uint64_t>(), (*offsets)[1].get<std::uint64_t>(), name, type};
  if (range.begin > range.end || range.end > data_size) refuse(file, who + " lies outside the file");
  if ((range.end - range.begin) * 8 != elements * type->bits) refuse(file, who + " has another size than its shape and dtype say");
  Tensor tensor;
  tensor.dtype = type->read.value_or(DType::u8);
  tensor.shape = Shape(extents);
  return tensor;
}

// The ranges must tile the data: no overlap, no hole, nothing after the last.
void check_tiling(const std::filesystem::path& file, std::vector<Range>& ranges, std::uint64_t data_size) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  std::uint64_t at = 0;
  for (const Range& range : ranges) {
    if (range.begin < at) refuse(file, "tensor \"" + range.name + "\" overlaps another");
    if (range.begin > at) refuse(file, "there is a hole before tensor \"" + range.name + "\"");
    at = range.end;
  }
  if (at != data_size) refuse(file, "there are bytes after the last tensor");
}

// A sound file may hold numbers that this program has no kernels for.
void require_read(const std::filesystem::path& file, const std::vector<Range>& ranges) {
  for (const Range& range : ranges) {
    if (range.type->read) continue;
    throw Error(ExitCode::bad_data, file.string() + ": tensor \"" + range.name + "\" is stored as " + range.type->said + " (" +
                                        range.type->name + "), which Fabula does not read");
  }
}

}  // namespace

Safetensors Safetensors::open(const std::filesystem::path& file) {
  Safetensors result;
  result.path_ = file;
  const MappedFile mapping = map_file(file);
  if (mapping.size < 8) refuse(file, "it is shorter than its header length");
  const auto* bytes = static_cast<const unsigned char*>(mapping.memory.get());
  std::uint64_t header = 0;
  for (int i = 7; i >= 0; --i) header = header << 8 | bytes[i];
  if (header > mapping.size - 8) refuse(file, "its header is longer than the file");
  if (header > longest_header) refuse(file, "its header is longer than 32 MB");

  const json root = parse_header(file, {reinterpret_cast<const char*>(bytes) + 8, header});
  if (!root.is_object()) refuse(file, "its header is not an object");
  const std::uint64_t data_size = mapping.size - 8 - header;
  std::vector<Range> ranges;
  for (const auto& [name, entry] : root.items()) {
    if (name == "__metadata__") {
      if (!entry.is_object()) refuse(file, "__metadata__ is not an object");
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) refuse(file, "__metadata__ holds something other than text");
        result.metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    Range range;
    Tensor tensor = read_entry(file, name, entry, data_size, range);
    tensor.data = const_cast<unsigned char*>(bytes) + 8 + header + range.begin;
    result.tensors_.emplace(name, tensor);
    ranges.push_back(std::move(range));
  }
  check_tiling(file, ranges, data_size);
  require_read(file, ranges);
  result.mapping_ = mapping.memory;
  return result;
}

Tensor Safetensors::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw Error(ExitCode::bad_data, path_.string() + " has no tensor \"" + name + "\"");
  return found->second;
}

std::vector<std::byte> safetensors_bytes(const std::vector<NamedTensor>& tensors, const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t end = 0;
  for (const NamedTensor& tensor : tensors) {
    const std::size_t begin = end;
    end += tensor.values.size_bytes();
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // the data starts at a multiple of 8

  const std::uint64_t length = text.size();
  std::vector<std::byte> bytes(sizeof length + text.size() + end);
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + sizeof length, text.data(), text.size());
  std::byte* at = bytes.data() + sizeof length + text.size();
  for (const NamedTensor& tensor : tensors) at = std::copy_n(std::as_bytes(tensor.values).data(), tensor.values.size_bytes(), at);
  return bytes;
}

}  // namespace fabula
