// Reading a file: to its end, within a limit, with one sentence for whatever goes wrong.
#include "base/file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/error.h"

namespace fabula {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// Pipes and devices have no size to ask for, so every file is read block by block.
std::string read_all(std::FILE* in, std::size_t most_bytes, const std::string& name) {
  constexpr std::size_t block = std::size_t{1} << 16U;
  std::string bytes;
  for (std::size_t count = block; count == block && bytes.size() <= most_bytes;) {
    const std::size_t before = bytes.size();
    bytes.resize(before + block);
    count = std::fread(bytes.data() + before, 1, block, in);
    bytes.resize(before + count);
  }
  if (std::ferror(in) != 0) throw Error(ExitCode::io, "reading " + name + " failed: " + std::strerror(errno));
  if (bytes.size() > most_bytes) throw Error(ExitCode::bad_data, name + " is larger than " + std::to_string(most_bytes >> 20U) + " MB");
  return bytes;
}

}  // namespace

std::string read_file(const std::filesystem::path& file, std::size_t most_bytes, std::string_view what) {
  const std::string name = (what.empty() ? "" : std::string(what) + " ") + file.string();
  const std::unique_ptr<std::FILE, Close> in(std::fopen(file.c_str(), "rbe"));
  if (!in) throw Error(ExitCode::input_missing, "cannot read " + name + ": " + std::strerror(errno));
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) throw Error(ExitCode::input_missing, "cannot read " + name + ": it is a folder");
  return read_all(in.get(), most_bytes, name);
}

std::string read_standard_input(std::size_t most_bytes, std::string_view what) {
  return read_all(stdin, most_bytes, std::string(what) + " on standard input");
}

}  // namespace fabula
