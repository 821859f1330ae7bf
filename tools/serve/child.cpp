// fork, exec and a pipe. Between the two only what is safe in the copy of a process with threads.
#include "tools/serve/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace fabula::serve {

namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void take(int fd) {
    close();
    fd_ = fd;
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

[[noreturn]] void fail(const std::string& what) { throw Error(ExitCode::io, what + ": " + std::strerror(errno)); }

int opened(const std::filesystem::path& file, int how) {
  const int fd = ::open(file.c_str(), how | O_CLOEXEC, 0600);
  if (fd < 0) throw Error(ExitCode::cannot_create, file.string() + " cannot be opened: " + std::strerror(errno));
  return fd;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

class Child {
 public:
  explicit Child(const Command& command) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("a pipe cannot be made");
    out_.take(ends[0]);
    const Descriptor write_end(ends[1]);
    const Descriptor input(opened(command.input.empty() ? "/dev/null" : command.input, O_RDONLY));
    const Descriptor messages(opened(command.messages, O_WRONLY | O_CREAT | O_TRUNC));
    std::vector<std::string> arguments = command.arguments;
    const std::vector<char*> argv = pointers_to(arguments);
    const pid_t service = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) fail("a process cannot be started");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != service) ::_exit(127);  // the service ended before that
      if (::dup2(input.get(), 0) < 0 || ::dup2(write_end.get(), 1) < 0 || ::dup2(messages.get(), 2) < 0) ::_exit(127);
      ::close_range(3, ~0U, 0);
      if (::chdir(command.folder.c_str()) != 0) ::_exit(127);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void signal(int number) const { ::kill(pid_, number); }
  [[nodiscard]] int out() const { return out_.get(); }

  [[nodiscard]] Ending wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (WIFSIGNALED(status)) return {.code = 128 + WTERMSIG(status), .signal = WTERMSIG(status)};
    return {.code = WEXITSTATUS(status)};
  }

 private:
  Descriptor out_;
  pid_t pid_ = -1;
};

// Splits what comes through a pipe into lines. A line that is longer than any that is meant is dropped.
class Lines {
 public:
  explicit Lines(const std::function<void(const std::string&)>& line) : line_(line) {}
  void add(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n') {
        line_(text_);
        text_.clear();
      } else if (text_.size() < longest) {
        text_ += c;
      }
    }
  }

 private:
  static constexpr std::size_t longest = std::size_t{1} << 20U;
  const std::function<void(const std::string&)>& line_;
  std::string text_;
};

}  // namespace

Ending run_child(const Command& command, const std::function<void(const std::string&)>& line, const std::function<bool()>& stop,
                 std::chrono::seconds longest, std::chrono::seconds grace) {
  constexpr int patience_ms = 100;
  Child child(command);
  Lines lines(line);
  const Clock::time_point started = Clock::now();
  Clock::time_point asked = Clock::time_point::max();
  bool timed_out = false, killed = false;
  for (;;) {
    pollfd waiting{.fd = child.out(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, patience_ms) > 0) {
      std::array<char, 4096> bytes{};
      const ssize_t got = ::read(child.out(), bytes.data(), bytes.size());
      if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) break;
      if (got > 0) lines.add({bytes.data(), static_cast<std::size_t>(got)});
    }
    const Clock::time_point now = Clock::now();
    if (asked == Clock::time_point::max()) {
      timed_out = longest.count() > 0 && now - started > longest;
      if (!timed_out && !stop()) continue;
      child.signal(SIGTERM);
      asked = now;
    } else if (!killed && now - asked > grace) {
      child.signal(SIGKILL);
      killed = true;
    }
  }
  Ending ending = child.wait();
  ending.timed_out = timed_out;
  return ending;
}

}  // namespace fabula::serve
