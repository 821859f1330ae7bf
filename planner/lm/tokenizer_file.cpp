// Reads tokenizer.json (huggingface/tokenizers) and refuses everything that would make ids differ from the reference.
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"
#include "planner/lm/split.h"
#include "planner/lm/tokenizer.h"
#include "planner/text/unicode.h"

namespace fabula {

using nlohmann::json;

namespace {

constexpr const char* space_mark = "\xE2\x96\x81";

// The printable character for each byte in GPT-2's byte-level vocabularies: itself if printable, else 256, 257 … in turn.
std::unordered_map<std::int32_t, char> byte_alphabet() {
  std::unordered_map<std::int32_t, char> alphabet;
  std::int32_t next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    alphabet[printable ? byte : next++] = static_cast<char>(byte);
  }
  return alphabet;
}

}  // namespace

class TokenizerReader {
 public:
  TokenizerReader(std::string_view text, std::string name) : name_(std::move(name)) {
    root_ = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
    if (root_.is_discarded()) refuse("is not JSON: " + json_fault(text));
    if (!root_.is_object()) refuse("is not a JSON object");
  }

  Tokenizer read() {
    if (!read_characters()) read_pattern();
    check_model();
    read_vocabulary();
    read_added();
    read_merges();
    return std::move(result_);
  }

 private:
  using Token = Tokenizer::Token;
  static constexpr std::size_t largest_vocabulary = 4'000'000;

  [[noreturn]] void refuse(const std::string& what) const { throw Error(ExitCode::bad_data, name_ + ": " + what); }

  const json& member(const json& object, const char* key, const char* where) const {
    const auto found = object.is_object() ? object.find(key) : object.end();
    if (!object.is_object() || found == object.end()) refuse(std::string("\"") + key + "\" is missing in " + where);
    return *found;
  }

  // True for a member that is present and neither null, false nor "".
  static bool is_set(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && !found->is_null() && *found != false && *found != "";
  }

  // Whether the vocabulary is of characters: written with U+2581 for a space by the normalizer, or by the pre-tokenizer Metaspace.
  bool read_characters() {
    const json& normalizer = member(root_, "normalizer", "the file");
    const json& step = member(root_, "pre_tokenizer", "the file");
    const json spaces = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", space_mark}};
    const json prefix = {{"type", "Prepend"}, {"prepend", space_mark}};
    if (step.is_null() && (normalizer == spaces || normalizer == json{{"type", "Sequence"}, {"normalizers", {prefix, spaces}}})) {
      if (normalizer != spaces) result_.prefix_ = Tokenizer::Prefix::parts;
    } else if (normalizer.is_null() && step.is_object() && step.value("type", json()) == "Metaspace") {
      read_metaspace(step);
    } else {
      return false;
    }
    result_.in_bytes_ = false;
    result_.composes_ = false;
    return true;
  }

  void read_metaspace(const json& step) {
    const json& scheme = member(step, "prepend_scheme", "pre_tokenizer");
    if (member(step, "replacement", "pre_tokenizer") != space_mark || member(step, "split", "pre_tokenizer") != false)
      refuse("Metaspace writes a space as something else than U+2581, or splits");
    if (scheme == "first") result_.prefix_ = Tokenizer::Prefix::text_without;
    if (scheme == "always") result_.prefix_ = Tokenizer::Prefix::parts_without;
    if (scheme != "first" && scheme != "always" && scheme != "never") refuse("Metaspace has an unknown \"prepend_scheme\"");
  }

