// Receipts and labels: what a film says of its making, and that it can be made again.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tests/e2e/program.h"

namespace fabula {
namespace {

using nlohmann::json;

constexpr const char* quick = " --steps 1 --scale 1 -q";

// A film of one shot is made once; each test has it as pig.mp4, with its receipt.
class ReceiptCommand : public CommandLine {
 protected:
  void SetUp() override {
    CommandLine::SetUp();
    if (film_.empty()) {
      ASSERT_EQ(fabula("plan --oracle 'In one shot a pig jumps.' -o pig.json").code, 0);
      const Result made = fabula("render pig.json -o pig.mp4 --seed 11 --crf 30" + std::string(quick));
      ASSERT_EQ(made.code, 0) << made.err;
      plan_ = contents(file("pig.json"));
      film_ = contents(file("pig.mp4"));
      receipt_ = contents(file("pig.fabula.json"));
      return;
    }
    std::ofstream(file("pig.json")) << plan_;
    std::ofstream(file("pig.mp4"), std::ios::binary) << film_;
    std::ofstream(file("pig.fabula.json")) << receipt_;
  }
  json receipt(const std::string& name) const { return json::parse(contents(file(name))); }
  // Changes a receipt.
  template <typename Change>
  void change(const std::string& name, Change change) {
    json changed = receipt(name);
    change(changed);
    std::ofstream(file(name)) << changed.dump();
  }

