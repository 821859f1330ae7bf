// How a film is delivered: its loudness, its subtitles, and what its file says of itself.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/world.h"
#include "tools/fabula/output.h"
#include "video/io/cards.h"
#include "video/io/sinks.h"

namespace CLI {
class App;
}

namespace fabula::cli {

struct DeliveryChoice {
  std::string loudness = loudness_presets[0].name;
  std::string subtitles;  ///< some of "track,srt,vtt", or "all"; empty: none
  bool sdh = false;
  bool title_card = false, end_card = false;
};
/// --loudness, --subtitles, --sdh, --title-card and --end-card.
void add_delivery_options(CLI::App&, DeliveryChoice&);

/// The files that are written beside a film of this name: fox.srt and fox.vtt beside fox.mp4. Throws Error(usage) for a film without a name
/// of its own (a device, a pipe).
[[nodiscard]] std::vector<std::string> sidecars_of(const std::string& film, const DeliveryChoice&);

/// What is put before and behind the film's shots. sink: with its size.
[[nodiscard]] CardOptions cards_of(const plan::Film&, const DeliveryChoice&, const SinkOptions& sink);
/// Film frames that the cards take, all together.
[[nodiscard]] std::int64_t card_frames(const DeliveryChoice&, int fps);

/// Fills in loudness, title, comment, language, chapters and the subtitle track, and returns the subtitles, which are empty where none are
/// wanted.
Subtitles deliver(const plan::Film&, const World&, const DeliveryChoice&, SinkOptions&);

/// Writes the subtitle files beside the finished film. Under the name that a film without -o took they keep existing files, too.
void write_sidecars(const std::filesystem::path& film, bool was_named, const Subtitles&, const DeliveryChoice&, const OverwriteOptions&);
/// Says on standard error how far the sound is from its target, if it is, and why.
void report_loudness(const LoudnessTarget&, const std::optional<Mastered>&);
/// Says on standard error what of the subtitles is not as it should be.
void report_subtitles(const Subtitles&, const DeliveryChoice&);

}  // namespace fabula::cli
