// A tokenizer's folder: tokenizer.json, and what tokenizer_config.json adds to it. Reference: PreTrainedTokenizerFast of transformers.
#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"
#include "planner/lm/tokenizer.h"

namespace fabula {
namespace {

using nlohmann::json;

// A token is a string or an object with its content; anything else is none.
std::string content_of(const json& token) {
  if (token.is_string()) return token.get<std::string>();
  return token.is_object() && token.contains("content") && token["content"].is_string() ? token["content"].get<std::string>() : "";
}

struct NamedToken {
  std::string content;
  bool special = true;
};

// The tokens that the file names, in the order in which they are added.
std::vector<NamedToken> tokens_of(const json& config, const std::string& name) {
  std::vector<NamedToken> tokens;
  if (config.contains("added_tokens_decoder") && config["added_tokens_decoder"].is_object()) {
    std::map<std::int64_t, NamedToken> by_id;
    for (const auto& [id, token] : config["added_tokens_decoder"].items()) {
      if (id.empty() || id.size() > 9 || id.find_first_not_of("0123456789") != std::string::npos)
        throw Error(ExitCode::bad_data, name + ": \"added_tokens_decoder\" has the key \"" + id + "\", expected an id");
      by_id[std::stoll(id)] = {content_of(token), token.is_object() && token.value("special", false)};
    }
    for (const auto& [id, token] : by_id) tokens.push_back(token);
  }
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    if (config.contains(key)) tokens.push_back({content_of(config[key])});
  }
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
    if (!config.contains(key) || !config[key].is_array()) continue;
    for (const json& token : config[key]) tokens.push_back({content_of(token)});
  }
  return tokens;
}

}  // namespace

void Tokenizer::add(const std::string& content, bool special) {
  if (content.empty() || added(content)) return;
  const auto in_vocabulary = std::find_if(tokens_.begin(), tokens_.end(), [&](const Token& token) { return token.bytes == content; });
  const auto id = static_cast<std::int32_t>(in_vocabulary - tokens_.begin());
  if (in_vocabulary == tokens_.end()) tokens_.emplace_back();
  tokens_[static_cast<std::size_t>(id)] = {content, true, special};
  const auto longer = [](const Added& a, const Added& b) { return a.pattern.size() > b.pattern.size(); };
  const Added one{content, id, false, content};
  added_.insert(std::upper_bound(added_.begin(), added_.end(), one, longer), one);
}

Tokenizer Tokenizer::open_folder(const std::filesystem::path& folder) {
  Tokenizer tokenizer = open(folder / "tokenizer.json");
  const std::filesystem::path file = folder / "tokenizer_config.json";
  if (!std::filesystem::exists(file)) return tokenizer;
  constexpr std::size_t largest_file = std::size_t{64} << 20U;
  const std::string text = read_file(file, largest_file);
  const json config = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) throw Error(ExitCode::bad_data, file.string() + " is not a JSON object: " + json_fault(text));
  for (const NamedToken& token : tokens_of(config, file.string())) tokenizer.add(token.content, token.special);
  return tokenizer;
}

}  // namespace fabula
