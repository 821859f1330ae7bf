// Reads this family's fields of fabula.json; engine/bundle reads those that all families share.
#include "video/h3/bundle_block.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace fabula::h3 {

BundleBlock BundleBlock::read(const Bundle& bundle) {
  const std::filesystem::path file = bundle.folder / "fabula.json";
  std::ifstream in(file);
  const nlohmann::json root = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  const nlohmann::json type = root.is_object() ? root.value("prediction_type", nlohmann::json()) : nlohmann::json();
  if (type != "x0" && type != "velocity")
    throw Error(ExitCode::bad_data, file.string() + ": \"prediction_type\" is neither x0 nor velocity");
  return {type == "x0" ? Prediction::x0 : Prediction::velocity};
}

}  // namespace fabula::h3
