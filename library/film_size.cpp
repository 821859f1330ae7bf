// Sizes a film's file from its pixels, and asks the disk.
#include "library/film_size.h"

#include <cmath>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/output_file.h"

namespace fabula {

namespace fs = std::filesystem;

double pixels_in(const SinkOptions& how, int total_ms) {
  return static_cast<double>(how.width) * how.height * (total_ms / 1000.0 * how.rate.num / how.rate.den);
}

std::uint64_t estimated_film_bytes(const Container& container, const SinkOptions& how, int total_ms) {
  const bool has_sound = container.holds != Container::Holds::picture, is_coded = container.holds == Container::Holds::both;
  const double sound_bytes_a_second = !has_sound ? 0.0 : is_coded && container.bits_a_pixel < 1.0 ? 24e3 : 288e3;
  const double picture = pixels_in(how, total_ms) * container.bits_a_pixel / 8.0 * std::exp2((18.0 - how.crf.value_or(18)) / 6.0);
  return static_cast<std::uint64_t>(picture + total_ms / 1000.0 * sound_bytes_a_second);
}

void check_disk(const fs::path& output, std::uint64_t bytes, int total_ms) {
  if (is_stream(output)) return;
  constexpr std::uint64_t spooled_bytes_a_second = 48000 * 2 * sizeof(float);
  const std::uint64_t needed = 2 * bytes + static_cast<std::uint64_t>(total_ms) * spooled_bytes_a_second / 1000;
  const fs::path folder = output.parent_path().empty() ? "." : output.parent_path();
  std::error_code unknown;
  const fs::space_info space = fs::space(folder, unknown);
  if (unknown || space.available >= needed) return;
  throw Error(ExitCode::cannot_create, "the film takes about " + std::to_string(needed / 1000000 + 1) + " MB while it is made, and " +
                                           std::to_string(space.available / 1000000) + " MB are free in " + folder.string() +
                                           "; a smaller --scale or a higher --crf takes less");
}

}  // namespace fabula