  static std::string plan_, film_, receipt_;
};

std::string ReceiptCommand::plan_, ReceiptCommand::film_, ReceiptCommand::receipt_;

TEST_F(ReceiptCommand, AFilmIsMadeAgainToTheByte) {
  const json made = receipt("pig.fabula.json");
  EXPECT_EQ(made["film"]["file"], "pig.mp4");
  EXPECT_EQ(made["film"]["aspect"], "7:4");
  EXPECT_EQ(made["seed"], 11);
  EXPECT_EQ(made["options"], (json{"--crf=30", "--scale=1", "--steps=1"}));
  EXPECT_EQ(made["shots"][0]["outcome"], "made");
  EXPECT_EQ(made["model"]["sha256"]["transformer"].get<std::string>().size(), 64U);
  EXPECT_EQ(made["plan"], json::parse(contents(file("pig.json"))));

  const Result again = fabula("render --from-receipt pig.fabula.json -o again.mp4 -q");
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(contents(file("again.mp4")) == film_);
  EXPECT_EQ(receipt("again.fabula.json")["film"]["sha256"], made["film"]["sha256"]);

  const Result looked = fabula("render --from-receipt pig.fabula.json -o b.mp4 --dry-run");
  EXPECT_EQ(looked.code, 0) << looked.err;
  EXPECT_FALSE(fs::exists(file("b.mp4")));
  ASSERT_EQ(fabula("render --from-receipt pig.fabula.json -o c.mp4 -q --preview --posters posters --stems stems").code, 0);
  EXPECT_TRUE(contents(file("c.mp4")) == film_);
  EXPECT_TRUE(fs::exists(file("c.mp4.preview.jpg")));
  EXPECT_TRUE(fs::exists(file("posters/s010.jpg")));
  EXPECT_FALSE(fs::is_empty(file("stems")));

  EXPECT_EQ(fabula("render --from-receipt pig.fabula.json -o b.mp4 --crf 20").code, 2);
  EXPECT_EQ(fabula("render --from-receipt pig.fabula.json -o b.mp4 --seed 3").code, 2);
  EXPECT_EQ(fabula("render pig.json --from-receipt pig.fabula.json -o b.mp4").code, 2);
  EXPECT_EQ(fabula("render --from-receipt pig.json -o b.mp4").code, 65);
  EXPECT_EQ(fabula("render --from-receipt none.fabula.json -o b.mp4").code, 66);
  EXPECT_EQ(fabula("render -o b.mp4").code, 2);
  EXPECT_NE(fabula("render pig.fabula.json -o b.mp4").err.find("--from-receipt pig.fabula.json"), std::string::npos);
}

TEST_F(ReceiptCommand, WhatDiffersIsSaidAndNoOtherFilmIsWritten) {
  fs::copy(file("pig.fabula.json"), file("model.fabula.json"));
  change("model.fabula.json", [](json& r) { r["model"]["sha256"]["vae"] = std::string(64, '0'); });
  const Result model = fabula("render --from-receipt model.fabula.json -o b.mp4");
  EXPECT_EQ(model.code, 76) << model.err;
  EXPECT_NE(model.err.find("the model's vae is another"), std::string::npos) << model.err;
  fs::copy(file("pig.fabula.json"), file("film.fabula.json"));
  change("film.fabula.json", [](json& r) {
    r["film"]["sha256"] = std::string(64, '0');
    r["program"]["instruction_set"] = "an abacus";
  });
  const Result film = fabula("render --from-receipt film.fabula.json -o b.mp4 -q");
  EXPECT_EQ(film.code, 76) << film.err;
  EXPECT_NE(film.err.find("the processor was an abacus"), std::string::npos) << film.err;
  change("film.fabula.json", [](json& r) { r["program"]["instruction_set"] = "x86-64 AMX"; });
  EXPECT_EQ(fabula("render --from-receipt film.fabula.json -o b.mp4 -q").err.find("the processor was"), std::string::npos)
      << "it adds in the same order";
  change("film.fabula.json", [](json& r) { r["options"] = {"--no-such-option=1"}; });
  EXPECT_EQ(fabula("render --from-receipt film.fabula.json -o b.mp4").code, 65);
  fs::copy(file("pig.fabula.json"), file("device.fabula.json"));
  change("device.fabula.json", [](json& r) { r["options"].push_back("--device=cuda"); });
  EXPECT_NE(fabula("render --from-receipt device.fabula.json -o b.mp4 -q").code, 0) << "made on the processor";
  EXPECT_FALSE(fs::exists(file("b.mp4")));
  EXPECT_FALSE(fs::exists(file("b.fabula.json")));
}

TEST_F(ReceiptCommand, ProbeReadsAllOfItBackAndChecksIt) {
  const Result probed = fabula("probe pig.mp4 --json");
  ASSERT_EQ(probed.code, 0) << probed.err;
  const json found = json::parse(probed.out);
  EXPECT_EQ(found["title"], "Pig in the Forest");
  EXPECT_EQ(found["video"]["aspect"], "7:4");
  EXPECT_EQ(found["labels"]["digital_source_type"], "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia");
  EXPECT_EQ(found["labels"]["aigc"]["Label"], "1");
  EXPECT_EQ(found["labels"]["aigc"]["ProduceID"], receipt("pig.fabula.json")["labels"]["id"]);
  EXPECT_EQ(found["receipt"]["seed"], 11);
  EXPECT_TRUE(found["faults"].empty());
  const Result text = fabula("probe pig.fabula.json");
  EXPECT_EQ(text.code, 0) << text.err;
  for (const char* part : {"224 x 128 (7:4)", "trainedAlgorithmicMedia", "\"Label\":\"1\"", "the film is what it says", "nano"})
    EXPECT_NE(text.out.find(part), std::string::npos) << part << " is not in\n" << text.out;
  EXPECT_EQ(text.out.find("jumps"), std::string::npos) << "the prompt is in the film's labels";

  // A film whose bytes, labels or receipt are others.
  ASSERT_EQ(fabula("render pig.json -o plain.mp4 --no-labels" + std::string(quick)).code, 0);
  EXPECT_EQ(json::parse(fabula("probe plain.mp4 --json").out)["labels"]["aigc"], nullptr);
  fs::copy(file("plain.mp4"), file("pig.mp4"), fs::copy_options::overwrite_existing);
  const Result swapped = fabula("probe pig.mp4");
  EXPECT_EQ(swapped.code, 76);
  EXPECT_NE(swapped.err.find("its bytes are not those of its receipt, its labels are gone"), std::string::npos) << swapped.err;
  fs::remove(file("pig.fabula.json"));
  EXPECT_EQ(fabula("probe pig.mp4").code, 0);
  EXPECT_EQ(fabula("probe none.mp4").code, 66);
  EXPECT_EQ(fabula("probe pig.json").code, 65);
}

TEST_F(ReceiptCommand, TheReceiptIsTheDoneMarkAndTakesNobodysPlace) {
  std::ofstream(file("mine.fabula.json")) << "mine";
  const Result refused = fabula("render pig.json -o mine.mp4" + std::string(quick));
  EXPECT_EQ(refused.code, 73);
  EXPECT_NE(refused.err.find("--no-receipt"), std::string::npos) << refused.err;
  EXPECT_FALSE(fs::exists(file("mine.mp4")));
  EXPECT_EQ(fabula("render pig.json -o mine.mp4 --no-receipt" + std::string(quick)).code, 0);
  EXPECT_EQ(contents(file("mine.fabula.json")), "mine");
  // A receipt whose film is gone makes room.
  fs::remove(file("pig.mp4"));
  EXPECT_EQ(fabula("render pig.json -o pig.mp4 --seed 2" + std::string(quick)).code, 0);
  EXPECT_EQ(receipt("pig.fabula.json")["seed"], 2);
  EXPECT_EQ(fabula("probe pig.mp4").code, 0);
  // A film under the next free name has a receipt of its own; one that goes to a pipe has none.
  std::ofstream(file("pig_in_the_forest.mp4")) << "mine";
  EXPECT_EQ(fabula("render pig.json" + std::string(quick)).out, "pig_in_the_forest_2.mp4\n");
  EXPECT_EQ(receipt("pig_in_the_forest_2.fabula.json")["film"]["file"], "pig_in_the_forest_2.mp4");
  const auto files = [&] { return std::distance(fs::directory_iterator(folder_), fs::directory_iterator()); };
  const auto before = files();
  EXPECT_EQ(fabula("render pig.json -o /dev/stdout" + std::string(quick)).code, 0);
  EXPECT_EQ(files(), before);
}

TEST_F(ReceiptCommand, ASignerGetsTheFinishedFilm) {
  // Takes c2patool's arguments and adds a box of C2PA's.
  std::ofstream(file("signer"))
      << "#!/bin/sh\n"
         "test \"$2\" = --manifest && test \"$4\" = --output && grep -q trainedAlgorithmicMedia \"$3\" || exit 9\n"
         "{ cat \"$1\"; printf "
         "'\\000\\000\\000\\040uuid\\330\\376\\303\\326\\033\\016\\110\\074\\222\\227\\130\\050\\207\\176\\304\\201signed!!'; } >\"$5\"\n";
  fs::permissions(file("signer"), fs::perms::owner_all);
  const Result made = fabula("render pig.json -o signed.mp4 --seed 11 --crf 30 --c2pa ./signer" + std::string(quick));
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_NE(made.err.find("C2PA_PRIVATE_KEY"), std::string::npos) << made.err;
  EXPECT_TRUE(contents(file("signed.mp4")).starts_with(film_)) << "the signature is not the last thing in the film";
  EXPECT_EQ(json::parse(fabula("probe signed.mp4 --json").out)["labels"]["c2pa"], true);
  EXPECT_EQ(receipt("signed.fabula.json")["signature"]["signer"], "./signer");
  ASSERT_EQ(fabula("render --from-receipt signed.fabula.json -o again.mp4 -q").code, 0);
  EXPECT_TRUE(contents(file("again.mp4")) == film_) << "made again as it was before it was signed";

  EXPECT_EQ(fabula("render pig.json -o c.mp4 --c2pa ./no-signer" + std::string(quick)).code, 69);
  EXPECT_EQ(fabula("render pig.json -o c.mp4 --c2pa false" + std::string(quick)).code, 69);
  EXPECT_FALSE(fs::exists(file("c.mp4")));
  for (const auto& entry : fs::directory_iterator(folder_))
    EXPECT_EQ(entry.path().string().find(".fabula-"), std::string::npos) << entry.path();
}

// Fills a bfloat16 tensor of a safetensors file with one value.
void fill(const fs::path& weights, const std::string& tensor, std::uint16_t bfloat16) {
  std::string bytes = contents(weights);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  const json offsets = json::parse(bytes.substr(8, header)).at(tensor).at("data_offsets");
  for (std::size_t at = 8 + header + offsets[0].get<std::size_t>(); at < 8 + header + offsets[1].get<std::size_t>(); at += 2)
    std::memcpy(&bytes[at], &bfloat16, 2);
  std::ofstream(weights, std::ios::binary) << bytes;
}

// A model whose pictures are all black: each attempt is refused, the first is filmed, and all of it is said.
TEST_F(ReceiptCommand, WhatTheGateRefusedIsSaidAndRecorded) {
  fs::copy(fs::path(FABULA_SOURCE_DIR) / "assets/models/nano", file("dark"), fs::copy_options::recursive);
  const fs::path weights = file("dark/vae/diffusion_pytorch_model.safetensors");
  fill(weights, "decoder.proj_out.weight", 0);
  fill(weights, "decoder.proj_out.bias", 0xC200);  // -32
  const std::string render = "render pig.json --model dark --seed 11 --steps 1 --scale 1";
  const Result made = fabula(render + " --progress json -o dark.mp4");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_NE(made.err.find("shot s010 is black, and 2 more attempts did not pass either; the first was filmed"), std::string::npos)
      << made.err;
  EXPECT_NE(made.out.find("\"attempt\":3"), std::string::npos) << made.out;
  const json shot = receipt("dark.fabula.json")["shots"][0], plain = receipt("pig.fabula.json")["shots"][0];
  ASSERT_EQ(shot["refused"].size(), 3U) << shot;
  EXPECT_EQ(shot["refused"][0]["why"], "is black");
  EXPECT_EQ(shot["seed"], shot["refused"][0]["seed"]);
  EXPECT_EQ(shot["seed"], plain["seed"]);
  EXPECT_FALSE(plain.contains("refused"));

  const Result blind = fabula(render + " -o blind.mp4 --no-gate --no-labels");
  ASSERT_EQ(blind.code, 0) << blind.err;
  EXPECT_EQ(blind.err.find("is black"), std::string::npos) << blind.err;
  const json receipt_of_blind = receipt("blind.fabula.json");
  EXPECT_EQ(receipt_of_blind["shots"][0]["outcome"], "reused") << "the first attempt is kept under its own key";
  EXPECT_NE(receipt_of_blind["options"].dump().find("--no-gate"), std::string::npos) << receipt_of_blind["options"];

  const Result dry = fabula(render + " --dry-run --json");
  EXPECT_EQ(json::parse(dry.out)["shots_remade"], json::array({"s010"})) << dry.out << dry.err;
}

}  // namespace
}  // namespace fabula
