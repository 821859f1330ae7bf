// Names, ranks and alphas of a LoRA file.
#include "video/h3/adapter.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/weights/safetensors.h"

namespace fabula::h3 {
namespace {

using nlohmann::json;

// Beginnings of names of the original checkpoint's layers, and of kohya's trainer.
constexpr const char* other_formats[] = {"diffusion_model.", "blocks.", "token_refiner.blocks.", "final_layer.", "lora_unet_"};
constexpr const char* of_either = "transformer.";
constexpr const char* of_follower = "transformer_ref.";

[[noreturn]] void refuse(const AdapterFile& adapter, const std::string& what) {
  throw Error(ExitCode::bad_data, adapter.file.string() + ": " + what);
}

// A layer's tensors.
struct Pair {
  std::string stored;  // its name in the file
  Tensor a, b, alpha;
  bool has_alpha = false;  // a number has no axes, and neither has an absent tensor
};

// Whether `name` ends in one of the three; what comes before it.
bool ends_in(const std::string& name, const char* ending, std::string& before) {
  if (!name.ends_with(ending)) return false;
  before = name.substr(0, name.size() - std::string(ending).size());
  return true;
}

void sort_in(const AdapterFile& adapter, const std::string& name, const Tensor& tensor, std::map<std::string, Pair>& pairs) {
  std::string plain = name, layer;
  if (const std::size_t infix = plain.find(".default."); infix != std::string::npos) plain.erase(infix, 8);  // peft's adapter name
  Tensor Pair::*place = nullptr;
  if (ends_in(plain, ".lora_A.weight", layer))
    place = &Pair::a;
  else if (ends_in(plain, ".lora_B.weight", layer))
    place = &Pair::b;
  else if (ends_in(plain, ".alpha", layer))
    place = &Pair::alpha;
  else
    refuse(adapter, "\"" + name + "\" is no part of a LoRA of lora_A, lora_B and alpha");
  pairs[layer].stored = layer;
  if (place == &Pair::alpha) pairs[layer].has_alpha = true;
  pairs[layer].*place = tensor;
}

// The layers of the file by their names in the transformer.
std::map<std::string, Pair> pairs_of(const AdapterFile& adapter, const Safetensors& file, bool follows) {
  std::map<std::string, Pair> all, mine;
  bool has_follower = false;
  for (const auto& [name, tensor] : file.tensors()) {
    for (const char* other : other_formats) {
      if (name.starts_with(other))
        refuse(adapter, "\"" + name +
                            "\" is named as in the original checkpoint or by kohya's trainer; only diffusers' names "
                            "(transformer.….lora_A.weight) are read. diffusers' load_lora_weights and save_lora_weights convert the file");
    }
    has_follower = has_follower || name.starts_with(of_follower);
    sort_in(adapter, name, tensor, all);
  }
  for (auto& [layer, pair] : all) {
    const bool for_follower = layer.starts_with(of_follower);
    if (has_follower && for_follower != follows) continue;
    const std::size_t prefix = for_follower                   ? std::string(of_follower).size()
                               : layer.starts_with(of_either) ? std::string(of_either).size()
                                                              : 0;
    mine.emplace(layer.substr(prefix), pair);
  }
  if (mine.empty())
    refuse(adapter, std::string("it has no layers for the transformer that makes clips ") +
                        (follows ? "with references" : "from a prompt or a first or last frame"));
  return mine;
}

// A stored tensor as float32.
std::vector<float> values_of(const AdapterFile& adapter, const Tensor& tensor) {
  StoredModel model{.path = adapter.file, .weights = {{"values", {tensor}}}, .memory = nullptr};
  return Weights::open(model, Precision::fp32).take_values("values", tensor.shape);
}

// The value that a table of patterns has for a layer: a pattern is a layer's name or the end of one.
const json* pattern_for(const json& metadata, const std::string& key, const std::string& layer) {
  const auto table = metadata.find(key);
  if (table == metadata.end() || !table->is_object()) return nullptr;
  for (const auto& [pattern, value] : table->items()) {
    const std::string name = pattern.starts_with("^") ? pattern.substr(1) : pattern;
    if ((layer == name || layer.ends_with("." + name)) && value.is_number()) return &value;
  }
  return nullptr;
}

// diffusers' own metadata, its keys without the component's name; empty: none.
json metadata_of(const AdapterFile& adapter, const Safetensors& file, const std::string& component) {
  const auto found = file.metadata().find("lora_adapter_metadata");
  if (found == file.metadata().end()) return json::object();
  const json all = json::parse(found->second, nullptr, /*allow_exceptions=*/false);
  if (!all.is_object()) refuse(adapter, "its lora_adapter_metadata is no JSON object");
  json own = json::object();
  for (const auto& [key, value] : all.items()) {
    if (key.starts_with(component)) own[key.substr(component.size())] = value;
  }
  return own;
}

// get_peft_kwargs, LoraLayer.update_layer: what a layer's product is multiplied by.
double factor_of(const AdapterFile& adapter, const Safetensors& file, const std::string& layer, const Pair& pair, std::int64_t rank) {
  const auto number = static_cast<double>(rank);
  if (pair.has_alpha) {
    const std::vector<float> alpha = values_of(adapter, pair.alpha);
    if (alpha.size() != 1 || !std::isfinite(alpha[0])) refuse(adapter, "\"" + pair.stored + ".alpha\" is not one number");
    return static_cast<double>(alpha[0]) / number;
  }
  const std::string component = pair.stored.substr(0, pair.stored.size() - layer.size());
  const json metadata = metadata_of(adapter, file, component);
  if (metadata.contains("lora_alpha") && metadata["lora_alpha"].is_number()) {
    const json* own = pattern_for(metadata, "alpha_pattern", layer);
    const double alpha = own != nullptr ? own->get<double>() : metadata["lora_alpha"].get<double>();
    const bool by_root = metadata.contains("use_rslora") && metadata["use_rslora"] == true;
    return alpha / (by_root ? std::sqrt(number) : number);
  }
  const auto alpha = file.metadata().find("alpha");
  if (alpha == file.metadata().end()) return 1.0;
  char* end = nullptr;
  const double value = std::strtod(alpha->second.c_str(), &end);
  return end == alpha->second.c_str() || *end != 0 || !std::isfinite(value) ? 1.0 : value / number;
}

std::shared_ptr<const LowRank> low_rank(const AdapterFile& adapter, const Safetensors& file, const std::string& layer, const Pair& pair,
                                        const Shape& weight) {
  if (pair.a.absent() || pair.b.absent()) refuse(adapter, "\"" + pair.stored + "\" lacks its lora_" + (pair.a.absent() ? "A" : "B"));
  const Shape &a = pair.a.shape, &b = pair.b.shape;
  if (a.rank() != 2 || b.rank() != 2 || weight.rank() != 2 || a[0] < 1 || a[0] != b[1] || a[1] != weight[1] || b[0] != weight[0]) {
    refuse(adapter, "\"" + pair.stored + "\" has shapes A " + a.text() + " and B " + b.text() + ", which do not make the transformer's " +
                        weight.text());
  }
  const double factor = adapter.scale * factor_of(adapter, file, layer, pair, a[0]);
  return std::make_shared<const LowRank>(LowRank{a[0], values_of(adapter, pair.b), values_of(adapter, pair.a), static_cast<float>(factor)});
}

}  // namespace

void add_adapter(Weights& weights, const AdapterFile& adapter, bool follows) {
  const Safetensors file = Safetensors::open(adapter.file);
  for (const auto& [layer, pair] : pairs_of(adapter, file, follows)) {
    const std::string weight = layer + ".weight";
    if (!weights.has(weight)) refuse(adapter, "\"" + pair.stored + "\" is no layer of the transformer");
    weights.add(weight, low_rank(adapter, file, layer, pair, weights.shape(weight)));
  }
}

void add_to_hash(Sha256& hash, const AdapterFile& adapter, const FileDigest& digest) {
  char scale[32];
  std::snprintf(scale, sizeof scale, "%.17g", adapter.scale);
  hash.field("lora").field(digest(adapter.file)).field(scale);
}

}  // namespace fabula::h3
