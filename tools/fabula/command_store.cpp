// `fabula store`: the finished shots that renders keep.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "kernels/instruction_set.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/megabytes.h"
#include "tools/fabula/store_location.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

ShotStore open(const std::string& given) {
  const fs::path folder = store_folder(given);
  if (folder.empty())
    throw Error(ExitCode::configuration, "neither XDG_CACHE_HOME nor HOME says where shots are kept; name the folder with --store DIR");
  if (!given.empty() && !fs::is_directory(folder)) throw Error(ExitCode::input_missing, "there is no store " + given);
  return ShotStore({.folder = folder, .profile = processor_profile()});
}

std::uint64_t bytes_of(const std::vector<ShotStore::Entry>& entries) {
  std::uint64_t bytes = 0;
  for (const ShotStore::Entry& entry : entries) bytes += entry.bytes;
  return bytes;
}

void list(const std::string& folder, bool json) {
  const std::vector<ShotStore::Entry> entries = open(folder).entries();
  if (json) {
    nlohmann::ordered_json out = {
        {"folder", store_folder(folder).string()}, {"bytes", bytes_of(entries)}, {"shots", nlohmann::ordered_json::array()}};
    for (const ShotStore::Entry& entry : entries)
      out["shots"].push_back({{"key", entry.key}, {"bytes", entry.bytes}, {"profile", entry.profile}, {"damaged", entry.profile.empty()}});
    std::printf("%s\n", out.dump(2).c_str());
    return;
  }
  for (const ShotStore::Entry& entry : entries) {
    const auto age = std::chrono::duration_cast<std::chrono::minutes>(fs::file_time_type::clock::now() - entry.used).count();
    std::printf("%.16s  %8.2f MB  used %5lld min ago  %s\n", entry.key.c_str(), megabytes(entry.bytes), static_cast<long long>(age),
                entry.profile.empty() ? "damaged" : entry.profile.c_str());
  }
  std::printf("%zu shots, %.1f MB in %s\n", entries.size(), megabytes(bytes_of(entries)), store_folder(folder).c_str());
}

void prune(const std::string& folder, double most_megabytes) {
  const std::size_t removed = open(folder).prune(static_cast<std::uint64_t>(most_megabytes * 1e6));
  std::printf("%zu shots removed\n", removed);
}

// Damaged entries are made again when they are next needed; removing them only saves the space.
void verify(const std::string& folder) {
  ShotStore store = open(folder);
  std::size_t damaged = 0, whole = 0;
  for (const ShotStore::Entry& entry : store.entries()) {
    if (!entry.profile.empty()) {
      ++whole;
      continue;
    }
    std::fprintf(stderr, "fabula: %s is damaged and was removed\n", entry.key.c_str());
    store.remove(entry.key);
    ++damaged;
  }
  std::printf("%zu shots whole, %zu damaged\n", whole, damaged);
  if (damaged > 0)
    throw Error(ExitCode::check_failed, std::to_string(damaged) + " shots of the store were damaged; they are made again when needed");
}

}  // namespace

void add_store_command(CLI::App& app) {
  CLI::App* store = app.add_subcommand("store", "List, check or shrink the finished shots that renders keep");
  store->footer(
      footer("  fabula store list\n"
             "  fabula store prune --keep 500     (megabytes; the least recently used go first)\n"
             "  fabula store verify --store /farm/shots\n\n"
             "A shot is kept as its clean latents under a key of everything it depends on: an edited film makes the edited\n"
             "shot and those after it, and a render that was stopped goes on where it was.",
             {0, 2, 66, 73, 76, 78}));
  store->require_subcommand(1);
  const auto folder = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  const auto keep = std::make_shared<double>(0.0);

  CLI::App* listing = store->add_subcommand("list", "Print every shot: key, size, when it was used, which kind of processor made it");
  add_store_folder(*listing, *folder);
  listing->add_flag("--json", *json, "Print as JSON");
  listing->callback([=] { list(*folder, *json); });

  CLI::App* pruning = store->add_subcommand("prune", "Remove the least recently used shots");
  add_store_folder(*pruning, *folder);
  pruning->add_option("--keep", *keep, "Megabytes that stay (default: 0, remove all)")->check(CLI::NonNegativeNumber)->type_name("MB");
  pruning->callback([=] { prune(*folder, *keep); });

  CLI::App* verifying = store->add_subcommand("verify", "Read every shot and remove the damaged ones");
  add_store_folder(*verifying, *folder);
  verifying->callback([=] { verify(*folder); });
}

}  // namespace fabula::cli
