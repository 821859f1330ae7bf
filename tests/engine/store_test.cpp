// Clips that are kept: whole or absent, made once, found again.
#include "engine/film/store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "tests/support/folder.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

class Store : public test::InFolder {
 protected:
  [[nodiscard]] ShotStore open(const std::string& profile = "avx2", bool any_profile = false) const {
    return ShotStore({.folder = folder_, .profile = profile, .any_profile = any_profile});
  }
  [[nodiscard]] fs::path entry_file() const {
    for (const auto& file : fs::recursive_directory_iterator(folder_)) {
      if (file.path().extension() == ".safetensors") return file.path();
    }
    return {};
  }
};

CleanLatents latents(float first, std::size_t count = 6) {
  CleanLatents clip{{{2, static_cast<std::int64_t>(count) / 2}, std::vector<float>(count)}, {{1, 2}, {first, -0.0F}}};
  for (std::size_t i = 0; i < count; ++i) clip.video.values[i] = first + static_cast<float>(i) * 0.1F;
  return clip;
}

const std::string key = std::string(63, 'a') + "1", other_key = std::string(63, 'b') + "2";
bool wait_on() { return true; }

TEST_F(Store, GivesBackTheSameBitsAndMakesAClipOnce) {
  ShotStore store = open();
  int made = 0;
  const auto make = [&] {
    ++made;
    return latents(0.1F);
  };
  EXPECT_FALSE(store.has(key));
  EXPECT_EQ(store.get_or_make(key, make, wait_on).outcome, ShotStore::Outcome::made);
  EXPECT_TRUE(store.has(key));
  ShotStore another = open();
  const ShotStore::Clip again = another.get_or_make(key, make, wait_on);
  EXPECT_EQ(again.outcome, ShotStore::Outcome::reused);
  EXPECT_EQ(again.latents, latents(0.1F));
  EXPECT_TRUE(std::signbit(again.latents.audio.values[1]));
  EXPECT_EQ(made, 1);
}

TEST_F(Store, ADamagedEntryIsMadeAgain) {
  ShotStore store = open();
  (void)store.get_or_make(
      key, [] { return latents(1.0F); }, wait_on);
  const fs::path file = entry_file();
  const auto size = fs::file_size(file);
  const auto damage = [&](const std::function<void()>& harm) {
    harm();
    EXPECT_FALSE(store.has(key));
    const ShotStore::Clip clip = store.get_or_make(
        key, [] { return latents(1.0F); }, wait_on);
    EXPECT_EQ(clip.outcome, ShotStore::Outcome::made_again);
    EXPECT_EQ(clip.latents, latents(1.0F));
    EXPECT_TRUE(store.has(key));
  };
  for (std::uintmax_t at = 0; at < size; at += 7) {
    damage([&] {
      std::fstream entry(file, std::ios::binary | std::ios::in | std::ios::out);
      entry.seekg(static_cast<std::streamoff>(at));
      const int byte = entry.get();
      entry.seekp(static_cast<std::streamoff>(at));
      entry.put(static_cast<char>(byte ^ 0x55));
    });
  }
  damage([&] { fs::resize_file(file, size / 2); });
  damage([&] { fs::resize_file(file, 0); });
}

TEST_F(Store, AnEntryOfAnotherProfileIsUsedOnlyWhenAskedFor) {
  ShotStore store = open("avx2");
  (void)store.get_or_make(
      key, [] { return latents(1.0F); }, wait_on);
  ShotStore any = open("avx512", true);
  const ShotStore::Clip taken = any.get_or_make(
      key, [] { return latents(2.0F); }, wait_on);
  EXPECT_EQ(taken.outcome, ShotStore::Outcome::reused);
  EXPECT_EQ(taken.profile, "avx2");
  ShotStore strict = open("avx512");
  EXPECT_FALSE(strict.has(key));
  const ShotStore::Clip made = strict.get_or_make(
      key, [] { return latents(2.0F); }, wait_on);
  EXPECT_EQ(made.outcome, ShotStore::Outcome::made_for_this_profile);
  EXPECT_EQ(made.latents, latents(2.0F));
}

TEST_F(Store, KeepsWhatWasUsedLast) {
  ShotStore store = open();
  (void)store.get_or_make(
      key, [] { return latents(1.0F, 1000); }, wait_on);
  const std::uintmax_t size = fs::file_size(entry_file());
  fs::last_write_time(entry_file(), fs::file_time_type::clock::now() - std::chrono::hours(2));
  (void)store.get_or_make(
      other_key, [] { return latents(2.0F, 1000); }, wait_on);
  (void)store.get_or_make(
      key, [] { return latents(1.0F, 1000); }, wait_on);  // used again: now the younger
  EXPECT_EQ(store.prune(2 * size), 0U);
  EXPECT_EQ(store.prune(size), 1U);
  EXPECT_TRUE(store.has(key));
  EXPECT_FALSE(store.has(other_key));
  ASSERT_EQ(store.entries().size(), 1U);
  EXPECT_EQ(store.entries()[0].key, key);
  EXPECT_EQ(store.entries()[0].profile, "avx2");
}

