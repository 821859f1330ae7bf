// Compares a file's state with the one that its digest was kept with.
#include "base/digest_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/output_file.h"
#include "base/sha256.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

constexpr const char* format = "fabula.digest/1";
constexpr std::size_t digits = 64;
// A file may be written twice within one tick of its file system's clock: 2 s is the coarsest in use (FAT).
constexpr std::int64_t settled_ns = 2'000'000'000;

struct State {
  std::uint64_t bytes;
  std::int64_t modified_ns, changed_ns;
  std::string text;
};

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

std::optional<State> state_of(const fs::path& file) {
  struct stat now = {};
  if (::stat(file.c_str(), &now) != 0 || !S_ISREG(now.st_mode)) return std::nullopt;
  State state{static_cast<std::uint64_t>(now.st_size), nanoseconds(now.st_mtim), nanoseconds(now.st_ctim), {}};
  for (const std::string& part :
       {std::to_string(state.bytes), std::to_string(now.st_ino), std::to_string(state.modified_ns), std::to_string(state.changed_ns)})
    state.text += " " + part;
  return state;
}

bool is_settled(const State& state) {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::max(state.modified_ns, state.changed_ns) < nanoseconds(now) - settled_ns;
}

// What an entry begins with; the digest follows.
std::string head_of(const State& state) { return std::string(format) + state.text + "\n"; }

std::optional<std::string> remembered(const fs::path& entry, const State& state) {
  try {
    const std::string text = read_file(entry, std::size_t{4096}), head = head_of(state);
    if (!text.starts_with(head) || text.size() != head.size() + digits + 1) return std::nullopt;
    const std::string digest = text.substr(head.size(), digits);
    return digest.find_first_not_of("0123456789abcdef") == std::string::npos ? std::optional(digest) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

DigestCache::DigestCache(fs::path folder, OnBlock on_block, std::uint64_t smallest)
    : folder_(std::move(folder)), on_block_(std::move(on_block)), smallest_(smallest) {}

std::string DigestCache::of(const fs::path& file) const {
  const std::optional<State> before = state_of(file);
  if (!before || before->bytes < smallest_) return sha256_of(file);
  std::error_code failed;
  if (folder_.empty()) return sha256_of(file, on_block_);
  const fs::path entry = folder_ / Sha256().field(fs::canonical(file, failed).native()).hex();
  if (failed) return sha256_of(file, on_block_);
  if (const auto digest = remembered(entry, *before)) return *digest;
  const bool was_settled = is_settled(*before);
  std::string digest = sha256_of(file, on_block_);
  const std::optional<State> after = state_of(file);
  if (!was_settled || !after || after->text != before->text) return digest;
  try {
    fs::create_directories(folder_, failed);
    const std::string text = head_of(*before) + digest + "\n";
    write_whole_file(entry, std::as_bytes(std::span(text)), Existing::replace);
  } catch (const Error&) {  // it is read again the next time
  }
  return digest;
}

}  // namespace fabula
