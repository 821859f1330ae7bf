// Holds what the build passes in.
#include "tools/fabula/version.h"

#include <sstream>

#include "tools/fabula/processor.h"

namespace fabula::cli {

BuildVersion build_version() {
  BuildVersion build{FABULA_VERSION, FABULA_COMMIT, processor_profile(), {}};
  std::istringstream list(FABULA_LIBRARIES);
  for (std::string one; std::getline(list, one, ',');) {
    const std::size_t blank = one.find(' ');
    build.libraries.emplace_back(one.substr(0, blank), one.substr(blank + 1));
  }
  return build;
}

}  // namespace fabula::cli
