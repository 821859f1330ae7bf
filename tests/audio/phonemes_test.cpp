// Phones and durations from flite, equal to what tools/train/world/speech.py trains with.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "audio/phonemes.h"
#include "base/error.h"

namespace fabula {
namespace {

std::string names(const std::vector<Phone>& phones) {
  std::string text;
  for (const Phone& phone : phones) text += (text.empty() ? "" : " ") + phone.name;
  return text;
}

// Values printed by tools/train/world/speech.py: phones_of("hello moon.", "slt").
TEST(Phonemes, EqualTheTrainingCodesBitForBit) {
  const std::vector<Phone> expected = {
      {"hh", 0x1.4f6c4a0000000p-3, 0x1.76d45c0000000p-4}, {"ax", 0x1.056b3c0000000p-2, 0x1.8dedb00000000p-5},
      {"l", 0x1.3728f20000000p-2, 0x1.bbc3700000000p-4},  {"ow", 0x1.a619ce0000000p-2, 0x1.c75b980000000p-4},
      {"m", 0x1.0bf85a0000000p-1, 0x1.478ec00000000p-4},  {"uw", 0x1.34ea320000000p-1, 0x1.c2eb880000000p-3},
      {"n", 0x1.a5a5140000000p-1, 0x1.3644800000000p-3},
  };
  const auto phones = phones_of("hello moon.", "slt");
  ASSERT_EQ(names(phones), names(expected));
  for (std::size_t i = 0; i < phones.size(); ++i) {
    EXPECT_EQ(phones[i].start_s, expected[i].start_s) << i;
    EXPECT_EQ(phones[i].duration_s, expected[i].duration_s) << i;
    EXPECT_EQ(phones[i].start_s, i == 0 ? phones[0].start_s : phones[i - 1].start_s + phones[i - 1].duration_s) << i;
  }
}

TEST(Phonemes, TheVoicesSpeakAtTheirOwnPace) {
  const auto phones = phones_of("hello moon.", "rms");
  ASSERT_EQ(names(phones), "hh ax l ow m uw n");
  EXPECT_EQ(phones.front().start_s, 0x1.e87af60000000p-4);
  EXPECT_EQ(phones.back().duration_s, 0x1.061aa00000000p-3);
}

TEST(Phonemes, TheWholeWorldsVoicesAreThereToo) {
  const auto awb = phones_of("hello moon.", "awb"), kal = phones_of("hello moon.", "kal16");
  ASSERT_EQ(names(awb), "hh ax l ow m uw n");
  ASSERT_EQ(names(kal), names(awb));
  EXPECT_EQ(awb.front().start_s, 0x1.03c1980000000p-2);
  EXPECT_EQ(awb.back().duration_s, 0x1.d4bde00000000p-4);
  EXPECT_EQ(kal.front().start_s, 0x1.c28f5e0000000p-3);
  EXPECT_EQ(kal.back().duration_s, 0x1.44d4400000000p-4);
}

TEST(Phonemes, KeepPausesInsideAndDropThoseAtTheEnds) {
  EXPECT_EQ(names(phones_of("Where are you, little star?", "slt")), "w eh r aa r y uw pau l ih t ax l s t aa r");
}

TEST(Phonemes, NumbersAreSpoken) { EXPECT_EQ(names(phones_of("I have 3 shells!", "rms")), "ay hh ae v th r iy sh eh l z"); }

// flite alone reads "John I saw you" as "John the first saw you", and "hmm" as "aitch em em".
TEST(Phonemes, TheSpeakerIsNoNumberAndAHumIsNotSpelt) {
  for (const char* name : {"John", "Henry", "George", "Peter", "Charles", "Elizabeth", "Part"}) {
    const std::string said = names(phones_of(std::string(name) + " I saw you", "slt"));
    EXPECT_TRUE(said.ends_with(" ay s ao y uw")) << name << ": " << said;
  }
  EXPECT_EQ(names(phones_of("Part II", "slt")), "p aa r t t uw") << "a number is one";
  EXPECT_EQ(names(phones_of("hmm", "slt")), "hh ah m");
  EXPECT_EQ(names(phones_of("Hmmmm, well", "rms")), "hh ah m pau w eh l");
}

TEST(Phonemes, NothingSpokenGivesNothing) {
  for (const char* text : {"", " ", "...", "\n"}) EXPECT_TRUE(phones_of(text, "slt").empty()) << '"' << text << '"';
}

TEST(Phonemes, BytesThatAreNoEnglishDoNoHarm) {
  EXPECT_EQ(names(phones_of("caf\xc3\xa9 \xe2\x98\x83", "slt")), "k ae f");
  for (const char* text : {"\xff\xfe\x80", "\xf0\x9f\xa6\x8a", "\x01\x02", "%s%n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
    (void)phones_of(text, "rms");
}

TEST(Phonemes, AnUnknownVoiceIsRefused) { EXPECT_THROW((void)phones_of("hello", "nobody"), Error); }

TEST(Phonemes, CallsFromSeveralThreadsAgree) {
  const std::string expected = names(phones_of("a fox runs", "slt"));
  std::vector<std::string> got(3);
  std::vector<std::thread> threads;
  for (std::string& one : got) threads.emplace_back([&one] { one = names(phones_of("a fox runs", "slt")); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& one : got) EXPECT_EQ(one, expected);
}

}  // namespace
}  // namespace fabula
