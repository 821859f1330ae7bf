// Language models of published size: memory and tokens per second in each precision, beside the speed of reading the weights once per
// token.
//
//   lm_bench --make DIR        writes a Qwen3 of the shape of Qwen3-0.6B with random weights in bf16 (1.2 GB)
//   lm_bench MODEL PRECISION [THREADS]     reads a folder or a GGUF file as fp32, bf16 or int8; one a process, so that the peak of memory
//   is
//                                          its own
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "base/error.h"
#include "kernels/bf16.h"
#include "planner/lm/gguf_model.h"
#include "planner/lm/session.h"

namespace {

using namespace fabula;
namespace fs = std::filesystem;
using nlohmann::json;

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The shapes of Qwen3-0.6B.
constexpr std::int64_t vocabulary = 151936, hidden = 1024, intermediate = 3072, layers = 28, heads = 16, kv_heads = 8, head_dim = 128;

void make(const fs::path& folder) {
  fs::create_directories(folder);
  std::ofstream(folder / "config.json") << json{
      {"model_type", "qwen3"},
      {"vocab_size", vocabulary},
      {"hidden_size", hidden},
      {"intermediate_size", intermediate},
      {"num_hidden_layers", layers},
      {"num_attention_heads", heads},
      {"num_key_value_heads", kv_heads},
      {"head_dim", head_dim},
      {"rms_norm_eps", 1e-6},
      {"rope_theta", 1e6},
      {"tie_word_embeddings", true},
      {"max_position_embeddings", 40960}}.dump(1);
  json header;
  std::size_t at = 0;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    std::size_t bytes = 2;
    for (const std::int64_t extent : shape) bytes *= static_cast<std::size_t>(extent);
    header[name] = {{"dtype", "BF16"}, {"shape", shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  };
  add("model.embed_tokens.weight", {vocabulary, hidden});
  add("model.norm.weight", {hidden});
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    for (const char* norm : {"input_layernorm.weight", "post_attention_layernorm.weight"}) add(layer + norm, {hidden});
    for (const char* norm : {"self_attn.q_norm.weight", "self_attn.k_norm.weight"}) add(layer + norm, {head_dim});
    add(layer + "self_attn.q_proj.weight", {heads * head_dim, hidden});
    for (const char* narrow : {"self_attn.k_proj.weight", "self_attn.v_proj.weight"}) add(layer + narrow, {kv_heads * head_dim, hidden});
    add(layer + "self_attn.o_proj.weight", {hidden, heads * head_dim});
    for (const char* up : {"mlp.gate_proj.weight", "mlp.up_proj.weight"}) add(layer + up, {intermediate, hidden});
    add(layer + "mlp.down_proj.weight", {hidden, intermediate});
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::ofstream out(folder / "model.safetensors", std::ios::binary);
  const std::uint64_t length = text.size();
  out.write(reinterpret_cast<const char*>(&length), sizeof(length));
  out << text;
  // A deviation of about 1/sqrt(width) everywhere; one draw of a block serves for all, since speed does not depend on the values.
  std::mt19937 engine(1);
  std::normal_distribution<float> normal(0.0F, 0.03F);
  std::vector<std::uint16_t> block((1U << 20U) + 1U);
  for (std::uint16_t& value : block) value = to_bf16(normal(engine));
  for (std::size_t left = at / 2; left > 0;) {
    const std::size_t count = std::min(left, block.size());
    out.write(reinterpret_cast<const char*>(block.data()), static_cast<std::streamsize>(2 * count));
    left -= count;
  }
  out.close();
  if (!out) throw Error(ExitCode::io, "cannot write " + folder.string());
}

// Bytes per second that the pool's threads read from memory together: the best of some passes over 1 GB.
double bandwidth(ThreadPool& pool) {
  constexpr std::int64_t words = (std::int64_t{1} << 30) / 8, grain = words / 64;
  const std::vector<std::uint64_t> memory(static_cast<std::size_t>(words), 1);
  std::vector<std::uint64_t> sums(64);
  double best = 1e9;
  for (int pass = 0; pass < 5; ++pass) {
    const double start = seconds();
    pool.for_each(words, grain, [&](std::int64_t begin, std::int64_t end) {
      std::uint64_t sum = 0;
      for (std::int64_t i = begin; i < end; ++i) sum += memory[static_cast<std::size_t>(i)];
      sums[static_cast<std::size_t>(begin / grain)] = sum;
    });
    best = std::min(best, seconds() - start);
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t part : sums) sum += part;
  if (sum != static_cast<std::uint64_t>(words)) throw Error(ExitCode::internal, "the sum is wrong");
  return static_cast<double>(words) * 8.0 / best;
}

// Seconds that all threads have computed: what is left of a measurement when other programs share the processor.
double computed() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
}

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024.0 / 1e6;
}

