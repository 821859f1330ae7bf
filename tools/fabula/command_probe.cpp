// `fabula probe`: what a film is, how it was made, and whether it is what its receipt says.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audio/loudness.h"
#include "audio/mix.h"
#include "base/error.h"
#include "engine/bundle.h"
#include "library/receipt.h"
#include "planner/text/text.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "video/io/probe.h"

namespace fabula::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

// A film that was read to its end.
struct Probed {
  fs::path file;
  FilmProbe film;
  double lufs = -HUGE_VAL;
  std::optional<Receipt> receipt;
  std::vector<std::string> faults;  // where the film is not what it says
};

bool is_labelled(const FilmProbe& film) { return film.labels.digital_source_type == trained_algorithmic_media && !film.aigc.empty(); }

std::vector<std::string> faults_of(const fs::path& file, const FilmProbe& film, const Receipt& receipt) {
  std::vector<std::string> faults;
  if (film_digest(file) != receipt.sha256) faults.emplace_back("its bytes are not those of its receipt");
  if (film.width != 0 && (film.width != receipt.width || film.height != receipt.height))
    faults.emplace_back("its picture has another size than its receipt says");
  if (!receipt.label.empty() && !is_labelled(film)) faults.emplace_back("its labels are gone");
  if (!receipt.label.empty() && is_labelled(film) && film.aigc.find(receipt.label) == std::string::npos)
    faults.emplace_back("its labels are those of another film");
  if (!receipt.signer.empty() && !film.labels.has_c2pa) faults.emplace_back("its signature is gone");
  return faults;
}

Probed probe(const fs::path& given) {
  Probed p{.file = given, .film = {}, .receipt = {}, .faults = {}};
  if (is_receipt_name(given.string())) p.file = given.parent_path() / fs::path(read_receipt(given).file).filename();
  LoudnessMeter meter;
  p.film = read_film(p.file, {}, [&](std::span<const float> samples) { meter.add(samples.first(samples.size() / 2 * 2)); });
  if (p.film.channels == film_channels && p.film.sample_rate == film_sample_rate) p.lufs = meter.integrated_lufs();
  if (fs::exists(receipt_of(p.file))) p.receipt = read_receipt(receipt_of(p.file));
  if (p.receipt) p.faults = faults_of(p.file, p.film, *p.receipt);
  return p;
}

ordered_json json_of(const Probed& p) {
  const FilmProbe& f = p.film;
  ordered_json out = {
      {"film", p.file.string()}, {"container", f.container}, {"duration_s", f.duration_s}, {"index_in_front", f.index_in_front}};
  if (!f.title.empty()) out["title"] = f.title;
  if (!f.comment.empty()) out["comment"] = f.comment;
  out["video"] = {{"codec", f.video_codec},
                  {"width", f.width},
                  {"height", f.height},
                  {"aspect", aspect_of(f.width, f.height)},
                  {"fps", static_cast<double>(f.fps_num) / f.fps_den},
                  {"frames", f.video_frames},
                  {"pixel_format", f.pixel_format},
                  {"primaries", f.primaries},
                  {"transfer", f.transfer},
                  {"matrix", f.matrix},
                  {"range", f.range}};
  if (f.has_audio) {
    out["audio"] = {{"codec", f.audio_codec}, {"sample_rate", f.sample_rate}, {"channels", f.channels}, {"language", f.language}};
    if (std::isfinite(p.lufs)) out["audio"]["loudness_lufs"] = p.lufs;
  }
  out["labels"] = {{"digital_source_type", f.labels.digital_source_type}, {"aigc", nullptr}, {"c2pa", f.labels.has_c2pa}};
  if (!f.aigc.empty()) {
    const ordered_json aigc = ordered_json::parse(f.aigc, nullptr, /*allow_exceptions=*/false);
    out["labels"]["aigc"] = aigc.is_discarded() ? ordered_json(f.aigc) : aigc;
  }
  if (p.receipt) {
    const Receipt& r = *p.receipt;
    out["receipt"] = {{"file", receipt_of(p.file).string()},
                      {"program", r.build.version},
                      {"commit", r.build.commit},
                      {"instruction_set", r.build.instruction_set},
                      {"model", r.model.name + " " + r.model.version},
                      {"seed", r.seed},
                      {"precision", r.precision},
                      {"options", r.options},
                      {"shots", r.plan.shots.size()},
                      {"unsupported", r.plan.unsupported}};
  }
  out["faults"] = p.faults;
  return out;
}

void row(const char* name, const std::string& text) {
  if (!text.empty()) std::printf("  %-9s %s\n", name, printable(text).c_str());
}

std::string number(double value, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

void print_text(const Probed& p) {
  const FilmProbe& f = p.film;
  std::printf("%s\n", printable(p.file.string()).c_str());
  row("title", f.title);
  row("length", number(f.duration_s, "%.2f s, ") + std::to_string(f.video_frames) + " frames at " +
                    number(static_cast<double>(f.fps_num) / f.fps_den, "%g") + " per second");
  row("picture", std::to_string(f.width) + " x " + std::to_string(f.height) + " (" + aspect_of(f.width, f.height) + "), " + f.video_codec +
                     " " + f.pixel_format + ", " + f.matrix + " " + f.range);
  row("sound", !f.has_audio
                   ? "none"
                   : f.audio_codec + ", " + std::to_string(f.sample_rate) + " Hz, " + std::to_string(f.channels) + " channels" +
                         (f.language.empty() ? "" : ", " + f.language) + (std::isfinite(p.lufs) ? number(p.lufs, ", %.1f LUFS") : ""));
  row("XMP", f.labels.digital_source_type.empty()
                 ? "no label"
                 : "made by " + f.labels.digital_source_type.substr(f.labels.digital_source_type.rfind('/') + 1));
  row("AIGC", f.aigc.empty() ? "no label" : f.aigc);
  row("C2PA", f.labels.has_c2pa ? "a manifest, which c2patool checks" : "no manifest");
  if (!p.receipt) return row("receipt", "none beside it");
  const Receipt& r = *p.receipt;
  row("receipt", receipt_of(p.file).filename().string() + (p.faults.empty() ? ", and the film is what it says" : ""));
  row("made by", "Fabula " + r.build.version + " (commit " + r.build.commit + ") on " + r.build.instruction_set + ", " + r.precision);
  row("model", r.model.name + " " + r.model.version);
  row("seed", std::to_string(r.seed));
  row("options", joined(r.options));
  row("shots", std::to_string(r.plan.shots.size()));
  row("left out", joined(r.plan.unsupported));
}

void run(const std::string& file, bool json) {
  const Probed p = probe(file);
  if (json)
    std::printf("%s\n", json_of(p).dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  else
    print_text(p);
  if (!p.faults.empty()) throw Error(ExitCode::check_failed, p.file.string() + " failed its check: " + joined(p.faults));
}

}  // namespace

void add_probe_command(CLI::App& app) {
  CLI::App* probe = app.add_subcommand("probe", "Read a film back: what it is, how it was made, and whether it is what its receipt says");
  probe->footer(
      footer("  fabula probe fox.mp4\n"
             "  fabula probe fox.fabula.json --json\n\n"
             "Every frame and sample is decoded. The receipt is FILM.fabula.json beside the film.",
             {0, 2, 65, 66, 74, 76}));
  const auto file = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  probe->add_option("film", *file, "A film, or its receipt")->required();
  probe->add_flag("--json", *json, "Print as JSON");
  probe->callback([=] { run(*file, *json); });
}

}  // namespace fabula::cli
