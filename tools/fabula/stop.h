// Requests to stop: SIGINT and SIGTERM.
#pragma once

namespace fabula::cli {

/// Takes SIGINT and SIGTERM from now on, in a thread of its own. The first asks the run to stop after its step; one that comes two seconds
/// later or more ends it at once. What comes together is one request: timeout(1) and service managers send a signal both to the program and
/// to its group.
///
/// No other thread may ever run a signal handler: oneDNN's products use the stack pointer for their work space (seen in 2.6.3), so that the
/// kernel would write the handler's frame into the heap. Call it before any other thread is started; they inherit the mask.
void take_stop_signals();

[[nodiscard]] bool stop_requested();

/// The exit code of a run that was stopped: 130 after SIGINT, 143 after SIGTERM.
[[nodiscard]] int stop_code();

}  // namespace fabula::cli
