// Holds what the build passes in.
#include "library/version.h"

#include <sstream>

#include "kernels/instruction_set.h"

namespace fabula {

const char* version_number() { return FABULA_VERSION; }

BuildVersion build_version() {
  BuildVersion build{version_number(), FABULA_COMMIT, instruction_set_name(), {}};
  std::istringstream list(FABULA_LIBRARIES);
  for (std::string one; std::getline(list, one, ',');) {
    const std::size_t blank = one.find(' ');
    build.libraries.emplace_back(one.substr(0, blank), one.substr(blank + 1));
  }
  return build;
}

}  // namespace fabula
