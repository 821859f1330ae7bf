// Digests of large files, remembered from run to run: those of a model of 140 GB take minutes to compute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace fabula {

/// A folder with one small file for each file whose digest is remembered, under the digest of its path. A digest holds for as long as the
/// file's size, inode, and times of modification and of change (which no program sets) are those that it had when it was read.
class DigestCache {
 public:
  static constexpr std::uint64_t least_bytes = std::uint64_t{1} << 20U;  ///< smaller files are read each time
  /// Hears how many more bytes of a large file were read; may throw, to stop.
  using OnBlock = std::function<void(std::size_t bytes)>;

  /// `folder` need not exist; empty: nothing is remembered. One that cannot be written remembers nothing.
  explicit DigestCache(std::filesystem::path folder, OnBlock on_block = {}, std::uint64_t smallest = least_bytes);

  /// The file's SHA-256. Throws Error as sha256_of does.
  [[nodiscard]] std::string of(const std::filesystem::path& file) const;

 private:
  std::filesystem::path folder_;
  OnBlock on_block_;
  std::uint64_t smallest_;
};

}  // namespace fabula
