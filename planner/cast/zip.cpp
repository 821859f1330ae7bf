// Reads and writes zip archives in memory, trusting nothing that is read.
#include "planner/cast/zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "base/error.h"
#include "planner/text/text.h"
#include "planner/text/unicode.h"

namespace fabula::cast {
namespace {

constexpr std::uint32_t local_mark = 0x04034b50, central_mark = 0x02014b50, end_mark = 0x06054b50;
constexpr std::size_t local_size = 30, central_size = 46, end_size = 22, longest_comment = 65535, longest_name = 255;
constexpr std::uint32_t encrypted = 1U, sizes_follow = 1U << 3U, strongly_encrypted = 1U << 6U, utf8_names = 1U << 11U, masked = 1U << 13U;
constexpr std::uint32_t stored = 0, deflated = 8;

[[noreturn]] void refuse(const std::string& what) { throw Error(ExitCode::bad_data, "the zip file " + what); }

// Bounds-checked access to bytes.
std::string_view slice(std::string_view bytes, std::size_t at, std::size_t length) {
  if (at > bytes.size() || length > bytes.size() - at) refuse("is cut short");
  return bytes.substr(at, length);
}

// Little-endian.
std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t width) {
  const std::string_view digits = slice(bytes, at, width);
  std::uint32_t value = 0;
  for (std::size_t i = width; i-- > 0;) value = value << 8U | static_cast<unsigned char>(digits[i]);
  return value;
}

void put(std::string& out, std::size_t width, std::uint32_t value) {
  for (std::size_t i = 0; i < width; ++i) out += static_cast<char>(value >> 8U * i & 255U);
}

std::uint32_t checksum(std::string_view data) {
  return static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size())));
}

// Finds the end record; its comment must reach the end of the file.
std::size_t find_end(std::string_view bytes) {
  if (bytes.size() < end_size) refuse("is cut short");
  const std::size_t last = bytes.size() - end_size, first = last > longest_comment ? last - longest_comment : 0;
  for (std::size_t at = last + 1; at-- > first;) {
    if (number(bytes, at, 4) == end_mark && number(bytes, at + 20, 2) == bytes.size() - at - end_size) return at;
  }
  refuse("is cut short or is none: it has no end record");
}

// Whether a path stays inside its folder and has one spelling only.
void require_clean(std::string_view name) {
  const auto bad = [&](const char* why) { refuse("has an entry \"" + printable(name.substr(0, 80)) + "\" whose name " + why); };
  if (name.empty() || name.size() > longest_name) bad("is empty or too long");
  if (!is_utf8(name)) bad("is not UTF-8");
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    bad("has control characters");
  if (name.find('\\') != std::string_view::npos) bad("has a backslash");
  if (name[0] == '/' || (name.size() > 1 && name[1] == ':')) bad("is absolute");
  if (name.ends_with('/')) name.remove_suffix(1);
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") bad("is no plain path");
    at = end + 1;
  }
}

struct Entry {
  std::string name;
  std::uint32_t flags, method, sum, packed, unpacked;
  std::size_t begin, data, end;  // begin of the local header, begin and end of the packed data
};

