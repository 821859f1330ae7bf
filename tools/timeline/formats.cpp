// The table of timeline formats.
#include "tools/timeline/timeline.h"

namespace fabula::timeline {

const std::vector<Format>& formats() {
  static const std::vector<Format> table = {
      {"otio", ".otio", "OpenTimelineIO", to_otio},
      {"edl", ".edl", "an edit decision list (CMX 3600)", to_edl},
      {"fcp7", ".xml", "Final Cut Pro 7 XML, as Premiere and Resolve import it", to_fcp7},
  };
  return table;
}

}  // namespace fabula::timeline
