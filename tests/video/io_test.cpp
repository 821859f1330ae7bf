// The film's file, written and read back.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "audio/loudness.h"
#include "audio/mix.h"
#include "base/error.h"
#include "base/output_file.h"
#include "tests/support/folder.h"
#include "video/io/cards.h"
#include "video/io/movie.h"
#include "video/io/probe.h"
#include "video/io/stem_files.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

class FilmFile : public test::InFolder {};

// A coloured disc crossing a gradient.
Image picture(int width, int height, int index) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool disc = std::hypot(x - width / 4 - 2 * index, y - height / 2) < height / 5.0;
      image.rgb.push_back(static_cast<std::uint8_t>(disc ? 220 : 40 + 100 * x / width));
      image.rgb.push_back(static_cast<std::uint8_t>(disc ? 120 : 60 + 120 * y / height));
      image.rgb.push_back(static_cast<std::uint8_t>(disc ? 40 : 160));
    }
  }
  return image;
}

std::vector<float> tone(std::int64_t sample_frames, double amplitude = 0.05) {
  std::vector<float> stereo;
  for (std::int64_t i = 0; i < sample_frames; ++i) {
    const double t = static_cast<double>(i) / film_sample_rate;
    stereo.push_back(static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * 440 * t)));
    stereo.push_back(static_cast<float>(amplitude * std::sin(2 * std::numbers::pi * 660 * t)));
  }
  return stereo;
}

void write_film(const fs::path& file, int frames, SinkOptions options = {}, int width = 224, int height = 128) {
  MovieSink sink(h264_mp4, file, options);
  for (int i = 0; i < frames; ++i) sink.frame(picture(width, height, i));
  sink.samples(tone(std::int64_t{frames} * film_sample_rate * options.rate.den / options.rate.num));
  sink.finish();
}

std::vector<char> bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

double mean_difference(const Image& a, const Image& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(a.rgb[i] - b.rgb[i]);
  return sum / static_cast<double>(a.rgb.size());
}

ExitCode code_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_GT(std::string(error.what()).size(), 20U) << error.what();
    std::cout << "  " << error.what() << "\n";
    return error.code();
  }
  return ExitCode::done;
}

TEST_F(FilmFile, SaysWhatItIsAndLastsAsLongAsItsFrames) {
  write_film(file("a.mp4"), 50);
  const FilmProbe info = probe_film(file("a.mp4"));
  EXPECT_TRUE(info.index_in_front);
  EXPECT_EQ(info.video_codec, "h264");
  EXPECT_EQ(info.pixel_format, "yuv420p");
  EXPECT_EQ(info.width, 224);
  EXPECT_EQ(info.height, 128);
  EXPECT_EQ(info.fps_num, 24 * info.fps_den);
  EXPECT_EQ(info.video_frames, 50);
  EXPECT_NEAR(info.video_duration_s, 50.0 / 24.0, 1e-3);
  EXPECT_NEAR(info.duration_s, 50.0 / 24.0, 0.002);
  EXPECT_EQ(info.primaries, "bt709");
  EXPECT_EQ(info.transfer, "bt709");
  EXPECT_EQ(info.matrix, "bt709");
  EXPECT_EQ(info.range, "tv");
  EXPECT_EQ(info.audio_codec, "aac");
  EXPECT_EQ(info.sample_rate, 48000);
  EXPECT_EQ(info.channels, 2);
  EXPECT_NEAR(static_cast<double>(info.sample_frames), 100000.0, 1024.0);
  EXPECT_NEAR(info.audio_start_s, 0.0, 1e-3);
  EXPECT_EQ(listing(), std::vector<std::string>{"a.mp4"});
}

