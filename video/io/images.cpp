// Still pictures: JPEG by libjpeg-turbo, which most programs and models' training see JPEG through, everything else by libav.
#include "video/io/images.h"

#include <libexif/exif-data.h>
#include <turbojpeg.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/output_file.h"
#include "engine/resample_picture.h"
#include "video/io/av.h"
#include "video/io/probe.h"

namespace fabula {
namespace {

constexpr int jpeg_quality = 92;
constexpr std::size_t largest_jpeg = std::size_t{1} << 30U;

Image sized(int width, int height) {
  return {width, height,
          std::vector<std::uint8_t>(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 255)};
}

std::size_t at(const Image& image, int x, int y) {
  return std::size_t{3} * (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x));
}

struct FreeTurbo {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Turbo = std::unique_ptr<void, FreeTurbo>;

struct FreeExif {
  void operator()(ExifData* data) const { exif_data_unref(data); }
};

const std::uint8_t* bytes_of(const std::string& text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

// How a camera was held: 1 (upright) to 8, as Exif 2.3 numbers it.
int orientation_of(const std::string& jpeg) {
  const std::unique_ptr<ExifData, FreeExif> data(exif_data_new_from_data(bytes_of(jpeg), static_cast<unsigned>(jpeg.size())));
  const ExifEntry* entry = data ? exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION) : nullptr;
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->components != 1) return 1;
  const int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

Image upright(const Image& image, int orientation) {
  if (orientation == 1) return image;
  const bool lies = orientation >= 5, mirrors_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8,
             mirrors_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image turned = sized(lies ? image.height : image.width, lies ? image.width : image.height);
  for (int y = 0; y < turned.height; ++y) {
    for (int x = 0; x < turned.width; ++x) {
      const int u = lies ? y : x, v = lies ? x : y;  // in the stored picture, before it is mirrored
      const std::size_t from = at(image, mirrors_x ? image.width - 1 - u : u, mirrors_y ? image.height - 1 - v : v);
      std::copy_n(image.rgb.begin() + static_cast<std::ptrdiff_t>(from), 3,
                  turned.rgb.begin() + static_cast<std::ptrdiff_t>(at(turned, x, y)));
    }
  }
  return turned;
}

bool is_jpeg(const std::filesystem::path& file) {
  char start[2] = {};
  std::ifstream(file, std::ios::binary).read(start, sizeof start);
  return std::string_view(start, sizeof start) == "\xFF\xD8";
}

// No end of image behind the last scan. libjpeg-turbo makes grey of what is missing and says so in several ways.
bool is_cut_off(const std::string& jpeg) {
  const std::size_t end = jpeg.rfind("\xFF\xD9"), scan = jpeg.rfind("\xFF\xDA");
  return end == std::string::npos || (scan != std::string::npos && end < scan);
}

// A JPEG; empty where it is cut off or broken, and nothing where it is of four inks, of which libjpeg-turbo makes no RGB.
std::optional<Image> decoded_jpeg(const std::string& jpeg) {
  const Turbo turbo(tjInitDecompress());
  int width = 0, height = 0, sampling = 0, colours = 0;
  if (!turbo || tjDecompressHeader3(turbo.get(), bytes_of(jpeg), jpeg.size(), &width, &height, &sampling, &colours) != 0) return Image{};
  if (colours == TJCS_CMYK || colours == TJCS_YCCK) return std::nullopt;
  if (is_cut_off(jpeg)) return Image{};
  Image image = sized(width, height);
  const int code =
      tjDecompress2(turbo.get(), bytes_of(jpeg), jpeg.size(), image.rgb.data(), width, 0, height, TJPF_RGB, TJFLAG_ACCURATEDCT);
  if (code != 0 && tjGetErrorCode(turbo.get()) == TJERR_FATAL) return Image{};  // cameras write what earns a warning
  return upright(image, orientation_of(jpeg));
}

// A file that libav reads as a picture ("png_pipe"), or an empty one. A film is refused at its second picture, however long it is.
Image decoded_by_libav(const std::filesystem::path& file) {
  Image first;
  bool is_film = false;
  const auto keep_first = [&](const Image& image) {
    is_film = !first.rgb.empty();
    if (is_film) throw Error(ExitCode::bad_data, file.string() + " is a film, expected a picture");
    first = image;
  };
  try {
    return read_film(file, keep_first, {}).container.ends_with("_pipe") ? first : Image{};
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_data || is_film) throw;
    return {};
  }
}

}  // namespace

