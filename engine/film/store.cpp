// A folder of safetensors files under content keys, with a lock per key and a bound on its size.
#include "engine/film/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/output_file.h"
#include "base/sha256.h"
#include "engine/weights/safetensors.h"

namespace fabula {

namespace fs = std::filesystem;

namespace {

// Part of every key: changing it invalidates every kept clip.
constexpr const char* format = "fabula.clip/1";
constexpr const char* ending = ".safetensors";
constexpr auto between_tries = std::chrono::milliseconds(50);

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

std::string hash_of(const CleanLatents& latents) {
  return Sha256().field(bytes_of(latents.video.values)).field(bytes_of(latents.audio.values)).hex();
}

// An exclusive lock on a key. Its file exists while the lock is held; the kernel releases the lock when the process ends, however it ends.
class KeyLock {
 public:
  // Calls `wait` between tries. If the file cannot be created there is no lock, and two processes may make the same clip, which does no
  // harm.
  KeyLock(fs::path file, const ShotStore::Wait& wait) : file_(std::move(file)) {
    for (;;) {
      descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
      if (descriptor_ < 0) return;
      while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return;
        if (!wait()) {
          close();
          throw Error(ExitCode::interrupted, "stopped while another process was making the shot");
        }
        std::this_thread::sleep_for(between_tries);
      }
      if (is_at_its_name()) return;
      close();  // the last holder has removed the file meanwhile
    }
  }
  ~KeyLock() {
    if (descriptor_ >= 0) ::unlink(file_.c_str());
    close();
  }
  KeyLock(const KeyLock&) = delete;
  KeyLock& operator=(const KeyLock&) = delete;

