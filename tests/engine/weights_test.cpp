// Model files: what a good one gives, and that a bad one is refused with a sentence, never read past its end.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/weights/layers.h"
#include "engine/weights/safetensors.h"
#include "engine/weights/weights.h"
#include "tests/support/folder.h"
#include "tests/support/random.h"
#include "tests/support/refusal.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

class ModelFiles : public test::InFolder {
 protected:
  fs::path write(const std::string& name, const std::string& bytes) const {
    const fs::path file = folder_ / name;
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }
};

std::string little_endian(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 255U);
    value >>= 8U;
  }
  return bytes;
}

// A file with this header and `data_bytes` zero bytes after it.
std::string with_header(const std::string& header, std::size_t data_bytes) {
  return little_endian(header.size()) + header + std::string(data_bytes, '\0');
}

std::string floats(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string file_of(const std::string& header, const std::string& data) { return little_endian(header.size()) + header + data; }

using test::refusal;

TEST_F(ModelFiles, AGoodFileGivesItsTensorsAndMetadata) {
  const Safetensors file = Safetensors::open(write(
      "good.safetensors",
      file_of(
          R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"s":{"dtype":"F32","shape":[],"data_offsets":[24,28]}})",
          floats({1, 2, 3, 4, 5, 6, 7}))));
  ASSERT_EQ(file.tensors().size(), 2U);
  EXPECT_EQ(file.at("a").shape, (Shape{2, 3}));
  EXPECT_EQ(file.at("a").f32()[5], 6.0F);
  EXPECT_EQ(file.at("s").f32()[0], 7.0F);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  EXPECT_FALSE(file.has("b"));
  EXPECT_NE(refusal([&] { (void)file.at("b"); }).find("\"b\""), std::string::npos);
}

TEST_F(ModelFiles, AHostileHeaderIsRefusedWithASentenceThatNamesTheFault) {
  const std::string one = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const struct {
    const char* name;
    std::string bytes;
    const char* says;
  } cases[] = {
      {"empty", "", "shorter"},
      {"seven bytes", "1234567", "shorter"},
      {"header longer than the file", little_endian(1000) + "{}", "longer than the file"},
      {"huge header length", little_endian(~std::uint64_t{0}) + "{}", "longer than the file"},
      {"not JSON", with_header("{\"a\":", 0), "not JSON"},
      {"not UTF-8", with_header("{\"\xff\xfe\":1}", 0), "not JSON"},
      {"not an object", with_header("[]", 0), "not an object"},
      {"nested deeply", with_header(std::string(100000, '[') + std::string(100000, ']'), 0), "nested"},
      {"duplicate names", with_header("{" + one + "," + one + "}", 8), "twice"},
      {"unknown dtype", with_header(R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8), "dtype"},
      {"no dtype", with_header(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8), "needs dtype"},
      {"offset past the end", with_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7), "outside"},
      {"offsets turned round", with_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "outside"},
      {"negative offset", with_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8), "offset"},
      {"negative extent", with_header(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8), "extent"},
      {"fractional extent", with_header(R"({"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", 8), "extent"},
      {"extents that overflow", with_header(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", 8), "larger"},
      {"too many axes", with_header(R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,2],"data_offsets":[0,8]}})", 8), "axes"},
      {"shape against range", with_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 8), "another size"},
      {"dtype against range", with_header(R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,8]}})", 8), "another size"},
      {"overlap", with_header("{" + one + R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12), "overlaps"},
      {"hole", with_header("{" + one + R"(,"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})", 16), "hole"},
      {"trailing bytes", with_header("{" + one + "}", 9), "after the last"},
      {"NUL after the header", with_header("{" + one + "}" + std::string(2, '\0'), 8), "NUL"},
      {"half a byte", with_header(R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}})", 1), "another size"},
      {"FP8 of another size", with_header(R"({"a":{"dtype":"F8_E4M3","shape":[7],"data_offsets":[0,8]}})", 8), "another size"},
      {"metadata that is no text", with_header(R"({"__metadata__":{"a":1}})", 0), "__metadata__"},
  };
  for (const auto& c : cases) {
    const std::string sentence = refusal([&] { (void)Safetensors::open(write("bad.safetensors", c.bytes)); });
    EXPECT_NE(sentence.find(c.says), std::string::npos) << c.name << ": " << (sentence.empty() ? "was accepted" : sentence);
  }
  EXPECT_NE(refusal([&] { (void)Safetensors::open(folder_ / "missing.safetensors"); }, ExitCode::input_missing), "");
  EXPECT_NE(refusal([&] { (void)Safetensors::open(folder_); }, ExitCode::input_missing), "");
}

