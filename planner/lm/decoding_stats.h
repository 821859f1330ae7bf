// How a text came about.
#pragma once

#include <cstdint>

namespace fabula {

struct DecodingStats {
  std::int64_t tokens = 0;    ///< of the text, the prompt included
  std::int64_t given = 0;     ///< of them before the model's first choice
  std::int64_t chosen = 0;    ///< by the model
  std::int64_t read = 0;      ///< tokens in passes, those of drafts and those read again included
  std::int64_t passes = 0;    ///< that the text took part in
  std::int64_t drafted = 0;   ///< tokens read ahead
  std::int64_t accepted = 0;  ///< of them
  double seconds = 0.0;       ///< from the beginning to the last state kept

  /// Appended without a question: a literal, a number, the score, the only token that a value allows.
  [[nodiscard]] std::int64_t forced() const { return tokens - given - chosen; }

  DecodingStats& operator+=(const DecodingStats& other) {
    tokens += other.tokens, given += other.given, chosen += other.chosen, read += other.read, passes += other.passes;
    drafted += other.drafted, accepted += other.accepted, seconds += other.seconds;
    return *this;
  }
};

}  // namespace fabula
