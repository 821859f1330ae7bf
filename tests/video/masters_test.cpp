// Masters: every container of the table, written and read back by value.
#include <ImfArray.h>
#include <ImfChannelList.h>
#include <ImfFrameBuffer.h>
#include <ImfInputFile.h>
#include <ImfStandardAttributes.h>
#include <ImfStringAttribute.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "audio/mix.h"
#include "base/error.h"
#include "tests/support/folder.h"
#include "tests/support/refusal.h"
#include "video/io/images.h"
#include "video/io/movie.h"
#include "video/io/paced_sink.h"
#include "video/io/probe.h"
#include "video/io/sequence.h"
#include "video/io/sinks.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

class Masters : public test::InFolder {};

// A ramp that moves, so that every frame is another.
Image picture(int width, int height, int index) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int value : {x * 255 / width, y * 255 / height, 20 * index % 256}) image.rgb.push_back(static_cast<std::uint8_t>(value));
    }
  }
  return image;
}

void write(const Container& container, const fs::path& file, int frames, SinkOptions options, int width = 256, int height = 128) {
  const auto sink = container.open(file, options);
  for (int i = 0; i < frames; ++i) sink->frame(picture(width, height, i));
  std::vector<float> tone;
  for (std::int64_t i = 0; i < std::int64_t{frames} * film_sample_rate * options.rate.den / options.rate.num; ++i)
    tone.insert(tone.end(), 2, static_cast<float>(0.1 * std::sin(static_cast<double>(i) * 2 * std::numbers::pi * 440 / film_sample_rate)));
  sink->samples(tone);
  sink->finish();
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

double mean_difference(const Image& a, const Image& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(a.rgb[i] - b.rgb.at(i));
  return sum / static_cast<double>(a.rgb.size());
}

struct Expected {
  const char *codec, *extension, *video, *pixels, *matrix, *range, *audio, *timecode;
  double difference;  // mean, of 255
};

TEST_F(Masters, GiveBackFramesColoursSoundAndTimecode) {
  const Expected all[] = {
      {"h264", ".mp4", "h264", "yuv420p", "bt709", "tv", "aac", "", 2.0},
      {"hevc", ".mp4", "hevc", "yuv420p", "bt709", "tv", "aac", "", 3.0},
      {"av1", ".mp4", "av1", "yuv420p", "bt709", "tv", "aac", "", 4.0},
      {"prores", ".mov", "prores", "yuv422p10le", "bt709", "tv", "pcm_s24le", "01:00:00:00", 1.5},
      {"prores4444", ".mov", "prores", "yuv444p12le", "bt709", "tv", "pcm_s24le", "01:00:00:00", 1.0},
      {"dnxhr", ".mov", "dnxhd", "yuv422p10le", "bt709", "tv", "pcm_s24le", "01:00:00:00", 1.5},
      {"ffv1", ".mkv", "ffv1", "bgr0", "gbr", "pc", "pcm_s24le", "01:00:00:00", 0.0},
  };
  for (const Expected& e : all) {
    const fs::path out = file(std::string(e.codec) + e.extension);
    const Container* container = container_of(e.extension, e.codec);
    ASSERT_NE(container, nullptr) << e.codec;
    write(*container, out, 13, {.title = "Fox", .labels = FilmLabels{"Fabula", "0123"}});
    const FilmProbe info = probe_film(out);
    EXPECT_EQ(info.video_codec, e.video);
    EXPECT_EQ(info.pixel_format, e.pixels) << e.codec;
    EXPECT_EQ(info.primaries + " " + info.transfer + " " + info.matrix + " " + info.range,
              std::string("bt709 bt709 ") + e.matrix + " " + e.range)
        << e.codec;
    EXPECT_EQ(info.audio_codec, e.audio) << e.codec;
    EXPECT_EQ(info.timecode, e.timecode) << e.codec;
    EXPECT_EQ(info.video_frames, 13) << e.codec;
    EXPECT_EQ(info.title, "Fox") << e.codec;
    EXPECT_NEAR(static_cast<double>(info.sample_frames), 26000.0, 1024.0) << e.codec;
    EXPECT_EQ(info.labels.digital_source_type, trained_algorithmic_media) << e.codec;
    EXPECT_NE(info.aigc.find("0123"), std::string::npos) << e.codec;
    int index = 0;
    double worst = 0.0;
    read_film(out, [&](const Image& image) { worst = std::max(worst, mean_difference(image, picture(256, 128, index++))); }, {});
    EXPECT_LE(worst, e.difference) << e.codec;
  }
}

TEST_F(Masters, AreTheSameBytesForTheSameFrames) {
  for (const Container& container : containers()) {
    if (container.holds == Container::Holds::picture) continue;
    const fs::path a = file(std::string("a") + container.extension), b = file(std::string("b") + container.extension);
    write(container, a, 7, {.existing = Existing::replace});
    write(container, b, 7, {.existing = Existing::replace});
    EXPECT_EQ(bytes_of(a), bytes_of(b)) << container.codec;
  }
}

TEST_F(Masters, SoundAloneSaysWhereItStarts) {
  write(*container_of(".wav"), file("a.wav"), 30, {.rate = {30000, 1001}, .title = "Fox"});
  const FilmProbe info = probe_film(file("a.wav"));
  EXPECT_EQ(info.audio_codec, "pcm_s24le");
  EXPECT_EQ(info.video_frames, 0);
  EXPECT_EQ(info.sample_frames, std::int64_t{30} * 1001 * 48000 / 30000);
  const std::string bytes = bytes_of(file("a.wav"));
  const std::size_t bext = bytes.find("bext");
  ASSERT_NE(bext, std::string::npos);
  std::uint64_t reference = 0;  // EBU Tech 3285: behind 338 bytes of texts
  for (std::size_t i = 0; i < 8; ++i) reference |= std::uint64_t{static_cast<std::uint8_t>(bytes[bext + 8 + 338 + i])} << 8 * i;
  EXPECT_EQ(reference, 107892ULL * 1001 * 48000 / 30000);
}

TEST_F(Masters, AFilmInOneFormatOnlyHasItsOwnOptions) {
  EXPECT_NE(test::refusal([&] { write(*container_of(".mov", "prores"), file("a.mov"), 1, {.crf = 20}); }, ExitCode::usage), "");
  EXPECT_NE(test::refusal([&] { write(*container_of(".mov", "dnxhr"), file("a.mov"), 1, {}, 128, 64); }, ExitCode::usage), "");
  EXPECT_EQ(container_of(".mov", "h264"), nullptr);
  EXPECT_EQ(container_extensions(), ".mp4, .mov, .mkv, .png, .exr, .wav");
  EXPECT_TRUE(listing().empty());
}

TEST_F(Masters, ASoundEncoderOfOtherSamplesIsRefused) {
  static constexpr MovieFormat shorts = {
      .muxer = "matroska", .encoder = "ffv1", .pixels = "bgr0", .options = {}, .sound = "flac", .has_boxes = false};
  MovieSink sink(shorts, file("a.mkv"));
  sink.frame(picture(64, 64, 0));
  sink.samples(std::vector<float>(std::size_t{2} * film_sample_rate / 24));
  EXPECT_NE(test::refusal([&] { sink.finish(); }, ExitCode::internal).find("flac"), std::string::npos);
}

TEST_F(Masters, AnExrIsLinearHalfFloatsWithColoursAndTimecode) {
  write(*container_of(".exr"), file("film.####.exr"), 2, {.rate = {30000, 1001}, .labels = FilmLabels{"Fabula", "0123"}}, 64, 32);
  EXPECT_EQ(listing(), (std::vector<std::string>{"film.1001.exr", "film.1002.exr"}));
  Imf::InputFile in(file("film.1002.exr").c_str());
  const Imf::Header& header = in.header();
  EXPECT_EQ(header.compression(), Imf::ZIP_COMPRESSION);
  EXPECT_NEAR(Imf::chromaticities(header).red.x, 0.64F, 1e-6);
  EXPECT_NEAR(Imf::chromaticities(header).white.y, 0.3290F, 1e-6);
  EXPECT_EQ(Imf::timeCode(header).hours(), 1);
  EXPECT_EQ(Imf::timeCode(header).frame(), 1);
  EXPECT_TRUE(Imf::timeCode(header).dropFrame());
  EXPECT_EQ(Imf::framesPerSecond(header).n, 30000);
  EXPECT_EQ(Imf::framesPerSecond(header).d, 1001U);
  EXPECT_NE(header.findTypedAttribute<Imf::StringAttribute>("AIGC"), nullptr);
  EXPECT_EQ(header.channels().findChannel("R")->type, Imf::HALF);
  std::vector<Imath::half> red(64 * 32);
  Imf::FrameBuffer frame;
  frame.insert("R", Imf::Slice(Imf::HALF, reinterpret_cast<char*>(red.data()), sizeof(Imath::half), 64 * sizeof(Imath::half)));
  in.setFrameBuffer(frame);
  in.readPixels(0, 31);
  for (int x = 0; x < 64; ++x) {
    const float light = std::pow(static_cast<float>(x * 255 / 64) / 255.0F, 2.4F);
    EXPECT_NEAR(red[static_cast<std::size_t>(x)], light, light * 1e-3F + 1e-7F) << x;
  }
  const FilmProbe info = probe_film(file("film.####.exr"));
  EXPECT_EQ(info.video_frames, 2);
  EXPECT_EQ(info.width, 64);
  EXPECT_EQ(info.labels.digital_source_type, trained_algorithmic_media);
}

TEST_F(Masters, PngFramesAreTheFilmsOwnPixels) {
  write(*container_of(".png"), file("film.%05d.png"), 3, {.labels = FilmLabels{"Fabula", "0123"}}, 64, 32);
  EXPECT_EQ(listing(), (std::vector<std::string>{"film.01001.png", "film.01002.png", "film.01003.png"}));
  EXPECT_EQ(read_image(file("film.01003.png")).rgb, picture(64, 32, 2).rgb);
  EXPECT_NE(bytes_of(file("film.01001.png")).find(trained_algorithmic_media), std::string::npos);
  const FilmProbe info = probe_film(file("film.#####.png"));
  EXPECT_EQ(info.video_frames, 3);
  EXPECT_NE(info.aigc.find("0123"), std::string::npos);
}

TEST_F(Masters, ASequenceReplacesTheWholeOfAnOlderOneOrNothing) {
  const Container& png = *container_of(".png");
  write(png, file("f.####.png"), 4, {}, 32, 32);
  EXPECT_NE(test::refusal([&] { write(png, file("f.####.png"), 2, {}, 32, 32); }, ExitCode::cannot_create), "");
  EXPECT_NE(test::refusal([&] { write(png, file("f.png"), 2, {}, 32, 32); }, ExitCode::usage), "");
  EXPECT_EQ(listing().size(), 4U);
  write(png, file("f.####.png"), 2, {.existing = Existing::replace}, 64, 32);
  EXPECT_EQ(listing(), (std::vector<std::string>{"f.1001.png", "f.1002.png"}));
  EXPECT_EQ(read_image(file("f.1001.png")).width, 64);
}

TEST(SequenceNames, AreReadAsFilmPeopleWriteThem) {
  EXPECT_EQ(sequence_name("a/b.####.exr")->file(7), fs::path("a/b.0007.exr"));
  EXPECT_EQ(sequence_name("b.%06d.exr")->file(1001), fs::path("b.001001.exr"));
  EXPECT_EQ(sequence_name("b$F4.png")->file(12345), fs::path("b12345.png"));
  EXPECT_FALSE(sequence_name("b.exr").has_value());
  EXPECT_THROW((void)sequence_name("b.##.%04d.exr"), Error);
}

class Numbers : public MediaSink {
 public:
  void frame(const Image& image) override { shown.push_back(image.width); }
  void samples(std::span<const float>) override {}
  void finish() override {}
  std::vector<int> shown;
};

std::vector<int> paced(int frames, Rate from, Rate to) {
  auto sink = std::make_unique<Numbers>();
  Numbers& numbers = *sink;
  PacedSink pace(std::move(sink), from, to);
  for (int i = 0; i < frames; ++i) pace.frame({i, 0, {}});
  return numbers.shown;
}

TEST(Pace, ShowsFramesByTheCumulativeRule) {
  const Rate film = {24, 1};
  for (const auto& [name, rate] : delivery_rates) {
    const std::vector<int> shown = paced(2002, film, rate);
    EXPECT_EQ(std::ssize(shown), frames_at(2002, film, rate)) << name;
    for (std::int64_t k = 0; k < std::ssize(shown); ++k) {
      const std::int64_t expected = k * 24 * rate.den / rate.num;
      ASSERT_EQ(shown[static_cast<std::size_t>(k)], expected) << name << " frame " << k;
    }
  }
  EXPECT_EQ(paced(4, film, {30, 1}), (std::vector<int>{0, 0, 1, 2, 3}));
  EXPECT_EQ(frames_at(2002, film, {24000, 1001}), 2000);
}

TEST(TimecodeOfAFrame, DropsNumbersWhereTheRateNeedsIt) {
  const Rate ntsc = {30000, 1001};
  const std::pair<std::int64_t, const char*> dropped[] = {{0, "00:00:00;00"},     {1799, "00:00:59;29"},  {1800, "00:01:00;02"},
                                                          {17981, "00:09:59;29"}, {17982, "00:10:00;00"}, {107892, "01:00:00;00"}};
  for (const auto& [frame, text] : dropped) EXPECT_EQ(text_of(timecode_of(frame, ntsc)), text);
  for (const auto& [name, rate] : delivery_rates) {
    const std::string text = text_of(timecode_of(first_frame_number(rate), rate));
    EXPECT_EQ(text, rate == ntsc ? "01:00:00;00" : "01:00:00:00") << name;
  }
  EXPECT_EQ(text_of(timecode_of(86399, {24000, 1001})), "00:59:59:23");
}

TEST(FramingOfAPicture, PadsOrCropsInWholePixels) {
  const Framing padded = framing_of(224, 128, 1920, 1080, Fit::pad), cropped = framing_of(224, 128, 1920, 1080, Fit::crop);
  EXPECT_EQ(padded.from, (Rectangle{0, 0, 224, 128}));
  EXPECT_EQ(padded.to, (Rectangle{14, 0, 1890, 1080})) << padded.to.x << " " << padded.to.width;
  EXPECT_EQ(cropped.from, (Rectangle{0, 1, 224, 126}));
  EXPECT_EQ(cropped.to, (Rectangle{0, 0, 1920, 1080}));
  EXPECT_EQ(framing_of(224, 128, 448, 256, Fit::crop).from, (Rectangle{0, 0, 224, 128}));
}

TEST_F(Masters, APaddedFilmIsBlackBesideItsPicture) {
  const Image white{70, 40, std::vector<std::uint8_t>(70 * 40 * 3, 255)};
  for (const char* name : {"a.mp4", "a.mov", "a.mkv", "a.####.png"}) {
    const auto sink = container_of(fs::path(name).extension().string())->open(file(name), {.width = 320, .height = 160});
    for (int i = 0; i < 3; ++i) sink->frame(white);
    sink->finish();
    read_film(file(name),
              [&](const Image& image) {
                ASSERT_EQ(image.width, 320);
                const auto at = [&](int x) { return static_cast<int>(image.rgb[3 * static_cast<std::size_t>(80 * 320 + x)]); };
                EXPECT_LE(at(8), 3) << name;
                EXPECT_GE(at(160), 252) << name;
                EXPECT_LE(at(311), 3) << name;
              },
              {});
  }
}

// What the field's own readers say: they look at other places of a file than libav does.
std::string printed_by(const std::string& command) {
  std::string text;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen((command + " 2>/dev/null").c_str(), "r"), pclose);
  std::array<char, 4096> piece{};
  while (pipe && std::fgets(piece.data(), piece.size(), pipe.get()) != nullptr) text += piece.data();
  return text;
}

