// The page that is served at /: its files, as they are in tools/serve/page.
#pragma once

#include <string_view>
#include <vector>

namespace fabula::serve {

struct PageFile {
  const char* name;  ///< "page.css"
  std::string_view bytes;
};
[[nodiscard]] const std::vector<PageFile>& page_files();

}  // namespace fabula::serve
