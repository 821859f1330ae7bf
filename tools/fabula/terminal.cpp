// Prints, and stops when a signal says so.
#include "tools/fabula/terminal.h"

#include <cstdio>

#include "tools/fabula/cast_file.h"
#include "tools/fabula/stop.h"

namespace fabula::cli {

void say(const std::string& sentence) { std::fprintf(stderr, "fabula: %s\n", sentence.c_str()); }

const Caller& terminal() {
  static const Caller caller{.say = say, .is_waiting = [] { return !stop_requested(); }};
  return caller;
}

Source read_source_aloud(const std::string& given, Format format) {
  Source source = read_source(given, format);
  for (const std::string& note : source.notes) say(note);
  return source;
}

void at_the_terminal(PlanningOptions& options) {
  options.caller = terminal();
  options.cast.own = own_cast();
}

}  // namespace fabula::cli
