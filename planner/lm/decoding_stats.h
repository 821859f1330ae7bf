// Statistics of a text written by a language model.
#pragma once

#include <cstdint>

namespace fabula {

struct DecodingStats {
  std::int64_t tokens = 0;    ///< of the text, including the prompt
  std::int64_t given = 0;     ///< those before the model's first choice
  std::int64_t chosen = 0;    ///< chosen by the model
  std::int64_t read = 0;      ///< tokens read in passes, including drafts and repeats
  std::int64_t passes = 0;    ///< passes with a part of this text
  std::int64_t drafted = 0;   ///< tokens read ahead
  std::int64_t accepted = 0;  ///< drafted tokens that proved right
  double seconds = 0.0;       ///< from the start to the last state kept

  /// Appended without asking the model: literals, numbers, the score, and values with one allowed token.
  [[nodiscard]] std::int64_t forced() const { return tokens - given - chosen; }

  DecodingStats& operator+=(const DecodingStats& other) {
    tokens += other.tokens, given += other.given, chosen += other.chosen, read += other.read, passes += other.passes;
    drafted += other.drafted, accepted += other.accepted, seconds += other.seconds;
    return *this;
  }
};

}  // namespace fabula
