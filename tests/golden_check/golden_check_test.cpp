// golden_check itself: it must notice a wrong number, and survive any content of a folder.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <regex>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

struct Result {
  bool exited;
  int code;
  std::string out;
};

class GoldenCheck : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "goldens");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void copy(const char* part) {
    fs::copy(fs::path(FABULA_SOURCE_DIR) / "tests/goldens" / part, goldens() / part, fs::copy_options::recursive);
  }
  fs::path goldens() const { return folder_ / "goldens"; }

  // Killed after a minute, which counts as a hang.
  Result check(const std::string& more = "") {
    const fs::path out = folder_ / "out.txt";
    const int status = std::system(
        ("timeout -s KILL 60 " GOLDEN_CHECK_PROGRAM " " + goldens().string() + " " + more + " >" + out.string() + " 2>&1").c_str());
    return {WIFEXITED(status) && WEXITSTATUS(status) < 128, WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents(out)};
  }

  fs::path folder_ = fs::temp_directory_path() / ("fabula_golden_" + std::to_string(getpid()));
};

TEST_F(GoldenCheck, PassesOnWhatTheReferenceMade) {
  copy("scheduler");
  const Result result = check();
  EXPECT_EQ(result.code, 0) << result.out;
  EXPECT_NE(result.out.find("8 passed, 0 failed\n"), std::string::npos) << result.out;
}

TEST_F(GoldenCheck, NoticesOneChangedWeight) {
  copy("transformer_patch4");
  const fs::path weights = goldens() / "transformer_patch4/diffusion_pytorch_model.safetensors";
  std::string bytes = contents(weights);
  bytes[bytes.size() - 1] = static_cast<char>(bytes[bytes.size() - 1] ^ 0x40);  // the exponent of the last weight
  write(weights, bytes);
  const Result result = check();
  EXPECT_NE(result.code, 0) << result.out;
  EXPECT_NE(result.out.find("FAILED"), std::string::npos);
}

TEST_F(GoldenCheck, AnUnknownPartAMissingFileAndAnEmptyFolderFail) {
  EXPECT_NE(check().code, 0) << "an empty folder passed";
  copy("audio_vae");
  fs::remove(goldens() / "audio_vae/config.json");
  EXPECT_NE(check().out.find("0 passed, 5 failed"), std::string::npos);
  fs::remove_all(goldens() / "audio_vae");
  copy("rng");
  const fs::path one = goldens() / "rng/seed_0.safetensors";
  write(one, std::regex_replace(contents(one), std::regex(R"(\\"part\\": \\"rng\\")"), R"(\"part\": \"gnr\")"));
  const Result result = check();
  EXPECT_NE(result.code, 0);
  EXPECT_NE(result.out.find("unknown"), std::string::npos) << result.out;
}

// One corruption of one file, drawn from `random`.
std::string corrupt(const fs::path& file, std::mt19937& random) {
  std::string bytes = contents(file);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n == 0 ? 0 : n - 1)(random); };
  const bool json = file.extension() == ".json";
  switch (below(json ? 4 : 5)) {
    case 0:
      write(file, bytes.substr(0, below(bytes.size())));
      return "truncated";
    case 1:
      fs::remove(file);
      return "removed";
    case 2:
      for (int i = 0; i < 8; ++i) bytes[below(std::min<std::size_t>(bytes.size(), 4096))] = static_cast<char>(random());
      write(file, bytes);
      return "garbled";
    case 3: {
      if (!json) {
        write(file, bytes + "tail");
        return "lengthened";
      }
      // A number becomes absurd.
      const std::regex number(R"(\b\d+\b)");
      const auto count =
          static_cast<std::size_t>(std::distance(std::sregex_iterator(bytes.begin(), bytes.end(), number), std::sregex_iterator()));
      auto match = std::next(std::sregex_iterator(bytes.begin(), bytes.end(), number), static_cast<std::ptrdiff_t>(below(count)));
      if (count == 0) return "left alone";
      static const char* absurd[] = {"1000000000", "0", "-1", "9223372036854775807", "1e308"};
      write(file, bytes.substr(0, static_cast<std::size_t>(match->position())) + absurd[below(5)] +
                      bytes.substr(static_cast<std::size_t>(match->position() + match->length())));
      return "given an absurd number";
    }
    default:
      for (int i = 0; i < 8; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<char>(0xFF);
      write(file, bytes);
      return "given an endless header";
  }
}

TEST_F(GoldenCheck, CorruptedFoldersFailWithASentenceAndNeverCrashOrHang) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  RecordProperty("seed", std::to_string(seed));
  std::mt19937 random(seed);
  const char* parts[] = {"transformer_patch4", "audio_vae",       "qwen3",          "vae_ratio8", "scheduler", "layout", "rng",
                         "tokenizer",          "qwen3_moe_mixed", "qwen3_vl_images"};
  for (int round = 0; round < 40; ++round) {
    SetUp();
    const char* part = parts[round % std::size(parts)];
    copy(part);
    for (const auto& entry : fs::recursive_directory_iterator(goldens()))
      fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(goldens() / part)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    const fs::path victim = files[std::uniform_int_distribution<std::size_t>(0, files.size() - 1)(random)];
    const std::string what = victim.filename().string() + " was " + corrupt(victim, random);
    const Result result = check();
    EXPECT_TRUE(result.exited) << part << ": " << what << "\n" << result.out;
    EXPECT_TRUE(std::regex_search(result.out, std::regex(R"(\d+ passed, \d+ failed\n$)")) || result.code == 66)
        << part << ": " << what << "\n"
        << result.out;
  }
}

}  // namespace
