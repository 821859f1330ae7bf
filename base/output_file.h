// The one writer of files: an output is complete or absent, and nothing that was there is lost without being asked for.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace fabula {

/// What becomes of a file that has the output's name already.
enum class Existing {
  refuse,     ///< it stays, and nothing is written
  replace,    ///< it is replaced once the new one is complete
  keep_both,  ///< it stays, and the output takes the next free name
};

/// Refuses an output before the work that it is for: throws Error(cannot_create) for what OutputFile would refuse.
void check_output(const std::filesystem::path& output, Existing);

/// Whether a file is there that writing `output` would replace. Devices and pipes are not replaced. Throws Error(cannot_create) for a name
/// that cannot be.
[[nodiscard]] bool output_exists(const std::filesystem::path& output);

/// Whether `output` is a device or a pipe: written to as it is, without a file of its own.
[[nodiscard]] bool is_stream(const std::filesystem::path& output);
/// Whether what is written to `output` comes out on standard output (/dev/stdout).
[[nodiscard]] bool is_standard_output(const std::filesystem::path& output);

/// Whether both names lead to one regular file, by whatever links. False where either is not there.
[[nodiscard]] bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);

/// `fox.mp4` where there is none yet, else `fox_2.mp4`, `fox_3.mp4` ….
[[nodiscard]] std::filesystem::path free_name(const std::filesystem::path& output);

/// Stands for an output while it is being written: whoever writes it uses scratch(), an empty file of its own in the output's folder (for a
/// device or a pipe in the folder of temporary files). commit() syncs it and gives it the output's name, or copies it into the device or
/// pipe; without that the destructor removes it. A symbolic link stays one: what it leads to is written. The mode of a file that is
/// replaced stays, and its owner where that is allowed.
class OutputFile {
 public:
  /// Throws Error(cannot_create): no such folder, not writable, a folder, a name that is too long, or there already.
  OutputFile(std::filesystem::path output, Existing);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  [[nodiscard]] const std::filesystem::path& scratch() const { return scratch_; }
  /// The output's name as it was given; after commit() with Existing::keep_both the name that it got.
  [[nodiscard]] const std::filesystem::path& output() const { return output_; }
  /// Throws Error(io). With Existing::refuse, where another program has made a file of this name since: Error(cannot_create), and the
  /// output lies under the next free name, which the sentence tells.
  void commit();

 private:
  [[nodiscard]] bool give_name();  // false: it got another name, since the wanted one was taken

  std::filesystem::path output_, target_, scratch_;  // target_: where the output's links lead
  Existing existing_;
  bool stream_ = false, committed_ = false;
};

/// Bytes written once, then read from the start as often as needed. The file has no name, so it is gone with the process, however that
/// ends.
class Spool {
 public:
  /// In the folder of `beside`, where there is room for the output. Throws Error(cannot_create).
  explicit Spool(const std::filesystem::path& beside);

  /// Throws Error(io), e.g. when the disk is full.
  void write(std::span<const std::byte> bytes);
  /// Back to the start, for reading.
  void rewind();
  /// Fills `bytes` as far as there is something; returns how many.
  [[nodiscard]] std::size_t read(std::span<std::byte> bytes);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::filesystem::path folder_;
  std::unique_ptr<std::FILE, Close> file_;
};

/// Writes all of `bytes` to `output`, complete or not at all. Throws Error as OutputFile.
void write_whole_file(const std::filesystem::path& output, std::span<const std::byte> bytes, Existing);

}  // namespace fabula
