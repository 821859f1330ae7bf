// Puts a pipe in the place of standard error and copies what comes through.
#include "tools/fabula/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "tools/fabula/cast_file.h"

namespace fabula::cli {

namespace {

// A full disk must not stop a film: what cannot be logged is still shown.
void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void Log::open(const std::string& file) {
  file_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) throw Error(ExitCode::cannot_create, "the log " + file + " cannot be written: " + std::strerror(errno));
  std::array<int, 2> ends{};
  terminal_ = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (terminal_ < 0 || ::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw Error(ExitCode::io, std::string("no log can be kept: ") + std::strerror(errno));
  ::dup2(ends[1], STDERR_FILENO);
  ::close(ends[1]);
  thread_ = std::thread([this, from = ends[0]] { pass_on(from); });
}

void Log::pass_on(int from) {
  std::array<char, 4096> bytes{};
  std::string line;
  for (;;) {
    const ssize_t got = ::read(from, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    const std::string_view text(bytes.data(), static_cast<std::size_t>(got));
    write_all(terminal_, text);
    for (const char c : text) {
      if (c == '\n') write_all(file_, utc_now() + " " + line + "\n");
      if (c == '\n' || c == '\r')  // after \r a line is written anew
        line.clear();
      else
        line += c;
    }
  }
  if (!line.empty()) write_all(file_, utc_now() + " " + line + "\n");
  ::close(from);
}

Log::~Log() {
  if (!thread_.joinable()) return;
  std::fflush(stderr);
  ::dup2(terminal_, STDERR_FILENO);  // closes the pipe's last end for writing: the thread ends
  thread_.join();
  ::close(terminal_);
  ::close(file_);
}

}  // namespace fabula::cli
