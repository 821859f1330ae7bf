// Reading whole files: every byte arrives, and what cannot be read is one sentence with its code.
#include "base/file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/folder.h"
#include "tests/support/refusal.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;
using test::refusal;

class ReadFile : public test::InFolder {
 protected:
  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
};

TEST_F(ReadFile, ReturnsEveryByteAtEveryLengthAroundABlock) {
  constexpr std::size_t block = 1U << 16U;
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, block - 1, block, block + 1, 3 * block}) {
    std::string bytes(length, '\0');
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<char>(i * 7);
    EXPECT_TRUE(read_file(write("bytes", bytes)) == bytes) << length;
  }
}

TEST_F(ReadFile, HoldsItsLimit) {
  constexpr std::size_t megabyte = 1U << 20U;
  EXPECT_EQ(read_file(write("full", std::string(megabyte, 'x')), megabyte).size(), megabyte);
  const fs::path over = write("over", std::string(megabyte + 1, 'x'));
  EXPECT_EQ(refusal([&] { (void)read_file(over, megabyte, "the plan"); }), "the plan " + over.string() + " is larger than 1 MB");
}

TEST_F(ReadFile, NamesWhatIsNotThere) {
  const fs::path missing = folder_ / "missing";
  EXPECT_EQ(refusal([&] { (void)read_file(missing, 1, "the plan"); }, ExitCode::input_missing),
            "cannot read the plan " + missing.string() + ": No such file or directory");
  EXPECT_EQ(refusal([&] { (void)read_file(folder_); }, ExitCode::input_missing), "cannot read " + folder_.string() + ": it is a folder");
}

}  // namespace
}  // namespace fabula
