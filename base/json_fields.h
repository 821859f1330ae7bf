// Reads the fields of a JSON object, each within stated limits, so that nothing later has to doubt them.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fabula {

/// Why a text is not JSON: "there is an error at line 3, column 14", or a number that is too large; empty if it is JSON. Lines count from
/// `first_line`, columns count characters from 1.
[[nodiscard]] std::string json_fault(std::string_view text, std::size_t first_line = 1);

/// One JSON object of a file. Every complaint is an Error(bad_data) that names the file and the key, what the key holds and what was
/// expected: `config.json: "layers" holds 7, expected an integer from 1 to 4`. A key that holds null counts as absent for has() and for
/// the readers that take a default.
class JsonFields {
 public:
  /// The object in `file`. Throws Error: input_missing, or bad_data if it is not JSON or not an object.
  [[nodiscard]] static JsonFields open(const std::filesystem::path& file);
  /// `name` stands for the file in complaints.
  [[nodiscard]] static JsonFields parse(std::string_view text, const std::string& name);

  /// The file, and the key of the object in it where it is not the whole.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Throws Error(bad_data): name(), then `sentence`.
  [[noreturn]] void refuse(const std::string& sentence) const;

  [[nodiscard]] bool has(const std::string& key) const;

  /// A whole number in [low, high], which T must be able to hold.
  template <std::integral T = std::int64_t>
  [[nodiscard]] T integer(const std::string& key, std::int64_t low, std::int64_t high) const {
    return static_cast<T>(wide(key, low, high));
  }
  template <std::integral T>
  [[nodiscard]] T integer_or(const std::string& key, T otherwise, std::int64_t low, std::int64_t high) const {
    return has(key) ? integer<T>(key, low, high) : otherwise;
  }

  /// A number in [low, high].
  [[nodiscard]] double real(const std::string& key, double low, double high) const;

  [[nodiscard]] std::string text(const std::string& key) const;
  /// A string that is one of `allowed`.
  [[nodiscard]] std::string choice(const std::string& key, std::initializer_list<const char*> allowed) const;
  [[nodiscard]] bool flag_or(const std::string& key, bool otherwise) const;

  /// `least` to `most` whole numbers, each in [low, high].
  template <std::integral T = std::int64_t>
  [[nodiscard]] std::vector<T> integers(const std::string& key, std::size_t least, std::size_t most, std::int64_t low,
                                        std::int64_t high) const {
    return narrowed<T>(wide_list(key, least, most, low, high));
  }
  /// As integers, of a list of `least` to `most` such lists.
  template <std::integral T = std::int64_t>
  [[nodiscard]] std::vector<std::vector<T>> integer_lists(const std::string& key, std::size_t least, std::size_t most, std::int64_t low,
                                                          std::int64_t high) const {
    std::vector<std::vector<T>> lists;
    for (const auto& list : wide_lists(key, least, most, low, high)) lists.push_back(narrowed<T>(list));
    return lists;
  }
  /// `count` numbers, each in [low, high].
  [[nodiscard]] std::vector<float> reals(const std::string& key, std::size_t count, double low, double high) const;

  /// The object under `key`.
  [[nodiscard]] JsonFields object(const std::string& key) const;
  /// An object of strings.
  [[nodiscard]] std::map<std::string, std::string> texts(const std::string& key) const;

 private:
  struct Object;  // keeps the JSON library out of this header
  JsonFields(std::string name, std::shared_ptr<const Object> object) : name_(std::move(name)), object_(std::move(object)) {}

  template <std::integral T>
  static std::vector<T> narrowed(const std::vector<std::int64_t>& values) {
    return std::vector<T>(values.begin(), values.end());
  }
  [[nodiscard]] std::int64_t wide(const std::string& key, std::int64_t low, std::int64_t high) const;
  [[nodiscard]] std::vector<std::int64_t> wide_list(const std::string& key, std::size_t least, std::size_t most, std::int64_t low,
                                                    std::int64_t high) const;
  [[nodiscard]] std::vector<std::vector<std::int64_t>> wide_lists(const std::string& key, std::size_t least, std::size_t most,
                                                                  std::int64_t low, std::int64_t high) const;

  std::string name_;
  std::shared_ptr<const Object> object_;
};

}  // namespace fabula