TEST_F(Store, PruningTakesWhatKilledProcessesHaveLeft) {
  ShotStore store = open();
  (void)store.get_or_make(
      key, [] { return latents(1.0F); }, wait_on);
  const fs::path old = entry_file().parent_path() / ".fabula-0123.part", young = entry_file().parent_path() / ".fabula-4567.part";
  for (const fs::path& file : {old, young}) std::ofstream(file) << "half";
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_EQ(store.prune(std::uint64_t{1} << 30U), 0U);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
  EXPECT_TRUE(store.has(key));
}

TEST_F(Store, ThatCannotBeWrittenCostsTheKeepingNotTheClip) {
  ShotStore store = open();
  std::ofstream(folder_ / key.substr(0, 2)) << "no folder";
  EXPECT_EQ(store
                .get_or_make(
                    key, [] { return latents(1.0F); }, wait_on)
                .latents,
            latents(1.0F));
  EXPECT_FALSE(store.failure().empty());
}

TEST_F(Store, TwoThatNeedOneClipMakeItOnce) {
  std::atomic<int> made = 0;
  const auto use = [&] {
    ShotStore store = open();
    const auto clip = store.get_or_make(
        key,
        [&] {
          ++made;
          std::this_thread::sleep_for(std::chrono::milliseconds(200));
          return latents(3.0F);
        },
        wait_on);
    EXPECT_EQ(clip.latents, latents(3.0F));
  };
  std::vector<std::thread> users;
  for (int i = 0; i < 4; ++i) users.emplace_back(use);
  for (std::thread& user : users) user.join();
  EXPECT_EQ(made, 1);
  EXPECT_TRUE(fs::is_empty(folder_ / "locks"));
}

TEST_F(Store, WaitingCanBeStopped) {
  ShotStore store = open();
  EXPECT_THROW((void)store.get_or_make(
                   key,
                   [&]() -> CleanLatents {
                     return open()
                         .get_or_make(
                             key, [] { return latents(1.0F); }, [] { return false; })
                         .latents;
                   },
                   wait_on),
               Error);
}

// A process killed while it makes or writes a clip leaves a lock that holds nobody up, and no entry or a whole one.
TEST_F(Store, AKilledProcessLeavesNothingThatHarms) {
  for (int round = 0; round < 60; ++round) {
    fs::remove_all(folder_);
    ShotStore store = open();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int i = 0;; ++i)
        (void)open().get_or_make(
            key.substr(0, 60) + std::to_string(1000 + i), [] { return latents(4.0F, 20000); }, wait_on);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200 * round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    for (const ShotStore::Entry& entry : store.entries()) EXPECT_FALSE(entry.profile.empty()) << entry.key << " is damaged";
    EXPECT_EQ(store
                  .get_or_make(
                      key.substr(0, 60) + "1000", [] { return latents(4.0F, 20000); }, wait_on)
                  .latents,
              latents(4.0F, 20000));
  }
}

TEST(ClipKey, DependsOnEverythingThatTheLatentsDependOn) {
  Conditioning conditioning{2, {0.1F, 0.2F, 0.3F, 0.4F}, {0.5}};
  const ClipRequest request{.conditioning = &conditioning, .frames = 22, .seed = 7};
  const std::string base = clip_key("model", request);
  EXPECT_EQ(base.size(), 64U);
  EXPECT_EQ(clip_key("model", request), base);
  EXPECT_NE(clip_key("another", request), base);
  ClipRequest other = request;
  other.seed = 8;
  EXPECT_NE(clip_key("model", other), base);
  other = request;
  other.frames = 39;
  EXPECT_NE(clip_key("model", other), base);
  other = request;
  other.settings.steps += 1;
  EXPECT_NE(clip_key("model", other), base);
  other = request;
  other.settings.sampler = "heun";
  EXPECT_NE(clip_key("model", other), base);
  Conditioning changed = conditioning;
  changed.states[3] = 0.40000004F;
  other = request;
  other.conditioning = &changed;
  EXPECT_NE(clip_key("model", other), base);
  changed = conditioning;
  changed.score_start[0] = 0.25;
  EXPECT_NE(clip_key("model", other), base);
}

}  // namespace
}  // namespace fabula
