// The boxes of an ISO base media file (ISO/IEC 14496-12, 4.2), as far as labels need them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace fabula {

struct Box {
  std::string type;  ///< four characters
  std::uint64_t begin = 0, content = 0, end = 0;
};

/// The boxes in [begin, end) of an open file; stops at the first that is malformed or does not fit.
[[nodiscard]] std::vector<Box> boxes_in(std::ifstream& in, std::uint64_t begin, std::uint64_t end);
/// The boxes of the whole file; empty where there are none.
[[nodiscard]] std::vector<Box> boxes_of(const std::filesystem::path& file);
/// Bytes [begin, end) of a file. Throws Error(bad_data) where it has fewer.
[[nodiscard]] std::string bytes_between(const std::filesystem::path& file, std::uint64_t begin, std::uint64_t end);

[[nodiscard]] std::uint64_t big_endian(std::string_view bytes);
[[nodiscard]] std::string big_endian(std::uint64_t value, int bytes);
/// A box of this type.
[[nodiscard]] std::string box(std::string_view type, std::string_view content);

}  // namespace fabula
