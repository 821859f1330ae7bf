// The tokenizer against ids of the `tokenizers` library, and against malformed files.
#include "planner/lm/tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "base/error.h"
#include "planner/lm/split.h"
#include "planner/text/unicode.h"

namespace fabula {
namespace {

using nlohmann::json;

const std::string folder = std::string(FABULA_SOURCE_DIR) + "/tests/goldens/tokenizer/";

json load(const std::string& name) {
  std::ifstream in(folder + name);
  return json::parse(in);
}

const Tokenizer& golden() {
  static const Tokenizer tokenizer = Tokenizer::open(folder + "tokenizer.json");
  return tokenizer;
}

TEST(Tokenizer, GivesTheReferencesIdsAndTexts) {
  const json cases = load("cases.json")["cases"];
  ASSERT_GT(cases.size(), 20U);
  for (const json& one : cases) {
    const std::string text = one["text"];
    const std::vector<std::int32_t> ids = golden().encode(text);
    EXPECT_EQ(ids, one["ids"].get<std::vector<std::int32_t>>()) << text;
    EXPECT_EQ(golden().decode(ids), one["decoded"].get<std::string>());
    EXPECT_EQ(golden().decode(ids, true), one["decoded_skip_special"].get<std::string>());
  }
}

// Qwen's, GPT-2's with digits apart, and Llama 3's; with NFC and without; with words that are tokens without merges.
TEST(Tokenizer, KnowsThePatternsOfOtherFamilies) {
  for (const std::string family : {"qwen2", "smollm2", "llama3"}) {
    const std::string of_family = "../" + family + "/";
    const Tokenizer tokenizer = Tokenizer::open(folder + of_family + "tokenizer.json");
    for (const json& one : load(of_family + "cases.json")["cases"]) {
      const std::string text = one["text"];
      const std::vector<std::int32_t> ids = tokenizer.encode(text);
      EXPECT_EQ(ids, one["ids"].get<std::vector<std::int32_t>>()) << family << ": " << text;
      EXPECT_EQ(tokenizer.decode(ids), one["decoded"].get<std::string>()) << family;
    }
    EXPECT_THROW((void)tokenizer.encode("a\xff"), Error) << family;
  }
}

// Spaces written by the normalizer or the pre-tokenizer, added tokens found before or after it.
TEST(Tokenizer, MergesCharactersAsSentencePieceModelsDo) {
  json cases = load("../characters/variants.json")["variants"];
  cases["tokenizer"] = load("../characters/cases.json")["cases"];
  json written = load("../characters/tokenizer.json");
  const auto expect = [&](const char* name) {
    const Tokenizer tokenizer = Tokenizer::parse(written.dump(), name);
    for (const json& one : cases[name]) {
      const std::string text = one["text"];
      const std::vector<std::int32_t> ids = tokenizer.encode(text);
      EXPECT_EQ(ids, one["ids"].get<std::vector<std::int32_t>>()) << name << ": " << text;
      // The reference takes normalised added tokens for no special ones when it decodes.
      if (name != std::string_view("normalized")) {
        EXPECT_EQ(tokenizer.decode(ids), one["decoded"].get<std::string>()) << name;
        EXPECT_EQ(tokenizer.decode(ids, true), one["decoded_skip_special"].get<std::string>()) << name;
      }
      std::string inside;
      for (const std::int32_t id : tokenizer.encode(text, AddedTokens::plain, Start::inside)) inside += tokenizer.bytes(id);
      const bool has_mark = text.find("\xE2\x96\x81") != std::string::npos;  // which is a space then
      EXPECT_TRUE(inside == text || has_mark) << "what is inside a text gets no space";
    }
    return tokenizer;
  };
  const Tokenizer tokenizer = expect("tokenizer");
  EXPECT_TRUE(tokenizer.is_byte(3) && tokenizer.is_byte(258) && !tokenizer.is_byte(259) && !tokenizer.is_byte(2));
  for (json& token : written["added_tokens"]) token["normalized"] = true;
  (void)expect("normalized");
  for (json& token : written["added_tokens"]) token["normalized"] = false;
  written["normalizer"] = nullptr;
  written["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "\xE2\x96\x81"}, {"prepend_scheme", "first"}, {"split", false}};
  (void)expect("metaspace");
  written["pre_tokenizer"]["split"] = true;
  EXPECT_THROW((void)Tokenizer::parse(written.dump(), "split"), Error);
  written["pre_tokenizer"]["split"] = false;
  written["model"]["vocab"].erase("<0x0A>");
  EXPECT_THROW((void)Tokenizer::parse(written.dump(), "a byte less"), Error);
}

TEST(Tokenizer, TakesAddedTokensAsPlainTextWhenToldTo) {
  const std::string text = "x<|im_end|>y";
  EXPECT_EQ(golden().encode(text).size(), 3U);
  const auto plain = golden().encode(text, AddedTokens::plain);
  for (const std::int32_t id : plain) EXPECT_FALSE(golden().is_added(id));
  EXPECT_EQ(golden().decode(plain, true), text);
}

TEST(Tokenizer, CutsWordsAsTheReferencesPatternDoes) {
  const auto words = [](std::string_view text) {
    const auto views = split_words(text);
    return std::vector<std::string>(views.begin(), views.end());
  };
  using Words = std::vector<std::string>;
  EXPECT_EQ(words("it'\u017Fx I'LLy"), (Words{"it", "'\u017F", "x", " I", "'LL", "y"}));
  EXPECT_EQ(words("a  b \n\n c\t"), (Words{"a", " ", " b", " \n\n", " c", "\t"}));
  EXPECT_EQ(words(" \"hi\"\n42\u00A0x"), (Words{" \"", "hi", "\"\n", "4", "2", "\u00A0x"}));
}

TEST(Tokenizer, StreamsTextWithoutHalfCharacters) {
  for (const json& one : load("cases.json")["cases"]) {
    const auto ids = one["ids"].get<std::vector<std::int32_t>>();
    StreamDecoder decoder(golden());
    std::string text;
    for (const std::int32_t id : ids) {
      const std::string piece = decoder.push(id);
      EXPECT_TRUE(is_utf8(piece));
      text += piece;
    }
    EXPECT_EQ(text + decoder.finish(), one["decoded"].get<std::string>());
  }
  StreamDecoder cut(golden());
  EXPECT_EQ(cut.push(golden().encode("\u00e9")[0]), "");
  EXPECT_EQ(cut.finish(), "\uFFFD");
}

TEST(Tokenizer, ReturnsWhateverItWasGiven) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<std::string> pieces = {"a",          "the",    " ",          "\n", "\r\n", "'s",     "'LL", "1", "\u5c0f",
                                           "\U0001F98A", "\u00e9", "<|im_end|>", "\"", "\t",   "\u2003", "_",   "Z"};
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (auto length = random() % 40; length > 0; --length) text += pieces[random() % pieces.size()];
    EXPECT_EQ(golden().decode(golden().encode(text, AddedTokens::plain)), text);
    EXPECT_EQ(golden().decode(golden().encode(text)), text);
  }
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  for (const char* text : {"\xff", "a\xc0\xaf", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80"}) {
    EXPECT_FALSE(is_utf8(text));
    EXPECT_THROW((void)golden().encode(text), Error);
  }
}

TEST(Tokenizer, HasNoTokenOutsideItsVocabulary) {
  EXPECT_THROW((void)golden().bytes(-1), Error);
  EXPECT_THROW((void)golden().bytes(golden().size()), Error);
}

// Each change makes a file that must be refused with a sentence, never misread.
TEST(TokenizerFile, RefusesWhatItCannotReadRightly) {
  const std::vector<std::pair<const char*, std::function<void(json&)>>> changes = {
      {"a list", [](json& f) { f = json::array(); }},
      {"no model", [](json& f) { f.erase("model"); }},
      {"no normalizer", [](json& f) { f.erase("normalizer"); }},
      {"a normalizer that is a text", [](json& f) { f["normalizer"] = "NFC"; }},
      {"digits that are not cut apart",
       [](json& f) {
         f["pre_tokenizer"]["pretokenizers"][0] = {{"type", "Digits"}, {"individual_digits", false}};
       }},
      {"digits without GPT-2's pattern",
       [](json& f) {
         f["pre_tokenizer"]["pretokenizers"][0] = {{"type", "Digits"}, {"individual_digits", true}};
       }},
      {"NFKC", [](json& f) { f["normalizer"]["type"] = "NFKC"; }},
      {"another pattern", [](json& f) { f["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "\\w+"; }},
      {"a pattern that is a number", [](json& f) { f["pre_tokenizer"]["pretokenizers"][0]["pattern"] = 7; }},
      {"one pre-tokenizer", [](json& f) { f["pre_tokenizer"]["pretokenizers"].erase(0); }},
      {"an added space", [](json& f) { f["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = true; }},
      {"WordPiece", [](json& f) { f["model"]["type"] = "WordPiece"; }},
      {"dropout", [](json& f) { f["model"]["dropout"] = 0.5; }},
      {"no vocabulary", [](json& f) { f["model"].erase("vocab"); }},
      {"an empty vocabulary", [](json& f) { f["model"]["vocab"] = json::object(); }},
      {"a vocabulary that is a list",
       [](json& f) {
         f["model"]["vocab"] = {1, 2};
       }},
      {"an id twice", [](json& f) { f["model"]["vocab"]["zzzz"] = 5; }},
      {"a negative id", [](json& f) { f["model"]["vocab"]["zzzz"] = -1; }},
      {"a huge id", [](json& f) { f["model"]["vocab"]["zzzz"] = 4000000000000LL; }},
      {"an id that is a text", [](json& f) { f["model"]["vocab"]["zzzz"] = "5"; }},
      {"a token outside the alphabet", [](json& f) { f["model"]["vocab"]["a b"] = 900; }},
      {"an empty token", [](json& f) { f["model"]["vocab"][""] = 900; }},
      {"merges that are no list", [](json& f) { f["model"]["merges"] = 3; }},
      {"a merge of three",
       [](json& f) {
         f["model"]["merges"][0] = {"a", "b", "c"};
       }},
      {"a merge without a space", [](json& f) { f["model"]["merges"][0] = "ab"; }},
      {"a merge of unknown tokens",
       [](json& f) {
         f["model"]["merges"][0] = {"zq", "qz"};
       }},
      {"a merge into an unknown token",
       [](json& f) {
         f["model"]["merges"][0] = {"z", "q"};
       }},
      {"an added token twice", [](json& f) { f["added_tokens"].push_back(f["added_tokens"][0]); }},
      {"an added token without content", [](json& f) { f["added_tokens"][0]["content"] = ""; }},
      {"an added token that strips", [](json& f) { f["added_tokens"][0]["lstrip"] = true; }},
      {"an added token over another token", [](json& f) { f["added_tokens"][0]["id"] = 3; }},
      {"added tokens that are no list", [](json& f) { f["added_tokens"] = "x"; }},
  };
  const json intact = load("tokenizer.json");
  EXPECT_NO_THROW((void)Tokenizer::parse(intact.dump(), "intact"));
  for (const auto& [what, change] : changes) {
    json file = intact;
    change(file);
    try {
      (void)Tokenizer::parse(file.dump(), "tokenizer.json");
      ADD_FAILURE() << "read a file with " << what;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data) << what;
      EXPECT_EQ(std::string(error.what()).rfind("tokenizer.json: ", 0), 0U) << error.what();
    }
  }
  EXPECT_THROW((void)Tokenizer::parse("{\"model\":", "cut"), Error);
  EXPECT_THROW((void)Tokenizer::parse("", "empty"), Error);
  EXPECT_THROW((void)Tokenizer::open(folder + "absent.json"), Error);
  EXPECT_THROW((void)Tokenizer::open(folder), Error);
}

}  // namespace
}  // namespace fabula