  // The normalizer and the first of two steps, which say what a word is.
  void read_pattern() {
    const json& normalizer = member(root_, "normalizer", "the file");
    result_.composes_ = !normalizer.is_null();
    if (result_.composes_ && member(normalizer, "type", "normalizer") != "NFC") refuse("the normalizer is neither NFC nor null");
    const json& steps = member(member(root_, "pre_tokenizer", "the file"), "pretokenizers", "pre_tokenizer");
    if (!steps.is_array() || steps.size() != 2 || member(steps[1], "type", "pre_tokenizer") != "ByteLevel")
      refuse("the pre_tokenizer is neither Split nor Digits followed by ByteLevel");
    const json& split = steps[0];
    const bool is_gpt2 = member(split, "type", "pre_tokenizer") == "Digits";
    if (is_gpt2) {
      if (!is_set(split, "individual_digits")) refuse("the step Digits does not cut each digit off");
      result_.pattern_ = SplitPattern::gpt2_digits;
    } else {
      if (split["type"] != "Split") refuse("the pre_tokenizer is neither Split nor Digits followed by ByteLevel");
      const json& pattern = member(member(split, "pattern", "pre_tokenizer"), "Regex", "pattern");
      if (pattern != qwen_split_pattern && pattern != llama3_split_pattern) refuse("the split pattern is neither Qwen's nor Llama 3's");
      if (pattern == llama3_split_pattern) result_.pattern_ = SplitPattern::llama3;
      if (member(split, "behavior", "pre_tokenizer") != "Isolated" || is_set(split, "invert"))
        refuse("the split is not of the kind Isolated");
    }
    if (is_set(steps[1], "add_prefix_space") || member(steps[1], "use_regex", "pre_tokenizer") != is_gpt2)
      refuse("ByteLevel adds a space, or splits where another step does or none");
  }

  void check_model() const {
    const json& model = member(root_, "model", "the file");
    if (member(model, "type", "model") != "BPE") refuse("the model is not BPE");
    if (!result_.in_bytes_ && !is_set(model, "byte_fallback"))
      refuse("a vocabulary of characters without bytes for the others is not supported");
    for (const char* option : {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "unk_token", "byte_fallback"}) {
      const bool is_of_characters = option == std::string_view("unk_token") || option == std::string_view("byte_fallback");
      if (is_set(model, option) && (result_.in_bytes_ || !is_of_characters))
        refuse(std::string("the model's option \"") + option + "\" is not supported");
    }
  }

  // Makes room for an id, without letting the table grow far beyond its contents.
  Token& token_at(const json& id, const std::string& content) {
    constexpr std::int64_t largest_gap = 65536;
    if (!id.is_number_integer()) refuse("the id of \"" + content + "\" is not an integer");
    const auto value = id.get<std::int64_t>();
    if (value < 0 || value >= static_cast<std::int64_t>(tokens_read_) + largest_gap)
      refuse("the id " + std::to_string(value) + " of \"" + content + "\" is out of range");
    if (static_cast<std::size_t>(value) >= result_.tokens_.size()) result_.tokens_.resize(static_cast<std::size_t>(value) + 1);
    return result_.tokens_[static_cast<std::size_t>(value)];
  }

  std::string byte_level(const std::string& token) const {
    std::string bytes;
    for (std::size_t at = 0; at < token.size();) {
      const Character character = character_at(token, at);
      const auto byte = alphabet_.find(character.code);
      if (byte == alphabet_.end()) refuse("the token \"" + token + "\" is not written in the byte-level alphabet");
      bytes += byte->second;
      at += character.bytes;
    }
    return bytes;
  }

  // What a token writes: with spaces, in UTF-8; "<0x0A>" is a byte.
  std::string of_characters(const std::string& token, std::int32_t id) {
    if (token.size() == 6 && token.starts_with("<0x") && token.ends_with(">")) {
      const std::string digits = token.substr(3, 2);
      if (digits.find_first_not_of("0123456789ABCDEF") == std::string::npos) {
        const int byte = std::stoi(digits, nullptr, 16);
        result_.byte_ids_[static_cast<std::size_t>(byte)] = id;
        return std::string(1, static_cast<char>(byte));
      }
    }
    const std::string text = result_.normalised(token, Start::inside);
    ids_.emplace(text, id);
    if (character_at(text, 0).bytes == text.size()) result_.characters_.emplace(text, id);
    return text;
  }

