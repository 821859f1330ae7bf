// What this machine's processor can do at most, measured: the yardstick beside the kernels' own figures.
#pragma once

#include "kernels/kernels.h"

namespace fabula {

/// Float32 operations a second (a fused multiplication and addition counts as two) of independent vector instructions on all threads of
/// `exec`, operands in registers. Takes about 50 ms.
[[nodiscard]] double peak_operations(const Exec& exec);

/// Operations a second of AMX's tiles, operands in tiles; 0 where there are none. Takes about 10 ms.
[[nodiscard]] double peak_tile_operations(const Exec& exec);

/// Bytes a second that all threads of `exec` together read from memory, beyond what caches hold. Takes 256 MB for about 100 ms.
[[nodiscard]] double peak_bandwidth(const Exec& exec);

}  // namespace fabula
