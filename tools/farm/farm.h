// A film as a farm's job: files for a scheduler, which is run by others.
#pragma once

#include <string>
#include <vector>

namespace fabula::farm {

struct Job {
  std::string name;                  ///< of the film: a to z, digits, underscores
  std::vector<std::string> shots;    ///< of each task: an id, or a range of ids that are made one after another; in the film's order
  std::string program;               ///< fabula, as the nodes call it
  std::string output;                ///< the film's file name
  std::string image;                 ///< of a container, for Kubernetes
  std::vector<std::string> options;  ///< of `render --shots` and of `assemble`, word by word
};

struct File {
  std::string name, text;
};

/// What a scheduler is given. Every kind runs shot.sh and assemble.sh, so a shot is made in one way.
struct Scheduler {
  const char* name;
  const char* what;  ///< for people
  std::vector<File> (*write)(const Job&);
};
/// Another scheduler is its function in a file of its own and a line in schedulers.cpp.
[[nodiscard]] const std::vector<Scheduler>& schedulers();

/// shots.txt, shot.sh and assemble.sh, which all schedulers run. They work by hand, too: for i in 1 2 3; do sh shot.sh $i; done; sh
/// assemble.sh
[[nodiscard]] std::vector<File> common_files(const Job&);
[[nodiscard]] std::vector<File> slurm_files(const Job&);
[[nodiscard]] std::vector<File> openjd_files(const Job&);
[[nodiscard]] std::vector<File> kubernetes_files(const Job&);

/// A word for a POSIX shell, quoted where it must be.
[[nodiscard]] std::string quoted(const std::string& word);

}  // namespace fabula::farm