TEST_F(FilmFile, CarriesItsTitleAndTheLanguageOfItsSound) {
  write_film(file("a.mp4"), 25, {.title = "Der Fuchs & \"die Nacht\"", .language = "de-AT"});
  EXPECT_EQ(probe_film(file("a.mp4")).title, "Der Fuchs & \"die Nacht\"");
  EXPECT_EQ(probe_film(file("a.mp4")).language, "deu");
  write_film(file("b.mp4"), 25, {.language = "tlh"});
  EXPECT_EQ(probe_film(file("b.mp4")).title, "");
  EXPECT_EQ(probe_film(file("b.mp4")).language, "und");
}

TEST_F(FilmFile, CarriesSubtitlesChaptersAndAComment) {
  SinkOptions options;
  options.comment = "generated";
  options.language = "fr";
  options.chapters = {{0, 1500, "s010 the forest"}, {1500, 3000, "s020 \"élan\""}};
  options.subtitles = {{500, 1400, {{"Fox", "Où es-tu ?"}}}, {1600, 2990, {{"Pig", "{ici} <b>"}, {"Pig", "& là"}}}};
  write_film(file("a.mp4"), 72, options, 64, 48);
  const FilmProbe info = probe_film(file("a.mp4"));
  EXPECT_EQ(info.comment, "generated");
  EXPECT_EQ(info.chapters, options.chapters);
  EXPECT_EQ(info.subtitle_codec, "mov_text");
  EXPECT_EQ(info.subtitle_language, "fra");
  const std::vector<Cue> expected = {{500, 1400, {{"", "Où es-tu ?"}}}, {1600, 2990, {{"", "{ici} <b>"}, {"", "& là"}}}};
  EXPECT_EQ(info.subtitles, expected);
  EXPECT_EQ(info.video_frames, 72);
  EXPECT_NEAR(info.duration_s, 3.0, 0.002);
}

// In a time base of microseconds FFmpeg's muxer loses a gap of more than 2,148 s, and all later cues come early.
TEST_F(FilmFile, SubtitlesStayInTimeBehindALongSilence) {
  const std::vector<Cue> cues = {{1000, 2000, {{"", "early"}}}, {2590000, 2591000, {{"", "late"}}}};
  {
    MovieSink sink(h264_mp4, file("a.mp4"), {.rate = {1, 1}, .subtitles = cues});
    for (int i = 0; i < 2600; ++i) sink.frame(picture(16, 16, 0));
    sink.finish();
  }
  EXPECT_EQ(probe_film(file("a.mp4")).subtitles, cues);
}

TEST_F(FilmFile, SaysThatAModelMadeItAndStaysTheSameFilm) {
  write_film(file("plain.mp4"), 40, {.title = "Fox"});
  const FilmLabels labels{"Fabula <1> & \"co\"", "0123456789abcdef"};
  write_film(file("a.mp4"), 40, {.title = "Fox", .labels = labels});
  write_film(file("b.mp4"), 40, {.title = "Fox", .labels = labels});
  EXPECT_EQ(bytes_of(file("a.mp4")), bytes_of(file("b.mp4")));

  const FilmProbe plain = probe_film(file("plain.mp4")), labelled = probe_film(file("a.mp4"));
  EXPECT_EQ(plain.aigc + plain.comment + plain.labels.digital_source_type, "");
  EXPECT_EQ(labelled.labels.digital_source_type, trained_algorithmic_media);
  EXPECT_FALSE(labelled.labels.has_c2pa);
  EXPECT_EQ(labelled.aigc, R"({"Label":"1","ContentProducer":"Fabula <1> & \"co\"","ProduceID":"0123456789abcdef","ReservedCode1":"",)"
                           R"("ContentPropagator":"","PropagateID":"","ReservedCode2":""})");
  const auto bytes = bytes_of(file("a.mp4"));
  const std::string_view metadata("meta\0\0\0\x21hdlr\0\0\0\0\0\0\0\0mdta", 24);  // without a version
  EXPECT_NE(std::search(bytes.begin(), bytes.end(), metadata.begin(), metadata.end()), bytes.end()) << "ExifTool finds no key AIGC";
  EXPECT_EQ(labelled.title, "Fox") << "what players show has gone";
  EXPECT_NE(labelled.comment, "");
  EXPECT_TRUE(labelled.index_in_front);
  // The index leads to the same packets, although they have moved.
  std::vector<Image> before;
  read_film(file("plain.mp4"), [&](const Image& image) { before.push_back(image); }, {});
  std::size_t index = 0;
  read_film(file("a.mp4"), [&](const Image& image) { EXPECT_TRUE(image.rgb == before.at(index++).rgb) << "frame " << index; }, {});
  EXPECT_EQ(index, before.size());
  EXPECT_EQ(labelled.sample_frames, plain.sample_frames);
}

