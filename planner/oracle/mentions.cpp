// Splits a prompt into tokens, then into sentences of mentions: quotes, dialogue by name, and indirect speech.
#include "planner/oracle/mentions.h"

#include <algorithm>
#include <iterator>

#include "planner/text/spans.h"
#include "planner/text/text.h"

namespace fabula::oracle {
namespace {

// A quotation, without and with its marks.
struct Quote {
  TextSpan inside, whole;
};

bool is_gap(std::string_view text, std::size_t at) {
  return at >= text.size() || std::string_view(" \t\r\n.,:;!?()").find(text[at]) != std::string_view::npos;
}

// The marks of quotations, as languages write them. The last three close with a mark that is also an apostrophe.
struct Marks {
  std::string_view open, close;
  bool is_apostrophe = false;
};
constexpr Marks all_marks[] = {
    {"\"", "\""},         {"\u201c", "\u201d"}, {"\u201e", "\u201c"},       {"\u201e", "\u201d"},
    {"\u00ab", "\u00bb"}, {"\u00bb", "\u00ab"}, {"\u2039", "\u203a"},       {"\u300c", "\u300d"},
    {"\u300e", "\u300f"}, {"\u201a", "\u2018"}, {"\u2018", "\u2019", true}, {"'", "'", true},
};

// Where the mark closes that opens at `at`: not one after a backslash, nor an apostrophe. npos if it does not.
std::size_t closing(std::string_view text, std::size_t at, const Marks& marks) {
  if (marks.is_apostrophe && at > 0 && !is_gap(text, at - 1)) return std::string_view::npos;
  if (at > 0 && text[at - 1] == '\\') return std::string_view::npos;
  std::size_t end = text.find(marks.close, at + marks.open.size());
  while (end != std::string_view::npos && (text[end - 1] == '\\' || (marks.is_apostrophe && !is_gap(text, end + marks.close.size()))))
    end = text.find(marks.close, end + marks.close.size());
  return end;
}

// The quotations of a prompt, outermost.
std::vector<Quote> quotes_of(std::string_view text) {
  std::vector<Quote> quotes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    Quote nearest = {{0, 0}, {at, std::string_view::npos}};
    for (const Marks& marks : all_marks) {
      if (!text.substr(at).starts_with(marks.open)) continue;
      const std::size_t end = closing(text, at, marks);
      if (end != std::string_view::npos && end < nearest.whole.end)
        nearest = {{at + marks.open.size(), end}, {at, end + marks.close.size()}};
    }
    if (nearest.inside.end == 0) continue;
    quotes.push_back(nearest);
    at = nearest.whole.end - 1;
  }
  return quotes;
}

// A typed apostrophe for a printed one: "doesn’t" is in the lexicon as "doesn't".
std::string with_plain_apostrophes(std::string word) {
  for (std::size_t at = word.find("\u2019"); at != std::string::npos; at = word.find("\u2019")) word.replace(at, 3, "'");
  return word;
}

// Whether a full stop ends a sentence: not the dots of "well... you know", nor one inside "e.g" or "fox.mp4".
bool ends_sentence(std::string_view prompt, std::size_t at) {
  const std::size_t after = prompt.find_first_not_of('.', at), begin = prompt.find_last_not_of('.', at) + 1;  // of the dots
  if (after == std::string_view::npos || begin + 1 == after)
    return after == std::string_view::npos || is_gap(prompt, after) || prompt[after] == '"';
  const std::size_t next = prompt.find_first_not_of(' ', after);
  return next == std::string_view::npos || prompt[next] < 'a' || prompt[next] > 'z';
}

// One word, sign or quote.
struct Token {
  enum class What { word, quote, comma, colon, stop } what;
  std::string word = {};
  TextSpan span = {0, 0};
};

// The words of a prompt, its quotations, and the signs between them.
std::vector<Token> tokens_of(std::string_view prompt, const Lexicon& lexicon) {
  const std::vector<Quote> quotes = quotes_of(prompt);
  const std::vector<TextSpan> words = words_of(prompt);
  std::vector<Token> tokens;
  std::size_t quote = 0, word = 0;
  for (std::size_t at = 0; at < prompt.size();) {
    while (quote < quotes.size() && quotes[quote].whole.begin < at) ++quote;
    while (word < words.size() && words[word].begin < at) ++word;
    if (quote < quotes.size() && quotes[quote].whole.begin == at) {
      tokens.push_back({Token::What::quote, {}, quotes[quote].inside});
      at = quotes[quote].whole.end;
    } else if (word < words.size() && words[word].begin == at) {
      tokens.push_back({Token::What::word, lexicon.corrected(with_plain_apostrophes(lowercase(words[word].of(prompt)))), words[word]});
      at = words[word].end;
    } else {
      const char c = prompt[at];
      const auto sign = [&](Token::What what) { tokens.push_back({what, {}, {at, at + 1}}); };
      if ((c == '.' && ends_sentence(prompt, at)) || c == '!' || c == '?' || c == ';' || c == '\n')
        sign(Token::What::stop);
      else if (c == ',')
        sign(Token::What::comma);
      else if (c == ':')
        sign(Token::What::colon);
      else if (c == '&')
        tokens.push_back({Token::What::word, "and", {at, at + 1}});
      ++at;
    }
  }
  return tokens;
}

class Reader {
 public:
  Reader(std::string_view prompt, const Lexicon& lexicon) : prompt_(prompt), lexicon_(lexicon), tokens_(tokens_of(prompt, lexicon)) {}

