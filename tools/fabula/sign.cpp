// Runs a signer on a copy of the film under a name that it understands.
#include "tools/fabula/sign.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "video/io/labels.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

// A folder beside the film, so that the signed film can be moved to its place; removed with all that is in it.
class Workshop {
 public:
  explicit Workshop(const fs::path& film) {
    std::string name = (film.parent_path().empty() ? fs::path(".") : film.parent_path()) / ".fabula-sign-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw Error(ExitCode::cannot_create, "no folder can be made to sign in: " + name);
    folder_ = fs::absolute(name);
  }
  ~Workshop() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  [[nodiscard]] fs::path file(const char* name) const { return folder_ / name; }

 private:
  fs::path folder_;
};

// The claim names its maker in claim_generator_info: c2pa-rs (seen: 0.91.3) drops a plain "claim_generator" without a word.
std::string manifest(const std::string& version) {
  const nlohmann::ordered_json maker = {{"name", "Fabula"}, {"version", version}};
  const nlohmann::ordered_json action = {
      {"action", "c2pa.created"}, {"digitalSourceType", trained_algorithmic_media}, {"softwareAgent", maker}};
  nlohmann::ordered_json root = {{"claim_generator_info", nlohmann::ordered_json::array({maker})}};
  root["assertions"] = nlohmann::ordered_json::array();
  root["assertions"].push_back({{"label", "c2pa.actions"}});
  root["assertions"][0]["data"]["actions"] = nlohmann::ordered_json::array({action});
  return root.dump(2);
}

// The exit status; 127 if the program cannot be started. What it says goes to `log`.
int run(const std::vector<std::string>& words, const fs::path& log) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  // The signals that this program blocks or ignores are the child's own affair.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, pipe;
  sigemptyset(&none);
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &pipe);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  int status = 0;
  if (failed != 0 || ::waitpid(child, &status, 0) != child) return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

std::string last_line(const fs::path& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) last = line;
  }
  return last.empty() ? "" : ": " + last;
}

}  // namespace

void require_signer(const std::string& signer) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(signer.find('/') != std::string::npos || path == nullptr ? "." : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder.empty() ? "." : folder) / signer;
    if (fs::is_regular_file(program) && ::access(program.c_str(), X_OK) == 0) return;
  }
  throw Error(ExitCode::unavailable, "there is no program " + signer + " to sign with; c2patool is part of github.com/contentauth/c2pa-rs");
}

void sign_film(const std::string& signer, const fs::path& film, const std::string& version) {
  if (std::getenv("C2PA_PRIVATE_KEY") == nullptr || std::getenv("C2PA_SIGN_CERT") == nullptr)
    std::fprintf(stderr,
                 "fabula: C2PA_PRIVATE_KEY and C2PA_SIGN_CERT name no key: the signer uses its own, which nobody has reason to trust\n");
  const Workshop workshop(film);
  const fs::path unsigned_film = workshop.file("film.mp4"), signed_film = workshop.file("signed.mp4"), log = workshop.file("log.txt");
  fs::create_symlink(fs::absolute(film), unsigned_film);
  std::ofstream(workshop.file("manifest.json")) << manifest(version);
  const int code =
      run({signer, unsigned_film.string(), "--manifest", workshop.file("manifest.json").string(), "--output", signed_film.string()}, log);
  if (code == 127)
    throw Error(ExitCode::unavailable, "the signer " + signer + " cannot be run; c2patool is at github.com/contentauth/c2pa-rs");
  if (code != 0 || !fs::is_regular_file(signed_film))
    throw Error(ExitCode::unavailable, "the signer " + signer + " failed with code " + std::to_string(code) + last_line(log));
  fs::permissions(signed_film, fs::status(film).permissions());
  fs::rename(signed_film, film);
}

}  // namespace fabula::cli
