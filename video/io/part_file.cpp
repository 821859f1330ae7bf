#include "video/io/part_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "kernels/error.h"

namespace fabula {
namespace {

std::string reason() { return std::strerror(errno); }

std::filesystem::path folder_of(const std::filesystem::path& file) { return file.has_parent_path() ? file.parent_path() : "."; }

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] bool open() const { return fd_ >= 0; }
  [[nodiscard]] bool sync() const { return ::fsync(fd_) == 0; }

 private:
  int fd_;
};

}  // namespace

PartFile::PartFile(std::filesystem::path output) : output_(std::move(output)), part_(output_.string() + ".part") {
  if (output_.filename().empty() || std::filesystem::is_directory(output_)) {
    throw Error(ExitCode::cannot_create, output_.string() + " is a folder: name the file to write");
  }
  if (!Descriptor(part_, O_WRONLY | O_CREAT | O_TRUNC).open()) {
    throw Error(ExitCode::cannot_create, output_.string() + " cannot be created: " + reason());
  }
}

PartFile::~PartFile() {
  if (!committed_) ::unlink(part_.c_str());
}

void PartFile::commit() {
  const Descriptor file(part_, O_RDONLY);
  if (!file.open() || !file.sync()) throw Error(ExitCode::io, part_.string() + " could not be written to disk: " + reason());
  if (std::rename(part_.c_str(), output_.c_str()) != 0)
    throw Error(ExitCode::io, output_.string() + " could not be given its name: " + reason());
  committed_ = true;
  // The name itself is safe only once the folder is; a folder that cannot be synced (some network file systems) is no error.
  const Descriptor folder(folder_of(output_), O_RDONLY | O_DIRECTORY);
  if (folder.open()) (void)folder.sync();
}

Spool::Spool(const std::filesystem::path& beside) : folder_(folder_of(beside)) {
  std::string name = (folder_ / ".fabula-spool-XXXXXX").string();
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) throw Error(ExitCode::cannot_create, "no scratch file can be made in " + folder_.string() + ": " + reason());
  ::unlink(name.c_str());
  file_.reset(::fdopen(fd, "w+b"));
  if (!file_) {
    ::close(fd);
    throw Error(ExitCode::cannot_create, "no scratch file can be made in " + folder_.string() + ": " + reason());
  }
}

void Spool::write(std::span<const std::byte> bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
    throw Error(ExitCode::io, "a scratch file in " + folder_.string() + " could not be written: " + reason());
  }
}

void Spool::rewind() {
  if (std::fflush(file_.get()) != 0 || std::fseek(file_.get(), 0, SEEK_SET) != 0) {
    throw Error(ExitCode::io, "a scratch file in " + folder_.string() + " could not be written: " + reason());
  }
}

std::size_t Spool::read(std::span<std::byte> bytes) {
  const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), file_.get());
  if (count < bytes.size() && std::ferror(file_.get()) != 0) {
    throw Error(ExitCode::io, "a scratch file in " + folder_.string() + " could not be read back: " + reason());
  }
  return count;
}

void write_whole_file(const std::filesystem::path& output, std::span<const std::byte> bytes) {
  PartFile part(output);
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file(std::fopen(part.path().c_str(), "wb"));
  if (!file || std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size() || std::fflush(file.get()) != 0) {
    throw Error(ExitCode::io, output.string() + " could not be written: " + reason());
  }
  file.reset();
  part.commit();
}

}  // namespace fabula
