// SHA-256 (FIPS 180-4), by OpenSSL's libcrypto.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace fabula {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Sha256& add(std::span<const std::byte> bytes);
  /// A field of a larger whole: its length first, so that no two sequences of fields are the same bytes.
  Sha256& field(std::string_view text);
  Sha256& field(std::span<const std::byte> bytes);

  /// 64 lower-case digits. Nothing may be added afterwards.
  [[nodiscard]] std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Of a file's bytes. `on_block` hears how many more bytes were read, and may throw. Throws Error: input_missing where it cannot be opened,
/// io where reading fails.
[[nodiscard]] std::string sha256_of(const std::filesystem::path& file, const std::function<void(std::size_t)>& on_block = {});

/// What gives files their digests: sha256_of, or one that remembers (base/digest_cache.h).
using FileDigest = std::function<std::string(const std::filesystem::path&)>;
/// sha256_of as a FileDigest.
[[nodiscard]] FileDigest read_digest();

}  // namespace fabula
