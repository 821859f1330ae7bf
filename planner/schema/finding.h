// What is wrong with a plan, where, and by which rule.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace fabula::plan {

enum class Severity { error, warning };

/// A rule that plans are held to. The ids are stable: scripts and tests name them.
struct Rule {
  const char* id;
  Severity severity;
  const char* means;  ///< what a plan must do to keep it
};

/// All rules: those of the file, of every plan, of the simulated world, of what a model can film ("model-…"), of the prompt, of editing
/// ("locked-…").
[[nodiscard]] std::span<const Rule> rules();

/// `path` is a JSON path ("shots[1].dialogue[0].speaker"), empty for the file as a whole; the sentence goes on from it.
struct Finding {
  std::string path, rule;
  Severity severity = Severity::error;
  std::string sentence;
};

/// With the severity that the table of rules says. The rule must be in it.
[[nodiscard]] Finding finding(const std::string& path, const std::string& rule, const std::string& sentence);

/// "path: sentence", as a person or a model is told; the sentence alone where the file as a whole is meant.
[[nodiscard]] std::string told(const Finding&);

[[nodiscard]] bool has_errors(const std::vector<Finding>&);

/// "<start>:" and the errors among the findings below each other, at most five.
[[nodiscard]] std::string summary(const std::string& start, const std::vector<Finding>&);

/// A plan that cannot be used, with everything that was found. Its code is bad_data, its sentence the summary.
class PlanError : public Error {
 public:
  PlanError(const std::string& start, std::vector<Finding> findings)
      : Error(ExitCode::bad_data, summary(start, findings)), findings_(std::move(findings)) {}
  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }

 private:
  std::vector<Finding> findings_;
};

/// "list[3]"
[[nodiscard]] inline std::string at(const std::string& list, std::size_t index) { return list + "[" + std::to_string(index) + "]"; }

}  // namespace fabula::plan
