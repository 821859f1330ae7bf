// A published folder behind `fabula render`: the reference's frames come out of the program, and a plan is filmed clip by clip.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/weights/safetensors.h"
#include "tests/e2e/kills.h"
#include "tests/e2e/program.h"
#include "video/io/images.h"
#include "video/io/probe.h"

namespace fabula {
namespace {

using nlohmann::json;

const fs::path goldens = fs::path(FABULA_SOURCE_DIR) / "tests/goldens/h3_folder";

class PublishedCommand : public CommandLine {
 protected:
  // Opens a case and writes its prompt, so that a shell can pass it on untouched.
  json open(const std::string& name) {
    golden_.emplace(Safetensors::open(goldens / ("case_" + name + ".safetensors")));
    const json about = json::parse(golden_->metadata().at("case"));
    std::ofstream(file("prompt.txt")) << about.at("prompt").get<std::string>();
    return about;
  }

  // (height, width, 3)
  void write_picture(const std::string& tensor, const std::string& name) {
    const Tensor t = golden_->at(tensor);
    const auto* bytes = t.as<const std::uint8_t>();
    write_image(file(name), {static_cast<int>(t.shape[1]), static_cast<int>(t.shape[0]), {bytes, bytes + t.elements()}});
  }

  // (1, samples) as a WAVE file of float32.
  void write_sound(const std::string& tensor, const std::string& name, std::uint32_t sample_rate) {
    const Tensor t = golden_->at(tensor);
    const auto bytes = static_cast<std::uint32_t>(t.elements() * 4);
    std::ofstream out(file(name), std::ios::binary);
    const auto number = [&](std::uint32_t value, int size) { out.write(reinterpret_cast<const char*>(&value), size); };
    out << "RIFF", number(36 + bytes, 4), out << "WAVEfmt ", number(16, 4), number(3, 2), number(1, 2), number(sample_rate, 4);
    number(4 * sample_rate, 4), number(4, 2), number(32, 2), out << "data", number(bytes, 4);
    out.write(t.as<const char>(), bytes);
  }

  Result render(const std::string& more) {
    return fabula("render \"$(cat prompt.txt)\" --format prompt --model " + (goldens / "model").string() +
                  " --precision fp32 --threads 1 -q -o film.mp4 " + more);
  }

  // The frames in `folder` against the reference's: at most a level off.
  void expect_frames(const std::string& folder) {
    const Tensor want = golden_->at("out.frames");
    const auto picture = static_cast<std::size_t>(want.elements() / want.shape[0]);
    int worst = 0;
    for (std::int64_t i = 0; i < want.shape[0]; ++i) {
      char name[32];
      std::snprintf(name, sizeof name, "frame_%06d.png", static_cast<int>(i));
      const Image got = read_image(file(folder) / name);
      ASSERT_EQ(got.rgb.size(), picture) << name;
      const auto* expected = want.as<const std::uint8_t>() + static_cast<std::size_t>(i) * picture;
      for (std::size_t k = 0; k < picture; ++k) worst = std::max(worst, std::abs(int{got.rgb[k]} - int{expected[k]}));
    }
    EXPECT_LE(worst, 1);
    EXPECT_EQ(static_cast<std::int64_t>(std::distance(fs::directory_iterator(file(folder)), fs::directory_iterator())), want.shape[0]);
  }

