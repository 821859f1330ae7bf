// BPE from a tokenizer.json, of two kinds. Byte-level: NFC or nothing, a known split pattern, merges of bytes. Of characters, as
// SentencePiece has it (Llama 2, TinyLlama): a space before the text, merges of characters, bytes of those that the vocabulary lacks. And
// added tokens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "planner/lm/split.h"

namespace fabula {

/// Whether encode() looks for added tokens (<|im_start|> …) in the text or takes them as plain text.
enum class AddedTokens : std::uint8_t { recognised, plain };

/// Whether a text begins here, or goes on from another: a tokenizer of characters puts a space before it.
enum class Start : std::uint8_t { text, inside };

/// Equal to the `tokenizers` library (encode with add_special_tokens=False). Immutable, so several threads may use it.
class Tokenizer {
 public:
  /// Throws Error: input_missing if the file cannot be read, bad_data for anything malformed or of another kind.
  static Tokenizer open(const std::filesystem::path& file);
  /// `name` names the file in messages.
  static Tokenizer parse(std::string_view json, const std::string& name);
  /// A folder's tokenizer.json with the added tokens that only its tokenizer_config.json names, numbered as transformers numbers them: in
  /// the order of that file, after the highest id. Throws Error as open() does.
  static Tokenizer open_folder(const std::filesystem::path& folder);

  /// Throws Error(bad_data) if the text is not UTF-8.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text, AddedTokens added = AddedTokens::recognised,
                                                 Start start = Start::text) const;
  /// Bytes that are not UTF-8 become U+FFFD each (the reference makes them of all byte tokens in a row, where one of these is broken).
  /// Throws Error(bad_data) for an id that does not exist.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids, bool skip_special = false) const;

  /// One more than the largest id.
  [[nodiscard]] std::int32_t size() const { return static_cast<std::int32_t>(tokens_.size()); }
  /// The bytes of a token; empty for an unused id. Throws Error(bad_data) outside 0 … size() − 1.
  [[nodiscard]] const std::string& bytes(std::int32_t id) const;
  /// Whether a token stands for a byte of a character that the vocabulary lacks; false in byte-level vocabularies.
  [[nodiscard]] bool is_byte(std::int32_t id) const { return !in_bytes_ && byte_ids_[0] <= id && id <= byte_ids_[255]; }
  /// Added tokens are matched as a whole and never result from merging.
  [[nodiscard]] bool is_added(std::int32_t id) const;
  /// Added tokens that decode() may skip.
  [[nodiscard]] bool is_special(std::int32_t id) const;
  /// The added token with this content, e.g. "<|im_end|>".
  [[nodiscard]] std::optional<std::int32_t> added(std::string_view content) const;

 private:
  void add(const std::string& content, bool special);

  struct Token {
    std::string bytes;
    bool added = false, special = false;
  };
  struct Added {
    std::string content;
    std::int32_t id = 0;
    bool normalized = false;   ///< matched after the normalizer
    std::string pattern = {};  ///< what is matched
  };
  struct Merge {
    std::int32_t rank = 0, result = 0;
  };

  /// What a tokenizer of characters puts a space before: nothing; each part between added tokens (the normalizer Prepend); the text, or
  /// each part, where it does not begin with one (the pre-tokenizer Metaspace).
  enum class Prefix : std::uint8_t { none, parts, text_without, parts_without };

  friend class TokenizerReader;
  friend class StreamDecoder;
  [[nodiscard]] std::string normalised(std::string_view part, Start start) const;
  [[nodiscard]] bool lacks_space(std::string_view plain, bool is_first, Start start) const;
  [[nodiscard]] std::vector<std::int32_t> symbols_of(std::string_view word) const;
  void encode_plain(std::string_view text, std::vector<std::int32_t>& ids) const;
  void merge_word(std::string_view word, std::vector<std::int32_t>& ids) const;
  [[nodiscard]] const Added* added_at(std::string_view text, std::size_t at, bool normalized) const;

  SplitPattern pattern_ = SplitPattern::qwen;
  bool composes_ = true;                ///< the normalizer is NFC; else there is none
  std::vector<Token> tokens_;           ///< by id
  std::vector<Added> added_;            ///< longest first
  std::vector<std::int32_t> byte_ids_;  ///< (256); −1 if the vocabulary lacks the byte
  bool in_bytes_ = true;                ///< of the byte-level kind; else of characters
  std::unordered_map<std::string, std::int32_t> characters_;
  Prefix prefix_ = Prefix::none;
  std::unordered_map<std::uint64_t, Merge> merges_;      ///< by the pair's ids
  std::unordered_map<std::string, std::int32_t> whole_;  ///< words that are tokens without merging (ignore_merges)
};

/// Decodes token by token, holding back incomplete characters.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = false) : tokenizer_(tokenizer), skip_special_(skip_special) {}
  /// The text that this token completes.
  [[nodiscard]] std::string push(std::int32_t id);
  /// Returns what is still held back; an incomplete character becomes U+FFFD.
  [[nodiscard]] std::string finish();

 private:
  const Tokenizer& tokenizer_;
  bool skip_special_, has_begun_ = false;
  std::string pending_;
};

}  // namespace fabula
