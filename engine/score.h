// The score: what sounds when, in a shot.
#pragma once

#include <string>

namespace fabula {

/// One phone of a spoken text, in seconds of the speech synthesiser's utterance.
struct Phone {
  std::string name;
  double start_s = 0.0, duration_s = 0.0;
};

}  // namespace fabula
