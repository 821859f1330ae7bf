// Scratch file, sync, rename; and every kind of name that an output can have: links, devices, pipes, open descriptors.
#include "base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

std::string reason() { return std::strerror(errno); }

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0) : Descriptor(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  [[nodiscard]] bool sync() const { return ::fsync(fd_) == 0; }
  // Some file systems report a failed write only here.
  [[nodiscard]] bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

// An open file may have no name of its own: its entry below /proc is used directly.
bool is_open_descriptor(const fs::path& file) {
  std::error_code failed;
  const std::string folder = fs::canonical(folder_of(file), failed).string();
  return !failed && (folder.starts_with("/proc/") && folder.ends_with("/fd"));
}

// Where the links of a name lead, whether or not something is there.
fs::path end_of_links(const fs::path& output) {
  constexpr int most_links = 40;  // Linux's own limit
  fs::path at = output;
  for (int i = 0; i < most_links; ++i) {
    struct stat status {};
    if (::lstat(at.c_str(), &status) != 0 || !S_ISLNK(status.st_mode) || is_open_descriptor(at)) return at;
    std::error_code failed;
    const fs::path to = fs::read_symlink(at, failed);
    if (failed) return at;
    at = to.is_absolute() ? to : folder_of(at) / to;
  }
  throw Error(ExitCode::cannot_create, output.string() + " cannot be created: its links lead in a circle");
}

// What is at an output's name now.
struct Place {
  fs::path target;
  struct stat status {};  // of what exists
  bool exists = false;
  bool stream = false;  // exists and is written to directly
};

Place place_of(const fs::path& output) {
  Place place{.target = end_of_links(output)};
  place.exists = ::stat(place.target.c_str(), &place.status) == 0;
  if (!place.exists && errno != ENOENT) throw Error(ExitCode::cannot_create, output.string() + " cannot be created: " + reason());
  const mode_t mode = place.status.st_mode;
  if (place.target.filename().empty() || (place.exists && S_ISDIR(mode))) {
    throw Error(ExitCode::cannot_create, output.string() + " is a folder: name the file to write");
  }
  if (!place.exists) return place;
  if (S_ISSOCK(mode)) throw Error(ExitCode::cannot_create, output.string() + " is a socket, which cannot be written like a file");
  place.stream = S_ISCHR(mode) || S_ISFIFO(mode) || S_ISBLK(mode) || is_open_descriptor(place.target);
  return place;
}

// A block device holds data, as a file does.
bool holds_data(const Place& place) { return place.exists && (!place.stream || S_ISBLK(place.status.st_mode)); }

Error is_there(const fs::path& output) {
  return {ExitCode::cannot_create, output.string() + " exists already; -y (--overwrite) replaces it, -n (--no-clobber) keeps it"};
}

void require_folder(const fs::path& output, const fs::path& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    throw Error(ExitCode::cannot_create, output.string() + " cannot be created: there is no folder " + folder.string());
  }
  if (::access(folder.c_str(), W_OK) != 0) {
    throw Error(ExitCode::cannot_create, output.string() + " cannot be created: the folder " + folder.string() + " is not writable");
  }
}

Place accepted(const fs::path& output, Existing existing) {
  if (existing == Existing::keep_both) {  // an existing file keeps the name
    require_folder(output, folder_of(output));
    return {.target = output};
  }
  Place place = place_of(output);
  if (existing == Existing::refuse && holds_data(place)) throw is_there(output);
  if (place.exists && ::access(place.target.c_str(), W_OK) != 0) {
    throw Error(ExitCode::cannot_create, output.string() + " may not be written: " + reason());
  }
  if (!place.stream) require_folder(output, folder_of(place.target));
  return place;
}

fs::path folder_for_temporary_files() {
  std::error_code failed;
  const fs::path folder = fs::temp_directory_path(failed);
  return failed ? fs::path("/tmp") : folder;
}

