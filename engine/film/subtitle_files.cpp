// Subtitles as SubRip and as WebVTT.
#include <array>
#include <cstdio>

#include "engine/film/subtitles.h"

namespace fabula {
namespace {

// "00:01:02,345", or with another mark before the milliseconds.
std::string clock(std::int64_t ms, char mark) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%02lld:%02lld:%02lld%c%03lld", static_cast<long long>(ms / 3'600'000),
                static_cast<long long>(ms / 60'000 % 60), static_cast<long long>(ms / 1000 % 60), mark, static_cast<long long>(ms % 1000));
  return text.data();
}

template <typename Replacement>
std::string replaced(const std::string& text, const Replacement& replacement) {
  std::string result;
  for (const char c : text) {
    const char* instead = replacement(c);
    if (instead == nullptr)
      result += c;
    else
      result += instead;
  }
  return result;
}

std::string srt_text(const std::string& text) {
  return replaced(text, [](char c) { return c == '<' ? "‹" : c == '>' ? "›" : c == '{' ? "(" : c == '}' ? ")" : nullptr; });
}

std::string vtt_text(const std::string& text) {
  return replaced(text, [](char c) { return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : nullptr; });
}

// Two voices in one cue, each of which needs its mark.
bool is_dialogue(const Cue& cue) {
  return cue.lines.size() > 1 && !cue.lines.front().speaker.empty() && !cue.lines.back().speaker.empty() &&
         cue.lines.front().speaker != cue.lines.back().speaker;
}

}  // namespace

std::string plain_text(const Cue& cue) {
  std::string text;
  for (const SubtitleLine& line : cue.lines) text += (text.empty() ? "" : "\n") + std::string(is_dialogue(cue) ? "- " : "") + line.text;
  return text;
}

std::string to_srt(const std::vector<Cue>& cues) {
  std::string file;
  std::size_t number = 0;
  for (const Cue& cue : cues)
    file += std::to_string(++number) + "\n" + clock(cue.start_ms, ',') + " --> " + clock(cue.end_ms, ',') + "\n" +
            srt_text(plain_text(cue)) + "\n\n";
  return file;
}

// A voice tag ends at the next one or at its closing tag, so a cue's lines of one speaker share it.
std::string to_vtt(const std::vector<Cue>& cues) {
  std::string file = "WEBVTT\n\n";
  for (const Cue& cue : cues) {
    file += clock(cue.start_ms, '.') + " --> " + clock(cue.end_ms, '.') + "\n";
    std::string speaker;
    bool is_first = true;
    for (const SubtitleLine& line : cue.lines) {
      const bool is_new_voice = line.speaker != speaker;
      if (is_new_voice && !speaker.empty()) file += "</v>";
      if (!is_first) file += "\n";
      if (is_new_voice && !line.speaker.empty()) file += "<v " + vtt_text(line.speaker) + ">";
      file += vtt_text((is_dialogue(cue) ? "- " : "") + line.text);
      speaker = line.speaker;
      is_first = false;
    }
    file += (speaker.empty() ? "" : "</v>") + std::string("\n\n");
  }
  return file;
}

}  // namespace fabula
