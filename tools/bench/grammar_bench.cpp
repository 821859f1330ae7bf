// What the grammar costs: bin/grammar_bench. `compile` prepares a vocabulary once; the others are one step of decoding: the mask of what
// may follow (free text, one of many values, a number) and the greedy choice under the widest mask. The argument is the size of the
// vocabulary: made up, but with lengths like a published one's (most words 4 to 8 bytes, half of them with a space before).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "planner/grammar/legal.h"
#include "planner/grammar/token_choice.h"
#include "planner/text/spans.h"

namespace fabula {
namespace {

using nlohmann::json;

// GPT-2's spelling of a byte in tokenizer.json.
std::string spelt(unsigned char byte) {
  const auto printable = [](unsigned b) { return (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE; };
  unsigned code = byte;
  if (!printable(byte)) {
    code = 256;
    for (unsigned b = 0; b < byte; ++b) code += !printable(b);
  }
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xC0U | code >> 6U), static_cast<char>(0x80U | (code & 0x3FU))};
}

// Bytes, numbers of up to three digits, and made-up words.
Tokenizer made_up_vocabulary(std::size_t size) {
  std::set<std::string> words;
  json vocabulary = json::object();
  const auto add = [&](const std::string& word) {
    if (words.insert(word).second) vocabulary[word] = words.size() - 1;
  };
  for (unsigned byte = 0; byte < 256; ++byte) add(spelt(static_cast<unsigned char>(byte)));
  for (int number = 0; number < 1000; ++number) add(std::to_string(number));
  for (const char* punctuation : {"\",\"", "\":\"", "\",", "\":", "{\"", "\"}", "},", "]}"}) add(punctuation);
  std::mt19937 random(1);
  while (words.size() < size) {
    std::string word = random() % 2 == 0 ? spelt(' ') : "";
    for (std::size_t letters = 2 + random() % 4 + random() % 5; letters > 0; --letters) word += static_cast<char>('a' + random() % 26);
    add(word);
  }
  const json file = {{"added_tokens", json::array()},
                     {"normalizer", {{"type", "NFC"}}},
                     {"pre_tokenizer", json::parse(R"json({"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex":
                       "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},
                       "behavior": "Isolated", "invert": false}, {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}]})json")},
                     {"decoder", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}, {"use_regex", false}}},
                     {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", json::array()}}}};
  return Tokenizer::parse(file.dump(), "made-up vocabulary");
}

struct Prepared {
  Tokenizer tokenizer;
  TokenTable table{tokenizer};
};

const Prepared& prepared(std::int64_t size) {
  static std::map<std::int64_t, std::unique_ptr<Prepared>> all;
  std::unique_ptr<Prepared>& found = all[size];
  if (!found) found.reset(new Prepared{made_up_vocabulary(static_cast<std::size_t>(size))});
  return *found;
}

void compile(benchmark::State& state) {
  const Tokenizer& tokenizer = prepared(state.range(0)).tokenizer;
  for (auto _ : state) {
    TokenTable table(tokenizer);
    benchmark::DoNotOptimize(table);
  }
}

void mask(benchmark::State& state, const Legal& legal, const std::string& written) {
  const Prepared& p = prepared(state.range(0));
  TokenMask allowed(p.tokenizer.size());
  for (auto _ : state) {
    legal.next(written, p.table, allowed);
    benchmark::DoNotOptimize(allowed.count());
  }
}

// The spans of a long prompt: thousands of values.
Legal spans() {
  std::string prompt;
  std::mt19937 random(2);
  for (int word = 0; word < 600; ++word) {
    for (std::size_t letters = 2 + random() % 8; letters > 0; --letters) prompt += static_cast<char>('a' + random() % 26);
    prompt += ' ';
  }
  return Legal::one_of(legal_spans(prompt, 40));
}

void sizes(benchmark::internal::Benchmark* b) { b->Arg(32'000)->Arg(151'669)->ArgName("tokens")->Unit(benchmark::kMicrosecond); }

BENCHMARK(compile)->Apply(sizes)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(mask, text, Legal::text(240), "A fox runs through the fo")->Apply(sizes);
BENCHMARK_CAPTURE(mask, text_at_the_cap, Legal::text(240), std::string(236, 'x'))->Apply(sizes);
BENCHMARK_CAPTURE(mask, new_id, Legal::text(32, Alphabet::name, {"fox", "crab"}), "fo")->Apply(sizes);
BENCHMARK_CAPTURE(mask, one_of_16,
                  Legal::one_of({"fox", "crab", "bear", "owl", "cat", "dog", "hen", "pig", "cow", "ant", "bee", "elk", "emu", "yak", "gnu",
                                 "bat"}),
                  "")
    ->Apply(sizes);
BENCHMARK_CAPTURE(mask, one_of_spans, spans(), "")->Apply(sizes);
BENCHMARK_CAPTURE(mask, number, Legal::number({{1000, 86'400'000}}), "")->Apply(sizes);
BENCHMARK_CAPTURE(mask, number_begun, Legal::number({{1500, 2500}, {9000, 9000}}), "2")->Apply(sizes);

void choice(benchmark::State& state, const Sampling& sampling) {
  const Prepared& p = prepared(state.range(0));
  TokenMask allowed(p.tokenizer.size());
  Legal::text(240).next("", p.table, allowed);
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.0F, 3.0F);
  std::vector<float> logits(static_cast<std::size_t>(p.tokenizer.size()));
  for (float& logit : logits) logit = normal(random);
  TokenSampler sampler(sampling);
  for (auto _ : state) benchmark::DoNotOptimize(sampler.pick(logits, allowed));
}
BENCHMARK_CAPTURE(choice, greedy, Sampling{})->Apply(sizes);
BENCHMARK_CAPTURE(choice, temperature, Sampling{.temperature = 1.0})->Apply(sizes);
BENCHMARK_CAPTURE(choice, top_p, Sampling{.temperature = 1.0, .top_p = 0.9})->Apply(sizes);
BENCHMARK_CAPTURE(choice, min_p, Sampling{.temperature = 1.0, .min_p = 0.05})->Apply(sizes);

}  // namespace
}  // namespace fabula
