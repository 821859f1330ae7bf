// A language model on the emulated device: its cache of keys and values lies there, and grows there.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "engine/machine.h"
#include "kernels/device.h"
#include "planner/lm/session.h"
#include "tests/support/random.h"

namespace fabula {
namespace {

/// One of the goldens' models with a session that has read nothing.
struct Reader {
  Weights weights;
  Qwen3 model;
  Session session;

  Reader(const std::filesystem::path& folder, const Machine& machine)
      : weights(Weights::open(folder, Precision::fp32, machine.device)),
        model(load_qwen3(Qwen3Config::open(folder / "config.json"), weights)),
        session(model, 2, machine) {}
};

const std::filesystem::path goldens = std::filesystem::path(FABULA_SOURCE_DIR) / "tests/goldens";

std::vector<std::int32_t> random_text(const Qwen3& model, std::size_t count) {
  test::Random random{test::seed()};
  std::vector<std::int32_t> text(count);
  for (std::int32_t& token : text) token = static_cast<std::int32_t>(random.below(model.config.vocabulary));
  return text;
}

/// What is said after a text that fills the first page of keys, and after that word; and all states.
struct Answer {
  std::vector<std::int32_t> tokens;
  std::vector<float> states;
};

Answer answer_of(const char* folder, const Machine& machine) {
  Reader reader(goldens / folder, machine);
  Answer answer;
  const auto choose = [&](std::span<const float> logits) {
    answer.tokens.push_back(static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
  };
  choose(reader.session.read(random_text(reader.model, KvPool::page_tokens)));
  choose(reader.session.read(std::vector<std::int32_t>{answer.tokens.back()}));
  answer.states = reader.session.states();
  return answer;
}

TEST(EmulatedDecoder, SaysWhatTheProcessorSays) {
  const Answer expected = answer_of("qwen3_moe_mixed", cpu_machine(1)), found = answer_of("qwen3_moe_mixed", cuda_machine());
  EXPECT_EQ(expected.tokens, found.tokens);
  ASSERT_EQ(expected.states.size(), found.states.size());
  float largest = 0.0F, magnitude = 0.0F;
  for (std::size_t i = 0; i < expected.states.size(); ++i) {
    largest = std::max(largest, std::abs(expected.states[i] - found.states[i]));
    magnitude = std::max(magnitude, std::abs(expected.states[i]));
  }
  EXPECT_LE(largest, magnitude * 1e-5F) << "more than roundings in another order";
}

TEST(EmulatedDecoder, KeepsTheSameStatesHoweverTheTokensAreCut) {
  const Machine machine = cuda_machine();
  Reader whole(goldens / "qwen3", machine), cut(goldens / "qwen3", machine);
  const std::vector<std::int32_t> text = random_text(whole.model, 7);
  (void)whole.session.read(text, Logits::none);
  (void)cut.session.read(std::span(text).first(4), Logits::none);
  (void)cut.session.read(std::span(text).subspan(4), Logits::none);
  EXPECT_EQ(whole.session.states(), cut.session.states());
}

TEST(EmulatedDecoder, AGrowingCacheKeepsWhatItHolds) {
  const Machine machine = cuda_machine();
  const Stream& stream = *machine.stream;
  Qwen3Config config;
  config.layers = 2, config.kv_heads = 3, config.head_dim = 4;
  KvPool pool(config, 0, false, stream.handle());
  std::vector<std::int32_t> pages = {pool.take()};
  const std::vector<float> written(3 * 4 * KvPool::page_tokens, 0.5F);
  copy_bytes(pool.values(1).data, written.data(), written.size() * sizeof(float), stream.handle());
  const std::int64_t before = pool.pages();
  while (pool.pages() == before) pages.push_back(pool.take());
  std::vector<float> kept(written.size());
  copy_bytes(kept.data(), pool.values(1).data, kept.size() * sizeof(float), stream.handle());
  EXPECT_EQ(kept, written);
  EXPECT_EQ(pool.values(1).device, DeviceKind::cuda);
}

}  // namespace
}  // namespace fabula