TEST_F(FilmFile, LabelsOfDamagedFilmsAreFoundOrNotAndNothingElseHappens) {
  write_film(file("a.mp4"), 10, {.labels = FilmLabels{"Fabula", "id"}});
  const std::vector<char> whole = bytes_of(file("a.mp4"));
  for (std::size_t length = 0; length < whole.size(); length += whole.size() / 40 + 1) {
    std::ofstream(file("cut.mp4"), std::ios::binary).write(whole.data(), static_cast<std::streamsize>(length));
    EXPECT_EQ(labels_of(file("cut.mp4")).digital_source_type, "") << length;
  }
  EXPECT_EQ(labels_of(file("none.mp4")).digital_source_type, "");
}

TEST_F(FilmFile, GivesThePicturesBack) {
  write_film(file("a.mp4"), 30);
  int index = 0;
  read_film(file("a.mp4"),
            [&](const Image& image) { EXPECT_LT(mean_difference(image, picture(224, 128, index++)), 2.0) << "frame " << index; }, {});
  EXPECT_EQ(index, 30);
}

// Flat colours through our BT.709 matrix and the reader's: a 601 matrix on one side would be off by 10 and more.
TEST_F(FilmFile, KeepsColours) {
  const std::uint8_t colours[][3] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {200, 120, 40}, {255, 255, 255}, {0, 0, 0}};
  MovieSink sink(h264_mp4, file("a.mp4"));
  for (const auto& colour : colours) {
    Image image{64, 64, {}};
    for (int i = 0; i < 64 * 64; ++i) image.rgb.insert(image.rgb.end(), colour, colour + 3);
    for (int i = 0; i < 6; ++i) sink.frame(image);
  }
  sink.finish();
  int index = 0;
  read_film(file("a.mp4"),
            [&](const Image& image) {
              const auto& colour = colours[index++ / 6];
              const std::size_t centre = 3 * (32 * 64 + 32);
              for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(image.rgb[centre + c], colour[c], 4) << "frame " << index << " channel " << c;
            },
            {});
  EXPECT_EQ(index, 36);
}

TEST_F(FilmFile, BringsTheSoundToItsLoudnessInTime) {
  write_film(file("a.mp4"), 72);
  LoudnessMeter meter;
  std::vector<float> samples;
  read_film(file("a.mp4"), {}, [&](std::span<const float> piece) {
    meter.add(piece);
    samples.insert(samples.end(), piece.begin(), piece.end());
  });
  EXPECT_NEAR(meter.integrated_lufs(), -16.0, 0.5);
  EXPECT_LT(meter.true_peak_dbtp(), -0.5);
  // The left side starts with sin(0) and goes up: its first crest is a quarter of a period in, 27 samples.
  ASSERT_GT(samples.size(), 400U);
  std::size_t crest = 0;
  for (std::size_t i = 0; i < 80; ++i) crest = samples[2 * i] > samples[2 * crest] ? i : crest;
  EXPECT_NEAR(static_cast<double>(crest), 27.0, 12.0);
}