// Reads the directory record at `at` and checks it against its local header.
Entry read_entry(std::string_view bytes, std::size_t at, std::size_t directory) {
  if (number(bytes, at, 4) != central_mark) refuse("has a damaged directory");
  Entry e{};
  e.flags = number(bytes, at + 8, 2);
  e.method = number(bytes, at + 10, 2);
  e.sum = number(bytes, at + 16, 4);
  e.packed = number(bytes, at + 20, 4);
  e.unpacked = number(bytes, at + 24, 4);
  e.begin = number(bytes, at + 42, 4);
  const std::size_t name_length = number(bytes, at + 28, 2);
  e.name = slice(bytes, at + central_size, name_length);
  require_clean(e.name);
  const std::string named = "has an entry \"" + printable(e.name) + "\" that ";
  if ((e.flags & (encrypted | strongly_encrypted | masked)) != 0) refuse(named + "is encrypted");
  if (e.method != stored && e.method != deflated) refuse(named + "is packed in a way that is not read");
  if (number(bytes, at + 34, 2) != 0) refuse("spans several disks");
  constexpr std::uint32_t link = 0xA000, kinds = 0xF000, zip64 = 0xffffffff;
  if ((number(bytes, at + 38, 4) >> 16U & kinds) == link) refuse(named + "is a link");
  if (e.packed == zip64 || e.unpacked == zip64 || e.begin == zip64) refuse("is of the zip64 kind, which is not read");

  const bool differs = number(bytes, e.begin, 4) != local_mark || number(bytes, e.begin + 6, 2) != e.flags ||
                       number(bytes, e.begin + 8, 2) != e.method || number(bytes, e.begin + 26, 2) != name_length;
  const bool stated = (e.flags & sizes_follow) == 0;
  if (differs || (stated && (number(bytes, e.begin + 14, 4) != e.sum || number(bytes, e.begin + 18, 4) != e.packed ||
                             number(bytes, e.begin + 22, 4) != e.unpacked))) {
    refuse(named + "is described in two ways");
  }
  e.data = e.begin + local_size + name_length + number(bytes, e.begin + 28, 2);
  e.end = e.data + e.packed;
  if (e.end > directory) refuse(named + "is larger than the file");
  if (slice(bytes, e.begin + local_size, name_length) != e.name) refuse(named + "is described in two ways");
  return e;
}

std::string unpack(std::string_view packed, const Entry& e) {
  const std::string named = "has an entry \"" + printable(e.name) + "\" that ";
  std::string data;
  if (e.method == stored) {
    if (e.packed != e.unpacked) refuse(named + "is described in two ways");
    data = packed;
  } else {
    data.resize(e.unpacked);
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error(ExitCode::out_of_memory, "out of memory");
    char nothing = 0;  // zlib needs a pointer even for an empty output
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(data.empty() ? &nothing : data.data());
    stream.avail_out = static_cast<uInt>(data.size());
    const int result = inflate(&stream, Z_FINISH);
    const bool whole = result == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
    inflateEnd(&stream);
    if (!whole) refuse(named + "is damaged or not as large as it says");
  }
  if (checksum(data) != e.sum) refuse(named + "is damaged: its checksum is wrong");
  return data;
}

void require_apart(std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].begin < entries[i - 1].end) refuse("has entries that overlap");
  }
}

void require_modest(const std::vector<Entry>& entries, const ZipLimits& limits) {
  constexpr std::size_t small = 1U << 16U;
  std::size_t total = 0;
  for (const Entry& e : entries) {
    total += e.unpacked;
    if (total > limits.total_bytes) refuse("unpacks to more than " + std::to_string(limits.total_bytes >> 20U) + " MB");
    if (e.unpacked > small && e.unpacked / limits.ratio > e.packed) {
      refuse("has an entry \"" + printable(e.name) + "\" that unpacks to more than " + std::to_string(limits.ratio) + " times its size");
    }
  }
}

