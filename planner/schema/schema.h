// plan::Film as JSON, both ways, and the JSON Schema of it. One list of fields (schema/fields.h) makes all three.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/plan.h"
#include "planner/schema/finding.h"

namespace fabula::plan {

constexpr std::size_t largest_file = std::size_t{4} << 20U;  ///< bytes of JSON that are read

/// As it is saved: indented, with the prompt after the version.
[[nodiscard]] std::string to_json(const Film&);
/// As the planner writes it: no white space, without the prompt.
[[nodiscard]] std::string to_compact_json(const Film&);
/// Reads what to_json writes, in any key order. Throws PlanError with the JSON path of all that is missing, unknown, of the wrong type or
/// out of range; of what is double or no JSON at all with the first.
[[nodiscard]] Film from_json(std::string_view text);

/// The field of a shot at a path such as "camera.size" or "dialogue[0].text", as compact JSON, defaults included; nothing where there is
/// none.
[[nodiscard]] std::optional<std::string> value_at(const Shot&, std::string_view path);

/// The JSON Schema (draft 2020-12) of a plan, indented. assets/schema/plan.schema.json is this text.
[[nodiscard]] std::string json_schema();

}  // namespace fabula::plan
