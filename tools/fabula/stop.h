// Requests from outside: to stop (SIGINT, SIGTERM), to show what there is (SIGUSR1).
#pragma once

namespace fabula::cli {

/// Starts a thread that waits for SIGINT, SIGTERM and SIGUSR1. The first of the former asks the run to stop after its current step; a
/// further one at least two seconds later ends the process at once. Signals closer together count as one request: timeout(1) and service
/// managers signal both the program and its group.
///
/// No other thread runs a signal handler: a library's generated code may point the stack pointer at its work space (oneDNN 2.6.3 was seen
/// to, findings/), where the kernel would write the handler's frame. Call this before any other thread starts; threads inherit the signal
/// mask.
void take_stop_signals();

[[nodiscard]] bool stop_requested();

/// Whether SIGUSR1 has come since the last call.
[[nodiscard]] bool preview_requested();

/// The exit code of a stopped run: 130 after SIGINT, 143 after SIGTERM.
[[nodiscard]] int stop_code();

}  // namespace fabula::cli