TEST_F(FilmFile, IsTheSameBytesForTheSameInput) {
  write_film(file("a.mp4"), 40);
  const std::vector<char> first = bytes_of(file("a.mp4"));
  EXPECT_GT(first.size(), 1000U);
  std::vector<std::vector<char>> blocks;  // each film finds another heap
  for (std::size_t i = 1; i <= 8; ++i) {
    blocks.emplace_back(4093 * i);
    write_film(file("b.mp4"), 40, {.existing = Existing::replace});
    EXPECT_TRUE(bytes_of(file("b.mp4")) == first) << "film " << i;
  }
}

TEST_F(FilmFile, MayHaveNoSoundAndOneFrame) {
  MovieSink sink(h264_mp4, file("a.mp4"));
  sink.frame(picture(64, 48, 0));
  sink.finish();
  const FilmProbe info = probe_film(file("a.mp4"));
  EXPECT_EQ(info.video_frames, 1);
  EXPECT_FALSE(info.has_audio);
  EXPECT_NEAR(info.duration_s, 1.0 / 24.0, 0.001);
}

TEST_F(FilmFile, IsScaledToTheSizeAskedFor) {
  write_film(file("a.mp4"), 5, {.width = 448, .height = 256});
  const FilmProbe info = probe_film(file("a.mp4"));
  EXPECT_EQ(info.width, 448);
  EXPECT_EQ(info.height, 256);
}

// Bright pixels in the middle third of the picture's height.
std::int64_t bright(const Image& image) {
  std::int64_t count = 0;
  for (std::size_t i = image.rgb.size() / 3; i < image.rgb.size() * 2 / 3; ++i) count += image.rgb[i] > 128 ? 1 : 0;
  return count;
}

TEST_F(FilmFile, OpensAndClosesWithCardsWhereAskedFor) {
  MovieSink sink(h264_mp4, file("a.mp4"), {.width = 320, .height = 180});
  {
    CardSink cards(sink, {.width = 320, .height = 180, .fps = 24, .title = Card{"Der {Fuchs} \\N & 狐", ""}, .end = Card{"Ende", "klein"}});
    for (int i = 0; i < 12; ++i) cards.frame(picture(160, 90, i));
    cards.samples(tone(24000));
    cards.finish();
  }
  const std::int64_t card = card_ms * 24 / 1000;
  std::vector<Image> frames;
  read_film(file("a.mp4"), [&](const Image& image) { frames.push_back(image); }, {});
  ASSERT_EQ(std::ssize(frames), 2 * card + 12);
  EXPECT_EQ(bright(frames.front()), 0) << "a card fades in";
  EXPECT_GT(bright(frames[static_cast<std::size_t>(card / 2)]), 300);
  EXPECT_LT(mean_difference(frames[static_cast<std::size_t>(card)], picture(320, 180, 0)), 12.0);
  EXPECT_GT(bright(frames[frames.size() - static_cast<std::size_t>(card / 2)]), 300);
  EXPECT_EQ(bright(frames.back()), 0);
}

TEST_F(FilmFile, ReplacesAnOlderFilmOnlyWhenItIsFinished) {
  std::ofstream(file("a.mp4")) << "older";
  {
    MovieSink sink(h264_mp4, file("a.mp4"), {.existing = Existing::replace});
    sink.frame(picture(64, 48, 0));
    EXPECT_EQ(bytes_of(file("a.mp4")).size(), 5U);
  }
  EXPECT_EQ(code_of([&] { MovieSink sink(h264_mp4, file("a.mp4")); }), ExitCode::cannot_create);
  EXPECT_EQ(bytes_of(file("a.mp4")).size(), 5U);
  EXPECT_EQ(listing(), std::vector<std::string>{"a.mp4"});
}

