// Still pictures through OpenCV.
#include "video/io/images.h"

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/output_file.h"

namespace fabula {
namespace {

constexpr int jpeg_quality = 92;

// A view of the same pixels; OpenCV has no const one and does not write here.
cv::Mat view(const Image& image) { return {image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.rgb.data())}; }

Image sized(int width, int height) {
  return {width, height,
          std::vector<std::uint8_t>(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 255)};
}

std::vector<std::uint8_t> encoded(const Image& image, const std::string& ending) {
  cv::Mat bgr;
  cv::cvtColor(view(image), bgr, cv::COLOR_RGB2BGR);
  std::vector<std::uint8_t> bytes;
  cv::imencode(ending, bgr, bytes, ending == ".png" ? std::vector<int>{} : std::vector<int>{cv::IMWRITE_JPEG_QUALITY, jpeg_quality});
  return bytes;
}

}  // namespace

Image read_image(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) throw Error(ExitCode::input_missing, file.string() + " is not there");
  cv::Mat bgr;
  try {
    bgr = cv::imread(file.string(), cv::IMREAD_COLOR);
  } catch (const cv::Exception&) {  // e.g. beyond OpenCV's limit of pixels
    bgr.release();
  }
  if (bgr.empty()) throw Error(ExitCode::bad_data, file.string() + " is not a picture that can be read");
  Image image = sized(bgr.cols, bgr.rows);
  cv::Mat rgb = view(image);
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return image;
}

void write_image(const std::filesystem::path& file, const Image& image) {
  const std::string ending = file.extension().string();
  if (ending != ".png" && ending != ".jpg" && ending != ".jpeg") {
    throw Error(ExitCode::usage, file.string() + ": pictures are written as .png, .jpg or .jpeg");
  }
  const std::vector<std::uint8_t> bytes = encoded(image, ending);
  write_whole_file(file, std::as_bytes(std::span(bytes)), Existing::refuse);
}

std::vector<std::uint8_t> jpeg_of(const Image& image) { return encoded(image, ".jpg"); }
std::vector<std::uint8_t> png_of(const Image& image) { return encoded(image, ".png"); }

Image resize(const Image& image, int width, int height) {
  const bool shrinks = width <= image.width && height <= image.height;
  Image resized = sized(width, height);
  cv::Mat into = view(resized);
  cv::resize(view(image), into, into.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LANCZOS4);
  return resized;
}

Image contact_sheet(std::span<const Image> images, int columns, int gap) {
  if (images.empty() || columns < 1) throw Error(ExitCode::internal, "contact_sheet: expected at least one picture and one column");
  const int count = static_cast<int>(images.size()), width = images[0].width, height = images[0].height;
  const int across = std::min(columns, count), down = (count + across - 1) / across;
  Image sheet = sized(across * (width + gap) + gap, down * (height + gap) + gap);
  for (int i = 0; i < count; ++i) {
    const Image& image = images[static_cast<std::size_t>(i)];
    if (image.width != width || image.height != height) throw Error(ExitCode::internal, "contact_sheet: expected pictures of one size");
    view(image).copyTo(view(sheet)(cv::Rect(gap + i % across * (width + gap), gap + i / across * (height + gap), width, height)));
  }
  return sheet;
}

}  // namespace fabula
