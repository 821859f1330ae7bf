// Names of outputs from templates.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fabula::batch {

/// "A fox at night" -> "a_fox_at_night": a to z, digits and underscores, at most 100 bytes; "film" where nothing is left.
[[nodiscard]] std::string file_word(const std::string& text);

struct NameFields {
  std::size_t n = 0;          ///< the job's number
  std::string title, prompt;  ///< become file_words
  std::uint64_t seed = 0;
  std::string date;  ///< of the day, "2026-11-30"
  std::string shot;  ///< ids of the first and the last shot, "s010-s030"
};

/// `{n}`, `{title}`, `{prompt}`, `{seed}`, `{date}`, `{shot}` and `{version}`; the numbers also padded, as `{n:03d}`. `{{` and `}}` are
/// braces.
class NameTemplate {
 public:
  /// Throws Error(usage) for anything else between braces, and for a brace that is alone.
  explicit NameTemplate(const std::string& text);

  [[nodiscard]] bool has(const std::string& field) const;
  /// The name; the version is the first from 1 that `is_taken` does not hold for.
  [[nodiscard]] std::string expand(const NameFields&, const std::function<bool(const std::string&)>& is_taken) const;

 private:
  struct Piece {
    std::string text;  // literal, or the name of a field
    bool is_field = false;
    int width = 0;  // of a number, filled with zeros
  };
  [[nodiscard]] std::string expand(const NameFields&, std::uint64_t version) const;

  std::vector<Piece> pieces_;
};

}  // namespace fabula::batch
