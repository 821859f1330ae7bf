// The table of families, one entry each.
#include "video/families.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "engine/bundle.h"
#include "video/h3/model.h"

namespace fabula {
namespace {

struct Family {
  const char* name;
  std::unique_ptr<ClipModel> (*load)(Bundle, Precision, const Machine&);
};

constexpr Family families[] = {
    {"h3",
     [](Bundle bundle, Precision precision, const Machine& machine) -> std::unique_ptr<ClipModel> {
       const h3::BundleBlock block = h3::BundleBlock::read(bundle);
       return std::make_unique<h3::H3Model>(std::move(bundle), block, precision, machine);
     }},
};

}  // namespace

std::unique_ptr<ClipModel> load_clip_model(const std::filesystem::path& folder, Precision precision, const Machine& machine) {
  Bundle bundle = Bundle::open(folder);
  std::string known;
  for (const Family& family : families) {
    if (bundle.family == family.name) return family.load(std::move(bundle), precision, machine);
    known += std::string(known.empty() ? "" : ", ") + family.name;
  }
  throw Error(ExitCode::unavailable, folder.string() + " is of the family \"" + bundle.family + "\"; known here: " + known);
}

}  // namespace fabula
