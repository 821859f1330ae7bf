// Writes the page of a batch: poster, prompt, what could not be shown, time and seed of each film.
#include "tools/batch/page.h"

#include <array>
#include <cstdio>
#include <fstream>

#include "planner/cast/base64.h"
#include "planner/text/text.h"

namespace fabula::batch {

namespace fs = std::filesystem;

namespace {

constexpr const char* head = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="fabula batch">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Films</title>
<style>
body { font: 16px/1.4 sans-serif; margin: 2em; background: #fff; color: #222 }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(20em, 1fr)); gap: 2em }
article { overflow-wrap: anywhere }
video { width: 100%; background: #000 }
h2 { font-size: 1.1em; margin: .4em 0 }
p { margin: .3em 0 }
small { color: #555 }
.missing, .failed { color: #a02020 }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd } small { color: #aaa } .missing, .failed { color: #ff8a80 } }
</style>
</head>
<body>
)";

// Text as HTML shows it.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// A file name as part of an address (RFC 3986).
std::string address_of(const std::string& name) {
  constexpr const char* digits = "0123456789ABCDEF";
  std::string out = "./";  // a colon in the name starts no scheme
  for (const char c : name) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
    const auto byte = static_cast<unsigned char>(c);
    out += is_plain ? std::string(1, c) : std::string{'%', digits[byte >> 4U], digits[byte & 15U]};
  }
  return out;
}

std::string list(const char* kind, const char* label, const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : "; ") + escaped(item);
  return out.empty() ? "" : std::string("<p class=\"") + kind + "\">" + label + out + "</p>\n";
}

std::string seconds(std::int64_t milliseconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f s", static_cast<double>(milliseconds) / 1000.0);
  return text.data();
}

std::string counted(std::size_t number, const char* what) { return std::to_string(number) + " " + what + (number == 1 ? "" : "s"); }

std::string article(const PageEntry& entry, const fs::path& folder) {
  const FilmRecord& film = entry.film;
  const std::string number = std::to_string(entry.number);
  std::string out = "<article id=\"job" + number + "\">\n";
  if (!entry.failure.empty()) {
    out +=
        "<h2>" + number + ". No film</h2>\n<p>" + escaped(film.prompt) + "</p>\n<p class=\"failed\">" + escaped(entry.failure) + "</p>\n";
    return out + "</article>\n";
  }
  out += "<video controls preload=\"none\" poster=\"data:image/jpeg;base64," + cast::to_base64(film.poster) + "\" src=\"" +
         address_of(fs::path(film.output).lexically_proximate(folder).string()) + "\"></video>\n";
  out += "<h2>" + number + ". " + escaped(film.title) + "</h2>\n<p>" + escaped(film.prompt) + "</p>\n";
  out += list("missing", "Could not be shown: ", film.unsupported) + list("warning", "", film.warnings);
  return out + "<p><small>made in " + seconds(film.milliseconds) + ", seed " + escaped(film.seed) + ", " + escaped(film.finished) +
         "</small></p>\n</article>\n";
}

}  // namespace

std::string page_of(const std::vector<PageEntry>& entries, const fs::path& folder) {
  std::size_t failed = 0;
  for (const PageEntry& entry : entries) failed += entry.failure.empty() ? 0 : 1;
  std::string page = std::string(head) + "<h1>" + counted(entries.size() - failed, "film") + "</h1>\n";
  if (failed > 0) page += "<p class=\"failed\">" + counted(failed, "job") + " failed.</p>\n";
  page += "<main>\n";
  for (const PageEntry& entry : entries) page += article(entry, folder);
  return page + "</main>\n</body>\n</html>\n";
}

bool is_page(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, 256> begin{};
  in.read(begin.data(), begin.size());
  return std::string_view(begin.data(), static_cast<std::size_t>(in.gcount())).find("<meta name=\"generator\" content=\"fabula batch\">") !=
         std::string_view::npos;
}

}  // namespace fabula::batch
