// How a film is delivered: its loudness, its subtitles, and what its file says of itself.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "audio/mix.h"
#include "engine/world.h"
#include "library/output.h"
#include "video/io/cards.h"
#include "video/io/sinks.h"
#include "video/io/stem_files.h"

namespace CLI {
class App;
}

namespace fabula {

struct DeliveryChoice {
  std::string loudness = loudness_presets[0].name;
  std::string subtitles;  ///< some of "track,srt,vtt", or "all"; empty: none
  bool sdh = false;
  bool title_card = false, end_card = false;
  std::string stems;     ///< a folder; empty: none are written
  double duck_db = 0.0;  ///< 0: the sound is the one that the model made with the picture

  [[nodiscard]] bool needs_stems() const { return !stems.empty() || duck_db > 0.0; }
};
/// --loudness, --subtitles, --sdh, --title-card, --end-card, --stems and --duck.
void add_delivery_options(CLI::App&, DeliveryChoice&);

/// To be called before any work: whether what goes with a film of this name (empty: not known yet) can be written: fox.srt and fox.vtt
/// beside fox.mp4, and the stems. Throws Error: as may_write(), or usage for subtitle files of a film without a name of its own (a device,
/// a pipe).
void check_beside(const std::string& film, const DeliveryChoice&, const OverwriteOptions&, const Caller&,
                  const std::vector<std::string>& inputs);

/// What is put before and behind the film's shots. sink: with its size.
[[nodiscard]] CardOptions cards_of(const plan::Film&, const DeliveryChoice&, const SinkOptions& sink);
/// Film frames that the cards take, all together.
[[nodiscard]] std::int64_t card_frames(const DeliveryChoice&, int fps);

/// Fills in loudness, title, comment, language, chapters and the subtitle track, and returns the subtitles, which are empty where none are
/// wanted.
Subtitles deliver(const plan::Film&, const World&, const DeliveryChoice&, SinkOptions&);

/// The stems of a film while they are made.
class StemRecording {
 public:
  /// Keeps references to the first three.
  StemRecording(const plan::Film&, const World&, const DeliveryChoice&, const OverwriteOptions&);
  StemRecording(const StemRecording&) = delete;
  StemRecording& operator=(const StemRecording&) = delete;
  /// Of the shots' sounds.
  [[nodiscard]] const StemRequest& request() const { return request_; }
  /// The film's own samples, cards included.
  void mix(std::span<const float> samples);
  /// Writes the files at the film's level. -> by how many dB the mix less its stems is below the mix; none where no files are written
  std::optional<double> finish(const Mastered&, const LoudnessTarget&);

 private:
  const plan::Film& film_;
  const World& world_;
  const DeliveryChoice& choice_;
  std::optional<StemFiles> files_;
  std::array<ShotSounds, all_stems.size()> sounds_;
  StemRequest request_;
};

/// Passes a film on to its sink, and its samples to a recording of stems, if there is one.
class RecordedSink : public MediaSink {
 public:
  RecordedSink(MediaSink& sink, StemRecording* stems) : sink_(sink), stems_(stems) {}
  void frame(const Image& image) override { sink_.frame(image); }
  void samples(std::span<const float> samples) override {
    sink_.samples(samples);
    if (stems_ != nullptr) stems_->mix(samples);
  }
  void finish() override { sink_.finish(); }

 private:
  MediaSink& sink_;
  StemRecording* stems_;
};

/// Writes the subtitle files beside the finished film. Under the name that a film without -o took they keep existing files, too.
void write_sidecars(const std::filesystem::path& film, bool was_named, const Subtitles&, const DeliveryChoice&, const OverwriteOptions&);
/// How far the sound is from its target, if it is, and why.
[[nodiscard]] std::vector<std::string> loudness_notes(const LoudnessTarget&, const std::optional<Mastered>&);
/// What of the subtitles is not as it should be.
[[nodiscard]] std::vector<std::string> subtitle_notes(const Subtitles&, const DeliveryChoice&, const Container&);
/// Throws Error(usage) where a track of subtitles is asked for by name in a container that holds none.
void check_subtitles(const Container&, const DeliveryChoice&);

}  // namespace fabula
