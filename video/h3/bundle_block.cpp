// Reads this family's fields of fabula.json; engine/bundle reads those that all families share.
#include "video/h3/bundle_block.h"

#include "base/json_fields.h"

namespace fabula::h3 {

BundleBlock BundleBlock::read(const Bundle& bundle) {
  const JsonFields fields = JsonFields::open(bundle.folder / "fabula.json");
  return {fields.choice("prediction_type", {"x0", "velocity"}) == "x0" ? Prediction::x0 : Prediction::velocity};
}

}  // namespace fabula::h3
