// A small bundle made of the goldens' networks: a request's result does not depend on threads or chance.
#include "video/h3/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/error.h"
#include "tests/support/random.h"
#include "video/families.h"

namespace fabula::h3 {
namespace {

namespace fs = std::filesystem;

struct Clip {
  std::vector<std::uint8_t> frames;
  std::vector<float> samples;
  int count = 0;

  friend bool operator==(const Clip&, const Clip&) = default;
};

class H3ModelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path goldens = fs::path(FABULA_SOURCE_DIR) / "tests/goldens";
    fs::remove_all(folder);
    fs::create_directories(folder);
    fs::copy(goldens / "transformer_patch4", folder / "transformer");  // a test changes it
    fs::create_directory_symlink(goldens / "vae_ratio8", folder / "vae");
    fs::create_directory_symlink(goldens / "audio_vae", folder / "audio_vae");
    for (const char* name : {"scheduler", "audio_scheduler"}) {
      fs::create_directories(folder / name);
      std::ofstream(folder / name / "scheduler_config.json") << R"({"shift": 3.0})";
    }
    conditioning.dim = 48;
    conditioning.states = random.normals(9 * conditioning.dim);
    conditioning.score_start = {0.1, 0.4, 0.75};
  }
  void TearDown() override { fs::remove_all(folder); }

  [[nodiscard]] Bundle bundle() const {
    Bundle b;
    b.folder = folder;
    b.family = "h3";
    b.fps = 12;
    b.sample_rate = 1600;  // the golden audio autoencoder's own
    b.width = 64;
    b.height = 32;
    b.shot_frames = {22};
    return b;
  }

  [[nodiscard]] ClipRequest request(std::uint64_t seed, int frames = 22) const { return {&conditioning, frames, seed, {.steps = 3}}; }

  static CleanLatents latents(H3Model& model, const ClipRequest& wanted) {
    return model.denoise(wanted, [](int done, int total) { return done < total; });
  }

  static Clip generate(H3Model& model, const ClipRequest& wanted) {
    Clip clip;
    const Sound sound = model.decode(
        wanted, latents(model, wanted),
        [&](const Image& image) {
          clip.frames.insert(clip.frames.end(), image.rgb.begin(), image.rgb.end());
          ++clip.count;
        },
        [](int done, int total) { return done <= total; });
    clip.samples = sound.samples;
    return clip;
  }

  const fs::path folder = fs::path(::testing::TempDir()) / "fabula_h3_model_test";
  const BundleBlock block{Prediction::x0};
  test::Random random{test::seed()};
  Conditioning conditioning;
};

TEST_F(H3ModelTest, ASeedGivesTheSameBytesWithAnyNumberOfThreads) {
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    H3Model one(bundle(), block, precision, cpu_machine(1));
    const Clip clip = generate(one, request(7));
    EXPECT_EQ(clip.count, 22);
    EXPECT_EQ(clip.frames.size(), 22U * 64 * 32 * 3);
    EXPECT_EQ(clip.samples.size(), 73U * 40);  // 22 frames at 12 a second are 73 latents of 40 samples
    EXPECT_TRUE(generate(one, request(7)) == clip) << "a second run";
    for (const int threads : {2, 3}) {
      H3Model many(bundle(), block, precision, cpu_machine(threads));
      EXPECT_TRUE(generate(many, request(7)) == clip) << threads << " threads";
    }
  }
}

TEST_F(H3ModelTest, SeedConditioningAndScoreEachChangeTheClip) {
  H3Model model(bundle(), block, Precision::fp32, cpu_machine(2));
  const auto base = latents(model, request(7));
  EXPECT_NE(latents(model, request(8)).video, base.video);
  EXPECT_NE(latents(model, request(8)).audio, base.audio);
  conditioning.score_start[1] = 0.6;
  const auto later = latents(model, request(7));
  EXPECT_NE(later.audio, base.audio);
  conditioning.states[0] += 1.0F;
  EXPECT_NE(latents(model, request(7)).video, later.video);
}

TEST_F(H3ModelTest, TheFootprintIsThePeak) {
  H3Model model(bundle(), block, Precision::fp32, cpu_machine(2));
  for (const int frames : {22, 39}) {
    const std::size_t footprint = model.footprint(request(7, frames));
    EXPECT_EQ(generate(model, request(7, frames)).count, frames);
    EXPECT_EQ(model.last_peak(), footprint);
  }
}

