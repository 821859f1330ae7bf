// flite's front end: normalised words, phones and their durations.
#include "audio/phonemes.h"

#include <flite/flite.h>

#include <memory>
#include <mutex>
#include <string_view>

#include "base/error.h"

// The voices' libraries come without headers.
extern "C" {
cst_voice* register_cmu_us_slt(const char* voxdir);
cst_voice* register_cmu_us_rms(const char* voxdir);
cst_voice* register_cmu_us_awb(const char* voxdir);
cst_voice* register_cmu_us_kal16(const char* voxdir);
}

namespace fabula {
namespace {

struct UtteranceDeleter {
  void operator()(cst_utterance* utterance) const { delete_utterance(utterance); }
};
using Utterance = std::unique_ptr<cst_utterance, UtteranceDeleter>;

// flite registers a voice once and returns the same one afterwards.
cst_voice* voice_named(const std::string& name) {
  if (name == "slt") return register_cmu_us_slt(nullptr);
  if (name == "rms") return register_cmu_us_rms(nullptr);
  if (name == "awb") return register_cmu_us_awb(nullptr);
  if (name == "kal16") return register_cmu_us_kal16(nullptr);
  throw Error(ExitCode::bad_data, "flite has no voice \"" + name + "\" (known: slt, rms, awb, kal16)");
}

std::vector<Phone> segments(cst_utterance* utterance) {
  std::vector<Phone> phones;
  double start = 0.0;
  for (const cst_item* item = relation_head(utt_relation(utterance, "Segment")); item != nullptr; item = item_next(item)) {
    const double end = item_feat_float(item, "end");
    phones.push_back({item_feat_string(item, "name"), start, end - start});
    start = end;
  }
  return phones;
}

// Words that flite reads as something else, and words that sound as they should: after a king's name, or "part", it takes "I" for a number
// ("John the first"); what has no vowel it spells ("aitch em em"). Lower case; `may_be_longer`: its last letter may be repeated.
struct Reading {
  std::string_view word, read_as;
  bool may_be_longer = false;
};
constexpr Reading readings[] = {{"i", "eye"},          {"hm", "hum", true},    {"mhm", "um hum", true}, {"mm", "um", true},
                                {"sh", "shush", true}, {"psst", "pist", true}, {"brr", "burr", true},   {"grr", "gur", true},
                                {"pff", "puff", true}, {"pfft", "puft", true}, {"tsk", "tisk"},         {"zz", "zuz", true},
                                {"nth", "enth"}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\''; }

std::string_view reading_of(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const Reading& reading : readings) {
    const bool is_longer = reading.may_be_longer && lower.starts_with(reading.word) &&
                           lower.find_first_not_of(reading.word.back(), reading.word.size()) == std::string::npos;
    if (lower == reading.word || is_longer) return reading.read_as;
  }
  return word;
}

// The text with the words replaced that flite misreads.
std::string readable(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_letter(text[end])) ++end;
    if (end > at)
      result += reading_of(text.substr(at, end - at));
    else
      result += text[end++];
    at = end;
  }
  return result;
}

bool is_pause(const Phone& phone) { return phone.name == "pau"; }

}  // namespace

std::vector<Phone> phones_of(const std::string& text, const std::string& voice) {
  static std::mutex turn;
  const std::lock_guard lock(turn);
  flite_init();
  // The durations of these voices are set on the way to the waveform, so one is made; it is freed with the utterance.
  const Utterance utterance(flite_synth_text(readable(text).c_str(), voice_named(voice)));
  if (!utterance) throw Error(ExitCode::internal, "flite could not speak \"" + text + "\"");
  std::vector<Phone> phones = segments(utterance.get());
  while (!phones.empty() && is_pause(phones.back())) phones.pop_back();
  std::size_t first = 0;
  while (first < phones.size() && is_pause(phones[first])) ++first;
  phones.erase(phones.begin(), phones.begin() + static_cast<std::ptrdiff_t>(first));
  return phones;
}

}  // namespace fabula
