// Puts XMP and the key AIGC into an MP4, and finds the XMP again.
#include "video/io/labels.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "video/io/boxes.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view xmp_uuid = "\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
constexpr std::string_view c2pa_uuid = "\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81";

std::string escaped(const std::string& text) {
  std::string xml;
  for (const char c : text) xml += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '"' ? "&quot;" : std::string(1, c);
  return xml;
}

// A box of metadata with one key (QuickTime File Format, "Metadata"). The film's other tags are in udta's, which players read. It has no
// version, unlike the meta of ISO 14496-12: ExifTool 12.57 and MediaInfo 23.04 read it in this form only, FFmpeg in both.
std::string metadata_box(const std::string& key, const std::string& text) {
  const std::string zero4(4, '\0');
  const std::string handler = box("hdlr", zero4 + zero4 + "mdta" + std::string(13, '\0'));
  const std::string keys = box("keys", zero4 + big_endian(1, 4) + box("mdta", key));
  const std::string value = box("data", big_endian(1, 4) + zero4 + text);  // 1: UTF-8
  return box("meta", handler + keys + box("ilst", box(big_endian(1, 4), value)));
}

// Adds `shift` to all chunk offsets of a moov (or a box in it) that lie at or behind `from`.
void shift_offsets(std::string& bytes, std::size_t begin, std::size_t end, std::uint64_t from, std::uint64_t shift) {
  constexpr std::string_view parents[] = {"trak", "mdia", "minf", "stbl"};
  for (std::size_t at = begin; at + 8 <= end;) {
    const std::size_t size = big_endian(std::string_view(bytes).substr(at, 4));
    const std::string type = bytes.substr(at + 4, 4);
    if (size < 8 || size > end - at) throw Error(ExitCode::internal, "the film's index is malformed");
    if (std::find(std::begin(parents), std::end(parents), type) != std::end(parents)) shift_offsets(bytes, at + 8, at + size, from, shift);
    const std::size_t width = type == "stco" ? 4 : type == "co64" ? 8 : 0;
    for (std::size_t entry = at + 16; width != 0 && entry + width <= at + size; entry += width) {
      const std::uint64_t offset = big_endian(std::string_view(bytes).substr(entry, width));
      if (offset < from) continue;
      if (width == 4 && offset + shift > UINT32_MAX) throw Error(ExitCode::internal, "the film has outgrown its 32-bit index");
      bytes.replace(entry, width, big_endian(offset + shift, static_cast<int>(width)));
    }
    at += size;
  }
}

// Moves what is at `from` and behind it towards the end by `shift` bytes, from behind.
void make_room(std::fstream& file, std::uint64_t from, std::uint64_t end, std::uint64_t shift) {
  std::vector<char> block(1U << 20U);
  for (std::uint64_t at = end; at > from;) {
    const std::uint64_t size = std::min<std::uint64_t>(block.size(), at - from);
    at -= size;
    file.seekg(static_cast<std::streamoff>(at));
    file.read(block.data(), static_cast<std::streamsize>(size));
    file.seekp(static_cast<std::streamoff>(at + shift));
    file.write(block.data(), static_cast<std::streamsize>(size));
  }
}

// The text of an XML attribute or element with this name, without the knowledge that XML has.
std::string xml_value(const std::string& xml, const std::string& name) {
  const std::size_t at = xml.find(name);
  if (at == std::string::npos) return {};
  const std::size_t begin = xml.find_first_of("\">", at + name.size());
  if (begin == std::string::npos) return {};
  const std::size_t end = xml.find_first_of(xml[begin] == '"' ? "\"" : "<", begin + 1);
  return end == std::string::npos ? std::string() : xml.substr(begin + 1, end - begin - 1);
}

}  // namespace

std::string xmp_of(const FilmLabels& labels) {
  return "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
         "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
         "<rdf:Description rdf:about=\"\" xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\""
         " xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n"
         "<Iptc4xmpExt:DigitalSourceType>" +
         std::string(trained_algorithmic_media) + "</Iptc4xmpExt:DigitalSourceType>\n<xmp:CreatorTool>" + escaped(labels.producer) +
         "</xmp:CreatorTool>\n<dc:identifier>" + escaped(labels.id) +
         "</dc:identifier>\n</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>";
}

// The seven fields of GB 45438-2025, annex E. Label 1: made by artificial intelligence.
std::string aigc_of(const FilmLabels& labels) {
  return nlohmann::ordered_json{{"Label", "1"},
                                {"ContentProducer", labels.producer},
                                {"ProduceID", labels.id},
                                {"ReservedCode1", ""},
                                {"ContentPropagator", ""},
                                {"PropagateID", ""},
                                {"ReservedCode2", ""}}
      .dump();
}

void label_film(const fs::path& film, const FilmLabels& labels) {
  const std::vector<Box> boxes = boxes_of(film);
  const auto moov = std::find_if(boxes.begin(), boxes.end(), [](const Box& b) { return b.type == "moov"; });
  if (moov == boxes.end()) throw Error(ExitCode::internal, "the film has no index");
  const std::uint64_t size = boxes.back().end;
  const std::string metadata = metadata_box("AIGC", aigc_of(labels));
  std::string index = bytes_between(film, moov->begin, moov->end);
  shift_offsets(index, moov->content - moov->begin, index.size(), moov->end, metadata.size());
  index.replace(0, 4, big_endian(index.size() + metadata.size(), 4));
  index += metadata;

  std::fstream file(film, std::ios::in | std::ios::out | std::ios::binary);
  make_room(file, moov->end, size, metadata.size());
  file.seekp(static_cast<std::streamoff>(moov->begin));
  file.write(index.data(), std::ssize(index));
  file.seekp(0, std::ios::end);
  const std::string xmp = box("uuid", std::string(xmp_uuid) + xmp_of(labels));
  file.write(xmp.data(), std::ssize(xmp));
  file.close();
  if (!file) throw Error(ExitCode::io, "the film's labels could not be written");
}

FoundLabels labels_of(const fs::path& film) {
  constexpr std::uint64_t longest_xmp = 1U << 20U;
  FoundLabels found;
  for (const Box& b : boxes_of(film)) {
    if (b.type != "uuid" || b.end - b.content < xmp_uuid.size()) continue;
    const std::string uuid = bytes_between(film, b.content, b.content + xmp_uuid.size());
    found.has_c2pa = found.has_c2pa || uuid == c2pa_uuid;
    if (uuid == xmp_uuid && b.end - b.content <= longest_xmp)
      found.digital_source_type = xml_value(bytes_between(film, b.content + xmp_uuid.size(), b.end), "DigitalSourceType");
  }
  return found;
}

FoundLabels labels_in_text(const fs::path& file) {
  constexpr std::size_t near = 8192;
  std::string text(near, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(text.data(), static_cast<std::streamsize>(near));
  FoundLabels found;
  if (text.find(trained_algorithmic_media) != std::string::npos) found.digital_source_type = trained_algorithmic_media;
  const std::size_t begin = text.find(R"({"Label":)"), end = text.find('}', begin);
  if (begin != std::string::npos && end != std::string::npos) found.aigc = text.substr(begin, end + 1 - begin);
  return found;
}

}  // namespace fabula
