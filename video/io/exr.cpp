// Frames as OpenEXR files.
#include <ImfChannelList.h>
#include <ImfFrameBuffer.h>
#include <ImfFramesPerSecond.h>
#include <ImfHeader.h>
#include <ImfOutputFile.h>
#include <ImfStandardAttributes.h>
#include <ImfStringAttribute.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "video/io/sequence.h"

namespace fabula {
namespace {

// What a display of BT.709 pictures shows of each 8-bit value (ITU-R BT.1886 with no black level).
std::array<Imath::half, 256> linear_light() {
  std::array<Imath::half, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = Imath::half(static_cast<float>(std::pow(static_cast<double>(i) / 255.0, 2.4)));
  return table;
}

Imf::Header header_of(const Image& image, const FrameNote& note) {
  Imf::Header header(image.width, image.height);
  header.compression() = Imf::ZIP_COMPRESSION;
  for (const char* channel : {"R", "G", "B"}) header.channels().insert(channel, Imf::Channel(Imf::HALF));
  Imf::addChromaticities(header, Imf::Chromaticities());  // the default: ITU-R BT.709 and D65
  const Timecode& t = note.timecode;
  Imf::addTimeCode(header, Imf::TimeCode(t.hours, t.minutes, t.seconds, t.frames, t.drop_frame));
  Imf::addFramesPerSecond(header, Imf::Rational(note.rate.num, static_cast<unsigned>(note.rate.den)));
  Imf::addComments(header, "linear light by ITU-R BT.1886, gamma 2.4, from 8-bit values");
  if (note.labels) {
    // FFmpeg 5.1 loses the picture behind a text of some hundred bytes: no XMP.
    header.insert("DigitalSourceType", Imf::StringAttribute(trained_algorithmic_media));
    header.insert("AIGC", Imf::StringAttribute(aigc_of(*note.labels)));
  }
  return header;
}

}  // namespace

void write_exr_frame(const std::filesystem::path& file, const Image& image, const FrameNote& note) {
  static const std::array<Imath::half, 256> light = linear_light();
  std::vector<Imath::half> pixels(image.rgb.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = light[image.rgb[i]];
  constexpr std::size_t pixel = 3 * sizeof(Imath::half);
  Imf::FrameBuffer frame;
  std::size_t channel = 0;
  for (const char* name : {"R", "G", "B"})
    frame.insert(name, Imf::Slice(Imf::HALF, reinterpret_cast<char*>(pixels.data() + channel++), pixel,
                                  pixel * static_cast<std::size_t>(image.width)));
  try {
    Imf::OutputFile out(file.c_str(), header_of(image, note), /*numThreads=*/0);
    out.setFrameBuffer(frame);
    out.writePixels(image.height);
  } catch (const std::exception& failed) {
    throw Error(ExitCode::io, std::string("a frame could not be written: ") + failed.what());
  }
}

}  // namespace fabula
