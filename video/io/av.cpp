// Checks for libav, its silence and its choice of instructions.
#include "video/io/av.h"

extern "C" {
#include <libavutil/cpu.h>
}

#include <cstdlib>

namespace fabula::av {
namespace {

// libav's functions for wider vectors, and those it prefers on some models, round otherwise: where there is AVX2 it uses that and no more,
// so that every such processor scales a picture and encodes sound alike.
void hold_instructions() {
  constexpr int avx2 = AV_CPU_FLAG_MMX | AV_CPU_FLAG_MMXEXT | AV_CPU_FLAG_SSE | AV_CPU_FLAG_SSE2 | AV_CPU_FLAG_SSE3 | AV_CPU_FLAG_SSSE3 |
                       AV_CPU_FLAG_SSE4 | AV_CPU_FLAG_SSE42 | AV_CPU_FLAG_AVX | AV_CPU_FLAG_AVX2 | AV_CPU_FLAG_FMA3 | AV_CPU_FLAG_CMOV |
                       AV_CPU_FLAG_BMI1 | AV_CPU_FLAG_BMI2;
  if ((av_get_cpu_flags() & avx2) == avx2) av_force_cpu_flags(avx2);
}

}  // namespace

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

void prepare() {
  av_log_set_level(AV_LOG_FATAL);
  hold_instructions();
  static const int set = ::setenv("SVT_LOG", "1", /*overwrite=*/0);  // SVT-AV1 knows no other way: errors alone
  static_cast<void>(set);
}

}  // namespace fabula::av
