// Results of commands: to a file, or to standard output.
#pragma once

#include <string>

#include "library/output.h"

namespace fabula::cli {

/// Writes `text` to the file `output`, or prints it.
void write_output(const std::string& output, const std::string& text, const OverwriteOptions&);
/// Prints the name of the output, unless the output itself was printed.
void report_output(const std::string& output);

}  // namespace fabula::cli
