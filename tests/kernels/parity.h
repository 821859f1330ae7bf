// How an entry of a kernel table is compared with `reference`.
#pragma once

#include <vector>

#include "tests/kernels/cases.h"

namespace fabula::test {

/// The error that is accepted of an entry; a test failure and 0 where none is stated.
[[nodiscard]] float tolerance_of(const char* entry);
/// What a case writes on a table of the host's; a test failure if it wrote behind an operand.
[[nodiscard]] std::vector<float> output_of(const Case&, const Kernels&, const Exec&);
/// In the measure of the tolerances; infinite where either is not a number.
[[nodiscard]] float difference(const std::vector<float>& expected, const std::vector<float>& found);

}  // namespace fabula::test
