// What a user is told once shots or a film are made.
#pragma once

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "library/film_notes.h"
#include "library/render.h"
#include "tools/fabula/render_options.h"

namespace fabula::cli {

/// The ids of the shots that were reused, or that were not.
[[nodiscard]] std::vector<std::string> ids_of(const std::vector<ShotReport>&, bool reused);
/// The ids of the shots that were made again because the gate refused them.
[[nodiscard]] std::vector<std::string> remade_ids(const std::vector<ShotReport>&);

/// Prints notes on standard error, unless --quiet.
void report_notes(const RenderOptions&, const std::vector<std::string>& notes);

/// Where results go: standard output, or standard error if the film goes to standard output, because nothing may follow a film.
[[nodiscard]] std::FILE* results_stream(const std::filesystem::path& output);

/// One stage of the work and how long it took.
struct Stage {
  std::string name;
  double seconds;
};
/// Adds the model's own stages. What remains of the `rendering` seconds went into encoding and muxing.
void add_stage_times(std::vector<Stage>&, const ClipModel&, double rendering);

/// What is reported of a film.
struct FinishedFilm {
  std::filesystem::path output;
  int width, height;  ///< pixels
  std::vector<ShotReport> shots;
  std::optional<Mastered> sound;
  std::vector<Stage> stages;
};
void report(const RenderOptions&, std::uint64_t seed, const plan::Film&, const FinishedFilm&, Progress&);
/// The result of --shots.
void report_shots(const RenderOptions&, const std::vector<ShotReport>&, Progress&);

}  // namespace fabula::cli