std::string deflate_all(std::string_view data) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw Error(ExitCode::out_of_memory, "out of memory");
  std::string packed(deflateBound(&stream, static_cast<uLong>(data.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw Error(ExitCode::internal, "packing a zip entry failed");
  return packed;
}

}  // namespace

bool is_zip(std::string_view bytes) { return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06"); }

namespace {

std::vector<Entry> read_directory(std::string_view bytes, const ZipLimits& limits) {
  const std::size_t end = find_end(bytes);
  const std::size_t count = number(bytes, end + 10, 2), directory = number(bytes, end + 16, 4);
  if (number(bytes, end + 4, 2) != 0 || number(bytes, end + 6, 2) != 0 || number(bytes, end + 8, 2) != count) refuse("spans several disks");
  if (count > limits.entries) refuse("has more than " + std::to_string(limits.entries) + " entries");
  if (directory > end || number(bytes, end + 12, 4) != end - directory) refuse("has a directory that is not where it says");
  std::vector<Entry> entries;
  std::set<std::string> names;
  std::size_t at = directory;
  for (std::size_t i = 0; i < count; ++i) {
    entries.push_back(read_entry(bytes.substr(0, end), at, directory));
    if (!names.insert(entries.back().name).second) refuse("has an entry \"" + printable(entries.back().name) + "\" twice");
    at += central_size + number(bytes, at + 28, 2) + number(bytes, at + 30, 2) + number(bytes, at + 32, 2);
  }
  if (at != end) refuse("has a directory that is not as long as it says");
  require_apart(entries);
  require_modest(entries, limits);
  return entries;
}

std::vector<ZipEntry> unpack_all(std::string_view bytes, const std::vector<Entry>& entries) {
  std::vector<ZipEntry> files;
  for (const Entry& e : entries) {
    std::string data = unpack(bytes.substr(e.data, e.packed), e);
    if (!e.name.ends_with('/'))
      files.push_back({e.name, std::move(data)});
    else if (!data.empty())
      refuse("has a folder with data in it");
  }
  return files;
}

}  // namespace

std::vector<ZipEntry> read_zip(std::string_view bytes, const ZipLimits& limits) { return unpack_all(bytes, read_directory(bytes, limits)); }

std::vector<ZipEntry> read_attached_zip(std::string_view bytes, std::size_t& front, const ZipLimits& limits) {
  const std::size_t end = find_end(bytes);
  const std::size_t length = number(bytes, end + 12, 4), stated = number(bytes, end + 16, 4);
  if (length > end || stated > end - length) refuse("has a directory that is not where it says");
  const std::size_t origin = end - length - stated;  // of the archive's offsets
  const std::string_view archive = bytes.substr(origin);
  const std::vector<Entry> entries = read_directory(archive, limits);
  front = origin + stated;
  for (const Entry& e : entries) front = std::min(front, origin + e.begin);
  return unpack_all(archive, entries);
}

std::string write_zip(const std::vector<ZipEntry>& entries) {
  constexpr std::uint32_t version = 20, first_day = 1U << 5U | 1U;  // 1980-01-01, the earliest date of the format
  std::string bytes, directory;
  for (const ZipEntry& entry : entries) {
    require_clean(entry.name);
    const bool pack = entry.name.ends_with(".json");
    const std::string data = pack ? deflate_all(entry.data) : entry.data;
    std::string shared;  // fields of both headers
    put(shared, 2, version);
    put(shared, 2, utf8_names);
    put(shared, 2, pack ? deflated : stored);
    put(shared, 2, 0);
    put(shared, 2, first_day);
    put(shared, 4, checksum(entry.data));
    put(shared, 4, static_cast<std::uint32_t>(data.size()));
    put(shared, 4, static_cast<std::uint32_t>(entry.data.size()));
    put(shared, 2, static_cast<std::uint32_t>(entry.name.size()));
    put(shared, 2, 0);
    put(directory, 4, central_mark);
    put(directory, 2, version);
    directory += shared;
    directory.append(10, '\0');  // comment, disk, attributes
    put(directory, 4, static_cast<std::uint32_t>(bytes.size()));
    directory += entry.name;
    put(bytes, 4, local_mark);
    bytes += shared + entry.name + data;
  }
  const std::size_t begin = bytes.size();
  bytes += directory;
  put(bytes, 4, end_mark);
  put(bytes, 4, 0);
  put(bytes, 2, static_cast<std::uint32_t>(entries.size()));
  put(bytes, 2, static_cast<std::uint32_t>(entries.size()));
  put(bytes, 4, static_cast<std::uint32_t>(directory.size()));
  put(bytes, 4, static_cast<std::uint32_t>(begin));
  put(bytes, 2, 0);
  return bytes;
}

}  // namespace fabula::cast
