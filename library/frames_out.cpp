// Frames as a sequence of PNG files.
#include "library/frames_out.h"

#include <cstdio>
#include <system_error>

#include "base/error.h"
#include "video/io/images.h"

namespace fabula {

namespace fs = std::filesystem;

void check_frames_out(const std::string& folder) {
  std::error_code failed;
  if (folder.empty() || !fs::exists(folder, failed)) return;
  if (!fs::is_directory(folder, failed) || !fs::is_empty(folder, failed))
    throw Error(ExitCode::cannot_create, "--frames-out: " + folder + " is there already and is no empty folder");
}

FramesOut::FramesOut(MediaSink& sink, const std::string& folder) : sink_(sink), folder_(folder) {
  if (folder_.empty()) return;
  check_frames_out(folder);
  std::error_code failed;
  fs::create_directories(folder_, failed);
  if (failed) throw Error(ExitCode::cannot_create, "--frames-out: " + folder + " cannot be made: " + failed.message());
}

void FramesOut::frame(const Image& image) {
  if (!folder_.empty()) {
    char name[32];
    std::snprintf(name, sizeof name, "frame_%06d.png", written_++);
    write_image(folder_ / name, image);
  }
  sink_.frame(image);
}

}  // namespace fabula
