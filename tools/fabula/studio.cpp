// Finds bundle and store.
#include "tools/fabula/studio.h"

#include "library/device_choice.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/h3_film.h"
#include "tools/fabula/store_location.h"

namespace fabula::cli {

Studio open_studio(const RenderOptions& options) {
  const bool may_make_store = !options.dry_run || std::filesystem::is_directory(store_folder(options.store.folder));
  const std::string& model = options.planning.model.model;
  Studio studio;
  studio.is_published = is_published_folder(model);
  if (!studio.is_published) studio.bundle = Bundle::open(locate_bundle(model));
  if (may_make_store) studio.store = open_store(options.store, device_profile(options.planning.model.device));
  return studio;
}

}  // namespace fabula::cli
