// Frame rates as fractions, and SMPTE timecode.
#pragma once

#include <cstdint>
#include <string>

namespace fabula {

/// Frames a second as a fraction: 24/1, 30000/1001.
struct Rate {
  int num = 24, den = 1;
  bool operator==(const Rate&) const = default;
};

/// A rate that films are delivered in, by its usual name.
struct NamedRate {
  const char* name;
  Rate rate;
};
inline constexpr NamedRate delivery_rates[] = {
    {"23.976", {24000, 1001}}, {"24", {24, 1}}, {"25", {25, 1}}, {"29.97", {30000, 1001}}, {"30", {30, 1}}};

/// Frames of a file at `to` that show `frames` frames at `from`: frame k of the file is frame floor(k · from / to), so that no error adds
/// up.
[[nodiscard]] std::int64_t frames_at(std::int64_t frames, Rate from, Rate to);

/// The frames that timecode counts in a second: 24 for 23.976, 30 for 29.97.
[[nodiscard]] int counted_frames(Rate);
/// Whether timecode leaves out numbers to stay with the clock (SMPTE ST 12-1): at 29.97.
[[nodiscard]] bool is_drop_frame(Rate);

struct Timecode {
  int hours = 0, minutes = 0, seconds = 0, frames = 0;
  bool drop_frame = false;
};
/// Of the frame with this number, counted from 00:00:00:00.
[[nodiscard]] Timecode timecode_of(std::int64_t frame, Rate);
/// "01:00:00:00"; with drop frames "01:00:00;00".
[[nodiscard]] std::string text_of(const Timecode&);
/// The number of the frame at 01:00:00:00, where films start.
[[nodiscard]] std::int64_t first_frame_number(Rate);

}  // namespace fabula
