// The one writer of files: an output is complete or absent, and no existing file is lost unasked.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace fabula {

/// What happens to an existing file of the output's name.
enum class Existing {
  refuse,     ///< kept; nothing is written
  replace,    ///< replaced once the new file is complete
  keep_both,  ///< kept; the output gets the next free name
};

/// Throws Error(cannot_create) if OutputFile would: to be called before the work whose result it is.
void check_output(const std::filesystem::path& output, Existing);

/// Whether writing `output` would replace a file. Devices and pipes are not replaced. Throws Error(cannot_create) for an impossible name.
[[nodiscard]] bool output_exists(const std::filesystem::path& output);

/// Whether `output` is a device or a pipe, which is written to directly.
[[nodiscard]] bool is_stream(const std::filesystem::path& output);
/// Whether `output` is standard output under another name (/dev/stdout).
[[nodiscard]] bool is_standard_output(const std::filesystem::path& output);

/// Whether both names lead to the same regular file, through any links. False if either does not exist.
[[nodiscard]] bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);

/// `fox.mp4` if it does not exist, else the first free name of `fox_2.mp4`, `fox_3.mp4` ….
[[nodiscard]] std::filesystem::path free_name(const std::filesystem::path& output);

/// An output while it is being written. Write to scratch(), a new empty file in the output's folder (for a device or pipe in the folder of
/// temporary files). commit() syncs it and renames it to the output, or copies it into the device or pipe; without commit() the destructor
/// removes it. A symbolic link stays a link and its target is written. A replaced file passes on its mode, and its owner where allowed.
class OutputFile {
 public:
  /// Throws Error(cannot_create): no such folder, not writable, a folder, too long a name, or an existing file.
  OutputFile(std::filesystem::path output, Existing);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  [[nodiscard]] const std::filesystem::path& scratch() const { return scratch_; }
  /// The output's name as given; after commit() with Existing::keep_both the name that it got.
  [[nodiscard]] const std::filesystem::path& output() const { return output_; }
  /// Throws Error(io). With Existing::refuse, if another program has created a file of this name meanwhile: Error(cannot_create), and the
  /// output gets the next free name, which the sentence gives.
  void commit();

 private:
  [[nodiscard]] bool give_name();  // false if the name was taken and it got another

  std::filesystem::path output_, target_, scratch_;  // target_: where the links of output_ lead
  Existing existing_;
  bool stream_ = false, committed_ = false;
};

/// The files of one output, such as a sequence of pictures, while they are being written. Write them into scratch(), a new folder in the
/// output's folder. commit() syncs them and moves them into the output's folder, one after another in the order of their names; without it
/// the destructor removes them.
class OutputFiles {
 public:
  /// Throws Error(cannot_create).
  OutputFiles(std::filesystem::path folder, Existing);
  ~OutputFiles();
  OutputFiles(const OutputFiles&) = delete;
  OutputFiles& operator=(const OutputFiles&) = delete;

  [[nodiscard]] const std::filesystem::path& scratch() const { return scratch_; }
  /// Existing files are replaced with Existing::replace alone. Throws Error: io, or cannot_create for a name that is taken; the files that
  /// were moved before it stay.
  void commit();

 private:
  std::filesystem::path folder_, scratch_;
  Existing existing_;
};

/// Bytes written once and read back as often as needed. The file has no name, so it vanishes with the process however that ends.
class Spool {
 public:
  /// In the folder of `beside`: where the output goes, there is room for it. Throws Error(cannot_create).
  explicit Spool(const std::filesystem::path& beside);

  /// Throws Error(io), e.g. when the disk is full.
  void write(std::span<const std::byte> bytes);
  /// Returns to the start, for reading.
  void rewind();
  /// Fills `bytes` as far as the spool lasts; returns the number of bytes read.
  [[nodiscard]] std::size_t read(std::span<std::byte> bytes);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::filesystem::path folder_;
  std::unique_ptr<std::FILE, Close> file_;
};

/// Writes all of `bytes` to `output`, completely or not at all. Throws Error as OutputFile does.
void write_whole_file(const std::filesystem::path& output, std::span<const std::byte> bytes, Existing);

}  // namespace fabula
