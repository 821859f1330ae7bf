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
  std::size_t entries = 4096;
  std::size_t total_bytes = 256U << 20U;  ///< unpacked, of all entries
  std::size_t ratio = 200;                ///< unpacked over packed, of entries that unpack to more than 64 kB
};

[[nodiscard]] bool is_zip(std::string_view bytes);

/// The files of an archive in directory order, without folders. Throws Error(bad_data) for anything but one plain archive: truncated, a
/// misplaced directory, several disks, zip64, encryption, other packing methods, a wrong checksum or size, overlapping or duplicate
/// entries, names that are absolute, climb ("..") or are not clean UTF-8 paths, links, and anything beyond the limits. Never unpacks more
/// than the stated size.
[[nodiscard]] std::vector<ZipEntry> read_zip(std::string_view bytes, const ZipLimits& = {});

/// As read_zip, for an archive behind other bytes, whose offsets count from its own begin or from that of all bytes. Sets `front` to the
/// number of bytes before it.
[[nodiscard]] std::vector<ZipEntry> read_attached_zip(std::string_view bytes, std::size_t& front, const ZipLimits& = {});

/// The same entries give the same bytes, because dates are fixed. Deflates entries named *.json and stores the others. Names must be valid
/// for read_zip.
[[nodiscard]] std::string write_zip(const std::vector<ZipEntry>&);

}  // namespace fabula::cast