  std::optional<Safetensors> golden_;
};

TEST_F(PublishedCommand, APromptIsFilmedWordForWordFrameForFrame) {
  (void)open("t2va_unicode");
  const Result result = render("--seed 7 --steps 4 --frames-out frames");
  ASSERT_EQ(result.code, 0) << result.err;
  expect_frames("frames");
  EXPECT_EQ(probe_film(file("film.mp4")).video_frames, 124);

  // The receipt makes the same bytes again, without being told what the film was, and in less memory.
  const Result again = fabula("render --from-receipt film.fabula.json --model " + (goldens / "model").string() +
                              " --threads 1 --memory 64M --no-store -o again.mp4");
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(contents(file("again.mp4")), contents(file("film.mp4")));

  const Result led = fabula("render 'A fox.' --first-frame film.mp4 -o led.mp4 --model " + (goldens / "model").string());
  EXPECT_EQ(led.code, 65);
  EXPECT_NE(led.err.find("film.mp4 is a film, expected a picture"), std::string::npos) << led.err;
}

// A LoRA file changes the film, is in its receipt with its hash, and another scale is another shot of the store.
TEST_F(PublishedCommand, ALoraFileIsFilmedRecordedAndFilmedAgain) {
  (void)open("t2va_unicode");
  const std::string layer = "transformer.transformer_blocks.1.ff.net.2.";  // (48, 64)
  const std::vector<float> values(128, 0.2F);
  const std::vector<std::int64_t> down = {2, 64}, up = {48, 2};
  const auto bytes =
      safetensors_bytes({{layer + "lora_A.weight", down, values}, {layer + "lora_B.weight", up, std::span(values).first(96)}}, {});
  std::ofstream(file("l.safetensors"), std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  const auto film = [&](const std::string& more) {
    const Result result = render("-y --steps 1 --store st --shift 5 " + more);
    EXPECT_EQ(result.code, 0) << result.err;
    return contents(file("film.mp4"));
  };
  const std::string plain = film("");
  EXPECT_NE(film("--lora l.safetensors:0.5"), plain);
  const std::string whole = film("--lora l.safetensors");
  const json receipt = json::parse(contents(file("film.fabula.json")));
  EXPECT_EQ(receipt.at("options").back(), "--lora=l.safetensors");
  EXPECT_EQ(receipt.at("model").at("sha256").at("lora 1").get<std::string>().size(), 64U);
  EXPECT_EQ(std::count_if(fs::recursive_directory_iterator(file("st")), fs::recursive_directory_iterator(),
                          [](const auto& entry) { return entry.path().extension() == ".safetensors"; }),
            3);
  const Result again =
      fabula("render --from-receipt film.fabula.json --no-store --threads 1 -o again.mp4 --model " + (goldens / "model").string());
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(contents(file("again.mp4")), whole);
}

TEST_F(PublishedCommand, ABatchMakesOneFilmOfEachJobAndNoneTwice) {
  std::ofstream(file("jobs.jsonl")) << R"({"prompt": "A fox.", "output": "a.mp4", "seed": 5})"
                                    << "\n"
                                    << R"({"prompt": "A crab.", "output": "b.mp4", "size": "16x24"})"
                                    << "\n"
                                    << R"({"prompt": "A dog.", "output": "c.mp4", "frames": 60})"
                                    << "\n";
  const std::string command =
      "batch jobs.jsonl --steps 1 --precision fp32 --threads 1 --no-store --json -o films --model " + (goldens / "model").string();
  const Result first = fabula(command);
  EXPECT_EQ(first.code, 3) << first.err;
  EXPECT_NE(first.err.find("5 to 15 seconds"), std::string::npos) << first.err;
  EXPECT_EQ(probe_film(file("films/b.mp4")).video_frames, 124);
  const Result second = fabula(command);
  EXPECT_NE(second.out.find(R"({"job":1,"status":"skipped")"), std::string::npos) << second.out;
  EXPECT_NE(second.out.find(R"({"job":2,"status":"skipped")"), std::string::npos) << second.out;
}

TEST_F(PublishedCommand, FirstAndLastFrameLead) {
  (void)open("fl2va_first_last");
  write_picture("in.image", "first.png");
  write_picture("in.last_image", "last.png");
  const Result result = render("--seed 12 --steps 3 --frames-out frames --first-frame first.png --last-frame last.png");
  ASSERT_EQ(result.code, 0) << result.err;
  expect_frames("frames");
}

TEST_F(PublishedCommand, ReferencesLeadInTheirOrder) {
  (void)open("ref2va_image_audio");
  write_picture("in.references.0.image", "who.png");
  write_sound("in.references.1.audio", "song.wav", 1600);
  const Result result = render("--seed 14 --steps 2 --size 16x24 --frames-out frames --ref-image who.png --ref-audio song.wav");
  ASSERT_EQ(result.code, 0) << result.err;
  expect_frames("frames");
  const json options = json::parse(contents(file("film.fabula.json"))).at("options");
  EXPECT_EQ(options.at(options.size() - 2), "--ref-image=who.png");
  EXPECT_EQ(options.back(), "--ref-audio=song.wav");
}

TEST_F(PublishedCommand, APlanIsFilmedClipByClip) {
  json film_without_media = json::parse(contents(fs::path(FABULA_SOURCE_DIR) / "tests/planner/plans/good/lantern.json"));
  for (const char* list : {"characters", "places", "props"}) {
    for (json& one : film_without_media.at(list)) {
      one.erase("ref_images");
      if (one.contains("voice")) one["voice"].erase("ref_audio");
    }
  }
  for (json& shot : film_without_media.at("shots")) shot.erase("conditioning");
  std::ofstream(file("plan.json")) << film_without_media.dump();
  const std::string plan = "plan.json";
  const json compiled = json::parse(fabula("plan " + plan + " --compile h3").out);
  const Result result = fabula("render " + plan + " --model " + (goldens / "model").string() +
                               " --steps 1 --threads 1 --scale 1 --json --precision fp32 -o film.mp4");
  ASSERT_EQ(result.code, 0) << result.err;
  const json film = json::parse(result.out);
  EXPECT_EQ(film.at("shots_made").size(), compiled.at("clips").size());
  EXPECT_EQ(film.at("total_ms"), compiled.at("total_ms"));
  EXPECT_EQ(json::parse(contents(file("film.fabula.json"))).at("plan").at("title"), film.at("title"));
  const Result again = fabula("render " + plan + " --model " + (goldens / "model").string() +
                              " --steps 1 --threads 1 --scale 1 --json --precision fp32 -y -o film.mp4");
  EXPECT_EQ(json::parse(again.out).at("shots_reused").size(), compiled.at("clips").size()) << again.err;
}

// A plan of shots of which no two fit into one clip; each goes on from the one before.
json plan_that_goes_on(int shots) {
  const auto shot = [](const char* id, int start_ms, const char* what, const char* into) {
    return json{{"id", id},
                {"beat", "b"},
                {"place", "beach"},
                {"start_ms", start_ms},
                {"duration_ms", 7200},
                {"transition", {{"kind", into}}},
                {"cast", {{{"id", "crab"}, {"position", "center"}, {"facing", "right"}}}},
                {"action_beats", {{{"at_ms", 0}, {"who", "crab"}, {"what", what}}}},
                {"camera", {{"size", "wide"}, {"move", "static"}}},
                {"dialogue", json::array()},
                {"ambience", "waves"}};
  };
  json all = json::array({shot("s010", 0, "stands", "cut")});
  for (int i = 1; i < shots; ++i)
    all.push_back(shot(("s0" + std::to_string(10 * (i + 1))).c_str(), 7200 * i, i % 2 == 0 ? "stands" : "jumps", "continue"));
  return {{"version", "fabula.plan/1"},
          {"prompt", "A crab stands on the beach, then it jumps."},
          {"treatment", "A crab jumps."},
          {"title", "Crab"},
          {"logline", "A crab jumps."},
          {"aspect", "1:1"},
          {"fps", 24},
          {"total_ms", 7200 * shots},
          {"language", "en"},
          {"characters", {{{"id", "crab"}, {"name", "Crab"}, {"look", "a red crab"}, {"voice", {{"voice_id", "crab_voice"}}}}}},
          {"places", {{{"id", "beach"}, {"description", "a beach"}, {"time_of_day", "day"}}}},
          {"beats", {{{"id", "b"}, {"summary", "it jumps"}}}},
          {"shots", all},
          {"sound", {{"music", "none"}}},
          {"unsupported", json::array()}};
}

// A clip that goes on is the clip that a person gets from the last picture before it, and is so from the store, a receipt and a farm, too.
TEST_F(PublishedCommand, AClipGoesOnFromTheLastPictureOfTheOneBefore) {
  std::ofstream(file("plan.json")) << plan_that_goes_on(2).dump();
  const std::string model = " --model " + (goldens / "model").string(), how = " --steps 1 --threads 1 --scale 1 --precision fp32";
  const Result film = fabula("render plan.json --frames-out frames -o whole.mp4 --no-store" + model + how);
  ASSERT_EQ(film.code, 0) << film.err;
  EXPECT_EQ(film.err.find("begins anew"), std::string::npos) << film.err;

  // By hand: the prompt of the second clip, and the frame before its first.
  const json clip = json::parse(fabula("plan plan.json --compile h3").out).at("clips").at(1);
  const json receipt = json::parse(contents(file("whole.fabula.json")));
  std::ofstream(file("prompt.txt")) << clip.at("prompt").get<std::string>();
  const std::uint64_t seed = receipt.at("shots").at(1).at("seed").get<std::uint64_t>() & 0xFFFFFFFFU;
  const Result hand =
      render("--no-store --steps 1 --no-gate --aspect 1:1 --first-frame frames/frame_000172.png --frames-out hand --frames " +
             std::to_string(clip.at("frames").get<int>()) + " --seed " + std::to_string(seed) + " -y");
  ASSERT_EQ(hand.code, 0) << hand.err;
  for (const int i : {0, 1, 100, 171}) {
    char theirs[32], ours[32];
    std::snprintf(theirs, sizeof theirs, "hand/frame_%06d.png", i);
    std::snprintf(ours, sizeof ours, "frames/frame_%06d.png", 173 + i);
    EXPECT_EQ(read_image(file(theirs)).rgb, read_image(file(ours)).rgb) << ours;
  }

  // A farm makes both in one task, a clip alone brings the one that it goes on from, and the film is the same.
  ASSERT_EQ(fabula("submit plan.json --emit slurm -o farm" + model).code, 0);
  EXPECT_EQ(contents(file("farm/shots.txt")), "c010-c020\n");
  const Result early = fabula("assemble plan.json --store farm/store -o farm.mp4" + model + how);
  EXPECT_EQ(early.code, 75);
  EXPECT_NE(early.err.find("c010, c020"), std::string::npos) << early.err;
  const Result shots = fabula("render plan.json --shots c020 --json --store farm/store" + model + how);
  ASSERT_EQ(shots.code, 0) << shots.err;
  EXPECT_EQ(json::parse(shots.out).at("shots_made"), json({"c010", "c020"}));
  const Result assembled = fabula("assemble plan.json --store farm/store -o farm.mp4" + model + how);
  ASSERT_EQ(assembled.code, 0) << assembled.err;
  EXPECT_TRUE(contents(file("farm.mp4")) == contents(file("whole.mp4")));

  // A receipt makes it from the start; another first clip is another second one.
  const Result again = fabula("render --from-receipt whole.fabula.json --threads 1 --no-store -o again.mp4" + model);
  EXPECT_EQ(again.code, 0) << again.err;
  const json kept = json::parse(fabula("render plan.json --dry-run --json --store farm/store" + model + how).out);
  EXPECT_EQ(kept.at("shots_to_reuse"), json({"c010", "c020"}));
  const json other = json::parse(fabula("render plan.json --dry-run --json --seed 8 --store farm/store" + model + how).out);
  EXPECT_EQ(other.at("shots_to_make"), json({"c010", "c020"}));
}

// Whichever clip a kill meets, and whether it is being made or read for the picture that the next one goes on from. FABULA_KILLS=30 makes a
// campaign of it.
TEST_F(PublishedCommand, AChainOfClipsThatGoOnSurvivesKills) {
  std::ofstream(file("plan.json")) << plan_that_goes_on(3).dump();
  const std::string command =
      "render plan.json --steps 1 --threads 1 --size 16x16 --precision fp32 --model " + (goldens / "model").string();
  const auto start = std::chrono::steady_clock::now();
  const Result whole = fabula(command + " --no-store --json -o whole.mp4");
  ASSERT_EQ(whole.code, 0) << whole.err;
  ASSERT_EQ(json::parse(whole.out).at("shots_made"), json({"c010", "c020", "c030"}));
  const auto undisturbed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  expect_to_survive({.folder = folder_,
                     .arguments = command + " -q -n -o film.mp4 --store killed",
                     .film = file("film.mp4"),
                     .store = file("killed"),
                     .expected = contents(file("whole.mp4")),
                     .undisturbed = undisturbed},
                    kills_wanted(3));
}

TEST_F(PublishedCommand, TheFolderIsDescribedAndWhatItLacksIsNamed) {
  const json about = json::parse(fabula("models " + (goldens / "model").string() + " --json").out);
  EXPECT_TRUE(about.at("complete").get<bool>());
  EXPECT_EQ(about.at("memory").at("transformer").at("fp32").get<int>() % 4, 0);
  fs::copy(goldens / "model", file("cut"), fs::copy_options::recursive);
  fs::permissions(file("cut/vae"), fs::perms::owner_all, fs::perm_options::add);
  fs::remove(file("cut/transformer_ref/diffusion_pytorch_model-00003-of-00005.safetensors"));
  fs::remove(file("cut/vae/config.json"));
  const Result cut = fabula("models cut");
  EXPECT_EQ(cut.code, 69);
  EXPECT_NE(cut.err.find("vae/config.json"), std::string::npos) << cut.err;
  EXPECT_NE(cut.err.find("transformer_ref"), std::string::npos) << cut.err;
}

TEST_F(PublishedCommand, WhatItCannotMakeIsRefusedWithASentence) {
  std::ofstream(file("prompt.txt")) << "A fox.";
  std::ofstream(file("song.wav")) << "no sound";
  write_image(file("who.png"), {8, 8, std::vector<std::uint8_t>(192)});
  const struct {
    const char *options, *sentence;
    int code;
  } cases[] = {
      {"--frames 60", "5 to 15 seconds", 2},
      {"--seconds 16", "5 to 15 seconds", 2},
      {"--size 18x16", "multiples of", 2},
      {"--aspect 5:1", "aspect", 2},
      {"--first-frame who.png --ref-image who.png", "not by both", 2},
      {"--first-frame absent.png", "absent.png", 66},
      {"--ref-audio song.wav --ref-image who.png", "song.wav", 65},
      {"--planner lm", "--lm", 2},
      {"--memory 1K", "of memory", 71},
      {"--lora absent.safetensors", "absent.safetensors", 66},
      {"--lora prompt.txt:much", "scale", 2},
      {"--lora " FABULA_SOURCE_DIR "/tests/goldens/transformer_lora/mixed.safetensors", "shapes A", 65},
  };
  for (const auto& one : cases) {
    const Result result = render(one.options);
    EXPECT_EQ(result.code, one.code) << one.options << "\n" << result.err;
    EXPECT_NE(result.err.find(one.sentence), std::string::npos) << one.options << "\n" << result.err;
    EXPECT_FALSE(fs::exists(file("film.mp4")));
  }
}

}  // namespace
}  // namespace fabula
