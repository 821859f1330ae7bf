// A finding: what is wrong with a plan, where, and which rule it breaks.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace fabula::plan {

enum class Severity { error, warning };

/// A rule for plans. The ids are stable: scripts and tests use them.
struct Rule {
  const char* id;
  Severity severity;
  const char* means;  ///< what holds in a plan that keeps the rule
};

/// All rules: about the file, every plan, the simulated world, what a model can film ("model-…"), the prompt, and editing ("locked-…").
[[nodiscard]] std::span<const Rule> rules();

/// `path` is a JSON path ("shots[1].dialogue[0].speaker"), empty for the file as a whole. The path is the subject of the sentence.
struct Finding {
  std::string path, rule;
  Severity severity = Severity::error;
  std::string sentence;
};

/// Takes the severity from the table of rules, which must hold the rule.
[[nodiscard]] Finding finding(const std::string& path, const std::string& rule, const std::string& sentence);

/// "path: sentence", for a person or a model; the sentence alone if the finding is about the whole file.
[[nodiscard]] std::string sentence_of(const Finding&);

[[nodiscard]] bool has_errors(const std::vector<Finding>&);

/// "<start>:" and up to five errors among the findings, one per line.
[[nodiscard]] std::string summary(const std::string& start, const std::vector<Finding>&);

/// An unusable plan, with all findings. Its code is bad_data, its sentence the summary.
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
