// Single pictures: files, sizes, contact sheets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "engine/clip_model.h"

namespace fabula {

/// A JPEG, turned upright as its Exif data say, or any other picture that libav reads, as 8-bit RGB; transparency is dropped. Throws Error:
/// input_missing or bad_data.
[[nodiscard]] Image read_image(const std::filesystem::path& file);
/// The format follows the name's ending: .png, .jpg or .jpeg (quality 92). Complete or absent; a file that is there stays. Throws Error:
/// usage for another ending, cannot_create or io.
void write_image(const std::filesystem::path& file, const Image& image);
/// The bytes of a JPEG file (quality 92).
[[nodiscard]] std::vector<std::uint8_t> jpeg_of(const Image& image);
/// The bytes of a PNG file.
[[nodiscard]] std::vector<std::uint8_t> png_of(const Image& image);
/// Lanczos, as Pillow does it.
[[nodiscard]] Image resize(const Image& image, int width, int height);
/// Pictures of one size side by side, row by row, `gap` white pixels between and around them. Throws Error(internal) for none or
/// different sizes.
[[nodiscard]] Image contact_sheet(std::span<const Image> images, int columns, int gap = 4);

}  // namespace fabula