// No more permissive than the file that it is to replace.
mode_t scratch_mode(const Place& place) {
  constexpr mode_t owners = 0600, everybodys = 0666;  // less the process's mask
  if (place.stream) return owners;
  return place.exists ? (place.status.st_mode & everybodys) | owners : everybodys;
}

// A new file. Its name is short, so that it fits beside even the longest output name.
fs::path new_scratch(const fs::path& output, const Place& place) {
  const fs::path folder = place.stream ? folder_for_temporary_files() : folder_of(place.target);
  constexpr int most_tries = 100;
  std::random_device random;
  for (int i = 0; i < most_tries; ++i) {
    std::array<char, 40> name{};
    std::snprintf(name.data(), name.size(), ".fabula-%08x%08x.part", random(), random());
    const fs::path scratch = folder / name.data();
    if (Descriptor(scratch, O_WRONLY | O_CREAT | O_EXCL, scratch_mode(place)).open()) return scratch;
    if (errno != EEXIST) break;
  }
  throw Error(ExitCode::cannot_create, output.string() + " cannot be created: " + reason());
}

// The new file takes over the owner and the permissions of the one that it replaces.
void take_over(const Place& place, const fs::path& scratch) {
  const Descriptor file(scratch, O_RDONLY);
  if (!file.open()) return;
  const bool owned = ::fchown(file.get(), place.status.st_uid, place.status.st_gid) == 0;
  constexpr mode_t permissions = 0777, everything = 07777;  // another owner's file must not run as ours
  (void)::fchmod(file.get(), place.status.st_mode & (owned ? everything : permissions));
}

// Renames without replacing; errno is EEXIST if the name is taken.
bool rename_to_free(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  // File systems without the flag have links, which do not replace either.
  if (::link(from.c_str(), to.c_str()) == 0) return ::unlink(from.c_str()) == 0;
  if (errno != EPERM && errno != EOPNOTSUPP) return false;
  if (::access(to.c_str(), F_OK) == 0) {
    errno = EEXIST;
    return false;
  }
  return ::rename(from.c_str(), to.c_str()) == 0;
}

bool same(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

bool write_all(int fd, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool copy_all(int from, int to) {
  std::array<char, 1U << 16U> block{};
  while (true) {
    const ssize_t count = ::read(from, block.data(), block.size());
    if (count == 0) return true;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 || !write_all(to, std::span(block).first(static_cast<std::size_t>(count)))) return false;
  }
}

void copy_into_stream(const fs::path& scratch, const fs::path& output, const fs::path& target) {
  const Descriptor from(scratch, O_RDONLY);
  // Standard output has its own position in its file, which reopening would lose.
  const bool standard = is_standard_output(output);
  if (standard) std::fflush(stdout);
  const int where = is_open_descriptor(target) ? O_APPEND : 0;  // a log keeps its first lines
  Descriptor to = standard ? Descriptor(::dup(STDOUT_FILENO)) : Descriptor(target, O_WRONLY | O_NOCTTY | where);
  if (!from.open() || !to.open() || !copy_all(from.get(), to.get()) || !to.close()) {
    throw Error(ExitCode::io, output.string() + " could not be written: " + reason());
  }
}

}  // namespace

void check_output(const fs::path& output, Existing existing) { (void)accepted(output, existing); }

bool output_exists(const fs::path& output) { return holds_data(place_of(output)); }

bool is_stream(const fs::path& output) { return place_of(output).stream; }

bool is_standard_output(const fs::path& output) {
  const Place place = place_of(output);
  struct stat standard {};
  return place.stream && ::fstat(STDOUT_FILENO, &standard) == 0 && same(place.status, standard);
}

bool is_same_file(const fs::path& a, const fs::path& b) {
  struct stat of_a {
  }, of_b{};
  return ::stat(a.c_str(), &of_a) == 0 && ::stat(b.c_str(), &of_b) == 0 && S_ISREG(of_a.st_mode) && same(of_a, of_b);
}

fs::path free_name(const fs::path& output) {
  struct stat status {};
  fs::path name = output;
  for (int i = 2; ::lstat(name.c_str(), &status) == 0; ++i) {
    name = output.parent_path() / (output.stem().string() + "_" + std::to_string(i) + output.extension().string());
  }
  return name;
}

