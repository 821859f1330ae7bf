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

/// The chat form of the Qwen family, turns between <|im_start|> and <|im_end|>, as found in a folder. Templates are Jinja programs and are
/// not run: their text is searched for the parts of this form, and any other form is refused.
struct ChatForm {
  Thinking thinking = Thinking::none;
  std::string source;  ///< the file of the template; empty: the folder has none, and the form without thinking applies

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

/// The question and the opening of the answer, as transformers' apply_chat_template returns them with add_generation_prompt and
/// enable_thinking=False.
[[nodiscard]] std::string chat_text(const ChatForm&, const Question&);
/// Its tokens. Added tokens inside the question count as plain text, so a stranger's words cannot open a turn. Throws Error(bad_data) if
/// the vocabulary lacks a marker.
[[nodiscard]] std::vector<std::int32_t> chat_tokens(const Tokenizer&, const ChatForm&, const Question&);

/// eos_token_id of generation_config.json, else of config.json (a number or a list), and <|im_end|>. Ascending. Throws Error(bad_data) for
/// an id that is not a token.
[[nodiscard]] std::vector<std::int32_t> stop_tokens(const std::filesystem::path& folder, const Tokenizer&);

}  // namespace fabula
