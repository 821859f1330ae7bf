// Reads the header of a GGUF file as one that may be hostile.
#include "engine/weights/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <type_traits>

#include "base/error.h"
#include "engine/weights/map_file.h"

namespace fabula {

namespace {

constexpr std::string_view magic = "GGUF";

struct PlainFormat {
  std::uint32_t type;
  DType dtype;
};
constexpr PlainFormat plain_formats[] = {{0, DType::f32}, {1, DType::f16}, {30, DType::bf16}};

}  // namespace

class GgufReader {
 public:
  explicit GgufReader(const std::filesystem::path& file) : mapped_(map_file(file)) { result_.model_.path = file; }

  Gguf read() {
    if (mapped_.size < 4 || std::memcmp(mapped_.memory.get(), magic.data(), magic.size()) != 0) result_.refuse("is not a GGUF file");
    at_ = magic.size();
    if (const auto version = number<std::uint32_t>("its version"); version != 2 && version != 3)
      result_.refuse("is a GGUF file of version " + std::to_string(version) + "; versions 2 and 3 are read");
    const auto tensors = number<std::uint64_t>("its header"), values = number<std::uint64_t>("its header");
    for (std::uint64_t i = 0; i < values; ++i) read_value();
    std::vector<std::uint64_t> offsets;
    std::vector<StoredWeight*> weights;
    for (std::uint64_t i = 0; i < tensors; ++i) {
      weights.push_back(&read_tensor());
      offsets.push_back(number<std::uint64_t>("the list of its tensors"));
    }
    place(weights, offsets);
    result_.model_.memory = mapped_.memory;
    return std::move(result_);
  }

