// Checks and quiet for libav.
#include "video/io/av.h"

#include <cstdlib>

namespace fabula::av {

std::string text(int code) {
  char buffer[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, buffer, sizeof buffer);
  return buffer;
}

int check(int code, ExitCode on_failure, const std::string& what) {
  if (code < 0) throw Error(code == AVERROR(ENOMEM) ? ExitCode::out_of_memory : on_failure, what + ": " + text(code));
  return code;
}

CodecContext new_encoder(const char* name) {
  const AVCodec* codec = avcodec_find_encoder_by_name(name);
  if (codec == nullptr) throw Error(ExitCode::unavailable, std::string("this FFmpeg has no encoder ") + name);
  return CodecContext(allocated(avcodec_alloc_context3(codec)));
}

std::string url(const std::filesystem::path& path) { return "file:" + path.string(); }

void quiet() {
  av_log_set_level(AV_LOG_FATAL);
  static const int set = ::setenv("SVT_LOG", "1", /*overwrite=*/0);  // SVT-AV1 knows no other way: errors alone
  static_cast<void>(set);
}

}  // namespace fabula::av