void measure(const fs::path& folder, const std::string& name, int threads) {
  const Precision precision = name == "int8" ? Precision::int8 : name == "bf16" ? Precision::bf16 : Precision::fp32;
  const Machine machine = cpu_machine(threads);
  double start = seconds();
  std::optional<Gguf> file;
  if (Gguf::is_one(folder)) file.emplace(Gguf::open(folder));
  const Qwen3Config config = file ? config_of(*file) : Qwen3Config::open(folder / "config.json");
  Weights weights = file ? Weights::open(weights_of(*file, config), precision) : Weights::open(folder, precision);
  const Qwen3 model = load_qwen3(config, weights);
  const double load = seconds() - start;
  Session session(model, model.config.layers, machine);
  constexpr std::int32_t prompt = 512, written = 24;
  std::vector<std::int32_t> tokens;
  for (std::int32_t i = 0; i < prompt; ++i)
    tokens.push_back(i * 37 % static_cast<std::int32_t>(std::min<std::int64_t>(config.vocabulary, 150000)));
  (void)session.read(std::span(tokens).first(1));  // pages of the file come in
  start = seconds();
  double work = computed();
  (void)session.read(tokens);
  const double prefill = prompt / (seconds() - start), prefill_work = (computed() - work) / prompt;
  double fastest = 0.0;
  start = seconds();
  work = computed();
  for (std::int32_t i = 0; i < written; ++i) {
    const double before = seconds();
    (void)session.read(std::span(tokens).subspan(static_cast<std::size_t>(i), 1));
    fastest = std::max(fastest, 1.0 / (seconds() - before));
  }
  const double decode = written / (seconds() - start), decode_work = (computed() - work) / written;
  const double kv =
      2.0 * static_cast<double>(model.config.layers * model.config.kv_heads * model.config.head_dim) * 4.0 * (prompt + written + 1);
  const double arena = static_cast<double>(forward_footprint(model, Passes::usual)), peak = peak_mb();
  const double speed = bandwidth(*machine.pool), bytes = static_cast<double>(weights.bytes());
  std::printf(
      "%s, %d threads: loaded in %.1f s; peak %.0f MB of memory, computed %.0f MB (weights %.0f, keys and values %.0f to twice that, "
      "activations %.0f)\n",
      name.c_str(), threads, load, peak, (bytes + kv + arena) / 1e6, bytes / 1e6, kv / 1e6, arena / 1e6);
  std::printf("  prefill %.1f tokens/s, decode %.2f tokens/s (fastest token %.2f); memory gives %.1f GB/s: at most %.2f tokens/s\n",
              prefill, decode, fastest, speed / 1e9, speed / bytes);
  std::printf("  processor time a token: prefill %.1f ms, decode %.1f ms\n", 1e3 * prefill_work, 1e3 * decode_work);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 3 && std::strcmp(argv[1], "--make") == 0)
      make(argv[2]);
    else if (argc == 3 || argc == 4)
      measure(argv[1], argv[2], argc == 4 ? std::atoi(argv[3]) : static_cast<int>(std::thread::hardware_concurrency()));
    else
      throw Error(ExitCode::usage, "lm_bench --make DIR, or lm_bench MODEL fp32|bf16|int8 [THREADS]");
  } catch (const Error& error) {
    std::fprintf(stderr, "lm_bench: %s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
