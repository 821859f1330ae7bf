// SMPTE ST 12-1: how frames are counted.
#include "engine/film/timecode.h"

#include <cstdio>

namespace fabula {
namespace {

// At 29.97 the first two numbers of every minute but each tenth are left out.
constexpr std::int64_t dropped = 2, a_minute = 60 * 30 - dropped, ten_minutes = 10 * a_minute + dropped;

}  // namespace

std::int64_t frames_at(std::int64_t frames, Rate from, Rate to) {
  const std::int64_t up = std::int64_t{to.num} * from.den, down = std::int64_t{from.num} * to.den;
  return (frames * up + down - 1) / down;
}

int counted_frames(Rate rate) { return (rate.num + rate.den - 1) / rate.den; }

bool is_drop_frame(Rate rate) { return rate == Rate{30000, 1001}; }

Timecode timecode_of(std::int64_t frame, Rate rate) {
  const bool drop = is_drop_frame(rate);
  if (drop) {
    const std::int64_t tens = frame / ten_minutes, rest = frame % ten_minutes;
    frame += dropped * (9 * tens + (rest < dropped ? 0 : (rest - dropped) / a_minute));
  }
  const std::int64_t counted = counted_frames(rate), seconds = frame / counted;
  return {static_cast<int>(seconds / 3600), static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60),
          static_cast<int>(frame % counted), drop};
}

std::string text_of(const Timecode& t) {
  char text[64];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d%c%02d", t.hours, t.minutes, t.seconds, t.drop_frame ? ';' : ':', t.frames);
  return text;
}

std::int64_t first_frame_number(Rate rate) { return is_drop_frame(rate) ? 6 * ten_minutes : std::int64_t{3600} * counted_frames(rate); }

}  // namespace fabula
