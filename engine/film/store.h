// Finished shots, kept between runs as their clean latents: a few hundred kB each, exact, and quickly decoded again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/clip_model.h"

namespace fabula {

/// The name of a clip in a store: SHA-256 over everything its latents depend on. `model`: ClipModel::fingerprint().
[[nodiscard]] std::string clip_key(const std::string& model, const ClipRequest& request);

struct StoreOptions {
  std::filesystem::path folder;
  static constexpr std::uint64_t unbounded = UINT64_MAX;
  std::uint64_t most_bytes = std::uint64_t{2} << 30U;  ///< kept by get_or_make; unbounded: nothing is removed unasked
  /// The processor's profile. Sums depend on it, so a clip of another profile is made again unless any_profile says otherwise.
  std::string profile;
  bool any_profile = false;
};

/// A folder of clips, shared by any number of processes: XX/KEY.safetensors with `video`, `audio` and the SHA-256 of both. Entries are
/// written beside, synced and renamed, so an entry is whole or absent, whenever a process is killed. One clip is made by one process at a
/// time.
class ShotStore {
 public:
  /// Makes the folder. Throws Error(cannot_create).
  explicit ShotStore(StoreOptions options);

  /// How a clip came about.
  enum class Outcome : std::uint8_t {
    reused,
    made,
    made_again,             ///< an entry was there and damaged
    made_for_this_profile,  ///< an entry of another profile was there
  };
  struct Clip {
    CleanLatents latents;
    Outcome outcome;
    std::string profile;  ///< of the entry
  };
  using Make = std::function<CleanLatents()>;
  /// Called while another process is making the clip; false stops with Error(interrupted).
  using Wait = std::function<bool()>;
  /// The clip, from the store or from `make`, whose result is kept. If the store cannot be written, the clip is returned all the same:
  /// see failure().
  [[nodiscard]] Clip get_or_make(const std::string& key, const Make& make, const Wait& wait);

  /// Whether get_or_make would take the clip from the store.
  [[nodiscard]] bool has(const std::string& key) const;
  /// Why a clip could not be kept; empty if all were.
  [[nodiscard]] const std::string& failure() const { return failure_; }

  struct Entry {
    std::string key, profile;  ///< profile: empty for a damaged entry
    std::uint64_t bytes = 0;
    std::filesystem::file_time_type used = {};
  };
  /// All entries, the least recently used first; reads each of them.
  [[nodiscard]] std::vector<Entry> entries() const;
  /// Removes the least recently used entries until the rest takes at most `most_bytes`, and what killed
  /// processes have left. Returns how many entries went.
  std::size_t prune(std::uint64_t most_bytes);
  /// Removes one entry.
  void remove(const std::string& key);

 private:
  [[nodiscard]] std::filesystem::path file_of(const std::string& key) const;

  StoreOptions options_;
  std::string failure_;
};

}  // namespace fabula
