// Kills renders at random moments, each going on where the one before was killed, until a film is there.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/e2e/program.h"

namespace fabula {

/// A render to be killed.
struct KilledRender {
  fs::path folder;
  std::string arguments;                  ///< those of the program, which leave a film that is there as it is (-n)
  fs::path film, store;                   ///< what it writes
  std::string expected;                   ///< the bytes of the undisturbed film
  std::chrono::milliseconds undisturbed;  ///< what that takes
};

/// The finished shots of a store.
struct Kept {
  std::map<std::string, ino_t> shots;  ///< a shot that is made again is another file
  fs::file_time_type newest = fs::file_time_type::min();
};
inline Kept kept_in(const fs::path& store) {
  Kept kept;
  if (!fs::exists(store)) return kept;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    struct stat about = {};
    if (entry.path().extension() != ".safetensors" || stat(entry.path().c_str(), &about) != 0) continue;
    kept.shots[entry.path().filename()] = about.st_ino;
    kept.newest = std::max(kept.newest, entry.last_write_time());
  }
  return kept;
}

inline pid_t start(const KilledRender& render) {
  const pid_t child = fork();
  if (child != 0) return child;
  const std::string command =
      "cd " + render.folder.string() + " && exec " + FABULA_PROGRAM + " " + render.arguments + " >/dev/null 2>&1 </dev/null";
  execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  _exit(127);
}

/// Kills a render `wanted` times. The films in between are the undisturbed one, and what was finished is neither lost nor
/// made again.
inline void expect_to_survive(const KilledRender& render, int wanted) {
  constexpr int most_of_a_film = 10;  // kills; then, whatever the moments are, a render is let through, and so is one after the last kill
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << std::endl;
  std::mt19937 random(seed);
  int kills = 0, films = 0;
  std::vector<double> lost;  // seconds since the render started or a shot was kept
  for (; kills < wanted; ++films) {
    fs::remove_all(render.store);
    fs::remove(render.film);
    Kept kept;
    for (int of_this_film = 0;; ++of_this_film) {
      const auto began = fs::file_time_type::clock::now();
      const pid_t child = start(render);
      ASSERT_GE(child, 0);
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(random() % render.undisturbed.count());
      const bool let_through = of_this_film == most_of_a_film || kills == wanted;
      bool finished = false;
      int status = 0;
      while (!finished && (let_through || std::chrono::steady_clock::now() < until)) {
        finished = waitpid(child, &status, WNOHANG) == child;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      if (!finished) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
      }
      const Kept before = std::exchange(kept, kept_in(render.store));
      for (const auto& [shot, file] : before.shots) {
        ASSERT_TRUE(kept.shots.contains(shot)) << "a finished shot was lost after " << kills << " kills";
        ASSERT_EQ(kept.shots.at(shot), file) << "a finished shot was made again after " << kills << " kills";
      }
      if (finished) {
        ASSERT_TRUE(WIFEXITED(status)) << "a render that nobody killed ended by signal " << WTERMSIG(status);
        ASSERT_EQ(WEXITSTATUS(status), 0) << "after " << kills << " kills";
        break;
      }
      lost.push_back(std::chrono::duration<double>(fs::file_time_type::clock::now() - std::max(began, kept.newest)).count());
      ++kills;
      if (fs::exists(render.film)) {
        ASSERT_TRUE(contents(render.film) == render.expected) << "a film that exists is whole";
      }
    }
    ASSERT_TRUE(contents(render.film) == render.expected) << "after " << kills << " kills";
  }
  std::sort(lost.begin(), lost.end());
  std::cout << kills << " kills, " << films << " films; a kill cost " << lost[lost.size() / 2] << " s of work in the median, "
            << lost.back() << " s at most\n";
}

/// How often to kill: FABULA_KILLS makes a campaign of a test.
inline int kills_wanted(int in_a_test) {
  const char* asked = std::getenv("FABULA_KILLS");
  return asked == nullptr ? in_a_test : std::atoi(asked);
}

}  // namespace fabula
