// A mapped GGUF file (ggml-org/ggml, docs/gguf.md): what is said of a model, and its tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/weights/stored.h"

namespace fabula {

/// Read-only view of one file; tensors point into the mapping, which model().memory keeps.
class Gguf {
 public:
  using Value =
      std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>>;

  /// Whether a path names a regular file that begins as a GGUF file does, or whose name ends in .gguf.
  [[nodiscard]] static bool is_one(const std::filesystem::path& path);
  /// Reads versions 2 and 3. Throws Error: input_missing when it cannot be opened; bad_data, naming the file and the tensor or key, for
  /// anything cut short, repeated, out of range or too large to be true, and for a type of numbers that is not read.
  static Gguf open(const std::filesystem::path& file);

  /// Tensors by the names in the file, with shapes outermost first.
  [[nodiscard]] const StoredModel& model() const { return model_; }

  [[nodiscard]] bool has(const std::string& key) const { return values_.contains(key); }
  // Each throws Error(bad_data), naming file and key, for a key that is missing or holds something else.
  [[nodiscard]] const std::string& text(const std::string& key) const { return get<std::string>(key, "text"); }
  /// `low` to `high`, both included.
  [[nodiscard]] std::int64_t integer(const std::string& key, std::int64_t low, std::int64_t high) const;
  [[nodiscard]] double real(const std::string& key, double low, double high) const;
  [[nodiscard]] bool flag(const std::string& key) const { return get<bool>(key, "true or false"); }
  [[nodiscard]] const std::vector<double>& reals(const std::string& key) const {
    return get<std::vector<double>>(key, "a list of numbers");
  }
  [[nodiscard]] const std::vector<std::string>& texts(const std::string& key) const {
    return get<std::vector<std::string>>(key, "a list of texts");
  }
  [[nodiscard]] const std::vector<std::int64_t>& integers(const std::string& key) const {
    return get<std::vector<std::int64_t>>(key, "a list of integers");
  }
  /// Throws Error(bad_data): "FILE: `what`".
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  friend class GgufReader;
  template <typename T>
  [[nodiscard]] const T& get(const std::string& key, const char* expected) const {
    const auto found = values_.find(key);
    if (found == values_.end()) refuse("\"" + key + "\" is missing");
    const T* value = std::get_if<T>(&found->second);
    if (value == nullptr) refuse("\"" + key + "\" is not " + expected);
    return *value;
  }

  StoredModel model_;
  std::map<std::string, Value> values_;
};

}  // namespace fabula
