// Recognises the known chat forms in a template's text, and builds the tokens of a question.
#include "planner/lm/chat.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"
#include "planner/text/text.h"

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

// What a template of a form has in its condensed text.
struct TurnMarks {
  const char *before, *after;  // of the role
  std::vector<const char*> closing;
  const char* foreign;  // a marker of the other form
};
const TurnMarks chatml_marks = {"<|im_start|>", "\n", {"<|im_start|>", "<|im_end|>\n"}, "<|start_header_id|>"};
const TurnMarks llama3_marks = {"<|start_header_id|>", "<|end_header_id|>\n\n", {"<|end_header_id|>\n\n", "<|eot_id|>"}, "<|im_start|>"};

struct Piece {
  std::string text;
  bool marker = false;  ///< an added token
};

using Pieces = std::vector<Piece>;

void add(Pieces& pieces, std::initializer_list<Piece> more) { pieces.insert(pieces.end(), more); }

// Neighbouring texts as one: a tokenizer reads over where they meet.
Pieces joined(const Pieces& pieces) {
  Pieces result;
  for (const Piece& piece : pieces) {
    if (!result.empty() && !piece.marker && !result.back().marker)
      result.back().text += piece.text;
    else
      result.push_back(piece);
  }
  return result;
}

Pieces chatml_pieces(const ChatForm& form, const Question& question) {
  Pieces pieces;
  const auto open = [&](const char* role) { add(pieces, {{"<|im_start|>", true}, {std::string(role) + "\n"}}); };
  const auto close = [&] { add(pieces, {{"<|im_end|>", true}, {"\n"}}); };
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
  if (form.thinking != Thinking::none) add(pieces, {{"<think>", true}, {"\n\n"}, {"</think>", true}, {"\n\n"}});
  return pieces;
}

Pieces llama3_pieces(const ChatForm& form, const Question& question) {
  Pieces pieces = {{"<|begin_of_text|>", true}};
  const auto open = [&](const char* role) { add(pieces, {{"<|start_header_id|>", true}, {role}, {"<|end_header_id|>", true}}); };
  const auto turn = [&](const char* role, const std::string& text) {
    open(role);
    add(pieces, {{"\n\n" + text}, {"<|eot_id|>", true}});
  };
  const std::string dates = form.dated ? "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n" : "";
  if (form.dated || !question.system.empty()) turn("system", dates + std::string(trimmed(question.system)));
  turn("user", std::string(trimmed(question.user)));
  open("assistant");
  pieces.push_back({"\n\n"});
  return pieces;
}

Pieces zephyr_pieces(const ChatForm&, const Question& question) {
  Pieces pieces;
  const auto turn = [&](const std::string& role, const std::string& text) {
    add(pieces, {{"<|" + role + "|>\n" + text}, {"</s>", true}, {"\n"}});
  };
  if (!question.system.empty()) turn("system", question.system);
  turn("user", question.user);
  pieces.push_back({"<|assistant|>\n"});
  return joined(pieces);
}

Pieces pieces_of(const ChatForm& form, const Question& question) {
  switch (form.turns) {
    case Turns::llama3:
      return llama3_pieces(form, question);
    case Turns::zephyr:
      return zephyr_pieces(form, question);
    case Turns::chatml:
      break;
  }
  return chatml_pieces(form, question);
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
    refuse(name, "the chat template is of an unknown form (" + why +
                     "); only turns of <|im_start|>role … <|im_end|>, of <|start_header_id|>role<|end_header_id|> … <|eot_id|> and of "
                     "<|role|> … </s> "
                     "are supported");
  };
  if (has("<|user|>\n") && has("<|assistant|>") && has("eos_token") && !has("<|end|>")) return {.source = name, .turns = Turns::zephyr};
  ChatForm form{.source = name, .turns = has("<|start_header_id|>") ? Turns::llama3 : Turns::chatml};
  const TurnMarks& marks = form.turns == Turns::llama3 ? llama3_marks : chatml_marks;
  for (const char* close : marks.closing) {
    if (!has(close)) another("it lacks " + std::string(close).substr(0, std::string(close).find('\n')));
  }
  for (const char* marker : {"[INST]", marks.foreign, "<start_of_turn>", "<|user|>", "<|channel|>"}) {
    if (has(marker)) another("it has " + std::string(marker));
  }
  const auto opens = [&](const char* role) { return marks.before + std::string(role) + marks.after; };
  if (!has(opens("message.role").c_str()) && !has(opens("message[role]").c_str()) && !has(opens("user").c_str()))
    another("its turns do not begin with their role and a line break");
  const std::size_t opening = text.rfind("add_generation_prompt");
  if (opening == std::string::npos || text.find(opens("assistant"), opening) == std::string::npos)
    another("it does not open the assistant's turn");
  const auto follows = [&](const char* piece) { return text.find(piece, opening) != std::string::npos; };
  form.dated = form.turns == Turns::llama3 && text.find("CuttingKnowledgeDate:December2023\nTodayDate:") != std::string::npos;
  if (form.turns == Turns::chatml && follows("<think>\n"))
    form.thinking = follows("</think>\n\n") ? Thinking::on_request : Thinking::always;
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

namespace {

std::vector<std::int32_t> tokens_of(const Tokenizer& tokenizer, const Pieces& pieces) {
  std::vector<std::int32_t> tokens;
  Start start = Start::text;
  for (const Piece& piece : pieces) {
    const Start after = piece.marker ? Start::text : Start::inside;
    if (!piece.marker) {
      const auto ids = tokenizer.encode(piece.text, AddedTokens::plain, start);
      tokens.insert(tokens.end(), ids.begin(), ids.end());
    } else if (const auto id = tokenizer.added(piece.text)) {
      tokens.push_back(*id);
    } else {
      throw Error(ExitCode::bad_data, "the model's vocabulary lacks the token " + piece.text + " of its chat template");
    }
    start = after;
  }
  return tokens;
}

}  // namespace

std::vector<std::int32_t> chat_tokens(const Tokenizer& tokenizer, const ChatForm& form, const Question& question) {
  return tokens_of(tokenizer, pieces_of(form, question));
}

std::vector<std::int32_t> further_turn_tokens(const Tokenizer& tokenizer, const ChatForm& form, const std::string& user) {
  ChatForm undated = form;
  undated.dated = false;
  Pieces turn = pieces_of(undated, {.system = "", .user = user}), pieces = {{"<|im_end|>", true}, {"\n"}};
  if (form.turns == Turns::llama3) {
    pieces = {{"<|eot_id|>", true}};
    turn.erase(turn.begin());  // <|begin_of_text|>
  }
  if (form.turns == Turns::zephyr) pieces[0].text = "</s>";
  pieces.insert(pieces.end(), turn.begin(), turn.end());
  return tokens_of(tokenizer, joined(pieces));
}

std::vector<std::int32_t> turn_ends(const Tokenizer& tokenizer) {
  std::vector<std::int32_t> ends;
  for (const char* closing : {"<|im_end|>", "<|eot_id|>", "</s>"}) {
    if (const auto end = tokenizer.added(closing)) ends.push_back(*end);
  }
  return ends;
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
  const auto ends = turn_ends(tokenizer);
  stops.insert(stops.end(), ends.begin(), ends.end());
  std::sort(stops.begin(), stops.end());
  stops.erase(std::unique(stops.begin(), stops.end()), stops.end());
  return stops;
}

}  // namespace fabula