  std::vector<Sentence> run() {
    while (at_ < tokens_.size()) step();
    end_sentence();
    return std::move(sentences_);
  }

 private:
  using What = Token::What;

  bool is_at(std::size_t index, What what) const { return index < tokens_.size() && tokens_[index].what == what; }

  void end_sentence() {
    if (!sentence_.empty()) sentences_.push_back(std::move(sentence_));
    sentence_.clear();
  }

  std::optional<Lexicon::Match> match_at(std::size_t index) const {
    std::vector<std::string> words;
    for (std::size_t i = index; i < tokens_.size() && words.size() < 6 && tokens_[i].what == What::word; ++i)
      words.push_back(tokens_[i].word);
    return words.empty() ? std::nullopt : lexicon_.longest(words);
  }
  bool means(std::size_t index, Kind kind) const {
    const auto match = match_at(index);
    return match && match->meaning.kind == kind;
  }

  // A line of a script: "Fox (sad): hello.", or the name on a line of its own above the speech. Tokens [name, aside) are the name, [aside,
  // line) the remark in parentheses.
  struct Turn {
    std::size_t name, aside, line;
  };

  bool is_newline(std::size_t index) const { return is_at(index, Token::What::stop) && prompt_[tokens_[index].span.begin] == '\n'; }
  bool is_shouted(std::size_t index) const {
    const std::string_view word = tokens_[index].span.of(prompt_);
    return std::all_of(word.begin(), word.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; });
  }

  // The end of the name that begins at a token; 0 if none does.
  std::size_t end_of_name(std::size_t index) const {
    if (means(index, Kind::actor)) return index + match_at(index)->words;
    std::size_t end = index;  // "GHOST", unknown to the world
    while (is_at(end, What::word) && is_shouted(end) && !match_at(end)) ++end;
    return end > index && end <= index + 3 && is_newline(end) ? end : 0;
  }

