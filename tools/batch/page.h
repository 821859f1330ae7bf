// A batch as a web page: one file, without scripts.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/batch/ledger.h"

namespace fabula::batch {

/// A job on the page: a film, or the sentence that says why there is none.
struct PageEntry {
  std::size_t number = 0;
  FilmRecord film;      ///< for a failed job: its prompt alone
  std::string failure;  ///< empty: there is a film
};

/// The page, in UTF-8. Whatever the texts hold, it is shown and not obeyed; films are linked relative to `folder`, where the page stands.
[[nodiscard]] std::string page_of(const std::vector<PageEntry>& entries, const std::filesystem::path& folder);

/// Whether `file` is a page that page_of made, which may be replaced.
[[nodiscard]] bool is_page(const std::filesystem::path& file);

}  // namespace fabula::batch