  // Every character can be written, and bytes are told from other tokens by their ids.
  void check_bytes() const {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      if (result_.byte_ids_[byte] < 0) refuse("the vocabulary of characters lacks a token for one of the 256 bytes");
      if (result_.byte_ids_[byte] != result_.byte_ids_[0] + static_cast<std::int32_t>(byte)) refuse("the tokens of bytes are not in order");
    }
  }

  void read_vocabulary() {
    const json& vocabulary = member(root_["model"], "vocab", "model");
    if (!vocabulary.is_object() || vocabulary.empty()) refuse("the vocabulary is not an object with tokens");
    if (vocabulary.size() > largest_vocabulary) refuse("the vocabulary has more than 4,000,000 tokens");
    tokens_read_ = vocabulary.size();
    result_.byte_ids_.assign(256, -1);
    for (const auto& [content, id] : vocabulary.items()) {
      if (content.empty()) refuse("the vocabulary has an empty token");
      Token& token = token_at(id, content);
      if (!token.bytes.empty()) refuse("two tokens have the id " + id.dump());
      token.bytes = result_.in_bytes_ ? byte_level(content) : of_characters(content, id.get<std::int32_t>());
      if (result_.in_bytes_) ids_.emplace(token.bytes, id.get<std::int32_t>());
    }
    if (is_set(root_["model"], "ignore_merges")) result_.whole_ = ids_;
    if (!result_.in_bytes_) return check_bytes();
    for (int byte = 0; byte < 256; ++byte) {
      const auto found = ids_.find(std::string(1, static_cast<char>(byte)));
      result_.byte_ids_[static_cast<std::size_t>(byte)] = found == ids_.end() ? -1 : found->second;
    }
  }

  void read_added() {
    if (!root_.contains("added_tokens") || root_["added_tokens"].is_null()) return;
    const json& list = root_["added_tokens"];
    if (!list.is_array() || list.size() > largest_vocabulary) refuse("\"added_tokens\" is not a list");
    tokens_read_ += list.size();
    std::unordered_set<std::string> seen;
    for (const json& entry : list) {
      const json& content_field = member(entry, "content", "added_tokens");
      if (!content_field.is_string() || content_field.get_ref<const std::string&>().empty()) refuse("an added token has no content");
      const std::string content = content_field;
      if (!seen.insert(content).second) refuse("the added token \"" + content + "\" appears twice");
      for (const char* option : {"single_word", "lstrip", "rstrip"}) {
        if (is_set(entry, option))
          refuse("the option \"" + std::string(option) + "\" of the added token \"" + content + "\" is not supported");
      }
      const json& id = member(entry, "id", "added_tokens");
      Token& token = token_at(id, content);
      if (token.added || (!token.bytes.empty() && token.bytes != content)) refuse("two tokens have the id " + id.dump());
      token = {content, true, is_set(entry, "special")};
      const bool normalized = is_set(entry, "normalized");
      result_.added_.push_back(
          {content, id.get<std::int32_t>(), normalized, normalized ? result_.normalised(content, Start::text) : content});
    }
    std::stable_sort(result_.added_.begin(), result_.added_.end(),
                     [](const auto& a, const auto& b) { return a.pattern.size() > b.pattern.size(); });
  }

  std::int32_t id_of(const std::string& content) const {
    const auto found = ids_.find(result_.in_bytes_ ? byte_level(content) : result_.normalised(content, Start::inside));
    if (found == ids_.end()) refuse("the merges name \"" + content + "\", which the vocabulary lacks");
    return found->second;
  }

  void read_merges() {
    const json& merges = member(root_["model"], "merges", "model");
    if (!merges.is_array() || merges.size() > largest_vocabulary) refuse("\"merges\" is not a list");
    std::int32_t rank = 0;
    for (const json& merge : merges) {
      const auto [left, right] = pair_of(merge);
      const auto key =
          (static_cast<std::uint64_t>(static_cast<std::uint32_t>(id_of(left))) << 32U) | static_cast<std::uint32_t>(id_of(right));
      result_.merges_.insert_or_assign(key, Tokenizer::Merge{rank++, id_of(left + right)});
    }
  }

  // ["a", "b"], or "a b" as older files write it.
  std::pair<std::string, std::string> pair_of(const json& merge) const {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) return {merge[0], merge[1]};
    if (merge.is_string()) {
      const std::string both = merge;
      const std::size_t space = both.find(' ');
      if (space != std::string::npos) return {both.substr(0, space), both.substr(space + 1)};
    }
    refuse("a merge is not a pair of tokens");
  }

  std::string name_;
  json root_;
  Tokenizer result_;
  std::unordered_map<std::int32_t, char> alphabet_ = byte_alphabet();
  std::unordered_map<std::string, std::int32_t> ids_;  // by bytes
  std::size_t tokens_read_ = 0;
};

Tokenizer Tokenizer::parse(std::string_view text, const std::string& name) { return TokenizerReader(text, name).read(); }

Tokenizer Tokenizer::open(const std::filesystem::path& file) {
  constexpr std::size_t largest_file = std::size_t{256} << 20U;
  return parse(read_file(file, largest_file), file.string());
}

}  // namespace fabula
