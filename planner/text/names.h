// Lists of names, searched and reduced.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace fabula {

[[nodiscard]] inline bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// `all`, in its order, minus the names in `taken`.
[[nodiscard]] inline std::vector<std::string> without(std::vector<std::string> all, const std::vector<std::string>& taken) {
  std::erase_if(all, [&](const std::string& name) { return has(taken, name); });
  return all;
}

}  // namespace fabula
