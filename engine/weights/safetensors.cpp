// Maps a file and reads its header as one that may be hostile.
#include "engine/weights/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace fabula {
namespace {

using nlohmann::json;

// The format allows 100 MB; no checkpoint comes near a third of it, and a hostile header must not cost gigabytes once parsed.
constexpr std::uint64_t longest_header = 32U << 20;

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& why) {
  throw Error(ExitCode::bad_data, file.string() + " is not a valid safetensors file: " + why);
}

struct Mapping {
  std::shared_ptr<const void> memory;
  std::uint64_t size = 0;
};

Mapping map_file(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw Error(ExitCode::input_missing, "cannot open " + file.string() + ": " + std::strerror(errno));
  const std::shared_ptr<void> closer(nullptr, [descriptor](void*) { ::close(descriptor); });
  struct stat info {};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode))
    throw Error(ExitCode::input_missing, file.string() + " is not a regular file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < 8) refuse(file, "it is shorter than its header length");
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (memory == MAP_FAILED) throw Error(ExitCode::io, "cannot map " + file.string() + ": " + std::strerror(errno));
  return {std::shared_ptr<const void>(memory, [size](const void* p) { ::munmap(const_cast<void*>(p), size); }), size};
}

// Parses with what nlohmann's DOM would let pass refused: repeated keys (it keeps the last) and deep nesting.
json parse_header(const std::filesystem::path& file, std::string_view text) {
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

bool dtype_named(const std::string& name, DType& dtype) {
  static const std::map<std::string, DType> names = {{"F32", DType::f32}, {"BF16", DType::bf16}, {"F16", DType::f16},
                                                     {"F64", DType::f64}, {"I8", DType::i8},     {"U8", DType::u8},
                                                     {"I32", DType::i32}, {"I64", DType::i64},   {"BOOL", DType::boolean}};
  const auto found = names.find(name);
  if (found == names.end()) return false;
  dtype = found->second;
  return true;
}

struct Range {
  std::uint64_t begin, end;
  std::string name;
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
  Tensor tensor;
  if (!dtype_named(dtype_text->get<std::string>(), tensor.dtype))
    refuse(file, who + " has the unknown dtype " + dtype_text->get<std::string>());
  if (shape->size() > Shape::max_rank) refuse(file, who + " has more than five axes");

  std::vector<std::int64_t> extents;
  std::uint64_t elements = 1;
  for (const json& extent : *shape) {
    if (!extent.is_number_unsigned()) refuse(file, who + " has an extent that is not a whole number");
    const auto value = extent.get<std::uint64_t>();
    // data_size bounds every product that can be right, so the multiplication cannot overflow unnoticed.
    if (value != 0 && elements > data_size / value) refuse(file, who + " is larger than the file");
    elements *= value;
    extents.push_back(static_cast<std::int64_t>(value));
  }
  if (extents.empty()) extents.push_back(1);
  for (const json& offset : *offsets) {
    if (!offset.is_number_unsigned()) refuse(file, who + " has an offset that is not a whole number");
  }
  range = {(*offsets)[0].get<std::uint64_t>(), (*offsets)[1].get<std::uint64_t>(), name};
  if (range.begin > range.end || range.end > data_size) refuse(file, who + " lies outside the file");
  if (range.end - range.begin != elements * size_of(tensor.dtype)) refuse(file, who + " has another size than its shape and dtype say");
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

}  // namespace

Safetensors Safetensors::open(const std::filesystem::path& file) {
  Safetensors result;
  result.path_ = file;
  const Mapping mapping = map_file(file);
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
  result.mapping_ = mapping.memory;
  return result;
}

Tensor Safetensors::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw Error(ExitCode::bad_data, path_.string() + " has no tensor \"" + name + "\"");
  return found->second;
}

}  // namespace fabula