OutputFile::OutputFile(fs::path output, Existing existing) : output_(std::move(output)), existing_(existing) {
  const Place place = accepted(output_, existing_);
  target_ = place.target;
  stream_ = place.stream;
  scratch_ = new_scratch(output_, place);
}

OutputFile::~OutputFile() {
  if (!committed_) ::unlink(scratch_.c_str());
}

void OutputFile::commit() {
  if (stream_) return copy_into_stream(scratch_, output_, target_);
  {
    const Descriptor file(scratch_, O_RDONLY);
    if (!file.open() || !file.sync()) throw Error(ExitCode::io, output_.string() + " could not be written to disk: " + reason());
  }
  const bool as_wanted = give_name();
  // The name is safe only once the folder is synced; a folder that cannot be (some network file systems) is no error.
  const Descriptor folder(folder_of(target_), O_RDONLY | O_DIRECTORY);
  if (folder.open()) (void)folder.sync();
  if (existing_ == Existing::refuse && !as_wanted) {
    throw Error(ExitCode::cannot_create,
                "another program has created " + output_.string() + " meanwhile; this one's is " + target_.string());
  }
}

bool OutputFile::give_name() {
  const auto failed = [&] { return Error(ExitCode::io, output_.string() + " could not be given its name: " + reason()); };
  bool as_wanted = true;
  if (existing_ == Existing::replace) {
    const Place place = place_of(output_);
    if (place.stream) throw Error(ExitCode::io, output_.string() + " has meanwhile become a device or a pipe");
    if (place.exists) take_over(place, scratch_);
    if (std::rename(scratch_.c_str(), target_.c_str()) != 0) throw failed();
  } else {
    const fs::path wanted = target_;
    while (!rename_to_free(scratch_, target_)) {
      if (errno != EEXIST) throw failed();
      target_ = free_name(wanted);
    }
    as_wanted = target_ == wanted;
    if (existing_ == Existing::keep_both) output_ = target_;
  }
  committed_ = true;
  return as_wanted;
}

OutputFiles::OutputFiles(fs::path folder, Existing existing) : folder_(std::move(folder)), existing_(existing) {
  if (folder_.empty()) folder_ = ".";
  std::string name = (folder_ / ".fabula-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw Error(ExitCode::cannot_create, "no file can be created in the folder " + folder_.string() + ": " + reason());
  scratch_ = name;
}

OutputFiles::~OutputFiles() {
  std::error_code ignored;
  fs::remove_all(scratch_, ignored);
}

void OutputFiles::commit() {
  const std::set<fs::path> files{fs::directory_iterator(scratch_), fs::directory_iterator()};
  for (const fs::path& file : files) {
    const Descriptor open(file, O_RDONLY);
    if (!open.open() || !open.sync()) throw Error(ExitCode::io, file.string() + " could not be written to disk: " + reason());
  }
  for (const fs::path& file : files) {
    const fs::path target = folder_ / file.filename();
    const bool moved = existing_ == Existing::replace ? std::rename(file.c_str(), target.c_str()) == 0 : rename_to_free(file, target);
    if (!moved && errno == EEXIST) throw is_there(target);
    if (!moved) throw Error(ExitCode::io, target.string() + " could not be given its name: " + reason());
  }
  const Descriptor folder(folder_, O_RDONLY | O_DIRECTORY);
  if (folder.open()) (void)folder.sync();
}

Spool::Spool(const fs::path& beside) : folder_(folder_of(beside)) {
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

void write_whole_file(const fs::path& output, std::span<const std::byte> bytes, Existing existing) {
  OutputFile file(output, existing);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  {
    Descriptor scratch(file.scratch(), O_WRONLY);
    if (!scratch.open() || !write_all(scratch.get(), text) || !scratch.close()) {
      throw Error(ExitCode::io, output.string() + " could not be written: " + reason());
    }
  }
  file.commit();
}

}  // namespace fabula
