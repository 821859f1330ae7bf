// RAII handles and checks for libav. Included by the files of this folder only.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"

namespace fabula::av {

struct FreeCodecContext {
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
};
struct FreeFrame {
  void operator()(AVFrame* p) const { av_frame_free(&p); }
};
struct FreePacket {
  void operator()(AVPacket* p) const { av_packet_free(&p); }
};
struct FreeScaler {
  void operator()(SwsContext* p) const { sws_freeContext(p); }
};
struct CloseInput {
  void operator()(AVFormatContext* p) const { avformat_close_input(&p); }
};
/// Closes the file too, when it is still open.
struct FreeOutput {
  void operator()(AVFormatContext* p) const {
    avio_closep(&p->pb);
    avformat_free_context(p);
  }
};

using CodecContext = std::unique_ptr<AVCodecContext, FreeCodecContext>;
using Frame = std::unique_ptr<AVFrame, FreeFrame>;
using Packet = std::unique_ptr<AVPacket, FreePacket>;
using Scaler = std::unique_ptr<SwsContext, FreeScaler>;
using Input = std::unique_ptr<AVFormatContext, CloseInput>;
using Output = std::unique_ptr<AVFormatContext, FreeOutput>;

/// libav's text for an error code.
[[nodiscard]] std::string text(int code);
/// Returns a code that is not negative; else throws Error(on_failure, "WHAT: libav's text").
int check(int code, ExitCode on_failure, const std::string& what);
/// A pointer that is not null; else throws Error(out_of_memory).
template <typename T>
T* allocated(T* pointer) {
  if (pointer == nullptr) throw Error(ExitCode::out_of_memory, "libav has no memory left");
  return pointer;
}

[[nodiscard]] inline Frame new_frame() { return Frame(allocated(av_frame_alloc())); }
[[nodiscard]] inline Packet new_packet() { return Packet(allocated(av_packet_alloc())); }

/// An encoder's context, not yet opened. Throws Error(unavailable) naming the encoder where this FFmpeg lacks it.
[[nodiscard]] CodecContext new_encoder(const char* name);
/// A name with a colon or a percent sign stays a name of a file.
[[nodiscard]] std::string url(const std::filesystem::path& path);
/// Silences libav on stderr, which belongs to the command line (failures are reported as Error), and holds it to the functions that every
/// processor with AVX2 has, so that its bytes do not depend on the model. Process-wide; called before libav is used.
void prepare();

}  // namespace fabula::av
