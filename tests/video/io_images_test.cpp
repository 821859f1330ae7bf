// Pictures in files, scaled, and side by side.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/error.h"
#include "tests/support/folder.h"
#include "video/io/images.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

Image flat(int width, int height, std::uint8_t r, std::uint8_t g, std::uint8_t b) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i) image.rgb.insert(image.rgb.end(), {r, g, b});
  return image;
}

class Pictures : public test::InFolder {};

TEST_F(Pictures, ComeBackFromPngExactlyAndFromJpegNearly) {
  Image image = flat(31, 17, 200, 90, 10);
  image.rgb[0] = 0;
  write_image(folder_ / "a.png", image);
  const Image png = read_image(folder_ / "a.png");
  EXPECT_EQ(png.width, 31);
  EXPECT_EQ(png.height, 17);
  EXPECT_EQ(png.rgb, image.rgb);
  write_image(folder_ / "a.jpg", flat(32, 16, 200, 90, 10));
  const Image jpeg = read_image(folder_ / "a.jpg");
  EXPECT_NEAR(jpeg.rgb[300], 200, 4);
  EXPECT_NEAR(jpeg.rgb[301], 90, 4);
  EXPECT_NEAR(jpeg.rgb[302], 10, 4);
}

TEST_F(Pictures, ThatCannotBeReadOrWrittenAreRefused) {
  EXPECT_THROW((void)read_image(folder_ / "absent.png"), Error);
  std::ofstream(folder_ / "text.png") << "no picture";
  EXPECT_THROW((void)read_image(folder_ / "text.png"), Error);
  EXPECT_THROW(write_image(folder_ / "a.bmp", flat(4, 4, 0, 0, 0)), Error);
  EXPECT_THROW(write_image(folder_ / "nowhere/a.png", flat(4, 4, 0, 0, 0)), Error);
}

// What Pillow reads from the same files (tools/goldens/dump_pictures.py).
Image expected_of(const fs::path& picture) {
  std::ifstream in(picture.string() + ".rgb", std::ios::binary);
  std::int32_t size[2] = {};
  in.read(reinterpret_cast<char*>(size), sizeof size);
  Image image{size[0], size[1], std::vector<std::uint8_t>(static_cast<std::size_t>(3 * size[0] * size[1]))};
  in.read(reinterpret_cast<char*>(image.rgb.data()), std::ssize(image.rgb));
  EXPECT_TRUE(in) << picture;
  return image;
}

TEST_F(Pictures, AreReadAsPillowReadsThem) {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(FABULA_SOURCE_DIR "/tests/goldens/pictures")) {
    if (entry.path().extension() == ".rgb") continue;
    const Image expected = expected_of(entry.path()), found = read_image(entry.path());
    ASSERT_EQ(found.width, expected.width) << entry.path();
    ASSERT_EQ(found.height, expected.height) << entry.path();
    // Four inks come from libav, which has another decoder and another formula.
    const int tolerance = entry.path().stem() == "four_inks" ? 12 : 0;
    int largest = 0;
    for (std::size_t i = 0; i < found.rgb.size(); ++i) largest = std::max(largest, std::abs(found.rgb[i] - expected.rgb[i]));
    EXPECT_LE(largest, tolerance) << entry.path();
    ++seen;
  }
  EXPECT_EQ(seen, 19);
}

TEST_F(Pictures, ThatAreCutOffAreRefused) {
  for (const std::string name : {"progressive.jpg", "rgb.png"}) {
    std::ifstream in(FABULA_SOURCE_DIR "/tests/goldens/pictures/" + name, std::ios::binary);
    const std::string whole{std::istreambuf_iterator<char>(in), {}};
    std::ofstream(folder_ / name, std::ios::binary) << whole.substr(0, whole.size() / 2);
    EXPECT_THROW((void)read_image(folder_ / name), Error) << name;
  }
}

TEST_F(Pictures, KeepAFlatColourWhenScaled) {
  for (const auto& [width, height] : std::vector<std::pair<int, int>>{{8, 8}, {50, 70}}) {
    const Image scaled = resize(flat(20, 30, 10, 100, 250), width, height);
    EXPECT_EQ(scaled.rgb, flat(width, height, 10, 100, 250).rgb);
  }
}

TEST_F(Pictures, StandSideBySideOnAContactSheet) {
  const std::vector<Image> images = {flat(10, 6, 255, 0, 0), flat(10, 6, 0, 255, 0), flat(10, 6, 0, 0, 255)};
  const Image sheet = contact_sheet(images, 2, 1);
  ASSERT_EQ(sheet.width, 23);
  ASSERT_EQ(sheet.height, 15);
  const auto at = [&](int x, int y) {
    return std::vector<int>(sheet.rgb.begin() + 3 * (y * 23 + x), sheet.rgb.begin() + 3 * (y * 23 + x) + 3);
  };
  EXPECT_EQ(at(0, 0), (std::vector<int>{255, 255, 255}));
  EXPECT_EQ(at(1, 1), (std::vector<int>{255, 0, 0}));
  EXPECT_EQ(at(12, 1), (std::vector<int>{0, 255, 0}));
  EXPECT_EQ(at(10, 13), (std::vector<int>{0, 0, 255}));
  EXPECT_EQ(at(12, 8), (std::vector<int>{255, 255, 255}));
  EXPECT_THROW((void)contact_sheet({}, 2), Error);
}

}  // namespace
}  // namespace fabula
