// Turns the options of a delivery into what the film's file holds and what is written beside it.
#include "library/delivery.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "audio/duck.h"
#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/film/film.h"
#include "engine/score.h"

namespace fabula {

namespace fs = std::filesystem;

namespace {

// Of a list such as "track,srt".
std::vector<std::string> entries_of(const std::string& list) {
  std::vector<std::string> entries;
  std::istringstream parts(list == "all" ? "track,srt,vtt" : list);
  for (std::string part; std::getline(parts, part, ',');) entries.push_back(part);
  return entries;
}

bool wants(const DeliveryChoice& choice, const std::string& place) {
  const std::vector<std::string> places = entries_of(choice.subtitles);
  return std::find(places.begin(), places.end(), place) != places.end();
}

std::string fault_of_subtitles(const std::string& list) {
  const std::vector<std::string> known = entries_of("all");
  for (const std::string& place : entries_of(list)) {
    if (std::find(known.begin(), known.end(), place) == known.end()) return "\"" + place + "\" is not one of track, srt, vtt (or all)";
  }
  return {};
}

const LoudnessTarget& target_of(const std::string& name) {
  const auto* found =
      std::find_if(std::begin(loudness_presets), std::end(loudness_presets), [&](const LoudnessPreset& p) { return name == p.name; });
  if (found == std::end(loudness_presets)) throw Error(ExitCode::usage, "--loudness: there is no preset " + name);
  return found->target;
}

// "s010: fox runs, pig jumps": what the plan says of the shot in one line.
std::string chapter_title(const plan::Film& film, const plan::Shot& shot) {
  const auto beat = std::find_if(film.beats.begin(), film.beats.end(), [&](const plan::Beat& b) { return b.id == shot.beat; });
  std::string what = beat == film.beats.end() ? "" : beat->summary;
  if (what.empty()) {
    for (const plan::ActionBeat& action : shot.action_beats) what += (what.empty() ? "" : ", ") + action.who + " " + action.what;
  }
  return shot.id + (what.empty() ? "" : ": " + what);
}

// `lead`: when the first shot begins, in ms.
std::vector<Chapter> chapters_of(const plan::Film& film, std::int64_t lead, bool end_card) {
  std::vector<Chapter> chapters;
  if (lead > 0) chapters.push_back({0, lead, film.title});
  for (const plan::Shot& shot : film.shots)
    chapters.push_back({lead + shot.start_ms, lead + shot.start_ms + shot.duration_ms, chapter_title(film, shot)});
  if (end_card) chapters.push_back({lead + film.total_ms, lead + film.total_ms + card_ms, "End"});
  return chapters;
}

// The sounds of a model's film follow from its actions where the plan does not list them.
plan::Film with_sounds(plan::Film film, const World& world) {
  for (plan::Shot& shot : film.shots) shot.sfx = sounds_of(shot, world);
  return film;
}

// fox.srt and fox.vtt beside fox.mp4.
std::vector<std::string> subtitle_files(const std::string& film, const DeliveryChoice& choice) {
  std::vector<std::string> files;
  for (const char* ending : {"srt", "vtt"}) {
    if (wants(choice, ending)) files.push_back(fs::path(film).replace_extension(ending));
  }
  return files;
}

}  // namespace

void add_delivery_options(CLI::App& command, DeliveryChoice& choice) {
  std::string names;
  for (const LoudnessPreset& preset : loudness_presets) {
    std::ostringstream text;
    text << (names.empty() ? "" : ", ") << preset.name << " (" << preset.target.lufs << " LUFS, " << preset.target.true_peak_dbtp
         << " dBTP)";
    names += text.str();
  }
  command.add_option("--loudness", choice.loudness, "Where the film is to be heard: " + names)
      ->check(CLI::Validator(
          [](const std::string& name) {
            for (const LoudnessPreset& preset : loudness_presets) {
              if (name == preset.name) return std::string();
            }
            return name + " is not web, ebu, atsc or youtube";
          },
          "PRESET"))
      ->capture_default_str();
  CLI::Option* subtitles =
      command
          .add_flag("--subtitles{all}", choice.subtitles,
                    "Subtitles: --subtitles=track,srt,vtt puts them into the film and beside it; alone it means all three")
          ->check(fault_of_subtitles);
  command.add_flag("--sdh", choice.sdh, "Subtitles also say sounds and who speaks, for the deaf and hard of hearing")->needs(subtitles);
  command
      .add_option("--stems", choice.stems,
                  "Also write dialogue.wav, effects.wav and mix.wav (48 kHz, 24 bit) into this folder; the model makes the sound of each "
                  "shot twice more")
      ->type_name("DIR");
  command
      .add_option("--duck", choice.duck_db,
                  "Lower what is heard beside voices by so many dB while somebody speaks; takes the time that --stems takes")
      ->check(CLI::Range(0.0, 40.0));
  command.add_flag("--title-card", choice.title_card, "Open with 3 s of the title, drawn as text");
  command.add_flag("--end-card", choice.end_card, "Close with 3 s of the title, drawn as text");
}

void check_beside(const std::string& film, const DeliveryChoice& choice, const OverwriteOptions& overwriting, const Caller& caller,
                  const std::vector<std::string>& inputs) {
  if (!film.empty()) {
    const std::vector<std::string> files = subtitle_files(film, choice);
    if (!files.empty() && is_stream(film))
      throw Error(ExitCode::usage,
                  "subtitle files take their name from the film, and " + film + " has none of its own: use --subtitles=track");
    for (const std::string& file : files) (void)may_write(file, overwriting, caller, inputs);
  }
  if (choice.stems.empty() || !fs::exists(choice.stems)) return;
  for (const fs::path& file : StemFiles::names(choice.stems)) check_output(file, existing_of(overwriting));
}

CardOptions cards_of(const plan::Film& film, const DeliveryChoice& choice, const SinkOptions& sink) {
  CardOptions cards{sink.width, sink.height, film.fps, {}, {}};
  if (choice.title_card) cards.title = Card{film.title, film.logline};
  if (choice.end_card) cards.end = Card{film.title, "Generated by Fabula"};
  return cards;
}

std::int64_t card_frames(const DeliveryChoice& choice, int fps) {
  return frames_before(card_ms, fps) * ((choice.title_card ? 1 : 0) + (choice.end_card ? 1 : 0));
}

Subtitles deliver(const plan::Film& film, const World& world, const DeliveryChoice& choice, SinkOptions& sink) {
  sink.loudness = target_of(choice.loudness);
  sink.title = film.title;
  sink.comment = "Generated by Fabula: no picture and no sound of this film is a recording.";
  sink.language = film.language;
  const std::int64_t lead = choice.title_card ? card_ms : 0;
  sink.chapters = chapters_of(film, lead, choice.end_card);
  if (choice.subtitles.empty()) return {};
  Subtitles subtitles = choice.sdh ? subtitles_of(with_sounds(film, world), SubtitleKind::sdh) : subtitles_of(film, SubtitleKind::lines);
  for (Cue& cue : subtitles.cues) {
    cue.start_ms += lead;
    cue.end_ms += lead;
  }
  if (wants(choice, "track")) sink.subtitles = subtitles.cues;
  return subtitles;
}

void write_sidecars(const fs::path& film, bool was_named, const Subtitles& subtitles, const DeliveryChoice& choice,
                    const OverwriteOptions& overwriting) {
  if (subtitles.cues.empty()) return;
  for (const std::string& file : subtitle_files(film, choice)) {
    if (overwriting.no_clobber && output_exists(file)) continue;
    const std::string text = file.ends_with(".srt") ? to_srt(subtitles.cues) : to_vtt(subtitles.cues);
    write_whole_file(file, std::as_bytes(std::span(text)), was_named ? existing_of(overwriting) : Existing::keep_both);
  }
}

StemRecording::StemRecording(const plan::Film& film, const World& world, const DeliveryChoice& choice, const OverwriteOptions& overwriting)
    : film_(film), world_(world), choice_(choice) {
  request_.is_speech = [this](std::size_t shot) {
    std::vector<bool> is_speech;
    for (const ScoreSound& sound : score_of(film_, film_.shots[shot], world_, phones_of))
      is_speech.push_back(sound.token.starts_with("<|ph:"));
    return is_speech;
  };
  if (!choice.stems.empty()) {
    files_.emplace(choice.stems, existing_of(overwriting),
                   samples_before(choice.title_card ? frames_before(card_ms, film.fps) : 0, film.fps));
    request_.receive = [this](Stem stem, const Sound& sound, const SoundEdges& edges) {
      files_->stem(stem, sounds_[static_cast<std::size_t>(stem)].next(sound, edges));
    };
  }
  if (choice.duck_db > 0.0) {
    request_.mix = [this](std::size_t shot, const Sound& dialogue, const Sound& effects) {
      return ducked(dialogue, effects, film_, shot, choice_.duck_db);
    };
  }
}

void StemRecording::mix(std::span<const float> samples) {
  if (files_) files_->mix(samples);
}

std::optional<double> StemRecording::finish(const Mastered& sound, const LoudnessTarget& target) {
  if (!files_) return std::nullopt;
  const double residual = files_->residual_db();
  files_->finish(sound.gain_db, target.true_peak_dbtp, film_.title);
  return residual;
}

std::vector<std::string> loudness_notes(const LoudnessTarget& target, const std::optional<Mastered>& sound) {
  if (!sound) return {};
  if (!std::isfinite(sound->lufs)) return {"the film's sound is silence or shorter than 0.4 s, which has no loudness: it is left as it is"};
  std::array<char, 200> text{};
  if (sound->gain_was_limited) {
    std::snprintf(text.data(), text.size(), "the film's sound is at %.1f LUFS instead of %.1f: it is too quiet for a gain of %.0f dB",
                  sound->lufs, target.lufs, most_gain_db);
  } else if (std::abs(sound->lufs - target.lufs) > tolerance_lu) {
    std::snprintf(text.data(), text.size(), "the film's sound is at %.1f LUFS instead of %.1f: its peaks are as high as %.0f dBTP allow",
                  sound->lufs, target.lufs, target.true_peak_dbtp);
  } else {
    return {};
  }
  return {text.data()};
}

void check_subtitles(const Container& container, const DeliveryChoice& choice) {
  if (container.holds == Container::Holds::both || choice.subtitles == "all" || !wants(choice, "track")) return;
  throw Error(ExitCode::usage, "a " + std::string(container.extension) + " holds no subtitles: --subtitles=srt,vtt writes them beside it");
}

std::vector<std::string> subtitle_notes(const Subtitles& subtitles, const DeliveryChoice& choice, const Container& container) {
  if (choice.subtitles.empty()) return {};
  std::vector<std::string> notes;
  if (container.holds != Container::Holds::both && wants(choice, "track") && !subtitles.cues.empty())
    notes.push_back("a " + std::string(container.extension) + " holds no subtitles: they are beside it, as .srt and .vtt");
  if (subtitles.cues.empty()) notes.emplace_back("nobody speaks in this film: it has no subtitles");
  if (subtitles.too_fast > 0)
    notes.push_back("the plan leaves " + std::to_string(subtitles.too_fast) + " of " + std::to_string(subtitles.cues.size()) +
                    " subtitles too little time to be read");
  return notes;
}

}  // namespace fabula
