// The table of containers. Another one is its sink and a line here.
#include "video/io/sinks.h"

#include <algorithm>

#include "video/io/mp4.h"

namespace fabula {
namespace {

template <typename Sink>
std::unique_ptr<FileSink> opened(std::filesystem::path output, SinkOptions options) {
  return std::make_unique<Sink>(std::move(output), std::move(options));
}

constexpr Container table[] = {
    {".mp4", opened<Mp4Sink>},
};

}  // namespace

std::span<const Container> containers() { return table; }

const Container* container_of(std::string_view extension) {
  const auto* found = std::find_if(std::begin(table), std::end(table), [&](const Container& c) { return extension == c.extension; });
  return found == std::end(table) ? nullptr : found;
}

std::string container_extensions() {
  std::string text;
  for (const Container& container : table) text += std::string(text.empty() ? "" : ", ") + container.extension;
  return text;
}

}  // namespace fabula
