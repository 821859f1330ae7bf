// Zip files (PKWARE's APPNOTE.TXT) in memory: stored and deflated entries. Wraps zlib.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fabula::cast {

struct ZipEntry {
  std::string name, data;
};

struct ZipLimits {
  std::size_t entries = 512;
  std::size_t total_bytes = 32U << 20U;  ///< unpacked, of all entries
  std::size_t ratio = 200;               ///< unpacked over packed, of entries that unpack to more than 64 kB
};

[[nodiscard]] bool is_zip(std::string_view bytes);

/// The files in it, in the order of its directory; folders are left out. Throws Error(bad_data) for anything that is not plainly one
/// archive: cut short, a directory that is not where it says, several disks, zip64, encryption, other packing, a wrong checksum or size,
/// entries that overlap or stand twice, names that are absolute, climb ("..") or are not clean UTF-8 paths, links, and what exceeds the
/// limits. Nothing is unpacked beyond its stated size.
[[nodiscard]] std::vector<ZipEntry> read_zip(std::string_view bytes, const ZipLimits& = {});

/// The same entries give the same bytes: no dates. Entries named *.json are deflated, others stored. Names must be as read_zip takes them.
[[nodiscard]] std::string write_zip(const std::vector<ZipEntry>&);

}  // namespace fabula::cast
