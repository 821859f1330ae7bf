// A test with a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace fabula::test {

/// The folder is empty at the start and gone at the end. One process runs one test at a time, so its number tells folders apart.
class InFolder : public testing::Test {
 protected:
  InFolder() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~InFolder() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  /// The names in the folder, sorted.
  [[nodiscard]] std::vector<std::string> listing() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("fabula_test_" + std::to_string(getpid()));
};

}  // namespace fabula::test