TEST_F(H3ModelTest, LittleMemoryStreamsTheTransformerAndTooLittleIsRefused) {
  H3Model whole(bundle(), block, Precision::fp32, cpu_machine(2));
  const CleanLatents wanted = latents(whole, request(7));
  const std::size_t activations = whole.last_peak();
  const auto bytes = [&](Residence residence) {
    const fs::path part = folder / "transformer";
    return Dit::take(DitConfig::load(part), Weights::measure(part, Precision::fp32), residence).bytes();
  };
  const std::size_t least = bytes(Residence::streamed) + AudioVae::load(folder / "audio_vae").parameter_bytes() + activations;
  ASSERT_LT(bytes(Residence::streamed), bytes(Residence::resident));
  H3Model streamed(bundle(), block, Precision::fp32, cpu_machine(2), ModelParts::in(folder), {.memory = least});
  EXPECT_EQ(latents(streamed, request(7)).video, wanted.video);
  EXPECT_EQ(latents(streamed, request(7)).audio, wanted.audio);
  EXPECT_EQ(streamed.fingerprint(), whole.fingerprint());
  H3Model refused(bundle(), block, Precision::fp32, cpu_machine(2), ModelParts::in(folder), {.memory = least - 1});
  try {
    (void)latents(refused, request(7));
    FAIL() << "it was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::out_of_memory);
  }
}

TEST_F(H3ModelTest, AnotherShiftOrAnotherPrecisionOfTheTransformerIsAnotherShot) {
  const auto made = [&](const Holding& holding) {
    H3Model model(bundle(), block, Precision::fp32, cpu_machine(2), ModelParts::in(folder), holding);
    return std::pair(model.fingerprint(), latents(model, request(7)));
  };
  const auto [plain, wanted] = made({});
  EXPECT_EQ(made({.shift = 3.0, .audio_shift = 3.0}).second, wanted) << "the folder's own";
  const Holding others[] = {{.shift = 7.5}, {.audio_shift = 7.5}, {.transformer = Precision::int8}};
  for (const Holding& other : others) {
    const auto [fingerprint, latents] = made(other);
    EXPECT_NE(fingerprint, plain);
    EXPECT_NE(latents, wanted);
  }
}

// Each phase's weights go when the next one begins, and come back.
TEST_F(H3ModelTest, PhasesThatDoNotFitTogetherTakeTurns) {
  H3Model whole(bundle(), block, Precision::fp32, cpu_machine(2));
  const Clip wanted = generate(whole, request(7));
  const std::size_t weights = std::max(Weights::measure(folder / "transformer", Precision::fp32).stored_bytes(),
                                       Weights::measure(folder / "vae", Precision::fp32).stored_bytes()) +
                              AudioVae::load(folder / "audio_vae").parameter_bytes();
  H3Model turns(bundle(), block, Precision::fp32, cpu_machine(2), ModelParts::in(folder),
                {.memory = weights + whole.footprint(request(7))});
  for (int clip = 0; clip < 2; ++clip) EXPECT_TRUE(generate(turns, request(7)) == wanted) << clip;
}

TEST_F(H3ModelTest, LengthsThatCannotBeMadeAreRefused) {
  H3Model model(bundle(), block, Precision::fp32, cpu_machine(1));
  EXPECT_THROW((void)model.footprint(request(7, 23)), Error);
  EXPECT_THROW((void)model.footprint(request(7, 5)), Error);
}

TEST_F(H3ModelTest, ProgressRisesToTheEndAndCanStop) {
  H3Model model(bundle(), block, Precision::fp32, cpu_machine(1));
  int last = 0, of = 0;
  const auto rises = [&](int done, int total) {
    EXPECT_GE(done, last);
    last = done, of = total;
    return true;
  };
  const CleanLatents clean = model.denoise(request(7), rises);
  EXPECT_LT(last, of);
  (void)model.decode(
      request(7), clean, [](const Image&) {}, rises);
  EXPECT_EQ(last, of);
  const auto stops = [](const auto& run) {
    try {
      run();
      FAIL() << "it went on";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::interrupted);
    }
  };
  stops([&] { (void)model.denoise(request(7), [](int done, int) { return done < 2; }); });
  stops([&] {
    (void)model.decode(
        request(7), clean, [](const Image&) {}, [](int, int) { return false; });
  });
}

TEST_F(H3ModelTest, LatentsOfAnotherShapeAreRefused) {
  H3Model model(bundle(), block, Precision::fp32, cpu_machine(1));
  CleanLatents clean = latents(model, request(7));
  clean.video.shape.back() += 1;
  EXPECT_THROW((void)model.decode(
                   request(7), clean, [](const Image&) {}, [](int, int) { return true; }),
               Error);
}

