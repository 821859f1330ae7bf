// What commands say on standard error, and what only a command line knows: the user's own cast, and that Ctrl-C stops the work.
#pragma once

#include <string>

#include "library/options.h"
#include "library/source.h"

namespace fabula::cli {

/// A sentence on standard error.
void say(const std::string& sentence);
/// A caller who reads standard error and stops the work by a signal.
[[nodiscard]] const Caller& terminal();

/// read_source; what it notes is said.
[[nodiscard]] Source read_source_aloud(const std::string& given, Format format);

/// Before the options are parsed: they are those of a person at a terminal.
void at_the_terminal(PlanningOptions&);

}  // namespace fabula::cli