TEST_F(ModelFiles, ASoundFileOfNumbersThatAreNotReadIsNotCalledInvalid) {
  const struct {
    const char *dtype, *shape, *said;
  } cases[] = {{"F8_E4M3", "[8]", "FP8 (F8_E4M3)"}, {"F8_E5M2", "[8]", "FP8"}, {"F8_E8M0", "[2,4]", "FP8"},
               {"F6_E2M3", "[4]", "FP6"},           {"F6_E3M2", "[4]", "FP6"}, {"F4", "[16]", "FP4"},
               {"C64", "[1]", "complex"},           {"I16", "[4]", "16-bit"},  {"U16", "[4]", "16-bit"},
               {"U32", "[2]", "unsigned"},          {"U64", "[1]", "unsigned"}};
  for (const auto& c : cases) {
    const std::string size = std::string(c.dtype).starts_with("F6") ? "3" : "8";
    const std::string header =
        std::string(R"({"blk.0":{"dtype":")") + c.dtype + R"(","shape":)" + c.shape + R"(,"data_offsets":[0,)" + size + "]}}";
    const std::string sentence = refusal([&] { (void)Safetensors::open(write("types.safetensors", with_header(header, size[0] - '0'))); });
    EXPECT_NE(sentence.find("tensor \"blk.0\" is stored as " + std::string(c.said)), std::string::npos) << sentence;
    EXPECT_NE(sentence.find("which Fabula does not read"), std::string::npos) << sentence;
    EXPECT_EQ(sentence.find("not a valid"), std::string::npos) << sentence;
  }
}

TEST_F(ModelFiles, ATruncatedFileIsRefusedAtEveryLength) {
  const std::string whole = file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", floats({1, 2}));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(refusal([&] { (void)Safetensors::open(write("cut.safetensors", whole.substr(0, length))); }), "")
        << "cut to " << length << " bytes";
  }
  EXPECT_EQ(refusal([&] { (void)Safetensors::open(write("cut.safetensors", whole)); }), "");
}

TEST_F(ModelFiles, RandomBytesInAHeaderNeverBreakTheReader) {
  test::Random random(test::seed());
  const std::string whole =
      file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[2,1],"data_offsets":[8,12]}})",
              std::string(12, '\1'));
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = whole;
    for (std::int64_t i = 1 + random.below(3); i > 0; --i)
      bytes[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(bytes.size())))] = static_cast<char>(random.below(256));
    const fs::path file = write("random.safetensors", bytes);
    (void)refusal([&] {
      const Safetensors opened = Safetensors::open(file);
      for (const auto& [name, tensor] : opened.tensors()) {  // whatever was accepted is inside the file
        const auto* last = tensor.as<const volatile char>() + tensor.bytes();
        if (tensor.bytes() > 0) (void)last[-1];
      }
    });
  }
}

TEST_F(ModelFiles, ShardsAreReadThroughTheirIndexAndEachTensorIsTakenOnce) {
  write("model-1.safetensors", file_of(R"({"a.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})", floats({1, 2})));
  write("model-2.safetensors",
        file_of(R"({"a.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"rest":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                floats({3, 4})));
  write("model.safetensors.index.json",
        R"({"weight_map":{"a.weight":"model-1.safetensors","a.bias":"model-2.safetensors","rest":"model-2.safetensors"}})");
  Weights weights = Weights::open(folder_);
  const Linear a = weights.take_linear("a", 2, 1, /*bias=*/true);
  EXPECT_EQ(a.weight.f32()[1], 2.0F);
  EXPECT_EQ(a.bias.f32()[0], 3.0F);
  EXPECT_NE(refusal([&] { weights.finish(); }).find("rest"), std::string::npos) << "a weight that no layer took went unseen";
  EXPECT_NE(refusal([&] { (void)weights.take("rest", {2}); }).find("rest"), std::string::npos);
  EXPECT_NE(refusal([&] { (void)weights.take("absent", {1}); }).find("absent"), std::string::npos);
  (void)weights.take("rest", {1});
  EXPECT_EQ(refusal([&] { weights.finish(); }), "");
  EXPECT_NE(refusal([&] { (void)weights.take("rest", {1}); }, ExitCode::internal), "") << "taken twice";
}

