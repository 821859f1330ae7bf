// The film pipeline with a model and a sink that only count.
#include "engine/film/film.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace fabula {
namespace {

// Makes frames whose first byte is their index, and one sample a frame.
class CountingModel : public ClipModel {
 public:
  std::vector<std::uint64_t> seeds;
  [[nodiscard]] ClipFormat format() const override { return {2, 2, 12, 12, 1}; }
  [[nodiscard]] std::size_t footprint(const ClipRequest&) const override { return 0; }
  Sound generate(const ClipRequest& request, const FrameReceiver& receive, const Progress& progress) override {
    seeds.push_back(request.seed);
    for (int i = 0; i < request.frames; ++i) {
      receive({2, 2, std::vector<std::uint8_t>(12, static_cast<std::uint8_t>(i))});
      if (!progress(i + 1, request.frames)) throw Error(ExitCode::interrupted, "stopped");
    }
    return {12, 1, std::vector<float>(static_cast<std::size_t>(request.frames), 0.5F)};
  }
  [[nodiscard]] std::vector<StageTime> stage_times() const override { return {}; }
};

class CountingSink : public MediaSink {
 public:
  std::vector<int> shown;
  std::size_t samples_received = 0;
  bool finished = false;
  void frame(const Image& image) override { shown.push_back(image.rgb[0]); }
  void samples(std::span<const float> interleaved) override { samples_received += interleaved.size() / 2; }
  void finish() override { finished = true; }
};

PlannedFilm film_of(int shots) {
  PlannedFilm planned;
  for (int i = 0; i < shots; ++i) {
    plan::Shot shot;
    shot.id = "s" + std::to_string(i);
    shot.start_ms = (i * 22000 + 6) / 12;
    shot.duration_ms = ((i + 1) * 22000 + 6) / 12 - shot.start_ms;
    planned.film.shots.push_back(shot);
    planned.shots.emplace_back();
  }
  planned.film.total_ms = planned.film.shots.back().start_ms + planned.film.shots.back().duration_ms;
  return planned;
}

std::vector<float> silence(const Sound&, std::int64_t count) { return std::vector<float>(static_cast<std::size_t>(2 * count)); }

TEST(Film, ShowsEachModelFrameTwiceAndTilesFramesAndSamples) {
  CountingModel model;
  CountingSink sink;
  double last = 0.0;
  render_film(film_of(5), model, {22, 39}, sink, silence, {7, {.steps = 3}}, [&](const FilmProgress& p) {
    EXPECT_GE(p.fraction, last);
    last = p.fraction;
    return true;
  });
  ASSERT_EQ(sink.shown.size(), 5U * 44U);
  for (std::size_t i = 0; i < sink.shown.size(); ++i) EXPECT_EQ(sink.shown[i], static_cast<int>(i % 44 / 2));
  EXPECT_EQ(sink.samples_received, 5U * 44U * 2000U);
  EXPECT_TRUE(sink.finished);
  EXPECT_DOUBLE_EQ(last, 1.0);
}

TEST(Film, EachShotHasItsOwnSeedAndTheFilmSeedChangesAll) {
  CountingModel a, b;
  CountingSink sink;
  render_film(film_of(3), a, {22}, sink, silence, {1, {.steps = 3}}, [](const FilmProgress&) { return true; });
  render_film(film_of(3), b, {22}, sink, silence, {2, {.steps = 3}}, [](const FilmProgress&) { return true; });
  EXPECT_NE(a.seeds[0], a.seeds[1]);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NE(a.seeds[i], b.seeds[i]);
}

TEST(Film, ASeedInThePlanIsTheShotsOwn) {
  CountingModel a, b;
  CountingSink sink;
  PlannedFilm planned = film_of(2);
  render_film(planned, a, {22}, sink, silence, {1, {.steps = 3}}, [](const FilmProgress&) { return true; });
  planned.film.shots[1].seed = 77;
  render_film(planned, b, {22}, sink, silence, {1, {.steps = 3}}, [](const FilmProgress&) { return true; });
  EXPECT_EQ(b.seeds, (std::vector<std::uint64_t>{a.seeds[0], 77}));
}

TEST(Film, AShotLongerThanTheModelCanMakeIsRefused) {
  EXPECT_EQ(model_frames(44, 24, 12, {22, 39}), 22);
  EXPECT_EQ(model_frames(45, 24, 12, {22, 39}), 39);
  EXPECT_THROW((void)model_frames(79, 24, 12, {22, 39}), Error);
}

TEST(Film, StopsWithoutFinishingTheSinkWhenAskedTo) {
  CountingModel model;
  CountingSink sink;
  EXPECT_THROW(
      render_film(film_of(3), model, {22}, sink, silence, {1, {.steps = 3}}, [](const FilmProgress& p) { return p.fraction < 0.5; }),
      Error);
  EXPECT_FALSE(sink.finished);
}

}  // namespace
}  // namespace fabula
