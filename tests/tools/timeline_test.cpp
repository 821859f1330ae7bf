// Timelines: what editors read of a film's cut.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/support/folder.h"
#include "tools/timeline/timeline.h"

namespace fabula::timeline {
namespace {

constexpr Rate film_rate = {24, 1};

// Three shots of 44 frames: a cut, a dissolve of half a second, a fade of a second.
plan::Film film() {
  plan::Film film;
  film.title = "Fox & \"Moon\"";
  film.characters = {{.id = "fox", .name = "Rusty", .look = "", .voice = {}}};
  for (int i = 0; i < 3; ++i) {
    plan::Shot shot;
    shot.id = i == 2 ? "s030_long_name" : "s0" + std::to_string(i + 1) + "0";
    shot.start_ms = i * 1833;
    shot.duration_ms = 1833;
    shot.action_beats = {{500, "fox", "runs"}};
    film.shots.push_back(shot);
  }
  film.shots[0].dialogue = {{.speaker = "fox", .text = "Hello <moon> & co.", .start_ms = 300, .end_ms = 1300}};
  film.shots[1].transition = {"dissolve", 500};
  film.shots[2].transition = {"fade", 1000};
  film.total_ms = 3 * 1833;
  return film;
}

Timeline cut(Rate rate) {
  Timeline timeline = timeline_of(film(), rate, std::vector<Handles>(3, {12, 13, 13}), "media/{id}.mov");
  timeline.width = 896;
  timeline.height = 512;
  return timeline;
}

TEST(Timeline, ClipsTileTheFilmAtEveryRate) {
  for (const auto& [name, rate] : delivery_rates) {
    const Timeline timeline = cut(rate);
    std::int64_t at = 0;
    std::set<std::string> reels;
    for (const Clip& clip : timeline.clips) {
      EXPECT_EQ(clip.start, at) << name;
      EXPECT_GE(clip.tail, 12) << name;
      EXPECT_GE(clip.head, 12) << name;
      EXPECT_LE(clip.reel.size(), 8U);
      reels.insert(clip.reel);
      at += clip.frames;
    }
    EXPECT_EQ(at, frames_at(132, film_rate, rate)) << name;
    EXPECT_EQ(reels.size(), 3U);
  }
  EXPECT_EQ(cut({25, 1}).clips[1].overlap, 13);
  const Timeline timeline = cut(film_rate);
  EXPECT_EQ(timeline.clips[1].overlap, 12);
  EXPECT_EQ(timeline.clips[1].fade_out, 12);
  EXPECT_EQ(timeline.clips[2].fade_in, 12);
  ASSERT_EQ(timeline.clips[0].markers.size(), 2U);
  EXPECT_EQ(timeline.clips[0].markers[0].comment, "Hello <moon> & co.");
  EXPECT_EQ(timeline.clips[0].markers[0].name, "Rusty");
  EXPECT_EQ(timeline.clips[0].markers[0].at, 7);
  EXPECT_EQ(timeline.clips[0].markers[0].frames, 24);
}

TEST(EditDecisionList, HasRecordTimesReelsAndTransitionsFromTheCutOn) {
  const std::string text = to_edl(cut(film_rate), "");
  for (const char* line : {
           "TITLE: Fox & \"Moon\"\nFCM: NON-DROP FRAME\n",
           "001  S010     AA/V  C        01:00:00:12 01:00:02:08 01:00:00:00 01:00:01:20\n",
           "* LOC: 01:00:00:07 GREEN Rusty: Hello <moon> & co.\n",
           "002  S010     AA/V  C        01:00:02:08 01:00:02:08 01:00:01:20 01:00:01:20\n"
           "002  S020     AA/V  D    012 01:00:00:12 01:00:01:20 01:00:01:20 01:00:03:04\n",
           "003  BL       AA/V  D    012 00:00:00:00 00:00:00:12 01:00:03:04 01:00:03:16\n",
           "004  BL       AA/V  C        00:00:00:00 00:00:00:00 01:00:03:16 01:00:03:16\n",
       })
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  EXPECT_NE(to_edl(cut({30000, 1001}), "").find("FCM: DROP FRAME"), std::string::npos);
  EXPECT_NE(to_edl(cut({30000, 1001}), "").find(" 01:00:00;00 "), std::string::npos);
}

TEST(FinalCutXml, HasWholeClipItemsInEveryTrack) {
  const std::string text = to_fcp7(cut({30000, 1001}), "/films/a b");
  const auto count = [&](const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("<clipitem id="), 9U);
  EXPECT_EQ(count("<pathurl>file://localhost/films/a%20b/media/s010.mov</pathurl>"), 1U);
  EXPECT_EQ(count("<comment>Hello &lt;moon&gt; &amp; co.</comment>"), 1U);
  EXPECT_EQ(count("<sourcetrack>"), 6U);
  EXPECT_EQ(count("<displayformat>DF</displayformat>"), 4U);
  EXPECT_EQ(count("<ntsc>TRUE</ntsc>") > 0 ? 1U : 0U, 1U);
  EXPECT_EQ(count("<samplerate>48000</samplerate>"), 4U);
}

class ReadBack : public test::InFolder {
 protected:
  void write(Rate rate) {
    for (const Format& format : formats())
      std::ofstream(file(std::string("cut") + format.extension)) << format.write(cut(rate), folder_.string());
  }
};

// The field's own reader is in Python: FABULA_OTIO_PYTHON names one that has opentimelineio, otio-cmx3600-adapter and otio-fcp-adapter.
TEST_F(ReadBack, ByOpenTimelineIOTheFilmIsTheSameInAllThree) {
  const char* given = std::getenv("FABULA_OTIO_PYTHON");
  const std::string python = given != nullptr ? given : "python3";
  for (const Rate rate : {film_rate, Rate{25, 1}, Rate{30000, 1001}}) {
    write(rate);
    std::ostringstream number;
    number.precision(17);
    number << static_cast<double>(rate.num) / rate.den;
    const std::string command = python + " " + FABULA_SOURCE_DIR + "/tests/tools/read_timelines.py " + folder_.string() + " " +
                                number.str() + " >" + file("out.txt").string() + " 2>&1";
    const int status = std::system(command.c_str());
    std::ifstream in(file("out.txt"));
    const std::string said{std::istreambuf_iterator<char>(in), {}};
    if (WEXITSTATUS(status) == 3 || WEXITSTATUS(status) == 127)
      GTEST_SKIP() << "OpenTimelineIO and its adapters for EDL and FCP 7 are not installed: nobody but us has read these timelines";
    EXPECT_EQ(WEXITSTATUS(status), 0) << said;
  }
}

}  // namespace
}  // namespace fabula::timeline
