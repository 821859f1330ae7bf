// Opens what makes films as a command's options have it.
#pragma once

#include "library/render.h"
#include "tools/fabula/render_options.h"

namespace fabula::cli {

/// Of a published folder the bundle comes with the plan. Throws Error as Bundle::open and open_store do.
[[nodiscard]] Studio open_studio(const RenderOptions&);

}  // namespace fabula::cli
