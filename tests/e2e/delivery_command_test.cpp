// A film as it is delivered: transitions, cards, subtitles, chapters and loudness, read back with FFmpeg's own programs, too.
#include <nlohmann/json.hpp>

#include "tests/e2e/program.h"
#include "video/io/cards.h"
#include "video/io/probe.h"

namespace fabula {
namespace {

using nlohmann::json;

constexpr const char* quick = " --steps 2 --scale 1 --seed 3 --threads 2 --store kept";

class Delivered : public CommandLine {
 protected:
  // A plan of two shots; the second is spoken in and begins with this transition.
  json write_plan(const json& transition) {
    EXPECT_EQ(fabula("plan --oracle \"A fox runs in the forest. It says: hello moon.\" -y -o plan.json").code, 0);
    json plan = json::parse(contents(file("plan.json")));
    while (plan["shots"].size() > 2) plan["shots"].erase(2);
    plan["total_ms"] = plan["shots"][1]["start_ms"].get<int>() + plan["shots"][1]["duration_ms"].get<int>();
    plan["shots"][1]["transition"] = transition;
    std::ofstream(file("plan.json")) << plan.dump();
    return plan;
  }
  // What a program of FFmpeg's prints.
  std::string printed(const std::string& command) {
    const fs::path out = file("printed.txt");
    EXPECT_EQ(std::system((command + " >" + out.string() + " 2>&1 </dev/null").c_str()), 0) << command;
    return contents(out);
  }
};

TEST_F(Delivered, AFilmHasItsTransitionsCardsSubtitlesAndChapters) {
  const json plan = write_plan({{"kind", "dissolve"}, {"ms", 500}});
  const Result made = fabula("render plan.json -o a.mp4 --subtitles --sdh --title-card --end-card" + std::string(quick));
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_NE(made.err.find("the last picture of s010 stands still"), std::string::npos) << made.err;

  const FilmProbe film = probe_film(file("a.mp4"));
  EXPECT_EQ(film.video_frames, 2 * 72 + 2 * 44) << "two cards of 3 s, two shots";
  ASSERT_EQ(film.chapters.size(), 4U);
  EXPECT_EQ(film.chapters[1].start_ms, card_ms);
  EXPECT_EQ(film.chapters[1].title, "s010: fox runs");
  EXPECT_EQ(film.subtitle_codec, "mov_text");
  EXPECT_EQ(film.subtitle_language, "eng");
  ASSERT_FALSE(film.subtitles.empty());
  const Cue& spoken = film.subtitles.back();
  EXPECT_EQ(spoken.start_ms, card_ms + plan["shots"][1]["dialogue"][0]["start_ms"].get<int>());
  EXPECT_NE(plain_text(spoken).find("Fox: hello moon"), std::string::npos) << plain_text(spoken);
  EXPECT_NE(contents(file("a.srt")).find("Fox: hello moon"), std::string::npos);
  EXPECT_NE(contents(file("a.vtt")).find("<v Fox>"), std::string::npos);
  EXPECT_NE(contents(file("a.vtt")).find("[step]"), std::string::npos);

  const json seen = json::parse(printed("ffprobe -v error -of json -show_streams -show_chapters -show_format " + file("a.mp4").string()));
  EXPECT_EQ(seen["streams"][2]["codec_name"], "mov_text");
  EXPECT_EQ(seen["streams"][2]["time_base"], "1/1000");
  EXPECT_EQ(seen["streams"][2]["tags"]["language"], "eng");
  EXPECT_EQ(seen["chapters"].size(), 4U);
  EXPECT_EQ(seen["format"]["tags"]["title"], plan["title"]);
  EXPECT_NE(seen["format"]["tags"]["comment"].get<std::string>().find("Generated"), std::string::npos);

  std::ofstream(file("c.srt")) << "mine";
  EXPECT_EQ(fabula("render plan.json -o c.mp4 --subtitles -q" + std::string(quick)).code, 73) << "c.srt is there already";
  EXPECT_EQ(contents(file("c.srt")), "mine");
  EXPECT_FALSE(fs::exists(file("c.mp4")));
}

TEST_F(Delivered, ReachesTheLoudnessAskedForAndWritesStemsAsFFmpegReadsThem) {
  (void)write_plan({{"kind", "fade"}, {"ms", 200}});
  const Result made = fabula("assemble plan.json -o a.mp4 --loudness ebu -q --json" + std::string(quick));
  EXPECT_EQ(made.code, 75) << "nothing is in the store yet";
  const Result rendered = fabula("render plan.json -o a.mp4 --loudness ebu --stems stems --duck 6 -q --json" + std::string(quick));
  ASSERT_EQ(rendered.code, 0) << rendered.err;
  EXPECT_NEAR(json::parse(rendered.out)["loudness_lufs"].get<double>(), -23.0, 0.3);
  EXPECT_TRUE(probe_film(file("a.mp4")).subtitle_codec.empty()) << "subtitles only where they are asked for";
  const std::string measured = printed("ffmpeg -hide_banner -nostats -i " + file("a.mp4").string() + " -af ebur128 -f null -");
  const std::size_t at = measured.rfind("I:");
  ASSERT_NE(at, std::string::npos) << measured;
  EXPECT_NEAR(std::stod(measured.substr(at + 2)), -23.0, 0.3);
  for (const char* stem : {"dialogue", "effects", "mix"}) {
    const json wave = json::parse(printed("ffprobe -v error -of json -show_streams " + file("stems").string() + "/" + stem + ".wav"));
    EXPECT_EQ(wave["streams"][0]["codec_name"], "pcm_s24le") << stem;
    EXPECT_EQ(wave["streams"][0]["duration_ts"], 88 * 2000) << stem;
  }
}

TEST_F(Delivered, RefusesWhatItCannotDeliver) {
  (void)write_plan({{"kind", "continue"}});
  const Result continued = fabula("render plan.json -o a.mp4" + std::string(quick));
  EXPECT_EQ(continued.code, 65);
  EXPECT_NE(continued.err.find("shots[1].transition.kind"), std::string::npos) << continued.err;
  EXPECT_EQ(fabula("render plan.json -o /dev/stdout --subtitles=srt" + std::string(quick)).code, 2);
  EXPECT_EQ(fabula("render plan.json -o a.mp4 --subtitles=ttml" + std::string(quick)).code, 2);
  const Result sound = fabula("render plan.json -o a.wav --subtitles=track" + std::string(quick));
  EXPECT_EQ(sound.code, 2);
  EXPECT_NE(sound.err.find("a .wav holds no subtitles"), std::string::npos) << sound.err;
  EXPECT_EQ(fabula("render plan.json -o a.mp4 --sdh" + std::string(quick)).code, 2);
  EXPECT_EQ(fabula("render plan.json -o a.mp4 --loudness cinema" + std::string(quick)).code, 2);
  EXPECT_FALSE(fs::exists(file("a.mp4")));
}

}  // namespace
}  // namespace fabula