TEST_F(H3ModelTest, MakesASoundToAGivenPicture) {
  H3Model model(bundle(), block, Precision::fp32, cpu_machine(1));
  const CleanLatents clean = latents(model, request(7));
  const auto go_on = [](int, int) { return true; };
  const LatentTensor sound = model.denoise_sound(request(7), clean.video, go_on);
  EXPECT_EQ(sound.shape, clean.audio.shape);
  EXPECT_EQ(sound, model.denoise_sound(request(7), clean.video, go_on));
  EXPECT_NE(sound, model.denoise_sound(request(8), clean.video, go_on)) << "it has the request's noise";
  LatentTensor other = clean.video;
  for (float& value : other.values) value = -value;
  EXPECT_NE(sound, model.denoise_sound(request(7), other, go_on)) << "it looks at the picture";

  const Sound whole = model.decode(
      request(7), clean, [](const Image&) {}, go_on);
  EXPECT_EQ(model.decode_sound(request(7), clean.audio).samples, whole.samples);
  other.shape.back() += 1;
  EXPECT_THROW((void)model.denoise_sound(request(7), other, go_on), Error);
  EXPECT_THROW((void)model.decode_sound(request(7), other), Error);
  EXPECT_THROW((void)model.denoise_sound(request(7), clean.video, [](int, int) { return false; }), Error);
}

TEST_F(H3ModelTest, TheFingerprintIsTheWeightsAndThePrecision) {
  const std::string base = H3Model(bundle(), block, Precision::fp32, cpu_machine(1)).fingerprint();
  EXPECT_EQ(H3Model(bundle(), block, Precision::fp32, cpu_machine(2)).fingerprint(), base);
  EXPECT_NE(H3Model(bundle(), block, Precision::bf16, cpu_machine(1)).fingerprint(), base);
  Bundle wider = bundle();
  wider.width = 128;
  EXPECT_NE(H3Model(wider, block, Precision::fp32, cpu_machine(1)).fingerprint(), base);
  const H3Model loaded(bundle(), block, Precision::fp32, cpu_machine(1));
  std::ofstream(folder / "transformer" / "config.json", std::ios::app) << "\n";
  EXPECT_NE(loaded.fingerprint(), base);
}

TEST_F(H3ModelTest, PartsThatDoNotFitOneAnotherAreRefused) {
  Bundle odd = bundle();
  odd.width = 40;  // a patch is 32 pixels wide
  EXPECT_THROW(H3Model(odd, block, Precision::fp32, cpu_machine(1)), Error);
  odd = bundle();
  odd.sample_rate = 16000;
  EXPECT_THROW(H3Model(odd, block, Precision::fp32, cpu_machine(1)), Error);
}

TEST(Denoising, NearTheEndTheVelocityIsBoundedByTheFloor) {
  const auto velocity = [](std::vector<float> x0, const std::vector<float>& sample, float timestep) {
    const Shape shape{static_cast<std::int64_t>(x0.size())};
    return run_sized(reference_machine(), [&](Context& ctx) {
      const Tensor v = constant(ctx, x0, shape);
      velocity_from_x0(ctx, v, constant(ctx, sample, shape), timestep);
      return to_host(ctx, v);
    });
  };
  EXPECT_EQ(velocity({1.0F, 1.0F}, {0.5F, 0.0F}, 0.5F), (std::vector<float>{1.0F, 2.0F}));
  EXPECT_EQ(velocity({0.1F}, {0.0F}, 0.99F), (std::vector<float>{0.1F / velocity_floor}));
}

TEST(Families, APredictionTypeThatIsUnknownIsRefused) {
  Bundle bundle;
  bundle.folder = fs::path(::testing::TempDir()) / "fabula_bundle_block_test";
  fs::create_directories(bundle.folder);
  const auto read = [&](const char* text) {
    std::ofstream(bundle.folder / "fabula.json") << text;
    return BundleBlock::read(bundle).prediction;
  };
  EXPECT_EQ(read(R"({"prediction_type":"x0"})"), Prediction::x0);
  EXPECT_EQ(read(R"({"prediction_type":"velocity"})"), Prediction::velocity);
  for (const char* bad : {R"({"prediction_type":"noise"})", R"({"prediction_type":7})", "{}", "[]", ""})
    EXPECT_THROW((void)read(bad), Error) << bad;
  fs::remove_all(bundle.folder);
}

TEST(Families, AnUnknownFamilyAndAMissingBundleAreSaidInOneSentence) {
  const fs::path folder = fs::path(::testing::TempDir()) / "fabula_families_test";
  fs::create_directories(folder);
  std::ofstream(folder / "fabula.json")
      << R"({"format":"fabula.bundle/1","name":"x","version":"1","license":"CC0-1.0","family":"moving-pictures","tap_layer":1,"fps":12,
    "sample_rate":16000,"audio_channels":1,"canvas":[64,32],"shot_frames":[22],"steps":3,"prediction_type":"x0","files":{}})";
  try {
    (void)load_clip_model(folder, Precision::fp32, cpu_machine(1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::unavailable);
    EXPECT_NE(std::string(error.what()).find("moving-pictures"), std::string::npos);
  }
  fs::remove_all(folder);
  EXPECT_THROW((void)load_clip_model(folder, Precision::fp32, cpu_machine(1)), Error);
}

}  // namespace
}  // namespace fabula::h3
