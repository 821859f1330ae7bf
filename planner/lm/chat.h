// How a published checkpoint is talked to: the form of a conversation, and the tokens that end an answer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "planner/lm/tokenizer.h"

namespace fabula {

/// What an answer begins with. A plan is not thought about in words of its own (its treatment is that): the block stays empty.
enum class Thinking : std::uint8_t { none, on_request, always };

/// The form of the Qwen family, turns between <|im_start|> and <|im_end|>, as found in a folder. Templates are programs in Jinja; none is
/// run. Their text is searched for what this form consists of, and another form is refused.
struct ChatForm {
  Thinking thinking = Thinking::none;
  std::string source;  ///< where the template stands; empty: the folder has none, and the form without thinking is taken

  /// chat_template.jinja, chat_template.json or tokenizer_config.json, the first that has one. Throws Error(bad_data) for a file that is
  /// malformed and for a template of another form.
  static ChatForm open(const std::filesystem::path& folder);
  /// `name` stands for the file in messages.
  static ChatForm parse(std::string_view jinja, const std::string& name);
};

/// One question: what the model is told to be, and what it is asked; pictures stand before the text.
struct Question {
  std::string system;  ///< empty: no such turn
  std::string user;
  std::int64_t image_rows = 0;  ///< placeholders of the one image; 0: none
};

/// The question and the opening of the answer: what transformers' apply_chat_template gives with add_generation_prompt and
/// enable_thinking=False.
[[nodiscard]] std::string chat_text(const ChatForm&, const Question&);
/// Its tokens. Added tokens inside the question are plain text: words of a stranger open no turn. Throws Error(bad_data) where the
/// vocabulary lacks a marker.
[[nodiscard]] std::vector<std::int32_t> chat_tokens(const Tokenizer&, const ChatForm&, const Question&);

/// eos_token_id of generation_config.json, else of config.json, a number or a list, and <|im_end|>. Ascending. Throws Error(bad_data) for
/// what is no token.
[[nodiscard]] std::vector<std::int32_t> stop_tokens(const std::filesystem::path& folder, const Tokenizer&);

}  // namespace fabula
