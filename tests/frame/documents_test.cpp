// What the documents name exists: every back-ticked path, file and test.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
const fs::path root = FABULA_SOURCE_DIR;

// Documents of what is. Reports of past measurements and the roadmap name things that are gone or to come.
const char* const documents[] = {"README.md",      "CONTRIBUTING.md", "docs/DESIGN.md",  "docs/BUNDLE.md",
                                 "docs/STUDIO.md", "docs/FARM.md",    "docs/LIBRARY.md", "docs/SERVE.md"};
const char* const folders_of_readmes[] = {"kernels", "engine", "planner", "audio", "video", "library", "tools", "findings", "tests"};

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> all_documents() {
  std::vector<fs::path> found(std::begin(documents), std::end(documents));
  for (const char* folder : folders_of_readmes) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().filename() == "README.md") found.push_back(fs::relative(entry.path(), root));
    }
  }
  return found;
}

// Spans between back-ticks outside fenced blocks.
std::vector<std::string> spans_of(const std::string& text) {
  std::vector<std::string> spans;
  std::istringstream lines(text);
  const std::regex span("`([^`]+)`");
  bool fenced = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) fenced = !fenced;
    if (fenced) continue;
    for (auto match = std::sregex_iterator(line.begin(), line.end(), span); match != std::sregex_iterator(); ++match)
      spans.push_back((*match)[1]);
  }
  return spans;
}

// Every file of the tree, relative to the root, and every file name alone.
struct Tree {
  std::set<std::string> names;

  Tree() {
    for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
      const std::string name = it->path().filename();
      if (it->is_directory() && (name.starts_with(".") || name == "build")) it.disable_recursion_pending();
      names.insert(name);
    }
  }
};

// A path of the tree: it starts with one of the top folders, or is a lone file name with an ending that only sources and documents have.
bool is_tree_path(const std::string& span) {
  static const std::regex path(
      R"((base|kernels|engine|planner|audio|video|library|tools|tests|docs|assets|findings|cmake|examples)/[A-Za-z0-9_./-]*)");
  return std::regex_match(span, path);
}
bool is_source_name(const std::string& span) {
  static const std::regex name(R"([A-Za-z0-9_-]+\.(h|cpp|cu|cuh|py|sh|md))");
  return std::regex_match(span, name);
}

TEST(Documents, EveryPathTheyNameExists) {
  const Tree tree;
  int seen = 0;
  for (const fs::path& document : all_documents()) {
    for (const std::string& span : spans_of(text_of(root / document))) {
      if (is_tree_path(span)) {
        EXPECT_TRUE(fs::exists(root / span) || fs::exists(root / document.parent_path() / span)) << document << " names " << span;
        ++seen;
      } else if (is_source_name(span)) {
        EXPECT_TRUE(tree.names.contains(span)) << document << " names " << span;
        ++seen;
      }
    }
  }
  EXPECT_GT(seen, 100) << "the walk found too little to mean anything";
}

TEST(Documents, EveryLinkLeadsToAFile) {
  const std::regex link(R"(\]\(([^)#:\s]+)(#[^)]*)?\))");
  for (const fs::path& document : all_documents()) {
    const std::string text = text_of(root / document);
    for (auto match = std::sregex_iterator(text.begin(), text.end(), link); match != std::sregex_iterator(); ++match) {
      const std::string target = (*match)[1];
      EXPECT_TRUE(fs::exists(root / document.parent_path() / target)) << document << " links to " << target;
    }
  }
}

TEST(Documents, EveryTestTheyNameExists) {
  std::set<std::string> tests;
  const std::regex definition(R"(TEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
  for (const auto& entry : fs::recursive_directory_iterator(root / "tests")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = text_of(entry.path());
    for (auto match = std::sregex_iterator(text.begin(), text.end(), definition); match != std::sregex_iterator(); ++match)
      tests.insert((*match)[1].str() + "." + (*match)[2].str());
  }
  const std::regex name(R"([A-Z][A-Za-z]+\.[A-Z][A-Za-z]{9,})");
  int seen = 0;
  for (const fs::path& document : all_documents()) {
    for (const std::string& span : spans_of(text_of(root / document))) {
      if (!std::regex_match(span, name)) continue;
      EXPECT_TRUE(tests.contains(span)) << document << " names the test " << span;
      ++seen;
    }
  }
  EXPECT_GE(seen, 15);
}

// A file that opens with code leaves its reader to guess what it is for.
TEST(Sources, EveryFileSaysWhatItDoes) {
  for (const char* folder : {"base", "kernels", "engine", "planner", "audio", "video", "library", "tools"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      const bool cpp = extension == ".h" || extension == ".cpp" || extension == ".cu" || extension == ".cuh";
      if (!cpp && extension != ".py") continue;
      const std::string text = text_of(entry.path());
      if (text.empty()) continue;
      const bool opens = cpp ? text.starts_with("//") || text.starts_with("/*")
                             : text.starts_with("\"\"\"") || text.starts_with("#!") || text.starts_with("#");
      EXPECT_TRUE(opens) << fs::relative(entry.path(), root) << " opens without a line that says what it does";
    }
  }
}

}  // namespace
