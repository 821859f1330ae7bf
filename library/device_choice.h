// --device: what the models run on.
#pragma once

#include <optional>
#include <string>

#include "engine/machine.h"
#include "library/options.h"

namespace fabula {

/// The number N of "cuda" (0) or "cuda:N"; none for anything else.
[[nodiscard]] std::optional<int> cuda_device_of(const std::string& device);

/// The machine that planner, text encoder and clip model run on. Throws Error(unavailable) where there is no such device.
[[nodiscard]] Machine machine_of(const ModelOptions&);

/// What the last bits of a shot depend on: processor_profile(), or the CUDA device without its number and memory. Throws as machine_of.
[[nodiscard]] std::string device_profile(const std::string& device);

/// The devices there are, with the libraries that serve them, or that there is none.
[[nodiscard]] std::string graphics_text();

}  // namespace fabula
