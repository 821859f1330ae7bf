// Reads the cases of a file of prompts whose plans are known.
#include <fstream>
#include <nlohmann/json.hpp>

#include "tools/bench/plan_recall.h"

namespace fabula::recall {

std::vector<Case> read_cases(const std::filesystem::path& file) {
  std::ifstream in(file);
  const nlohmann::json root = nlohmann::json::parse(in);
  std::vector<Case> cases;
  for (const auto& entry : root.at("cases")) {
    Case one{entry.at("prompt"), {}};
    for (const auto& s : entry.at("shots"))
      one.shots.push_back({s[0], s[1], s[2], s[3].is_null() ? "" : s[3].get<std::string>(), s[4].is_null() ? "" : s[4].get<std::string>()});
    cases.push_back(std::move(one));
  }
  return cases;
}

}  // namespace fabula::recall
