// Outputs that are complete or absent, and scratch space beside them.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>

namespace fabula {

/// Stands for an output while it is being written: whoever writes it uses path(), `NAME.part` in the same folder. commit() syncs it and
/// gives it its name; without that the destructor removes it.
class PartFile {
 public:
  /// Creates the empty part file. Throws Error(cannot_create) when the folder does not exist or may not be written.
  explicit PartFile(std::filesystem::path output);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return part_; }
  [[nodiscard]] const std::filesystem::path& output() const { return output_; }
  /// An output of that name is replaced. Throws Error(io).
  void commit();

 private:
  std::filesystem::path output_, part_;
  bool committed_ = false;
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

/// Writes all of `bytes` to `output`, complete or not at all. Throws Error: cannot_create or io.
void write_whole_file(const std::filesystem::path& output, std::span<const std::byte> bytes);

}  // namespace fabula
