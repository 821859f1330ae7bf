// The form of a conversation with a published checkpoint, and the tokens that end its answers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "planner/lm/tokenizer.h"

namespace fabula {

/// The beginning of an answer: an empty thinking block, because a plan's treatment does the thinking.
enum class Thinking : std::uint8_t { none, on_request, always };

/// How turns are marked. chatml: <|im_start|>role … <|im_end|> (Qwen, SmolLM2). llama3: <|start_header_id|>role<|end_header_id|> …
/// <|eot_id|> (Llama 3). zephyr: <|role|> … </s>, where the marks are plain text and </s> is a token (TinyLlama).
enum class Turns : std::uint8_t { chatml, llama3, zephyr };

/// The chat form of a model. Templates are Jinja programs and are not run: their text is searched for the parts of the known forms, and any
/// other form is refused.
struct ChatForm {
  Thinking thinking = Thinking::none;
  std::string source = {};  ///< the file of the template; empty: the folder has none, and turns without thinking apply
  Turns turns = Turns::chatml;
  bool dated = false;  ///< Llama 3.1 and later begin with two dates; today's is their template's default, so that plans do not change daily

  /// Reads the first template of chat_template.jinja, chat_template.json and tokenizer_config.json. Throws Error(bad_data) for a malformed
  /// file and for a template of another form.
  static ChatForm open(const std::filesystem::path& folder);
  /// `name` names the file in messages.
  static ChatForm parse(std::string_view jinja, const std::string& name);
};

/// One question: a system turn and a user turn. Pictures precede the text.
struct Question {
  std::string system;  ///< empty: no system turn
  std::string user;
  std::int64_t image_rows = 0;  ///< placeholders of the only image; 0: no image
};

/// The question and the opening of the answer, as transformers' apply_chat_template returns them with add_generation_prompt,
/// enable_thinking=False and date_string="26 Jul 2024". What some templates say in place of a missing system turn is left out.
[[nodiscard]] std::string chat_text(const ChatForm&, const Question&);
/// Its tokens. Added tokens inside the question count as plain text, so a stranger's words cannot open a turn. Throws Error(bad_data) if
/// the vocabulary lacks a marker.
[[nodiscard]] std::vector<std::int32_t> chat_tokens(const Tokenizer&, const ChatForm&, const Question&);

/// Behind an answer: its end, another user turn, and the opening of the next answer.
[[nodiscard]] std::vector<std::int32_t> further_turn_tokens(const Tokenizer&, const ChatForm&, const std::string& user);

/// <|im_end|>, <|eot_id|> and </s>, those of them that the vocabulary has.
[[nodiscard]] std::vector<std::int32_t> turn_ends(const Tokenizer&);
/// eos_token_id of generation_config.json, else of config.json (a number or a list), and turn_ends(). Ascending. Throws
/// Error(bad_data) for an id that is not a token.
[[nodiscard]] std::vector<std::int32_t> stop_tokens(const std::filesystem::path& folder, const Tokenizer&);

}  // namespace fabula
