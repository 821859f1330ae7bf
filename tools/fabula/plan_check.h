// `fabula plan --check`.
#pragma once

#include <string>

namespace fabula::cli {

struct CheckOptions {
  std::string file;   ///< a plan, or "-"
  std::string model;  ///< folder of the bundle that is to film it; empty: the installed one, if any
  bool json = false;
};

/// Prints what is wrong with a plan, and its world from shot to shot. Where no model is named or installed, what it can film is not
/// checked. Throws Error: bad_data at the end if there are errors; input_missing; unavailable for a named model that is not there.
void check_plan(const CheckOptions&);

}  // namespace fabula::cli