TEST_F(FilmFile, RefusesOddSizesAndLeavesNothing) {
  EXPECT_EQ(code_of([&] { MovieSink(h264_mp4, file("a.mp4")).frame(picture(63, 48, 0)); }), ExitCode::usage);
  EXPECT_EQ(code_of([&] { MovieSink(h264_mp4, file("a.mp4"), {.width = 100, .height = 51}).frame(picture(64, 48, 0)); }), ExitCode::usage);
  EXPECT_EQ(code_of([&] { MovieSink(h264_mp4, file("a.mp4")).frame(picture(8, 8, 0)); }), ExitCode::usage);
  EXPECT_TRUE(listing().empty());
}

TEST_F(FilmFile, CannotBeCreatedWhereThereIsNoFolder) {
  EXPECT_EQ(code_of([&] { MovieSink(h264_mp4, file("nowhere/a.mp4")); }), ExitCode::cannot_create);
  EXPECT_EQ(code_of([&] { MovieSink sink(h264_mp4, folder_); }), ExitCode::cannot_create);
}

TEST_F(FilmFile, RefusesSoundThatDoesNotFitThePicture) {
  MovieSink sink(h264_mp4, file("a.mp4"));
  sink.frame(picture(64, 48, 0));
  sink.samples(tone(48000));
  EXPECT_EQ(code_of([&] { sink.finish(); }), ExitCode::internal);
  EXPECT_EQ(code_of([&] { MovieSink(h264_mp4, file("b.mp4")).finish(); }), ExitCode::internal);
}

// A limit on the size of files stands in for a disk that is full: writes fail with EFBIG instead of ENOSPC, on the same path.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(FilmFile, LeavesNothingWhenTheDiskIsFullForItsScratchFiles) {
  for (const rlim_t room : {100, 300000}) {  // not enough for a packet; not for the sound
    const FullDisk full(room);
    EXPECT_EQ(code_of([&] { write_film(file("a.mp4"), 40); }), ExitCode::io) << room << " bytes of room";
    EXPECT_TRUE(listing().empty()) << room << " bytes of room";
  }
}

TEST_F(FilmFile, LeavesNothingWhenTheDiskIsFullForItself) {
  const auto write = [&] {
    MovieSink sink(h264_mp4, file("a.mp4"));
    for (int i = 0; i < 3; ++i) sink.frame(picture(224, 128, i));
    sink.finish();
  };
  write();
  const rlim_t whole = bytes_of(file("a.mp4")).size();
  fs::remove(file("a.mp4"));
  for (const rlim_t room : {whole - 1, whole - 500}) {  // more than the scratch file takes: there is little picture and much index
    const FullDisk full(room);
    EXPECT_EQ(code_of(write), ExitCode::io) << room << " of " << whole << " bytes of room";
    EXPECT_TRUE(listing().empty()) << room << " bytes of room";
  }
}

TEST_F(FilmFile, ALongFilmsSoundAndPictureStayTogether) {
  write_film(file("a.mp4"), 480, {}, 64, 48);  // 20 s
  const FilmProbe info = probe_film(file("a.mp4"));
  EXPECT_EQ(info.video_frames, 480);
  EXPECT_NEAR(info.duration_s, 20.0, 0.03);
  EXPECT_NEAR(static_cast<double>(info.sample_frames) / 48000.0, 20.0, 0.022);
}

TEST_F(FilmFile, ThatIsNoFilmIsRefused) {
  EXPECT_EQ(code_of([&] { (void)probe_film(file("absent.mp4")); }), ExitCode::input_missing);
  std::ofstream(file("text.mp4")) << "this is not a film at all";
  EXPECT_EQ(code_of([&] { (void)probe_film(file("text.mp4")); }), ExitCode::bad_data);
  write_film(file("a.mp4"), 24);
  fs::resize_file(file("a.mp4"), 600);
  EXPECT_EQ(code_of([&] { (void)probe_film(file("a.mp4")); }), ExitCode::bad_data);
}

