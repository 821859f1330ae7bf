// The film pipeline with a model and a sink that only count.
#include "engine/film/film.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "engine/film/transitions.h"
#include "tests/support/folder.h"

namespace fabula {
namespace {

// Makes frames whose first byte is their index, and one sample a frame. Attempts with a seed of `black` are black; they are decoded
// from latents, as the seed is.
class CountingModel : public ClipModel {
 public:
  std::vector<std::uint64_t> seeds;
  std::set<std::uint64_t> black;
  [[nodiscard]] ClipFormat format() const override { return {2, 2, 12, 12, 1}; }
  [[nodiscard]] std::size_t footprint(const ClipRequest&) const override { return 0; }
  [[nodiscard]] std::string fingerprint() const override { return "counting"; }
  CleanLatents denoise(const ClipRequest& request, const Progress& progress) override {
    seeds.push_back(request.seed);
    if (!progress(1, request.frames + 1)) throw Error(ExitCode::interrupted, "stopped");
    return {{{1}, {static_cast<float>(request.seed % 1000)}}, {{1}, {0.0F}}};
  }
  Sound decode(const ClipRequest& request, const CleanLatents&, const FrameReceiver& receive, const Progress& progress) override {
    for (int i = 0; i < request.frames; ++i) {
      receive({2, 2, std::vector<std::uint8_t>(12, black.contains(request.seed) ? std::uint8_t{0} : static_cast<std::uint8_t>(i))});
      if (!progress(i + 2, request.frames + 1)) throw Error(ExitCode::interrupted, "stopped");
    }
    return {12, 1, std::vector<float>(static_cast<std::size_t>(request.frames), 0.5F)};
  }
  // The rows of the score that it was given, as one number.
  LatentTensor denoise_sound(const ClipRequest& request, const LatentTensor&, const Progress&) override {
    float code = 0.0F;
    for (const double start : request.conditioning->score_start) code = 10.0F * code + static_cast<float>(start);
    return {{1}, {code}};
  }
  Sound decode_sound(const ClipRequest&, const LatentTensor& sound) override { return {12, 1, sound.values}; }
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

std::vector<float> silence(const Sound&, const SoundEdges& edges) { return std::vector<float>(static_cast<std::size_t>(2 * edges.count)); }

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

TEST(Film, StemsAreMadeFromTheirOwnRowsOfTheScoreAndMayBecomeTheMix) {
  CountingModel model;
  CountingSink sink;
  PlannedFilm planned = film_of(1);
  planned.shots[0] = {1, {7, 7, 1, 2, 3, 4}, {1.0, 2.0, 3.0, 4.0}};
  std::vector<float> stems, joined;
  const StemRequest request{[](std::size_t) {
                              return std::vector<bool>{true, false, false, true};
                            },
                            [&](Stem, const Sound& sound, const SoundEdges&) { stems.push_back(sound.samples[0]); },
                            [](std::size_t, const Sound& dialogue, const Sound&) { return dialogue; }};
  const SoundJoin join = [&](const Sound& sound, const SoundEdges& edges) {
    joined.push_back(sound.samples[0]);
    return silence(sound, edges);
  };
  FilmRequest how{1, {.steps = 3}};
  how.stems = &request;
  render_film(planned, model, {22}, sink, join, how, [](const FilmProgress&) { return true; });
  EXPECT_EQ(stems, (std::vector<float>{14.0F, 23.0F}));
  EXPECT_EQ(joined, std::vector<float>{14.0F});
  const Conditioning part = part_of(planned.shots[0], {true, false, false, true}, Stem::dialogue);
  EXPECT_EQ(part.states, (std::vector<float>{7, 7, 1, 4}));
  EXPECT_THROW((void)part_of(planned.shots[0], {true}, Stem::dialogue), Error) << "a score that is not the rows'";
}

// ---- the gate

bool go_on(const FilmProgress&) { return true; }

struct Gated {
  CountingModel model;
  CountingSink sink;
  std::vector<ShotReport> shots;
};
// Renders two shots; the seeds of `black` give black attempts.
Gated gated(const PlannedFilm& planned, const std::set<std::uint64_t>& black, FilmRequest request) {
  Gated film;
  film.model.black = black;
  request.seed = 7;
  film.shots = render_film(planned, film.model, {22}, film.sink, silence, request, go_on);
  return film;
}
const std::uint64_t second = shot_seed(7, 1);

TEST(FilmGate, ARefusedShotIsMadeAgainWithADerivedSeedAndTheFilmGetsTheAttemptThatPasses) {
  const Gated film = gated(film_of(2), {second}, {});
  EXPECT_EQ(film.model.seeds, (std::vector<std::uint64_t>{shot_seed(7, 0), second, attempt_seed(second, 1)}));
  ASSERT_EQ(film.shots.size(), 2U);
  EXPECT_FALSE(film.shots[0].was_remade());
  EXPECT_TRUE(film.shots[1].was_remade());
  EXPECT_EQ(film.shots[1].seed, attempt_seed(second, 1));
  ASSERT_EQ(film.shots[1].refused.size(), 1U);
  EXPECT_EQ(film.shots[1].refused[0].seed, second);
  EXPECT_EQ(film.shots[1].refused[0].fault, "is black");
  EXPECT_EQ(film.sink.shown.size(), 88U);
  EXPECT_EQ(film.sink.shown.back(), 21);
}

TEST(FilmGate, MakesAShotThreeTimesAtMostAndThenFilmsTheFirst) {
  const Gated film = gated(film_of(2), {second, attempt_seed(second, 1), attempt_seed(second, 2)}, {});
  EXPECT_EQ(film.shots[1].refused.size(), 3U);
  EXPECT_EQ(film.shots[1].seed, second);
  EXPECT_FALSE(film.shots[1].was_remade());
  EXPECT_EQ(film.sink.shown.back(), 0);
  EXPECT_EQ(film.sink.shown.size(), 88U);
}

TEST(FilmGate, TakesEverythingWhereItIsOffAndASeedOfThePlanAsItIs) {
  FilmRequest off;
  off.gate = false;
  Gated film = gated(film_of(2), {second}, off);
  EXPECT_EQ(film.model.seeds.size(), 2U);
  EXPECT_TRUE(film.shots[1].refused.empty());
  PlannedFilm planned = film_of(2);
  planned.film.shots[1].seed = 77;
  film = gated(planned, {77}, {});
  EXPECT_EQ(film.model.seeds.size(), 2U);
  EXPECT_EQ(film.shots[1].seed, 77U);
  EXPECT_EQ(film.shots[1].refused.size(), 1U);
}

class StoredGate : public test::InFolder {};

// Every attempt is kept under its own key, so the verdict, and with it the film, is the same from the store and without one.
TEST_F(StoredGate, TheSameAttemptIsFilmedFromTheStoreAndWithoutOne) {
  const std::set<std::uint64_t> black = {second};
  ShotStore store({.folder = folder_, .profile = "avx2"});
  FilmRequest with_store, only_stored;
  with_store.store = only_stored.store = &store;
  only_stored.only_stored = true;
  const Gated without = gated(film_of(2), black, {}), first = gated(film_of(2), black, with_store);
  const Gated again = gated(film_of(2), black, with_store), assembled = gated(film_of(2), black, only_stored);
  for (const Gated* film : {&first, &again, &assembled}) {
    EXPECT_EQ(film->sink.shown, without.sink.shown);
    EXPECT_EQ(film->shots[1].seed, without.shots[1].seed);
  }
  EXPECT_TRUE(again.model.seeds.empty()) << "something was made again";
  EXPECT_EQ(again.shots[1].outcome, ShotStore::Outcome::reused);
  FilmRequest off = with_store;
  off.gate = false;
  EXPECT_EQ(gated(film_of(2), black, off).sink.shown.back(), 0) << "the first attempt is kept, too";
}

TEST_F(StoredGate, ShotsMadeForAnAssemblyIncludeTheAttemptThatPasses) {
  ShotStore store({.folder = folder_, .profile = "avx2"});
  FilmRequest request;
  request.seed = 7;
  request.store = &store;
  CountingModel model;
  model.black = {second};
  FilmRequest blind = request;
  blind.gate = false;
  (void)make_shots(film_of(2), model, {22}, {0, 1}, blind, go_on);
  FilmRequest only_stored = request;
  only_stored.only_stored = true;
  EXPECT_THROW((void)gated(film_of(2), model.black, only_stored), Error) << "an attempt is missing";
  const std::vector<ShotReport> made = make_shots(film_of(2), model, {22}, {1}, request, go_on);
  EXPECT_TRUE(made.at(0).was_remade());
  EXPECT_EQ(gated(film_of(2), model.black, only_stored).sink.shown.back(), 21);
}

// Of three shots the second and the third go on, each from the last picture of the attempt before it that is filmed.
TEST_F(StoredGate, AShotGoesOnFromTheShotThatIsFilmedAndItsKeyFollowsFromThatOne) {
  std::vector<std::pair<std::size_t, int>> asked;
  PlannedFilm planned = film_of(3);
  planned.shots[1].goes_on = planned.shots[2].goes_on = true;
  planned.continued = [&](std::size_t shot, const Image& before) {
    asked.emplace_back(shot, before.rgb[0]);
    return Conditioning{.dim = 1, .states = {1.0F}, .score_start = {}};
  };
  const std::vector<std::pair<std::size_t, int>> from_the_last = {{1, 21}, {2, 21}};
  const std::set<std::uint64_t> black = {shot_seed(7, 0), second};  // both first attempts
  ShotStore store({.folder = folder_, .profile = "avx2"});
  FilmRequest request;
  request.seed = 7;
  request.store = &store;
  const Gated film = gated(planned, black, request);
  EXPECT_EQ(asked, from_the_last) << "once a shot, from a picture that is not black";
  EXPECT_EQ(film.model.seeds.size(), 5U);

  asked.clear();
  CountingModel model;
  EXPECT_EQ(kept_attempts(planned, model, {22}, request), (std::vector<int>{2, 2, 1}));
  FilmRequest only_stored = request;
  only_stored.only_stored = true;
  EXPECT_EQ(gated(planned, black, only_stored).sink.shown, film.sink.shown);
  EXPECT_TRUE(asked.empty()) << "what the store has is not encoded again";

  // Without the gate the first attempts are filmed: the shots after them are others.
  FilmRequest blind = request;
  blind.gate = false;
  (void)gated(planned, black, blind);
  EXPECT_EQ(asked, (std::vector<std::pair<std::size_t, int>>{{1, 0}, {2, 0}}));

  // A shot alone brings those that it goes on from.
  ShotStore other({.folder = folder_ / "other", .profile = "avx2"});
  request.store = &other;
  const std::vector<ShotReport> made = make_shots(planned, model, {22}, {2}, request, go_on);
  ASSERT_EQ(made.size(), 3U);
  EXPECT_EQ(made[0].id, "s0");
  EXPECT_EQ(kept_attempts(planned, model, {22}, request), (std::vector<int>{1, 1, 1}));
}

// Two shots of four are kept: the others are most of the work.
TEST_F(StoredGate, ProgressCountsKeptShotsAsLessWorkAndNeverFalls) {
  ShotStore store({.folder = folder_, .profile = "avx2"});
  FilmRequest request;
  request.seed = 7;
  request.settings.steps = 3;
  request.store = &store;
  CountingModel model;
  (void)make_shots(film_of(4), model, {22}, {0, 1}, request, go_on);
  model.black = {shot_seed(7, 2)};
  CountingSink sink;
  double last = 0.0, at_third = 0.0;
  int most = 0;
  (void)render_film(film_of(4), model, {22}, sink, silence, request, [&](const FilmProgress& p) {
    EXPECT_GE(p.fraction, last);
    last = p.fraction;
    if (p.shot < 2) at_third = p.fraction;
    most = std::max(most, p.attempt);
    return true;
  });
  EXPECT_LT(at_third, 0.45);
  EXPECT_EQ(most, 1);
  EXPECT_DOUBLE_EQ(last, 1.0);
}

TEST(Film, AShotLongerThanTheModelCanMakeIsRefused) {
  EXPECT_EQ(model_frames(44, 24, 12, {22, 39}), 22);
  EXPECT_EQ(model_frames(45, 24, 12, {22, 39}), 39);
  EXPECT_THROW((void)model_frames(79, 24, 12, {22, 39}), Error);
}

// Renders two shots of 22 frames at 12 a second, the second with this transition, from a model that makes shots of these lengths.
struct Joined {
  std::vector<int> shown;
  std::vector<ShotReport> shots;
  std::vector<SoundEdges> edges;
};
Joined joined(const plan::Transition& transition, const std::vector<int>& legal) {
  CountingModel model;
  CountingSink sink;
  Joined film;
  PlannedFilm planned = film_of(2);
  planned.film.shots[1].transition = transition;
  const SoundJoin join = [&](const Sound& sound, const SoundEdges& edges) {
    film.edges.push_back(edges);
    return silence(sound, edges);
  };
  film.shots = render_film(planned, model, legal, sink, join, {7, {.steps = 3}}, [](const FilmProgress&) { return true; });
  film.shown = sink.shown;
  EXPECT_EQ(film.shown.size(), 88U) << "a transition does not change the film's length";
  return film;
}

TEST(Film, ADissolveMixesTheHandleOfTheShotBeforeWithTheStartOfTheNext) {
  const Joined film = joined({"dissolve", 500}, {22, 39});  // 12 film frames
  EXPECT_EQ(film.shown[43], 21);
  for (int k = 0; k < 12; ++k) EXPECT_NEAR(film.shown[44U + k], ((22 + k / 2) * (12 - k) + (k / 2) * (k + 1)) / 13.0, 0.51) << k;
  EXPECT_EQ(film.shown[44 + 12], 6);
  EXPECT_EQ(film.shots[0].held_frames, 0);
  EXPECT_EQ(film.edges[0].handle, 24000);
  EXPECT_EQ(film.edges[1].handle, 0);
}

TEST(Film, WhereTheModelMakesNoHandleTheLastPictureIsHeldAndReported) {
  const Joined film = joined({"dissolve", 500}, {22});
  for (int k = 0; k < 12; ++k) EXPECT_NEAR(film.shown[44U + k], (21 * (12 - k) + (k / 2) * (k + 1)) / 13.0, 0.51) << k;
  EXPECT_EQ(film.shots[0].held_frames, 12);
  EXPECT_EQ(film.shots[1].held_frames, 0);
}

TEST(Film, AFadeGoesThroughBlackOnBothSidesOfTheCut) {
  const Joined film = joined({"fade", 1000}, {22});  // 24 frames
  EXPECT_EQ(film.shown[31], 15);
  for (int k = 0; k < 12; ++k) {
    EXPECT_NEAR(film.shown[43U - k], (21 - k / 2) * k / 12.0, 0.51) << k;
    EXPECT_NEAR(film.shown[44U + k], (k / 2) * k / 12.0, 0.51) << k;
  }
  EXPECT_EQ(film.edges[0].fade_out, 24000);
  EXPECT_EQ(film.edges[1].fade_in, 24000);
  EXPECT_EQ(film.edges[0].handle, 0);
}

TEST(Film, AFadeAtTheEndTakesTheLastFramesToBlack) {
  CountingModel model;
  CountingSink sink;
  PlannedFilm planned = film_of(2);
  planned.film.ending = {"fade", 500};
  std::vector<SoundEdges> edges;
  const SoundJoin join = [&](const Sound& sound, const SoundEdges& of_shot) {
    edges.push_back(of_shot);
    return silence(sound, of_shot);
  };
  (void)render_film(planned, model, {22}, sink, join, {7, {.steps = 3}}, [](const FilmProgress&) { return true; });
  EXPECT_EQ(sink.shown[75], 15);
  for (int k = 0; k < 12; ++k) EXPECT_NEAR(sink.shown[87U - k], (21 - k / 2) * k / 12.0, 0.51) << k;
  EXPECT_EQ(edges[0].fade_out, 0);
  EXPECT_EQ(edges[1].fade_out, 24000);
}

TEST(Film, ACutIsACutAndAContinuedTakeIsRefused) {
  const Joined film = joined({"cut", 0}, {22, 39});
  EXPECT_EQ(film.shown[43], 21);
  EXPECT_EQ(film.shown[44], 0);
  EXPECT_EQ(film.edges[0].handle + film.edges[0].fade_out + film.edges[1].fade_in, 0);
  EXPECT_THROW((void)joined({"continue", 0}, {22}), Error);
}

// A white shot is wiped over a black one.
TEST(PictureEdit, AWipeCrossesFromTheLeft) {
  class Columns : public MediaSink {
   public:
    std::vector<int> white;  // columns that are more than half white, by frame
    void frame(const Image& image) override {
      white.push_back(0);
      for (std::size_t x = 0; x < 64; ++x) white.back() += image.rgb[3 * (64 + x)] > 127 ? 1 : 0;
    }
    void samples(std::span<const float>) override {}
    void finish() override {}
  } sink;
  PictureEdit edit(sink);
  edit.begin({.frames = 1, .handle = 3});
  for (int i = 0; i < 4; ++i) edit.frame({64, 2, std::vector<std::uint8_t>(384, 0)});
  EXPECT_EQ(edit.end(), 0);
  edit.begin({.frames = 5, .cross_in = 3, .is_wipe = true});
  for (int i = 0; i < 5; ++i) edit.frame({64, 2, std::vector<std::uint8_t>(384, 255)});
  EXPECT_EQ(edit.end(), 0);
  ASSERT_EQ(sink.white.size(), 6U);
  EXPECT_EQ(sink.white[0], 0);
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(sink.white[1U + k], 16 * (k + 1), 2);
  EXPECT_EQ(sink.white[4], 64);
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
