// One thread waits for the signals; all others block them.
#include "tools/fabula/stop.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/error.h"

namespace fabula::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds patience{2};  // signals closer together count as one request

std::atomic<int> first_signal = 0;  // 0: none yet
std::atomic<bool> preview_wanted = false;

int code_of(int signal) { return 128 + signal; }

[[noreturn]] void wait_for_stops(sigset_t signals) {
  Clock::time_point asked;
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal == SIGUSR1) {
      preview_wanted = true;
    } else if (first_signal == 0) {
      asked = Clock::now();
      first_signal = signal;
    } else if (Clock::now() - asked >= patience) {
      _exit(code_of(signal));
    }
  }
}

}  // namespace

void take_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    sigaddset(&signals, signal);
    ::signal(signal, SIG_DFL);  // shells let background jobs ignore SIGINT, and an ignored signal never arrives
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(wait_for_stops, signals).detach();
}

bool preview_requested() { return preview_wanted.exchange(false); }

bool stop_requested() { return first_signal != 0; }

int stop_code() { return first_signal == 0 ? static_cast<int>(ExitCode::interrupted) : code_of(first_signal); }

}  // namespace fabula::cli
