// What a film would take, without making it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "tools/fabula/render.h"

namespace fabula::cli {

/// Roughly the bytes of a film in its file: 0.2 bits a pixel at a constant rate factor of 16, half as many for six more.
[[nodiscard]] std::uint64_t estimated_film_bytes(const Container&, const SinkOptions&, int total_ms);

/// Throws Error(cannot_create) if the disk of `output` has no room for a film of `bytes` while it is made: the film twice, since its index
/// is moved to the front, and its sound as it leaves the model.
void check_disk(const std::filesystem::path& output, std::uint64_t bytes, int total_ms);

/// Prints the plan, the paths, the shots to make and to reuse, and what memory, disk and time the film takes; as JSON with --json. To say
/// the time it makes one step of one shot and throws it away. Writes nothing. Throws Error: out_of_memory, cannot_create where the film
/// cannot fit.
void print_dry_run(const RenderOptions&, Studio&, const PlannedFilm&, const FilmRequest&, const std::string& output, const SinkOptions&);

}  // namespace fabula::cli
