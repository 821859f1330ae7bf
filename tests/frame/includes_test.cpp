// Who may include whom: walks every #include of the tree.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Include {
  std::string file, folder, extension;  // the including file, its top folder
  std::string path;                     // what it includes
};

std::vector<Include> includes_of_the_tree() {
  const fs::path root = FABULA_SOURCE_DIR;
  const std::regex directive(R"(^\s*#\s*include\s*[<"]([^">]+)[">])");
  std::vector<Include> found;
  for (const char* folder : {"base", "kernels", "engine", "planner", "audio", "video", "tools", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp" && extension != ".cu") continue;
      std::ifstream in(entry.path());
      std::string line;
      std::smatch match;
      while (std::getline(in, line)) {
        if (std::regex_search(line, match, directive)) found.push_back({fs::relative(entry.path(), root), folder, extension, match[1]});
      }
    }
  }
  return found;
}

bool starts_with_any(const std::string& text, std::initializer_list<const char*> prefixes) {
  for (const char* prefix : prefixes) {
    if (text.rfind(prefix, 0) == 0) return true;
  }
  return false;
}

TEST(Includes, FollowTheArrowsBetweenFolders) {
  const std::set<std::string> everything = {"base", "kernels", "engine", "planner", "audio", "video", "tools", "tests"};
  const std::map<std::string, std::set<std::string>> reach = {
      {"base", {"base"}},
      {"kernels", {"base", "kernels"}},
      {"engine", {"base", "kernels", "engine"}},
      {"planner", {"base", "kernels", "engine", "planner"}},
      {"audio", {"base", "kernels", "engine", "audio"}},
      {"video", {"base", "kernels", "engine", "audio", "video"}},
      {"tools", {"base", "kernels", "engine", "planner", "audio", "video", "tools"}},
      {"tests", everything},
  };
  const auto includes = includes_of_the_tree();
  ASSERT_GT(includes.size(), 100U) << "the walk found too little to mean anything";
  for (const Include& include : includes) {
    const std::string target = include.path.substr(0, include.path.find('/'));
    if (!everything.contains(target)) continue;
    EXPECT_TRUE(reach.at(include.folder).contains(target)) << include.file << " includes " << include.path;
  }
}

TEST(Includes, ThirdPartyHeadersStayInTheFilesThatWrapThem) {
  struct Rule {
    const char* what;
    std::initializer_list<const char*> headers;
    std::initializer_list<const char*> may;  // prefixes of file names
  };
  const Rule rules[] = {
      {"libav", {"libav", "libsw"}, {"audio/io/", "video/io/", "tests/video/"}},
      {"OpenCV", {"opencv2/"}, {"video/io/", "audio/io/", "tests/video/"}},
      {"CLI11", {"CLI/"}, {"tools/"}},
      {"CUDA", {"cuda", "cublas", "cudnn"}, {"kernels/"}},
      {"oneDNN", {"dnnl", "oneapi/dnnl"}, {"kernels/"}},
      {"Highway", {"hwy/"}, {"kernels/"}},
      {"flite", {"flite/"}, {"audio/"}},
      {"OpenSSL", {"openssl/"}, {"base/sha256.cpp"}},
      {"SQLite", {"sqlite3"}, {"planner/cast/sqlite.cpp", "engine/film/"}},
      {"zlib", {"zlib"}, {"planner/cast/"}},
  };
  for (const Include& include : includes_of_the_tree()) {
    for (const Rule& rule : rules) {
      if (!starts_with_any(include.path, rule.headers)) continue;
      EXPECT_TRUE(starts_with_any(include.file, rule.may)) << include.file << " includes " << include.path << " (" << rule.what << ")";
    }
    if (starts_with_any(include.path, {"nlohmann/"})) {
      EXPECT_NE(include.extension, ".h") << include.file << " includes " << include.path;
    }
  }
}

// Everything else reaches the tables through engine/ops.h.
TEST(Includes, OnlyTheOpsAndTheParityTestsUseTheKernelTables) {
  for (const Include& include : includes_of_the_tree()) {
    if (include.path != "kernels/kernels.h") continue;
    EXPECT_TRUE(starts_with_any(include.file, {"kernels/", "engine/ops", "engine/context.h", "tests/kernels/", "tools/bench/"}))
        << include.file << " includes kernels/kernels.h";
  }
}

}  // namespace
