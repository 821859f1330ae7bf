// Every exception as a code and a sentence.
#pragma once

#include <string>

#include "base/error.h"

namespace fabula {

struct Failure {
  ExitCode code;
  std::string sentence;
};
/// Of the exception that is being handled: to be called in a catch block.
[[nodiscard]] Failure current_failure();

}  // namespace fabula