TEST_F(FilmFile, IsLookedAtBeforeItGetsItsName) {
  std::ofstream(file("a.mp4")) << "older";
  SinkOptions options{.existing = Existing::replace};
  options.check = [](const fs::path& film) {
    EXPECT_EQ(probe_film(film).video_frames, 3);
    throw Error(ExitCode::check_failed, "this film did not pass its check");
  };
  EXPECT_EQ(code_of([&] { write_film(file("a.mp4"), 3, options); }), ExitCode::check_failed);
  EXPECT_EQ(bytes_of(file("a.mp4")).size(), 5U);
  EXPECT_EQ(listing(), std::vector<std::string>{"a.mp4"});
}

TEST_F(FilmFile, SpoolsHaveNoNameAndGiveTheirBytesBackTwice) {
  Spool spool(file("a.mp4"));
  spool.write(std::as_bytes(std::span("hello", 5)));
  EXPECT_TRUE(listing().empty());
  for (int i = 0; i < 2; ++i) {
    spool.rewind();
    std::string got(9, '.');
    EXPECT_EQ(spool.read(std::as_writable_bytes(std::span(got))), 5U);
    EXPECT_EQ(got, "hello....");
  }
}

std::uint32_t little_endian(const std::vector<char>& bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes.at(at + i));
  return value;
}
std::size_t chunk_of(const std::vector<char>& bytes, const std::string& name) {
  const auto found = std::search(bytes.begin(), bytes.end(), name.begin(), name.end());
  EXPECT_NE(found, bytes.end()) << name;
  return static_cast<std::size_t>(found - bytes.begin());
}

TEST_F(FilmFile, StemsAreBroadcastWaveFilesOfTheFilmsLengthAndLevel) {
  {
    StemFiles stems(file("stems"), Existing::refuse, 4800);
    const std::vector<float> voice = tone(24000, 0.1), bed = tone(24000, 0.05);
    std::vector<float> mix(2 * 4800, 0.0F);
    for (std::size_t i = 0; i < voice.size(); ++i) mix.push_back(voice[i] + bed[i]);
    stems.stem(Stem::dialogue, voice);
    stems.stem(Stem::effects, bed);
    stems.mix(mix);
    EXPECT_LT(stems.residual_db(), -120.0);
    stems.finish(6.0206, -1.0, "Fox");
  }
  EXPECT_EQ(fs::file_size(file("stems/dialogue.wav")), fs::file_size(file("stems/mix.wav")));
  const std::vector<char> bytes = bytes_of(file("stems/effects.wav"));
  const std::size_t format = chunk_of(bytes, "fmt "), data = chunk_of(bytes, "data"), bext = chunk_of(bytes, "bext");
  EXPECT_EQ(little_endian(bytes, format + 10, 2), 2U) << "channels";
  EXPECT_EQ(little_endian(bytes, format + 12, 4), 48000U);
  EXPECT_EQ(little_endian(bytes, format + 22, 2), 24U) << "bits";
  EXPECT_EQ(std::string(bytes.data() + bext + 8), "effects of Fox");
  ASSERT_EQ(little_endian(bytes, data + 4, 4), 28800U * 6U);
  std::uint32_t loudest = 0;
  for (std::size_t i = 0; i < 28800; ++i) {
    const std::uint32_t value = little_endian(bytes, data + 8 + 6 * i, 3);
    if (i < 4800) {
      ASSERT_EQ(value, 0U) << "what comes before the first shot is silent";
    }
    if (value < 1U << 23U) loudest = std::max(loudest, value);
  }
  EXPECT_NEAR(loudest / 8388607.0, 0.1, 1e-3) << "at twice its level";
}

TEST(Sinks, AContainerIsFoundByItsExtensionAndCodec) {
  ASSERT_FALSE(containers().empty());
  for (const Container& container : containers()) EXPECT_EQ(container_of(container.extension, container.codec), &container);
  EXPECT_EQ(container_of(".avi"), nullptr);
  EXPECT_EQ(container_of(""), nullptr);
  EXPECT_NE(container_extensions().find(".mp4"), std::string::npos);
}

}  // namespace
}  // namespace fabula
