// Comma-separated values (RFC 4180).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fabula::batch {

/// The rows of a table; cells may be quoted, and then hold separators, quotation marks (doubled) and line breaks. The separator is the
/// first of `,`, `;` and tab in the first row. Rows without any text are left out. Throws Error(bad_data) with the number of the line for
/// a quotation mark that is never closed or has text behind it.
[[nodiscard]] std::vector<std::vector<std::string>> parse_csv(std::string_view text, const std::string& name);

}  // namespace fabula::batch