Image read_image(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) throw Error(ExitCode::input_missing, file.string() + " is not there");
  std::optional<Image> jpeg = is_jpeg(file) ? decoded_jpeg(read_file(file, largest_jpeg)) : std::nullopt;
  Image image = jpeg ? std::move(*jpeg) : decoded_by_libav(file);
  if (image.rgb.empty()) throw Error(ExitCode::bad_data, file.string() + " is not a picture that can be read");
  return image;
}

void write_image(const std::filesystem::path& file, const Image& image) {
  const std::string ending = file.extension().string();
  if (ending != ".png" && ending != ".jpg" && ending != ".jpeg") {
    throw Error(ExitCode::usage, file.string() + ": pictures are written as .png, .jpg or .jpeg");
  }
  const std::vector<std::uint8_t> bytes = ending == ".png" ? png_of(image) : jpeg_of(image);
  write_whole_file(file, std::as_bytes(std::span(bytes)), Existing::refuse);
}

std::vector<std::uint8_t> jpeg_of(const Image& image) {
  const Turbo turbo(tjInitCompress());
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const bool failed = !turbo || tjCompress2(turbo.get(), image.rgb.data(), image.width, 0, image.height, TJPF_RGB, &bytes, &size,
                                            TJSAMP_420, jpeg_quality, TJFLAG_ACCURATEDCT) != 0;
  const std::unique_ptr<unsigned char, decltype(&tjFree)> owner(bytes, &tjFree);
  if (failed) throw Error(ExitCode::internal, "libjpeg-turbo refused a picture");
  return {bytes, bytes + size};
}

std::vector<std::uint8_t> png_of(const Image& image) {
  av::prepare();
  const av::CodecContext context = av::new_encoder("png");
  context->width = image.width;
  context->height = image.height;
  context->pix_fmt = AV_PIX_FMT_RGB24;
  context->time_base = {1, 1};
  av::check(avcodec_open2(context.get(), nullptr, nullptr), ExitCode::unavailable, "png cannot be opened");
  const av::Frame frame = av::new_frame();
  frame->format = context->pix_fmt;
  frame->width = image.width;
  frame->height = image.height;
  frame->data[0] = const_cast<std::uint8_t*>(image.rgb.data());  // which the encoder reads
  frame->linesize[0] = 3 * image.width;
  const av::Packet packet = av::new_packet();
  av::check(avcodec_send_frame(context.get(), frame.get()), ExitCode::internal, "the PNG encoder refused a picture");
  av::check(avcodec_receive_packet(context.get(), packet.get()), ExitCode::internal, "the PNG encoder failed");
  return {packet->data, packet->data + packet->size};
}

Image resize(const Image& image, int width, int height) {
  return resample_picture(image, width, height, PictureFilter::lanczos, FixedPoint::pillow);
}

Image contact_sheet(std::span<const Image> images, int columns, int gap) {
  if (images.empty() || columns < 1) throw Error(ExitCode::internal, "contact_sheet: expected at least one picture and one column");
  const int count = static_cast<int>(images.size()), width = images[0].width, height = images[0].height;
  const int across = std::min(columns, count), down = (count + across - 1) / across;
  Image sheet = sized(across * (width + gap) + gap, down * (height + gap) + gap);
  for (int i = 0; i < count; ++i) {
    const Image& image = images[static_cast<std::size_t>(i)];
    if (image.width != width || image.height != height) throw Error(ExitCode::internal, "contact_sheet: expected pictures of one size");
    const int left = gap + i % across * (width + gap), top = gap + i / across * (height + gap);
    for (int y = 0; y < height; ++y) {
      std::copy_n(image.rgb.begin() + static_cast<std::ptrdiff_t>(at(image, 0, y)), 3 * width,
                  sheet.rgb.begin() + static_cast<std::ptrdiff_t>(at(sheet, left, top + y)));
    }
  }
  return sheet;
}

}  // namespace fabula
