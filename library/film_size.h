// What a film takes on a disk.
#pragma once

#include <cstdint>
#include <filesystem>

#include "video/io/sinks.h"

namespace fabula {

/// Pixels of all of a film's pictures.
[[nodiscard]] double pixels_in(const SinkOptions&, int total_ms);

/// Roughly the bytes of a film in its file: 0.2 bits a pixel at a constant rate factor of 16, half as many for six more.
[[nodiscard]] std::uint64_t estimated_film_bytes(const Container&, const SinkOptions&, int total_ms);

/// Throws Error(cannot_create) if the disk of `output` has no room for a film of `bytes` while it is made: the film twice, since its index
/// is moved to the front, and its sound as it leaves the model.
void check_disk(const std::filesystem::path& output, std::uint64_t bytes, int total_ms);

}  // namespace fabula
