// What a film says about being made by a model, for programs that read metadata.
#pragma once

#include <filesystem>
#include <string>

namespace fabula {

/// The IPTC's term for media that a trained model has made (cv.iptc.org/newscodes/digitalsourcetype).
inline constexpr const char* trained_algorithmic_media = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

struct FilmLabels {
  std::string producer;  ///< "Fabula 0.1.0"
  std::string id;        ///< of this film
};

/// Writes the labels into a finished MP4 or QuickTime file: a packet of XMP with the IPTC's digital source type, in a box of its own at the
/// end (XMP specification, part 3), and the key AIGC of GB 45438-2025 among the keys of the film. The tags that players show stay. The same
/// film and labels give the same bytes. Throws Error(io).
void label_film(const std::filesystem::path& film, const FilmLabels& labels);

/// The packet of XMP, and the value of the key AIGC, for files of other kinds.
[[nodiscard]] std::string xmp_of(const FilmLabels&);
[[nodiscard]] std::string aigc_of(const FilmLabels&);

/// What label_film writes, as it is found in a film of any origin. Empty: not there.
struct FoundLabels {
  std::string digital_source_type;  ///< of the XMP
  bool has_c2pa = false;            ///< a C2PA manifest, which this program does not check
  std::string aigc = {};            ///< by labels_in_text alone: FFmpeg reads the key of other films
};
[[nodiscard]] FoundLabels labels_of(const std::filesystem::path& film);
/// The same for files that have their labels as plain text near their beginning: our pictures and sound files.
[[nodiscard]] FoundLabels labels_in_text(const std::filesystem::path& file);

}  // namespace fabula
