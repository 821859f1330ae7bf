// plan::Film to JSON and back, and its JSON Schema. All three are made from one list of fields (schema/fields.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/plan.h"
#include "planner/schema/finding.h"

namespace fabula::plan {

constexpr std::size_t largest_file = std::size_t{4} << 20U;  ///< bytes of JSON

/// The saved form: indented, with the prompt after the version.
[[nodiscard]] std::string to_json(const Film&);
/// The planner's form: no white space, no prompt.
[[nodiscard]] std::string to_compact_json(const Film&);
/// Reads what to_json writes, in any key order. Throws PlanError naming by JSON path everything that is missing, unknown, of the wrong type
/// or out of range; for a duplicate key or malformed JSON, the first fault only.
[[nodiscard]] Film from_json(std::string_view text);

/// The field of a shot at a path such as "camera.size" or "dialogue[0].text", as compact JSON, defaults included; nullopt if there is none.
[[nodiscard]] std::optional<std::string> value_at(const Shot&, std::string_view path);

/// The JSON Schema (draft 2020-12) of a plan, indented. assets/schema/plan.schema.json is this text.
[[nodiscard]] std::string json_schema();

}  // namespace fabula::plan