 private:
  [[nodiscard]] bool is_at_its_name() const {
    struct stat held = {}, named = {};
    return ::fstat(descriptor_, &held) == 0 && ::stat(file_.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
  }
  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

  fs::path file_;
  int descriptor_ = -1;
};

LatentTensor latent(const Safetensors& file, const std::string& name) {
  const Tensor tensor = file.at(name);
  if (tensor.dtype != DType::f32) throw Error(ExitCode::bad_data, name + " is not float32");
  LatentTensor result;
  for (int i = 0; i < tensor.shape.rank(); ++i) result.shape.push_back(tensor.shape[i]);
  result.values.assign(tensor.f32(), tensor.f32() + tensor.elements());
  return result;
}

struct Kept {
  CleanLatents latents;
  std::string profile;
};

// Throws Error for anything but a whole entry of this key.
Kept read_entry(const fs::path& file, const std::string& key) {
  const Safetensors entry = Safetensors::open(file);
  const auto said = [&](const char* name) {
    const auto found = entry.metadata().find(name);
    return found == entry.metadata().end() ? std::string() : found->second;
  };
  Kept kept{{latent(entry, "video"), latent(entry, "audio")}, said("profile")};
  if (said("format") != format || said("key") != key || said("sha256") != hash_of(kept.latents) || kept.profile.empty())
    throw Error(ExitCode::bad_data, file.string() + " is damaged");
  return kept;
}

void mark_used(const fs::path& file) {
  std::error_code ignored;  // another user's entry is used without being marked
  fs::last_write_time(file, fs::file_time_type::clock::now(), ignored);
}

}  // namespace

std::string clip_key(const std::string& model, const ClipRequest& request) {
  const Conditioning& c = *request.conditioning;
  Sha256 hash;
  hash.field(format).field(model);
  hash.field(request.settings.sampler);
  for (const std::int64_t number : {static_cast<std::int64_t>(request.frames), static_cast<std::int64_t>(request.seed),
                                    static_cast<std::int64_t>(request.settings.steps), c.dim})
    hash.field(std::to_string(number));
  hash.field(bytes_of(c.states)).field(bytes_of(c.score_start));
  // What a clip need not have is hashed only where it has it, so that the keys of older clips stay.
  if (!c.tags.empty()) hash.field("tags").field(bytes_of(c.tags));
  for (const GivenLatents& given : c.given) {
    hash.field("given").field(std::to_string(static_cast<int>(given.kind)));
    for (const LatentTensor* latents : {&given.video, &given.audio}) hash.field(bytes_of(latents->shape)).field(bytes_of(latents->values));
  }
  if (!request.before.empty()) hash.field("before").field(request.before);
  return hash.hex();
}

ShotStore::ShotStore(StoreOptions options) : options_(std::move(options)) {
  std::error_code failed;
  fs::create_directories(options_.folder / "locks", failed);
  if (failed) throw Error(ExitCode::cannot_create, "the store " + options_.folder.string() + " cannot be made: " + failed.message());
}

fs::path ShotStore::file_of(const std::string& key) const { return options_.folder / key.substr(0, 2) / (key + ending); }

ShotStore::Clip ShotStore::get_or_make(const std::string& key, const Make& make, const Wait& wait) {
  const KeyLock lock(options_.folder / "locks" / key, wait);
  const fs::path file = file_of(key);
  Outcome outcome = Outcome::made;
  if (fs::exists(file)) {
    try {
      Kept kept = read_entry(file, key);
      if (kept.profile == options_.profile || options_.any_profile) {
        mark_used(file);
        return {std::move(kept.latents), Outcome::reused, std::move(kept.profile)};
      }
      outcome = Outcome::made_for_this_profile;
    } catch (const Error&) {
      outcome = Outcome::made_again;
    }
  }
  Clip clip{make(), outcome, options_.profile};
  try {
    std::error_code ignored;  // what follows says why
    fs::create_directory(file.parent_path(), ignored);
    const std::vector<std::byte> bytes = safetensors_bytes(
        {{"video", clip.latents.video.shape, clip.latents.video.values}, {"audio", clip.latents.audio.shape, clip.latents.audio.values}},
        {{"format", format}, {"key", key}, {"profile", options_.profile}, {"sha256", hash_of(clip.latents)}});
    write_whole_file(file, bytes, Existing::replace);
    if (options_.most_bytes != StoreOptions::unbounded) prune(options_.most_bytes);
  } catch (const Error& error) {
    failure_ = error.what();
  }
  return clip;
}

bool ShotStore::has(const std::string& key) const {
  try {
    const Kept kept = read_entry(file_of(key), key);
    return kept.profile == options_.profile || options_.any_profile;
  } catch (const Error&) {
    return false;
  }
}

namespace {

struct Files {
  std::vector<ShotStore::Entry> entries;  // by name alone, the least recently used first
  std::vector<fs::path> abandoned;        // scratch files that killed processes have left; younger ones may be in use
};

Files files_of(const fs::path& folder) {
  const auto oldest_in_use = fs::file_time_type::clock::now() - std::chrono::hours(1);
  Files files;
  std::error_code gone;  // other processes add and remove files meanwhile
  for (const auto& shelf : fs::directory_iterator(folder, gone)) {
    if (shelf.path().filename() == "locks" || !shelf.is_directory(gone)) continue;
    for (const auto& file : fs::directory_iterator(shelf.path(), gone)) {
      const auto used = file.last_write_time(gone);
      if (gone) continue;
      if (file.path().extension() == ".part" && used < oldest_in_use) files.abandoned.push_back(file.path());
      if (file.path().extension() != ending) continue;
      const std::uint64_t bytes = file.file_size(gone);
      if (!gone) files.entries.push_back({file.path().stem(), "", bytes, used});
    }
  }
  std::sort(files.entries.begin(), files.entries.end(),
            [](const auto& a, const auto& b) { return std::tie(a.used, a.key) < std::tie(b.used, b.key); });
  return files;
}

}  // namespace

std::vector<ShotStore::Entry> ShotStore::entries() const {
  std::vector<Entry> found = files_of(options_.folder).entries;
  for (Entry& entry : found) {
    try {
      entry.profile = read_entry(file_of(entry.key), entry.key).profile;
    } catch (const Error&) {
      entry.profile.clear();
    }
  }
  return found;
}

std::size_t ShotStore::prune(std::uint64_t most_bytes) {
  const Files files = files_of(options_.folder);
  std::error_code ignored;  // another process may have removed it
  for (const fs::path& file : files.abandoned) fs::remove(file, ignored);
  std::uint64_t total = 0;
  for (const Entry& entry : files.entries) total += entry.bytes;
  std::size_t removed = 0;
  for (; total > most_bytes; ++removed) {
    remove(files.entries[removed].key);
    total -= files.entries[removed].bytes;
  }
  return removed;
}

void ShotStore::remove(const std::string& key) {
  std::error_code ignored;  // another process may have removed it
  fs::remove(file_of(key), ignored);
}

}  // namespace fabula
