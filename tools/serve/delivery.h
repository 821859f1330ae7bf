// The files of a video: which there are, and how one is read, whole or in part.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.h"

namespace fabula::serve {

/// A file of a video's folder that a client may ask for.
struct Variant {
  const char* name;    ///< "video"
  const char* file;    ///< in the video's folder
  const char* type;    ///< Content-Type
  const char* ending;  ///< of the name that it is saved under: ".mp4"
  bool only_complete;  ///< it is whole once the video is completed
};
[[nodiscard]] const std::vector<Variant>& variants();
[[nodiscard]] const Variant* variant_named(std::string_view name);

/// The picture of a shot, or of the first one that there is; empty if there is none. `shot`: an id, checked here, or empty.
[[nodiscard]] std::filesystem::path poster_of(const std::filesystem::path& folder, const std::string& shot);

/// The film's plan as far as it is written.
[[nodiscard]] std::optional<plan::Film> plan_in(const std::filesystem::path& folder);

/// The film as an OpenTimelineIO timeline: a clip for each shot, all of them parts of `file`, the film's name. Sizes in pixels.
[[nodiscard]] std::string timeline_of_film(const plan::Film&, const std::string& file, int width, int height);

/// Part of a file: [first, first + bytes).
struct Part {
  std::uint64_t first = 0, bytes = 0;
};
/// What a Range header asks for of a file (RFC 9110, 14.2). Nothing: the header is not understood or names several parts, and the whole
/// file is the answer. bytes == 0: it cannot be satisfied.
[[nodiscard]] std::optional<Part> part_of(std::string_view range, std::uint64_t file_bytes);

}  // namespace fabula::serve
