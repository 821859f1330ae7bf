// Memory: no code reads or writes outside its tensors, a film does not depend on what memory held before, and a stop at any moment leaves
// nothing.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <random>
#include <thread>

#include "tests/e2e/program.h"

namespace fabula {
namespace {

constexpr const char* arguments = "render \"A pig spins in the city.\" --threads 1 --steps 2 --scale 1 --no-store -o film.mp4 -y -q";

class Memory : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    setenv("FABULA_GUARD", "1", 1);  // an access outside a tensor ends the render with SIGSEGV or SIGABRT
  }
  void TearDown() override {
    unsetenv("FABULA_GUARD");
    CommandLine::TearDown();
  }

  pid_t start() {
    const pid_t child = fork();
    if (child == 0) {
      const std::string command = "cd " + folder_.string() + " && exec " + FABULA_PROGRAM + " " + arguments + " >/dev/null 2>&1 </dev/null";
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    return child;
  }
};

TEST_F(Memory, NothingThatItHeldBeforeShowsInAFilm) {
  ASSERT_EQ(fabula(arguments).code, 0);  // all bits set in every tensor
  const std::string guarded = contents(file("film.mp4"));
  setenv("FABULA_GUARD", "0", 1);
  for (const char* filling : {"1", "170"}) {
    setenv("MALLOC_PERTURB_", filling, 1);
    ASSERT_EQ(fabula(arguments).code, 0);
    EXPECT_TRUE(contents(file("film.mp4")) == guarded) << "MALLOC_PERTURB_=" << filling;
  }
  unsetenv("MALLOC_PERTURB_");
}

// FABULA_STOPS=500 makes a campaign of it.
TEST_F(Memory, AStopAtAnyMomentEndsWithItsCodeAndLeavesNothing) {
  const auto began = std::chrono::steady_clock::now();
  ASSERT_EQ(fabula(arguments).code, 0);
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << ", a whole film takes " << whole.count() << " ms\n";
  std::mt19937 random(seed);
  const char* asked = std::getenv("FABULA_STOPS");
  const int wanted = asked == nullptr ? 6 : std::atoi(asked);
  int early = 0, finished = 0;
  for (int stop = 0; stop < wanted; ++stop) {
    if (stop > 0 && stop % 50 == 0) std::cout << stop << " stops" << std::endl;
    fs::remove(file("film.mp4"));
    fs::remove(file("film.fabula.json"));
    const int signal = stop % 2 == 0 ? SIGINT : SIGTERM;
    const pid_t child = start();
    ASSERT_GE(child, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % static_cast<unsigned>(whole.count() + 1)));
    kill(child, signal);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == signal) {  // before the program listened
      ++early;
    } else {
      ASSERT_TRUE(WIFEXITED(status)) << "stop " << stop << " ended by signal " << WTERMSIG(status);
      if (WEXITSTATUS(status) == 0) {  // the film was done
        ++finished;
        continue;
      }
      ASSERT_EQ(WEXITSTATUS(status), 128 + signal) << "stop " << stop;
    }
    for (const auto& entry : fs::directory_iterator(folder_)) {
      ASSERT_EQ(entry.path().extension(), ".txt") << "stop " << stop << " left " << entry.path();
    }
  }
  std::cout << wanted << " stops: " << early << " before the program listened, " << finished << " after the film was done\n";
}

}  // namespace
}  // namespace fabula
