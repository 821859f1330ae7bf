// Subtitles: what is said is shown whole, on time, and as long as it takes to read.
#include "engine/film/subtitles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>

#include "engine/film/subtitle_lines.h"

namespace fabula {
namespace {

using Rules = SubtitleRules;

plan::Line line(const std::string& speaker, const std::string& text, int start_ms, int end_ms) { return {speaker, text, start_ms, end_ms}; }

// Shots of two seconds, with these lines in the shots that they begin in.
plan::Film film_of(const std::vector<plan::Line>& lines, int shots = 6) {
  plan::Film film;
  film.characters = {{"fox", "Fox", "an orange fox", {"slt"}}, {"pig", "Pig", "a pink pig", {"rms"}}};
  for (int i = 0; i < shots; ++i) {
    plan::Shot shot;
    shot.id = "s" + std::to_string(10 * (i + 1));
    shot.start_ms = 2000 * i;
    shot.duration_ms = 2000;
    for (const plan::Line& spoken : lines) {
      if (spoken.start_ms / 2000 == i) shot.dialogue.push_back(spoken);
    }
    film.shots.push_back(shot);
  }
  film.total_ms = 2000 * shots;
  return film;
}

std::string words(const std::vector<Cue>& cues) {
  std::string all;
  for (const Cue& cue : cues) {
    for (const SubtitleLine& shown : cue.lines) all += (all.empty() ? "" : " ") + shown.text;
  }
  return all;
}

TEST(Subtitles, AShortLineStaysUntilItCanBeReadAndEndsAtTheCutNearby) {
  const auto [cues, too_fast] = subtitles_of(film_of({line("fox", "Hi.", 300, 500), line("pig", "Hello, you old fox.", 4500, 5700)}), {});
  ASSERT_EQ(cues.size(), 2U);
  EXPECT_EQ(cues[0], (Cue{300, 300 + Rules::least_ms, {{"Fox", "Hi."}}}));
  EXPECT_EQ(cues[1], (Cue{4500, 6000, {{"Pig", "Hello, you old fox."}}}));
  EXPECT_EQ(too_fast, 0U);
}

TEST(Subtitles, ALongLineIsDividedAtItsSentencesWithinTheLimits) {
  const std::string text =
      "Once upon a time there was a fox who lived in the forest. He was never alone, for the owl, the mouse and the old bear were his "
      "neighbours. Every night they met under the tallest tree and told one another what they had seen, until the moon went to bed.";
  plan::Film film = film_of({line("fox", text, 0, 18000)}, 10);
  film.shots[0].dialogue[0].crosses_cut = true;
  const auto [cues, too_fast] = subtitles_of(film, {});
  EXPECT_EQ(words(cues), text);
  EXPECT_EQ(too_fast, 0U);
  EXPECT_GE(cues.size(), 3U);
  EXPECT_TRUE(cues[0].lines.back().text.ends_with("forest.")) << cues[0].lines.back().text;
  for (const Cue& cue : cues) {
    EXPECT_LE(cue.lines.size(), 2U);
    for (const SubtitleLine& shown : cue.lines) EXPECT_LE(columns_of(shown.text), 42) << shown.text;
  }
}

TEST(Subtitles, ALineThatLeavesNoTimeMayDelayTheNextALittleAndIsCounted) {
  const std::string text = "This is far too much to be read in half a second.";
  const auto [cues, too_fast] = subtitles_of(film_of({line("fox", text, 0, 500), line("fox", "Go on.", 600, 1500)}), {});
  ASSERT_EQ(cues.size(), 2U);
  EXPECT_EQ(cues[1].start_ms, 600 + Rules::most_lag_ms);
  EXPECT_EQ(cues[0].end_ms, cues[1].start_ms - Rules::gap_ms);
  EXPECT_EQ(too_fast, 1U);
}

TEST(Subtitles, TwoWhoSpeakAtOnceShareACue) {
  const auto [cues, too_fast] = subtitles_of(film_of({line("fox", "Look there!", 0, 1500), line("pig", "What is it?", 500, 1800)}), {});
  ASSERT_EQ(cues.size(), 1U);
  EXPECT_EQ(plain_text(cues[0]), "- Look there!\n- What is it?");
  EXPECT_EQ(to_vtt(cues), "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n<v Fox>- Look there!</v>\n<v Pig>- What is it?</v>\n\n");
  EXPECT_EQ(too_fast, 0U);
}

TEST(Subtitles, WideCharactersTakeTwoColumnsAndTheirOwnTime) {
  const std::string text = "昔々あるところに、おじいさんとおばあさんがすんでいました。";
  plan::Line spoken = line("fox", text, 0, 9000);
  spoken.language = "ja";
  const std::vector<Cue> cues = subtitles_of(film_of({spoken}), {}).cues;
  std::string all;
  for (const Cue& cue : cues) {
    for (const SubtitleLine& shown : cue.lines) {
      EXPECT_LE(columns_of(shown.text), 26) << shown.text;
      EXPECT_FALSE(shown.text.starts_with("。") || shown.text.starts_with("、") || shown.text.starts_with("ー")) << shown.text;
      all += shown.text;
    }
  }
  EXPECT_EQ(all, text);
  EXPECT_EQ(reading_ms("おはよう", subtitle_limits("ja", text)), 1000);
  EXPECT_EQ(reading_ms("早上好啊!", subtitle_limits("zh-Hans", "早")), 503);
  EXPECT_EQ(subtitle_limits("ja", "OK").columns, 42);
}

TEST(Subtitles, ForTheDeafSayTheSoundsOnceAShotAndWhoSpeaks) {
  plan::Film film =
      film_of({line("fox", "Hello.", 2500, 3300), line("fox", "Are you there?", 4500, 5500), line("pig", "Yes.", 8200, 9000)});
  film.shots[0].sfx = {{200, "thump"}, {900, "thump"}};
  film.shots[1].sfx = {{700, "owl"}};
  EXPECT_EQ(words(subtitles_of(film, SubtitleKind::lines).cues), "Hello. Are you there? Yes.");
  const std::vector<Cue> cues = subtitles_of(film, SubtitleKind::sdh).cues;
  EXPECT_EQ(words(cues), "[thump] [owl] Fox: Hello. Are you there? Pig: Yes.");
  EXPECT_EQ(cues[0], (Cue{200, 200 + Rules::least_ms, {{"", "[thump]"}}}));
}

TEST(Subtitles, FilesKeepWhatLooksLikeMarkupAsText) {
  plan::Film film = film_of({line("fox", "1 < 2\n\n& {\\an8} a --> b", 0, 1900)});
  film.characters[0].name = "Fox <b> & Co";
  const std::vector<Cue> cues = subtitles_of(film, {}).cues;
  EXPECT_EQ(to_srt(cues), "1\n00:00:00,000 --> 00:00:02,000\n1 ‹ 2 & (\\an8) a --› b\n\n");
  EXPECT_EQ(to_vtt(cues), "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n<v Fox &lt;b&gt; &amp; Co>1 &lt; 2 &amp; {\\an8} a --&gt; b</v>\n\n");
}

// Whatever is said when: cues in order, apart, inside the film, no word lost, no line too wide.
TEST(Subtitles, KeepTheirRulesForAnyPlan) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  const std::vector<std::string> vocabulary = {"a",      "fox,", "runs.", "unbelievablylongwordthatnobodyeversaysinanyfilmatall",
                                               "日本語", "!",    "über",  "ok"};
  for (int round = 0; round < 300; ++round) {
    std::vector<plan::Line> lines;
    for (int at = 0; at < 11000; at += static_cast<int>(random() % 3000)) {
      std::string text;
      for (auto n = 1 + random() % 25; n > 0; --n) text += vocabulary[random() % vocabulary.size()] + (n > 1 ? " " : "");
      lines.push_back(line(random() % 2 == 0 ? "fox" : "pig", text, at, std::min(12000, at + static_cast<int>(random() % 2500))));
      at += 1;
    }
    const auto [cues, too_fast] = subtitles_of(film_of(lines), {});
    std::int64_t free_from = 0;
    for (const Cue& cue : cues) {
      ASSERT_GE(cue.start_ms, free_from);
      ASSERT_GT(cue.end_ms, cue.start_ms);
      ASSERT_LE(cue.end_ms - cue.start_ms, Rules::most_ms);
      ASSERT_LE(cue.end_ms, 12000);
      ASSERT_LE(cue.lines.size(), 2U);
      for (const SubtitleLine& shown : cue.lines) ASSERT_LE(columns_of(shown.text), 42) << shown.text;
      free_from = cue.end_ms + Rules::gap_ms;
    }
    if (too_fast == 0) {
      std::size_t said = 0, shown = 0;
      for (const plan::Line& spoken : lines)
        said += static_cast<std::size_t>(std::count_if(spoken.text.begin(), spoken.text.end(), [](char c) { return c != ' '; }));
      const std::string all = words(cues);
      shown = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](char c) { return c != ' '; }));
      ASSERT_EQ(said, shown);
    }
  }
}

}  // namespace
}  // namespace fabula
