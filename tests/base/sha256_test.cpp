// The digests of FIPS 180-4's examples, and fields that cannot be confused.
#include "base/sha256.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"

namespace fabula {
namespace {

std::string digest_of(std::string_view text) { return Sha256().add(std::as_bytes(std::span(text))).hex(); }

TEST(Sha256, GivesTheStandardsDigests) {
  EXPECT_EQ(digest_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, TellsSequencesOfFieldsApart) {
  EXPECT_NE(Sha256().field("ab").field("c").hex(), Sha256().field("a").field("bc").hex());
  EXPECT_NE(Sha256().field("a").hex(), Sha256().field("a").field("").hex());
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / ("fabula-sha256-" + std::to_string(getpid()));
  std::ofstream(file, std::ios::binary) << std::string(3000000, 'x');
  EXPECT_EQ(sha256_of(file), digest_of(std::string(3000000, 'x')));
  std::filesystem::remove(file);
  EXPECT_THROW((void)sha256_of(file), Error);
}

}  // namespace
}  // namespace fabula
