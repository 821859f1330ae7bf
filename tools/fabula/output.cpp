// Writes or prints what a command has made.
#include "tools/fabula/output.h"

#include <cstdio>
#include <span>

namespace fabula::cli {

void write_output(const std::string& output, const std::string& text, const OverwriteOptions& options) {
  if (is_printed(output)) {
    std::fwrite(text.data(), 1, text.size(), stdout);  // main checks that it came out
  } else {
    write_whole_file(output, std::as_bytes(std::span(text)), existing_of(options));
  }
}

void report_output(const std::string& output) {
  if (!is_printed(output) && !is_standard_output(output)) std::printf("%s\n", output.c_str());
}

}  // namespace fabula::cli
