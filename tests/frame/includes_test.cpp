// Which folder may include which: walks every #include of the tree.
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
  for (const char* folder : {"base", "kernels", "engine", "planner", "audio", "video", "library", "tools", "tests"}) {
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
  const std::set<std::string> everything = {"base", "kernels", "engine", "planner", "audio", "video", "library", "tools", "tests"};
  const std::map<std::string, std::set<std::string>> reach = {
      {"base", {"base"}},
      {"kernels", {"base", "kernels"}},
      {"engine", {"base", "kernels", "engine"}},
      {"planner", {"base", "kernels", "engine", "planner"}},
      {"audio", {"base", "kernels", "engine", "audio"}},
      {"video", {"base", "kernels", "engine", "audio", "video"}},
      {"library", {"base", "kernels", "engine", "planner", "audio", "video", "library"}},
      {"tools", {"base", "kernels", "engine", "planner", "audio", "video", "library", "tools"}},
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
      {"libjpeg-turbo", {"turbojpeg.h"}, {"video/io/"}},
      {"libexif", {"libexif/"}, {"video/io/"}},
      {"libass", {"ass/"}, {"video/io/"}},
      {"CLI11", {"CLI/"}, {"library/", "tools/"}},
      {"CUDA", {"cuda", "cublas", "cudnn"}, {"kernels/", "tests/cuda_emulation/"}},
      {"Highway", {"hwy/"}, {"kernels/"}},
      {"flite", {"flite/"}, {"audio/"}},
      {"OpenSSL", {"openssl/"}, {"base/sha256.cpp"}},
      {"SQLite", {"sqlite3"}, {"base/sqlite.cpp"}},
      {"zlib", {"zlib"}, {"planner/cast/", "tests/planner/cast/", "video/io/"}},
      {"cpp-httplib", {"httplib"}, {"tools/serve/", "tests/e2e/"}},
      {"OpenEXR", {"Imf"}, {"video/io/", "tests/video/"}},
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

// The planner's rooms, bottom-up. A room includes itself and rooms above it in this list, so circles of rooms are impossible.
TEST(Includes, FollowTheArrowsBetweenThePlannersRooms) {
  struct Room {
    std::string name;
    std::set<std::string> reach;  // further rooms
  };
  const std::vector<Room> rooms = {
      {"text", {}},
      {"schema", {"text"}},
      {"check", {"text", "schema"}},
      {"oracle", {"text", "schema", "check"}},
      {"edit", {"text", "schema", "check", "oracle"}},
      {"cast", {"text", "schema", "oracle"}},
      {"screenplay", {"text"}},
      {"lm", {"text"}},
      {"h3", {"text", "lm"}},
      {"grammar", {"text", "schema", "check", "lm"}},
      {"compose", {"text", "schema", "check", "oracle", "lm", "grammar"}},
  };
  std::map<std::string, std::set<std::string>> reach;
  for (const Room& room : rooms) {
    for (const std::string& other : room.reach) EXPECT_TRUE(reach.contains(other)) << room.name << " is listed before " << other;
    reach[room.name] = room.reach;
    reach[room.name].insert(room.name);
  }
  const auto room_of = [](const std::string& file) {
    const std::size_t begin = std::string("planner/").size();
    return file.starts_with("planner/") ? file.substr(begin, file.find('/', begin) - begin) : "";
  };
  std::set<std::string> seen;
  for (const Include& include : includes_of_the_tree()) {
    if (include.folder != "planner") continue;
    const std::string room = room_of(include.file), target = room_of(include.path);
    ASSERT_TRUE(reach.contains(room)) << include.file << " is in no room of the list";
    seen.insert(room);
    if (target.empty()) continue;
    EXPECT_TRUE(reach.at(room).contains(target)) << include.file << " includes " << include.path;
  }
  EXPECT_EQ(seen.size(), rooms.size());
}

// Everything else reaches the tables through engine/ops.h.
TEST(Includes, OnlyTheOpsAndTheParityTestsUseTheKernelTables) {
  for (const Include& include : includes_of_the_tree()) {
    if (include.path != "kernels/kernels.h") continue;
    EXPECT_TRUE(starts_with_any(include.file, {"kernels/", "engine/ops", "engine/context.h", "tests/kernels/", "tools/bench/"}))
        << include.file << " includes kernels/kernels.h";
  }
}

// A family is a folder and a line: its name is nowhere else. tools/fabula compiles plans for it; benches and golden_check measure it.
TEST(Includes, AFamilyIsNamedInItsFoldersAlone) {
  const fs::path root = FABULA_SOURCE_DIR;
  const std::regex family("minimax|h3::", std::regex::icase);
  const std::initializer_list<const char*> may = {
      "video/h3/",       "planner/h3/", "video/families.cpp", "tools/fabula/plan_compile.cpp", "tools/fabula/command_plan.cpp",
      "tools/fabula/h3_"};
  for (const char* folder : {"base", "kernels", "engine", "planner", "audio", "video", "tools/fabula"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension(), file = fs::relative(entry.path(), root);
      if ((extension != ".h" && extension != ".cpp" && extension != ".cu") || starts_with_any(file, may)) continue;
      std::ifstream in(entry.path());
      std::string line;
      for (int number = 1; std::getline(in, line); ++number)
        EXPECT_FALSE(std::regex_search(line, family)) << file << ":" << number << ": " << line;
    }
  }
}

// Expects no line of these folders' sources to match; returns how many files were read.
std::size_t expect_without(const std::vector<std::string>& folders, const std::regex& forbidden) {
  const fs::path root = FABULA_SOURCE_DIR;
  std::size_t files = 0;
  for (const std::string& folder : folders) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      ++files;
      std::ifstream in(entry.path());
      std::string line;
      for (int number = 1; std::getline(in, line); ++number)
        EXPECT_FALSE(std::regex_search(line, forbidden)) << fs::relative(entry.path(), root) << ":" << number << ": " << line;
    }
  }
  return files;
}

// A program around the library owns its standard streams and its environment.
TEST(Includes, TheLibraryNeitherPrintsNorReadsTheEnvironment) {
  const std::regex forbidden(R"(stdout|stderr|std::cout|std::cerr|\bprintf\(|std::puts|getenv|/proc/self)");
  EXPECT_GT(expect_without({"library"}, forbidden), 30U) << "the walk found too little to mean anything";
}

// Above the ops no code asks whether a run is dry, looks into a tensor, or picks a table: one seam, engine/machine.h.
TEST(Includes, NothingAboveTheOpsLooksBehindTheSeam) {
  const std::regex forbidden(R"(is_dry\(\)|\.data [!=]= nullptr|(reference|cpu|cuda)_kernels\()");
  EXPECT_GT(expect_without({"audio", "video", "planner", "library"}, forbidden), 100U) << "the walk found too little to mean anything";
}

}  // namespace
