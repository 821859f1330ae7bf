// Recognises Qwen's chat form in a template's text, and builds the tokens of a question.
#include "planner/lm/chat.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

[[noreturn]] void refuse(const std::string& name, const std::string& what) { throw Error(ExitCode::bad_data, name + ": " + what); }

// nullopt if the file is absent.
std::optional<std::string> text_of(const fs::path& file) {
  constexpr std::size_t largest = std::size_t{16} << 20U;
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  return read_file(file, largest);
}

// An empty object if the file is absent.
json object_of(const fs::path& file) {
  const auto text = text_of(file);
  if (!text) return json::object();
  json parsed = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) refuse(file.string(), "is not JSON: " + json_fault(*text));
  if (!parsed.is_object()) refuse(file.string(), "is not a JSON object");
  return parsed;
}

// A template is text, or a list of named ones; then the one named "default" counts.
std::optional<std::string> template_in(const json& object, const std::string& name) {
  const auto found = object.find("chat_template");
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (found->is_string()) return found->get<std::string>();
  if (found->is_array()) {
    for (const json& entry : *found) {
      const bool named = entry.is_object() && entry.contains("name") && entry.contains("template");
      if (named && entry["name"] == "default" && entry["template"].is_string()) return entry["template"].get<std::string>();
    }
  }
  refuse(name, "\"chat_template\" is neither text nor a list with a template named \"default\"");
}

// Joins the string literals of a Jinja expression: drops quotes, joining signs and blanks, and turns \n into a line break.
std::string condensed(std::string_view jinja) {
  std::string text;
  for (std::size_t i = 0; i < jinja.size(); ++i) {
    if (jinja[i] == '\\' && i + 1 < jinja.size() && jinja[i + 1] == 'n') {
      text += '\n';
      ++i;
    } else if (std::string_view("'\"+~ \t\r").find(jinja[i]) == std::string_view::npos) {
      text += jinja[i];
    }
  }
  return text;
}

struct Piece {
  std::string text;
  bool marker = false;  ///< an added token
};

std::vector<Piece> pieces_of(const ChatForm& form, const Question& question) {
  std::vector<Piece> pieces;
  const auto open = [&](const char* role) { pieces.insert(pieces.end(), {{"<|im_start|>", true}, {std::string(role) + "\n"}}); };
  const auto close = [&] { pieces.insert(pieces.end(), {{"<|im_end|>", true}, {"\n"}}); };
  if (!question.system.empty()) {
    open("system");
    pieces.push_back({question.system});
    close();
  }
  open("user");
  if (question.image_rows > 0) {
    pieces.push_back({"<|vision_start|>", true});
    pieces.insert(pieces.end(), static_cast<std::size_t>(question.image_rows), {"<|image_pad|>", true});
    pieces.push_back({"<|vision_end|>", true});
  }
  pieces.push_back({question.user});
  close();
  open("assistant");
  if (form.thinking != Thinking::none) pieces.insert(pieces.end(), {{"<think>", true}, {"\n\n"}, {"</think>", true}, {"\n\n"}});
  return pieces;
}

void add_stops(const json& object, const std::string& name, std::int32_t vocabulary, std::vector<std::int32_t>& stops) {
  const auto found = object.find("eos_token_id");
  if (found == object.end() || found->is_null()) return;
  const json list = found->is_array() ? *found : json::array({*found});
  for (const json& id : list) {
    if (!id.is_number_integer() || id < 0 || id >= vocabulary) refuse(name, "\"eos_token_id\" names no token of the vocabulary");
    stops.push_back(id.get<std::int32_t>());
  }
}

}  // namespace

ChatForm ChatForm::parse(std::string_view jinja, const std::string& name) {
  const std::string text = condensed(jinja);
  const auto has = [&](const char* piece) { return text.find(piece) != std::string::npos; };
  const auto another = [&](const std::string& why) {
    refuse(name, "the chat template is not of Qwen's form (" + why + "); only turns of <|im_start|>role … <|im_end|> are supported");
  };
  for (const char* marker : {"<|im_start|>", "<|im_end|>\n"}) {
    if (!has(marker)) another("it lacks " + std::string(marker).substr(0, std::string(marker).find('\n')));
  }
  for (const char* marker : {"[INST]", "<|start_header_id|>", "<start_of_turn>", "<|user|>", "<|channel|>"}) {
    if (has(marker)) another("it has " + std::string(marker));
  }
  if (!has("<|im_start|>message.role\n") && !has("<|im_start|>message[role]\n") && !has("<|im_start|>user\n"))
    another("its turns do not begin with their role and a line break");
  const std::size_t opening = text.rfind("add_generation_prompt");
  if (opening == std::string::npos || text.find("<|im_start|>assistant\n", opening) == std::string::npos)
    another("it does not open the assistant's turn");
  const auto follows = [&](const char* piece) { return text.find(piece, opening) != std::string::npos; };
  ChatForm form;
  form.source = name;
  if (follows("<think>\n")) form.thinking = follows("</think>\n\n") ? Thinking::on_request : Thinking::always;
  return form;
}

ChatForm ChatForm::open(const fs::path& folder) {
  const fs::path plain = folder / "chat_template.jinja";
  if (const auto text = text_of(plain)) return parse(*text, plain.string());
  for (const char* file : {"chat_template.json", "tokenizer_config.json"}) {
    const std::string name = (folder / file).string();
    if (const auto text = template_in(object_of(name), name)) return parse(*text, name);
  }
  return {};
}

std::string chat_text(const ChatForm& form, const Question& question) {
  std::string text;
  for (const Piece& piece : pieces_of(form, question)) text += piece.text;
  return text;
}

std::vector<std::int32_t> chat_tokens(const Tokenizer& tokenizer, const ChatForm& form, const Question& question) {
  std::vector<std::int32_t> tokens;
  for (const Piece& piece : pieces_of(form, question)) {
    if (!piece.marker) {
      const auto ids = tokenizer.encode(piece.text, AddedTokens::plain);
      tokens.insert(tokens.end(), ids.begin(), ids.end());
    } else if (const auto id = tokenizer.added(piece.text)) {
      tokens.push_back(*id);
    } else {
      throw Error(ExitCode::bad_data, "the model's vocabulary lacks the token " + piece.text + " of its chat template");
    }
  }
  return tokens;
}

std::vector<std::int32_t> stop_tokens(const fs::path& folder, const Tokenizer& tokenizer) {
  std::vector<std::int32_t> stops;
  for (const char* file : {"generation_config.json", "config.json"}) {
    const std::string name = (folder / file).string();
    const json object = object_of(name);
    if (stops.empty()) add_stops(object, name, tokenizer.size(), stops);
    if (stops.empty() && object.contains("text_config") && object["text_config"].is_object())
      add_stops(object["text_config"], name, tokenizer.size(), stops);
  }
  if (const auto end = tokenizer.added("<|im_end|>")) stops.push_back(*end);
  std::sort(stops.begin(), stops.end());
  stops.erase(std::unique(stops.begin(), stops.end()), stops.end());
  return stops;
}

}  // namespace fabula
