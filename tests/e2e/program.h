// Runs the program the way a user does.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace fabula {

namespace fs = std::filesystem;

struct Result {
  int code;
  std::string out, err;
};

inline std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class CommandLine : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_);
    setenv("XDG_CACHE_HOME", cache_.c_str(), 1);  // finished shots of this test alone
  }
  void TearDown() override {
    fs::remove_all(folder_);
    fs::remove_all(cache_);
  }

  // Runs `fabula ARGUMENTS` in the test's own folder.
  Result fabula(const std::string& arguments) {
    const fs::path out = folder_ / "stdout.txt", err = folder_ / "stderr.txt";
    const std::string command =
        "cd " + folder_.string() + " && " + FABULA_PROGRAM + " " + arguments + " >" + out.string() + " 2>" + err.string() + " </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents(out), contents(err)};
  }
  fs::path file(const std::string& name) const { return folder_ / name; }

  fs::path folder_ = fs::temp_directory_path() / ("fabula_e2e_" + std::to_string(getpid()));
  fs::path cache_ = folder_.string() + "_cache";
};

}  // namespace fabula
