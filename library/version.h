// What this program is: its version, what it was built from and with.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace fabula {

struct BuildVersion {
  std::string version, commit;
  std::string instruction_set;  ///< instruction_set_name()
  /// ("libavcodec", "59.37.100"), as the build found them.
  std::vector<std::pair<std::string, std::string>> libraries;
  bool operator==(const BuildVersion&) const = default;
};
/// "0.1.0"
[[nodiscard]] const char* version_number();
[[nodiscard]] BuildVersion build_version();

}  // namespace fabula
