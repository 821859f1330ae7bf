// Writes a contact sheet anew whenever there is more to see, and a poster of each shot.
#include "tools/fabula/preview.h"

#include <cmath>
#include <cstdio>
#include <span>

#include "base/error.h"
#include "base/output_file.h"
#include "tools/fabula/stop.h"
#include "video/io/images.h"

namespace fabula::cli {

Preview::Preview(const std::filesystem::path& film, bool always) : file_(film.string() + ".preview.jpg"), always_(always) {}

void Preview::add(const Image& picture) {
  pictures_.push_back(picture);
  wanted_ = wanted_ || always_;
  poll();
}

void Preview::poll() {
  wanted_ = preview_requested() || wanted_;
  if (wanted_ && !pictures_.empty()) write();
}

void Preview::write() {
  wanted_ = false;
  const int columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(pictures_.size()))));
  try {
    const std::vector<std::uint8_t> bytes = jpeg_of(contact_sheet(pictures_, columns));
    write_whole_file(file_, std::as_bytes(std::span(bytes)), Existing::replace);
  } catch (const Error& error) {
    std::fprintf(stderr, "fabula: no preview: %s\n", error.what());
  }
}

Posters::Posters(std::filesystem::path folder, const plan::Film& film) : folder_(std::move(folder)), film_(film) {
  if (folder_.empty()) return;
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  if (failed) throw Error(ExitCode::cannot_create, "the folder " + folder_.string() + " cannot be created: " + failed.message());
}

void Posters::add(const Image& picture) {
  if (folder_.empty() || next_ >= film_.shots.size()) return;
  try {
    const std::vector<std::uint8_t> bytes = jpeg_of(picture);
    write_whole_file(folder_ / (film_.shots[next_++].id + ".jpg"), std::as_bytes(std::span(bytes)), Existing::replace);
  } catch (const Error& error) {
    std::fprintf(stderr, "fabula: no poster: %s\n", error.what());
  }
}

}  // namespace fabula::cli
