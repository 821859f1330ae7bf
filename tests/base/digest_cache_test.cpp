// A digest is remembered for an unchanged file, and for no other.
#include "base/digest_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/sha256.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

class DigestCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_);
    write("the weights of a model");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& text) const { std::ofstream(file_, std::ios::binary) << text; }
  // Files that were just written are not trusted.
  static void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(2100)); }

  // The file's digest, which must be right; -> whether the file was read for it.
  bool reads() {
    std::size_t bytes = 0;
    const DigestCache cache(
        folder_ / "cache", [&](std::size_t more) { bytes += more; }, 1);
    EXPECT_EQ(cache.of(file_), sha256_of(file_));
    return bytes > 0;
  }

  const fs::path folder_ = fs::temp_directory_path() / ("fabula-digests-" + std::to_string(getpid())), file_ = folder_ / "w.safetensors";
};

TEST_F(DigestCacheTest, AFileIsReadOnceAndAgainOnceItIsAnother) {
  EXPECT_TRUE(reads());
  EXPECT_TRUE(reads()) << "it may still be being written";
  settle();
  EXPECT_TRUE(reads());
  EXPECT_FALSE(reads());

  // Other bytes of the same length in the same file, with its time of modification put back.
  struct stat before = {};
  ASSERT_EQ(::stat(file_.c_str(), &before), 0);
  write("the weights of another");
  const timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, file_.c_str(), times, 0), 0);
  settle();
  EXPECT_TRUE(reads());
  EXPECT_FALSE(reads());

  // A damaged entry is none.
  for (const auto& entry : fs::directory_iterator(folder_ / "cache")) fs::resize_file(entry.path(), fs::file_size(entry.path()) - 9);
  EXPECT_TRUE(reads());
  EXPECT_FALSE(reads());

  fs::remove(file_);
  EXPECT_THROW((void)DigestCache(folder_ / "cache", {}, 1).of(file_), Error);
}

TEST_F(DigestCacheTest, RemembersNothingOfSmallFilesOrWithoutAFolder) {
  (void)DigestCache(folder_ / "cache").of(file_);
  EXPECT_FALSE(fs::exists(folder_ / "cache"));
  EXPECT_EQ(DigestCache({}, {}, 1).of(file_), sha256_of(file_));
  EXPECT_EQ(DigestCache(file_ / "no folder", {}, 1).of(file_), sha256_of(file_)) << "a cache that cannot be written is none";
}

}  // namespace
}  // namespace fabula
