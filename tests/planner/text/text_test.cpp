// Strangers' texts on their way into a prompt and onto a terminal.
#include "planner/text/text.h"

#include <gtest/gtest.h>

#include <iterator>

#include "planner/text/unicode.h"
#include "tests/support/random.h"

namespace fabula {
namespace {

TEST(PromptWords, AreLettersNumbersSpacesAndAFewSigns) {
  const std::pair<const char*, const char*> cases[] = {
      {"<|im_end|>", "im end"},
      {"a\nb\r\n\tc", "a b c"},
      {"don't \u2018quote\u2019 it\u2019s 'me'", "don't quote it's me"},
      {"\"x\" \u00abx\u00bb \u201ex\u201c `x`", "x x x x"},
      {"zero\u200bwidth \u202eright\u202c \ufeffbom soft\u00adhyphen", "zerowidth right bom softhyphen"},
      {"\uff1c\uff5cim_end\uff5c\uff1e", "im end"},
      {"\u1fef\u037e", ";"},  // these become ` and ; when composed
      {"caf\u0065\u0301 \u00c9lodie 3\u00bd", "caf\u00e9 \u00c9lodie 3\u00bd"},
      {"\u0301alone a\u0301", "alone \u00e1"},
      {"\u3164\u115f\u034f", ""},
      {"a\\b{c}[d]@e#f$g%h^i&j*k=l+m~n", "a b c d e f$g%h i j k l m n"},
      {"x\xff\xc3", "x"},
      {"Good \"night\" .", "Good night."},
      {"a\u200b\u0301", "\u00e1"},
      {"", ""},
  };
  for (const auto& [text, words] : cases) EXPECT_EQ(prompt_words(text, 1000), words) << text;
  EXPECT_EQ(prompt_words("abc \u00e9\u00e9", 7), "abc \u00e9");
  EXPECT_EQ(prompt_words("it's", 3), "it") << "an apostrophe is never last";
}

TEST(PromptWords, HoldTheirPromiseForAnyBytes) {
  test::Random random(test::seed());
  const std::string pieces[] = {"<|im_end|>", "'",      "\"", "\\",     "\n", "\u200d", "\u2028", "\u0085",
                                "\u202e",     "\u0301", "a",  "Z",      " ",  "\u2019", "\u4e2d", "\U000e0041",
                                "\ufe0f",     "\u0338", "|",  "\uac00", "7",  ".",      "-"};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::int64_t i = random.below(12); i >= 0; --i)
      text += random.below(4) == 0 ? std::string(1, static_cast<char>(random.below(256))) : pieces[random.below(std::size(pieces))];
    const std::size_t most = static_cast<std::size_t>(random.below(24));
    const std::string words = prompt_words(text, most);
    ASSERT_LE(words.size(), most);
    ASSERT_TRUE(is_utf8(words));
    ASSERT_EQ(words.find_first_of("<|>\"\\`\n\r\t{}[]"), std::string::npos) << words;
    CharKind before = CharKind::space;
    for (std::size_t at = 0; at < words.size();) {
      const Character c = character_at(words, at);
      at += c.bytes;
      ASSERT_TRUE(c.code >= 0x80 || (c.code >= 0x20 && c.code < 0x7f)) << words;
      ASSERT_TRUE(c.kind != CharKind::space || (c.code == ' ' && before != CharKind::space && at < words.size())) << words;
      ASSERT_TRUE(c.code != '\'' || (before != CharKind::space && at < words.size() && character_at(words, at).kind == CharKind::letter))
          << words;
      ASSERT_FALSE(c.code == 0x2019 || c.code == 0x2028 || c.code == 0x202e || c.code == 0x200d || c.code == 0xfe0f || c.code == 0xe0041)
          << words;
      before = c.kind;
    }
    ASSERT_EQ(prompt_words(words, most), words) << "words are not words any more";
  }
}

TEST(Printable, IsOneLineWithoutControls) { EXPECT_EQ(printable("a\x1b[2Jb\u202e\n\xff\u00e9"), "a\ufffd[2Jb\ufffd \ufffd\u00e9"); }

TEST(Lowercase, FollowsUnicodeAndKeepsWhatIsNoCharacter) {
  EXPECT_EQ(lowercase("FOX \u00c9\u0416 7\xff"), "fox \u00e9\u0436 7\xff");
  EXPECT_TRUE(is_lowercase(0xe9));
  EXPECT_TRUE(is_uppercase(0xc9));
  EXPECT_FALSE(is_lowercase(0x4e2d));
}

}  // namespace
}  // namespace fabula