TEST_F(ModelFiles, AnIndexThatPointsElsewhereOrToNothingIsRefused) {
  for (const char* shard : {"../model-1.safetensors", "/etc/passwd", "..", ""}) {
    write("model.safetensors.index.json", std::string(R"({"weight_map":{"a":")") + shard + R"("}})");
    EXPECT_NE(refusal([&] { (void)Weights::open(folder_); }), "") << shard;
  }
  write("model.safetensors.index.json", R"({"weight_map":{"a":"absent.safetensors"}})");
  EXPECT_NE(refusal([&] { (void)Weights::open(folder_); }, ExitCode::input_missing).find("absent"), std::string::npos);
  write("model.safetensors.index.json", "[");
  EXPECT_NE(refusal([&] { (void)Weights::open(folder_); }), "");
}

TEST_F(ModelFiles, HalfPrecisionIsWidenedExactly) {
  // 1.5, -2 and the smallest subnormal: bfloat16 has no room for the last.
  const std::string bf16("\xc0\x3f\x00\xc0", 4), f16("\x00\x3e\x00\xc0\x01\x00", 6);
  write("model.safetensors",
        file_of(R"({"b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"h":{"dtype":"F16","shape":[3],"data_offsets":[4,10]}})",
                bf16 + f16));
  Weights weights = Weights::open(folder_);
  const Tensor b = weights.take("b", {2}), h = weights.take("h", {3});
  EXPECT_EQ(b.f32()[0], 1.5F);
  EXPECT_EQ(b.f32()[1], -2.0F);
  EXPECT_EQ(h.f32()[0], 1.5F);
  EXPECT_EQ(h.f32()[1], -2.0F);
  EXPECT_EQ(h.f32()[2], 0x1p-24F);
}

// A slot holds what was asked for, in whatever order, and a fault in the reading thread comes out of the call.
TEST(LayerRing, HoldsTheLayerThatIsAskedForAndHandsOnFaults) {
  std::int64_t held[LayerRing::slots] = {-1, -1};
  {
    LayerRing ring(3, [&](std::int64_t layer, std::size_t slot) { held[slot] = layer; });
    for (const std::int64_t layer : {0, 1, 2, 0, 1, 2, 2, 0, 2, 1, 1, 0}) EXPECT_EQ(held[ring.at(layer)], layer);
  }
  LayerRing broken(2, [](std::int64_t layer, std::size_t) {
    if (layer == 1) throw Error(ExitCode::io, "gone");
  });
  (void)broken.at(0);
  EXPECT_THROW((void)broken.at(1), Error);
  EXPECT_THROW((void)broken.at(0), Error);
}

// What is added to a matrix is in it, whatever its format; of another shape it is refused.
TEST_F(ModelFiles, ALowRankAdditionIsReadWithItsWeight) {
  write("model.safetensors", file_of(R"({"m":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})", floats({1, 2, 3, 4, 5, 6})));
  Weights weights = Weights::open(folder_);
  weights.add("m", std::make_shared<const LowRank>(LowRank{1, {10, 20}, {1, 0, -1}, 0.5F}));
  EXPECT_NE(refusal([&] {
              weights.add("m", std::make_shared<const LowRank>(LowRank{1, {1}, {1, 2, 3}, 1.0F}));
            }).find("(1, 3)"),
            std::string::npos);
  const Tensor m = weights.take("m", {2, 3});
  EXPECT_EQ(std::vector<float>(m.f32(), m.f32() + 6), (std::vector<float>{6, 2, -2, 14, 5, -4}));
}

}  // namespace
}  // namespace fabula
