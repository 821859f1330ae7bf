// Words the scenes of a screenplay as a prompt.
#include "planner/screenplay/prose.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>

#include "base/error.h"
#include "planner/text/prompt.h"
#include "planner/text/text.h"

namespace fabula::screenplay {
namespace {

constexpr std::size_t longest_text =
    2 * longest_prompt;  // bytes of one action or line; a longer one makes the whole prompt too long anyway

struct Pair {
  std::string_view key, phrase;
};

// Times of day that do not take "at".
constexpr std::array<Pair, 5> time_phrases = {{{"day", "by day"},
                                               {"daytime", "by day"},
                                               {"morning", "in the morning"},
                                               {"afternoon", "in the afternoon"},
                                               {"evening", "in the evening"}}};
// Places that take "on", by their last word.
constexpr std::array<std::string_view, 12> surfaces = {"beach",   "seaside", "shore", "coast",  "seashore", "moon",
                                                       "surface", "plain",   "roof",  "bridge", "island",   "hill"};
// Parentheticals that become verbs of speaking.
constexpr std::array<Pair, 8> saying = {{{"shouting", "shouts"},
                                         {"whispering", "whispers"},
                                         {"calling", "calls"},
                                         {"asking", "asks"},
                                         {"singing", "sings"},
                                         {"crying", "cries"},
                                         {"answering", "answers"},
                                         {"yelling", "yells"}}};
constexpr std::array<Pair, 4> voices = {
    {{"man", " in a man's voice"}, {"rms", " in a man's voice"}, {"woman", " in a woman's voice"}, {"slt", " in a woman's voice"}}};
constexpr std::array<Pair, 4> camera = {{{"size wide", "Wide shot."},
                                         {"size medium", "Close-up."},
                                         {"move push_in", "The camera moves in."},
                                         {"move static", "The camera stays still."}}};

template <std::size_t count>
std::string_view phrase_of(const std::array<Pair, count>& pairs, std::string_view key) {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const Pair& pair) { return pair.key == key; });
  return found == pairs.end() ? std::string_view{} : found->phrase;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// A word in lower case, without signs at its ends.
std::string bare(std::string_view word) {
  constexpr std::string_view signs = ".,;:!?-()";
  const std::size_t begin = word.find_first_not_of(signs);
  return begin == std::string_view::npos ? "" : lowercase(word.substr(begin, word.find_last_not_of(signs) + 1 - begin));
}

bool is_article(const std::string& word) {
  return word == "a" || word == "an" || word == "the" || word == "his" || word == "her" || word == "its";
}

// A word in a screenplay's capitals: "FOX", but not "I".
bool is_shouted(std::string_view word) {
  return bare(word).size() > 1 && word != lowercase(word) &&
         std::none_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string ended(std::string text) {
  while (!text.empty() && std::string_view(" ,;:-").find(text.back()) != std::string_view::npos) text.pop_back();
  return text.empty() || text.back() == '.' || text.back() == '!' || text.back() == '?' ? text : text + ".";
}

bool is_fade(std::string_view transition, std::initializer_list<std::string_view> names) {
  const std::string_view bare = transition.substr(0, transition.find_last_not_of(".: ") + 1);
  return std::find(names.begin(), names.end(), bare) != names.end();
}

class Writer {
 public:
  explicit Writer(const Script& script) : script_(script) {
    for (const Scene& scene : script.scenes) {
      for (const Shot& shot : scene.shots) {
        for (const SpokenLine& line : shot.dialogue) speakers_.insert(lowercase(words(line.speaker)));
        learn_nouns(shot);
      }
    }
  }

  Prose write() && {
    prose_.title = words(script_.title);
    prose_.fades_out = is_fade(script_.end_transition, {"FADE OUT", "FADE TO BLACK"});
    for (const Scene& scene : script_.scenes) write_scene(scene);
    if (prose_.prompt.empty()) throw Error(ExitCode::bad_data, "the screenplay has no action and no dialogue: there is nothing to film");
    if (!script_.end_transition.empty() && !prose_.fades_out) leave_out(0, "the last transition \"" + words(script_.end_transition) + "\"");
    film_overrides();
    if (prose_.prompt.size() > longest_prompt) {
      throw Error(ExitCode::bad_data, "the screenplay becomes a prompt of " + std::to_string(prose_.prompt.size()) + " bytes and at most " +
                                          std::to_string(longest_prompt) + " are read: film it in parts");
    }
    return std::move(prose_);
  }

 private:
  static std::string words(std::string_view text) { return prompt_words(text, longest_text); }

  void leave_out(int line, const std::string& what) {
    prose_.left_out.push_back((line > 0 ? "line " + std::to_string(line) + ": " : "") + "left out: " + what);
  }
  void leave_out(const Override& override) { leave_out(override.line, "\"" + words(override.key) + " = " + words(override.value) + "\""); }

  void put(const std::string& sentence) { prose_.prompt += (prose_.prompt.empty() ? "" : " ") + sentence; }

  // Collects nouns: a speaker called "a fox" or "the old fox" by the action is a noun; "Lucy" without an article is a name.
  void learn_nouns(const Shot& shot) {
    const std::vector<std::string> all = words_of(words(shot.action));
    int since_article = 2;
    for (const std::string& word : all) {
      const std::string plain = bare(word);
      ++since_article;
      if (is_article(plain))
        since_article = 0;
      else if (since_article == 1 || (since_article == 2 && (is_shouted(word) || word == lowercase(word))))
        nouns_.insert(plain);
      else
        mentioned_.insert(plain);
    }
  }

  // The speaker as the subject of a sentence: "the fox", "Lucy".
  std::string subject(const std::string& speaker) const {
    const std::string name = lowercase(words(speaker));
    const std::vector<std::string> parts = words_of(name);
    if (!parts.empty() && is_article(parts.front())) return name;
    const bool noun = parts.empty() || nouns_.contains(parts.back()) || !mentioned_.contains(parts.back());
    if (noun) return name.empty() ? "it" : "the " + name;
    std::string proper;
    for (const std::string& part : parts) proper += (proper.empty() ? "" : " ") + capitalised(part);
    return proper;
  }

  // The action as a sentence: only names keep capitals, and a noun that begins a clause gets an article.
  std::string action(const std::string& text) const {
    std::string sentence;
    bool clause_begins = true, sentence_begins = true;
    for (const std::string& word : words_of(words(text))) {
      const std::string plain = bare(word);
      std::string written = is_shouted(word) ? lowercase(word) : word;
      if (is_shouted(word) && speakers_.contains(plain)) {
        const std::string who = subject(plain);
        if (who != "the " + plain)
          written = capitalised(written);
        else if (clause_begins)
          written = "the " + written;
      }
      sentence += (sentence.empty() ? "" : " ") + (sentence_begins ? capitalised(written) : written);
      sentence_begins = std::string_view(".!?").find(word.back()) != std::string_view::npos;
      clause_begins = sentence_begins || word.back() == ';' || plain == "and" || plain == "while";
    }
    return ended(sentence);
  }

  // "in the forest at night", without what the sentence says already.
  std::string setting(const std::string& place, const std::string& time, const std::string& sentence) const {
    std::set<std::string> said;
    for (const std::string& word : words_of(sentence)) said.insert(bare(word));
    std::string phrase;
    const std::vector<std::string> place_words = words_of(lowercase(words(place)));
    if (!place_words.empty() && !said.contains(bare(place_words.back()))) {
      const bool on = std::find(surfaces.begin(), surfaces.end(), bare(place_words.back())) != surfaces.end();
      phrase = on ? "on" : "in";
      const bool owned = place_words.front().ends_with("'s");
      if (!is_article(place_words.front()) && !owned) phrase += " the";
      for (const std::string& word : place_words) {
        if (!bare(word).empty()) phrase += " " + (owned && &word == &place_words.front() ? capitalised(word) : word);
      }
    }
    if (!time.empty() && !said.contains(time)) {
      const std::string_view fixed = phrase_of(time_phrases, time);
      phrase += (phrase.empty() ? "" : " ") + (fixed.empty() ? "at " + words(time) : std::string(fixed));
    }
    return phrase;
  }

  void write_scene(const Scene& scene) {
    std::string place = scene.place, time = scene.time_of_day;
    for (const Override& override : scene.overrides) {
      if (override.key == "place")
        place = override.value;
      else if (override.key == "time")
        time = lowercase(override.value);
      else
        late_.push_back(override);
    }
    bool begins = true;
    for (const Shot& shot : scene.shots) {
      const bool fades_in = prose_.prompt.empty() && is_fade(shot.transition, {"FADE IN"});
      prose_.fades_in = prose_.fades_in || fades_in;
      if (!shot.transition.empty() && !fades_in) leave_out(shot.line, "the transition \"" + words(shot.transition) + "\"");
      for (const std::string& caption : shot.captions) leave_out(shot.line, "the title \"" + words(caption) + "\"");
      for (const Override& override : shot.overrides) late_.push_back(override);
      std::string sentence = action(shot.action);
      if (sentence.empty() && shot.dialogue.empty()) continue;
      if (begins && sentence.empty()) sentence = subject(shot.dialogue.front().speaker) + " is here.";
      if (begins) sentence = with_setting(sentence, setting(place, time, sentence));
      if (!sentence.empty()) put(capitalised(sentence));
      for (const SpokenLine& line : shot.dialogue) write_line(line);
      begins = false;
    }
  }

  std::string with_setting(std::string sentence, const std::string& phrase) const {
    if (phrase.empty()) return sentence;
    if (sentence.ends_with(" is here.")) return sentence.substr(0, sentence.size() - 5) + phrase + ".";
    const std::vector<std::string> first = words_of(sentence.substr(0, sentence.find(' ')));
    const bool is_name = !first.empty() && speakers_.contains(bare(first[0])) && subject(bare(first[0])) != "the " + bare(first[0]);
    if (!is_name && first[0] != "I") sentence[0] = lowercase(sentence.substr(0, 1))[0];
    return phrase + ", " + sentence;
  }

  void write_line(const SpokenLine& line) {
    const std::string spoken = words(line.text);
    if (spoken.empty()) return leave_out(line.line, "a line without words");
    std::string_view verb = phrase_of(saying, lowercase(line.delivery));
    if (verb.empty() && !line.delivery.empty()) leave_out(line.line, "the delivery \"" + words(line.delivery) + "\"");
    if (verb.empty()) verb = line.sung ? "sings" : "says";
    if (line.mode != "on_screen")
      leave_out(line.line, "that the line is " + std::string(line.mode == "voiceover" ? "a voice-over" : "spoken off screen"));
    if (line.with_previous) leave_out(line.line, "that the line is spoken together with the one before");
    std::string_view voice;
    for (const Override& override : line.overrides) {
      const std::string_view asked = override.key == "voice" ? phrase_of(voices, lowercase(override.value)) : std::string_view{};
      if (asked.empty())
        late_.push_back(override);
      else
        voice = asked;
    }
    put(capitalised(subject(line.speaker)) + " " + std::string(verb) + std::string(voice) + ": \"" + ended(spoken) + "\"");
  }

  // Size, move and number of shots apply to the whole film, wherever the script asks for them.
  void film_overrides() {
    std::vector<Override> all = script_.overrides;
    all.insert(all.end(), late_.begin(), late_.end());
    for (const Override& override : all) {
      const std::string value = lowercase(override.value);
      const std::string_view sentence = phrase_of(camera, override.key + " " + value);
      const bool number =
          !value.empty() && value.size() <= 2 && value[0] != '0' && value.find_first_not_of("0123456789") == std::string::npos;
      if (!sentence.empty())
        put(std::string(sentence));
      else if (override.key == "shots" && number)
        put("In " + value + (value == "1" ? " shot." : " shots."));
      else
        leave_out(override);
    }
  }

  const Script& script_;
  std::set<std::string> speakers_, nouns_, mentioned_;
  std::vector<Override> late_;
  Prose prose_;
};

}  // namespace

Prose prose_of(const Script& script) { return Writer(script).write(); }

Prose prose_of_fountain(std::string_view text) { return prose_of(scenes_of(parse_fountain(text))); }

}  // namespace fabula::screenplay
