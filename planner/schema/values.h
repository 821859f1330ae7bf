// Checks a single value against the limits of its field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "planner/schema/fields.h"
#include "planner/schema/finding.h"

namespace fabula::plan {

[[nodiscard]] std::optional<Finding> fault(const std::string& path, const std::string& text, const Limits&);
[[nodiscard]] std::optional<Finding> fault(const std::string& path, std::int64_t number, const Limits&);

}  // namespace fabula::plan