  std::optional<Turn> turn_at(std::size_t index) const {
    const bool begins_line = index == 0 || is_newline(index - 1);
    if (means(index, Kind::article)) ++index;
    const std::size_t aside = is_at(index, What::word) ? end_of_name(index) : 0;
    if (aside == 0) return std::nullopt;
    std::size_t end = aside;
    const std::size_t open = prompt_.find_first_not_of(" \n", tokens_[aside - 1].span.end);
    if (open != std::string_view::npos && prompt_[open] == '(') {
      const std::size_t close = prompt_.find(')', open);
      while (end < tokens_.size() && tokens_[end].span.begin < close) ++end;
    }
    const bool above = is_newline(end) && begins_line && (is_at(end + 1, What::word) || is_at(end + 1, What::quote));
    if (!above && !(is_at(end, What::colon) && end + 1 < tokens_.size())) return std::nullopt;
    return Turn{index, aside, end + 1};
  }

  void turn(const Turn& t) {
    std::size_t end = t.line + 1;  // end of the line
    TextSpan said = tokens_[t.line].span;
    if (!is_at(t.line, What::quote)) {
      while (end < tokens_.size() && !is_newline(end) && !turn_at(end) && !(is_at(end, What::stop) && narrates(end + 1))) ++end;
      said.end = end_of_speech(end);
    }
    Sentence aside;
    std::swap(aside, sentence_);
    for (at_ = t.aside; at_ < t.line;) is_at(at_, What::word) ? word_only() : void(++at_);
    std::swap(aside, sentence_);
    const auto take = [&](Kind kind) {
      std::copy_if(aside.begin(), aside.end(), std::back_inserter(sentence_), [&](const Mention& m) { return m.is(kind); });
    };
    // Put in the order of '"Hello", in a deep voice, says the sad fox.'
    sentence_.push_back({Mention::What::line, {Kind::small}, {}, said});
    take(Kind::voice);
    sentence_.push_back({Mention::What::meaning, {Kind::say}, "says", tokens_[t.name].span});
    take(Kind::mood);
    for (at_ = t.name; at_ < t.aside;) word_only();
    take(Kind::place);
    take(Kind::time);
    end_sentence();
    at_ = end;
  }

  // The end in the prompt of a speech whose last token is before `end`, with its ! or ?.
  std::size_t end_of_speech(std::size_t end) const {
    std::size_t at = tokens_[end - 1].span.end;
    while (at < prompt_.size() && (prompt_[at] == '!' || prompt_[at] == '?')) ++at;
    return at;
  }

  // Whether the sentence that begins here tells what happens, and is no more speech: "Then it jumps.", "The crab runs."
  bool narrates(std::size_t index) const {
    if (means(index, Kind::then)) return true;
    bool has_subject = false;
    for (std::size_t i = index; i < tokens_.size() && is_at(i, What::word); ++i) {
      const auto match = match_at(i);
      if (!match) continue;
      const Kind kind = match->meaning.kind;
      has_subject = has_subject || kind == Kind::actor || (kind == Kind::pronoun && i == index);
      if (has_subject && (kind == Kind::action || kind == Kind::say)) return true;
    }
    return false;
  }

  void step() {
    if (const auto begins = sentence_.empty() ? turn_at(at_) : std::nullopt) return turn(*begins);
    const Token& token = tokens_[at_];
    switch (token.what) {
      case What::stop:
        end_sentence();
        ++at_;
        return;
      case What::comma:
      case What::colon:
        sentence_.push_back({token.what == What::comma ? Mention::What::comma : Mention::What::colon, {Kind::small}, {}, token.span});
        ++at_;
        return;
      case What::quote:
        return quote();
      case What::word:
        return word();
    }
  }

  // A line with a stop of its own ends the sentence, unless its speaker follows: '"Stop!" says the fox.'
  void quote() {
    const TextSpan inside = tokens_[at_++].span;
    if (words_of(inside.of(prompt_)).empty()) return;
    sentence_.push_back({Mention::What::line, {Kind::small}, {}, inside});
    const std::string_view said = trimmed(inside.of(prompt_));
    const bool stops = said.ends_with('.') || said.ends_with('!') || said.ends_with('?');
    if (stops && !means(at_, Kind::say) && !voice_follows() && !means(at_, Kind::joint) && !is_at(at_, What::comma)) end_sentence();
  }