TEST_F(Masters, AreUnderstoodByMediainfoAndExrheader) {
  if (printed_by("command -v mediainfo").empty() || printed_by("command -v exrheader").empty())
    GTEST_SKIP() << "mediainfo and exrheader (Debian: mediainfo, openexr) are not installed";
  write(*container_of(".mov", "prores"), file("a.mov"), 5, {.rate = {30000, 1001}});
  const std::string wanted =
      "'Video;%Format%|%Format_Profile%|%colour_primaries%|%transfer_characteristics%|%matrix_coefficients%|%FrameRate%|%ScanType%'";
  EXPECT_EQ(printed_by("mediainfo --Inform=" + wanted + " " + file("a.mov").string()),
            "ProRes|422 HQ|BT.709|BT.709|BT.709|29.970|Progressive\n");
  EXPECT_EQ(printed_by("mediainfo --Inform='Other;%TimeCode_FirstFrame%' " + file("a.mov").string()), "01:00:00;00\n");
  write(*container_of(".exr"), file("a.####.exr"), 1, {}, 32, 32);
  const std::string header = printed_by("exrheader " + file("a.1001.exr").string());
  for (const char* line : {"compression (type compression): zip", "timeCode (type timecode)", "time 01:00:00:00",
                           "framesPerSecond (type rational): 24/1", "R, 16-bit floating-point, sampling 1 1", "red   (0.64 0.33)"})
    EXPECT_NE(header.find(line), std::string::npos) << line << "\n" << header;
}

}  // namespace
}  // namespace fabula