 private:
  // Takes `bytes` bytes from the header.
  const char* take(std::uint64_t bytes, const std::string& what) {
    if (bytes > mapped_.size - at_) result_.refuse("is cut short: it ends within " + what);
    const char* from = static_cast<const char*>(mapped_.memory.get()) + at_;
    at_ += bytes;
    return from;
  }
  template <typename T>
  T number(const std::string& what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what), sizeof(T));
    return value;
  }
  std::string text(const std::string& what) {
    const auto length = number<std::uint64_t>(what);
    const char* from = take(length, what);
    return {from, from + length};
  }

  // GGUF's value types 0 … 12: integers of 8 to 32 bits, float32, bool, text, list, integers of 64 bits, float64.
  enum Type : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

  std::int64_t integer(std::uint32_t type, const std::string& what) {
    switch (type) {
      case u8:
        return number<std::uint8_t>(what);
      case i8:
        return number<std::int8_t>(what);
      case u16:
        return number<std::uint16_t>(what);
      case i16:
        return number<std::int16_t>(what);
      case u32:
        return number<std::uint32_t>(what);
      case i32:
        return number<std::int32_t>(what);
      case boolean:
        return number<std::uint8_t>(what);
      default:
        return std::bit_cast<std::int64_t>(number<std::uint64_t>(what));  // one beyond int64 becomes negative, and is refused where used
    }
  }
  double real(std::uint32_t type, const std::string& what) { return type == f32 ? number<float>(what) : number<double>(what); }

  template <typename Element>
  std::vector<Element> list(std::uint64_t count, Element (GgufReader::*next)(std::uint32_t, const std::string&), std::uint32_t type,
                            const std::string& what) {
    std::vector<Element> values;  // grows as elements are found: the count may be a lie
    for (std::uint64_t i = 0; i < count; ++i) values.push_back((this->*next)(type, what));
    return values;
  }
  std::string text_of_type(std::uint32_t, const std::string& what) { return text(what); }

  Gguf::Value value_of(std::uint32_t type, const std::string& what) {
    if (type == string) return text(what);
    if (type == boolean) return number<std::uint8_t>(what) != 0;
    if (type == f32 || type == f64) return real(type, what);
    if (type > f64) result_.refuse(what + " has the unknown type " + std::to_string(type));
    if (type != array) return integer(type, what);
    const auto inner = number<std::uint32_t>(what);
    const auto count = number<std::uint64_t>(what);
    if (inner == array || inner > f64) result_.refuse(what + " is a list of type " + std::to_string(inner) + ", which is not read");
    if (inner == string) return list(count, &GgufReader::text_of_type, inner, what);
    if (inner == f32 || inner == f64) return list(count, &GgufReader::real, inner, what);
    return list(count, &GgufReader::integer, inner, what);
  }

  void read_value() {
    const std::string key = text("a key of its metadata"), what = "\"" + key + "\"";
    const auto type = number<std::uint32_t>(what);
    if (!result_.values_.emplace(key, value_of(type, what)).second) result_.refuse(what + " appears twice");
  }

  void set_format(StoredWeight& weight, std::uint32_t type, const std::string& what) {
    for (const PlainFormat& format : plain_formats) {
      if (format.type == type) return void(weight.tensor.dtype = format.dtype);
    }
    const auto formats = block_formats();
    const auto found = std::find_if(formats.begin(), formats.end(), [&](const BlockFormat& format) { return format.type == type; });
    if (found == formats.end())
      result_.refuse(what + " is stored as numbers of ggml's type " + std::to_string(type) +
                     ", which is not read (F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q8_0, Q4_K, Q5_K and Q6_K are)");
    weight.tensor.dtype = DType::u8;
    weight.blocks = &*found;
    if (weight.tensor.shape[-1] % found->weights != 0)
      result_.refuse(what + " has rows that are no whole number of blocks of " + found->name);
  }

  // Everything but its place.
  StoredWeight& read_tensor() {
    const std::string name = text("the list of its tensors"), what = "the tensor \"" + name + "\"";
    const auto rank = number<std::uint32_t>(what);
    if (rank < 1 || rank > 4) result_.refuse(what + " has " + std::to_string(rank) + " axes");
    std::vector<std::int64_t> extents;
    std::uint64_t elements = 1;
    for (std::uint32_t i = 0; i < rank; ++i) {
      const auto extent = number<std::uint64_t>(what);
      if (extent == 0 || extent > 8 * mapped_.size / elements) result_.refuse("is cut short: " + what + " is larger than the file");
      elements *= extent;
      extents.insert(extents.begin(), static_cast<std::int64_t>(extent));  // the file has the innermost first
    }
    StoredWeight weight;
    weight.tensor.shape = Shape(extents);
    set_format(weight, number<std::uint32_t>(what), what);
    const auto [entry, added] = result_.model_.weights.emplace(name, weight);
    if (!added) result_.refuse(what + " appears twice");
    return entry->second;
  }

  // Offsets count from the end of the header, rounded up.
  void place(const std::vector<StoredWeight*>& weights, const std::vector<std::uint64_t>& offsets) {
    constexpr std::int64_t usual = 32, largest = 1 << 20;
    const std::int64_t given = result_.has("general.alignment") ? result_.integer("general.alignment", 1, largest) : usual;
    const auto alignment = static_cast<std::uint64_t>(given);
    if (!std::has_single_bit(alignment)) result_.refuse("\"general.alignment\" is not a power of two");
    const std::uint64_t data = (at_ + alignment - 1) / alignment * alignment;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::uint64_t size = weights[i]->bytes();
      const auto name = [&] {
        return std::find_if(result_.model_.weights.begin(), result_.model_.weights.end(),
                            [&](const auto& e) { return &e.second == weights[i]; })
            ->first;
      };
      if (offsets[i] % alignment != 0)
        result_.refuse("the tensor \"" + name() + "\" begins at no multiple of " + std::to_string(alignment));
      if (data > mapped_.size || offsets[i] > mapped_.size - data || size > mapped_.size - data - offsets[i])
        result_.refuse("is cut short: it ends before the tensor \"" + name() + "\" does");
      weights[i]->tensor.data = const_cast<char*>(static_cast<const char*>(mapped_.memory.get()) + data + offsets[i]);
    }
  }

  MappedFile mapped_;
  std::uint64_t at_ = 0;  // in the header
  Gguf result_;
};

bool Gguf::is_one(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream in(path, std::ios::binary);
  std::string begin(magic.size(), '\0');
  in.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return begin == magic || path.extension() == ".gguf";
}

Gguf Gguf::open(const std::filesystem::path& file) { return GgufReader(file).read(); }

void Gguf::refuse(const std::string& what) const { throw Error(ExitCode::bad_data, model_.path.string() + ": " + what); }

std::int64_t Gguf::integer(const std::string& key, std::int64_t low, std::int64_t high) const {
  const auto value = get<std::int64_t>(key, "an integer");
  if (value < low || value > high)
    refuse("\"" + key + "\" is " + std::to_string(value) + ", expected " + std::to_string(low) + " to " + std::to_string(high));
  return value;
}

double Gguf::real(const std::string& key, double low, double high) const {
  const auto value = get<double>(key, "a number");
  if (!(value >= low && value <= high)) refuse("\"" + key + "\" is out of range");
  return value;
}

}  // namespace fabula
