// What a film is stored as: its codec, rate, size and shape.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "video/io/sinks.h"

namespace CLI {
class App;
}

namespace fabula {

struct FormatChoice {
  std::string codec;   ///< of video/io/sinks.h's table; empty: the extension's first
  std::string fps;     ///< a name of delivery_rates; empty: the plan's
  std::string size;    ///< "1920x1080", of the film; empty: as --scale has it
  std::string aspect;  ///< "16:9"; empty: the canvas's
  std::string fit = "pad";
};
/// --codec, --fps, --size, --aspect and --fit.
void add_format_options(CLI::App&, FormatChoice&);

/// What `output` is to be; a device or a pipe, and a film without a name (empty), get the codec's first container. Throws Error(usage) for
/// an extension that is in no container's line, or not with this codec.
[[nodiscard]] const Container& container_for(const std::filesystem::path& output, const FormatChoice&);

/// What a film without a name of its own ends in: ".mp4", or ".####.exr" for pictures.
[[nodiscard]] std::string ending_for(const FormatChoice&);

/// Fills in rate, size and framing. sink: with the size that the film has otherwise.
void set_format(const FormatChoice&, int film_fps, SinkOptions& sink);

/// What a user should know about how the film is stored.
[[nodiscard]] std::vector<std::string> format_notes(const Container&);

}  // namespace fabula