  // Whether the next words give a voice: "in a deep voice"
  bool voice_follows() const {
    for (std::size_t i = at_; i < at_ + 3 && i < tokens_.size() && tokens_[i].what == What::word; ++i) {
      if (means(i, Kind::voice)) return true;
    }
    return false;
  }

  void word() {
    word_only();
    const Mention& last = sentence_.back();
    if (last.is(Kind::say) || (last.is(Kind::action) && last.word.starts_with("talk"))) speech(last.word);
  }

  // Like word(), but a verb of speaking begins no speech.
  void word_only() {
    const auto match = match_at(at_);
    const std::size_t count = match ? match->words : 1;
    sentence_.push_back({match ? Mention::What::meaning : Mention::What::unknown,
                         match ? match->meaning : Meaning{Kind::small},
                         tokens_[at_].word,
                         {tokens_[at_].span.begin, tokens_[at_ + count - 1].span.end}});
    at_ += count;
  }

  // Takes the unquoted words after a verb of speaking as a line, up to the end of the sentence.
  void speech(std::string verb) {
    if (std::any_of(sentence_.begin(), sentence_.end(), [](const Mention& m) { return m.what == Mention::What::line; }))
      return;  // '"Hello," says it.'
    std::size_t end = at_, colon = 0;
    for (; end < tokens_.size() && !(tokens_[end].what == What::stop && !goes_on(end)); ++end) {
      if (tokens_[end].what == What::quote) return;  // the quotation is the line
      if (tokens_[end].what == What::colon && colon == 0) colon = end;
    }
    std::size_t begin = at_;
    if (colon == 0 && verb.starts_with("talk")) return;  // "talks happily", "talks to a crab"
    if (colon != 0) {
      while (at_ < colon) step_word();
      begin = colon + 1;
    } else {
      if (voice_follows()) {
        while (!means(at_, Kind::voice)) step_word();
        step_word();
      }
      if (is_at(at_, What::comma)) ++at_;
      begin = at_;
      const bool plainly_said = verb.starts_with("sa");  // says, said, saying
      if (begin >= end || (!plainly_said && !is_speech(begin))) return;
      if (plainly_said && (means(begin, Kind::then) || means(begin, Kind::silent))) return;
    }
    if (begin >= end) return;
    sentence_.push_back({Mention::What::line, {Kind::small}, {}, {tokens_[begin].span.begin, end_of_speech(end)}});  // "hello moon!"
    at_ = end;
  }

  // Whether a speech goes on after its ! or ?: "oh! my hat"
  bool goes_on(std::size_t stop) const {
    const char sign = prompt_[tokens_[stop].span.begin];
    const std::size_t next = prompt_.find_first_not_of(" !?", tokens_[stop].span.end);
    return (sign == '!' || sign == '?') && next != std::string_view::npos && prompt_[next] >= 'a' && prompt_[next] <= 'z' &&
           !narrates(stop + 1);
  }

  void step_word() {
    if (is_at(at_, What::word))
      word_only();
    else
      step();
  }
  // Whether a line begins here: "shouts hello", but not "shouts in the forest" or "calls and jumps".
  bool is_speech(std::size_t index) const {
    const auto match = match_at(index);
    if (!match) return true;
    const Kind kind = match->meaning.kind;
    return kind != Kind::among && kind != Kind::with && kind != Kind::joint && kind != Kind::meanwhile && kind != Kind::then &&
           kind != Kind::time && kind != Kind::facing && kind != Kind::position && kind != Kind::article && kind != Kind::silent &&
           kind != Kind::actor && kind != Kind::voice;
  }

  std::string_view prompt_;
  const Lexicon& lexicon_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  Sentence sentence_;
  std::vector<Sentence> sentences_;
};

}  // namespace

std::vector<Sentence> sentences_of(std::string_view prompt, const Lexicon& lexicon) { return Reader(prompt, lexicon).run(); }

}  // namespace fabula::oracle
