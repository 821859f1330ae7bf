// Wraps OpenSSL's EVP digests.
#include "base/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <vector>

#include "base/error.h"

namespace fabula {

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

namespace {

void require(int succeeded) {
  if (succeeded != 1) throw Error(ExitCode::internal, "SHA-256 is not available from libcrypto");
}

}  // namespace

Sha256::Sha256() : state_(std::make_unique<State>()) { require(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr)); }
Sha256::~Sha256() = default;

Sha256& Sha256::add(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()));
  return *this;
}

Sha256& Sha256::field(std::span<const std::byte> bytes) {
  const std::uint64_t length = bytes.size();
  return add(std::as_bytes(std::span(&length, 1))).add(bytes);
}

Sha256& Sha256::field(std::string_view text) { return field(std::as_bytes(std::span(text))); }

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest{};
  require(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr));
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) text += {digits[byte >> 4U], digits[byte & 15U]};
  return text;
}

std::string sha256_of(const std::filesystem::path& file, const std::function<void(std::size_t)>& on_block) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(ExitCode::input_missing, "cannot open " + file.string());
  Sha256 hash;
  std::vector<char> block(std::size_t{1} << 20U);
  while (in) {
    in.read(block.data(), std::ssize(block));
    const auto count = static_cast<std::size_t>(in.gcount());
    hash.add(std::as_bytes(std::span(block).first(count)));
    if (on_block) on_block(count);
  }
  if (in.bad()) throw Error(ExitCode::io, "reading " + file.string() + " failed");
  return hash.hex();
}

FileDigest read_digest() {
  return [](const std::filesystem::path& file) { return sha256_of(file); };
}

}  // namespace fabula
