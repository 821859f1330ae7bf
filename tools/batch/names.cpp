// Takes templates of names apart and fills them in.
#include "tools/batch/names.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"

namespace fabula::batch {

namespace {

struct Field {
  const char* name;
  bool is_number;
  std::string (*text)(const NameFields&, std::uint64_t version);
};

constexpr std::array<Field, 7> fields = {{
    {"n", true, [](const NameFields& f, std::uint64_t) { return std::to_string(f.n); }},
    {"title", false, [](const NameFields& f, std::uint64_t) { return file_word(f.title); }},
    {"prompt", false, [](const NameFields& f, std::uint64_t) { return file_word(f.prompt); }},
    {"seed", true, [](const NameFields& f, std::uint64_t) { return std::to_string(f.seed); }},
    {"date", false, [](const NameFields& f, std::uint64_t) { return f.date; }},
    {"shot", false, [](const NameFields& f, std::uint64_t) { return f.shot; }},
    {"version", true, [](const NameFields&, std::uint64_t version) { return std::to_string(version); }},
}};

const Field* field_named(const std::string& name) {
  const auto* found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return name == field.name; });
  return found == fields.end() ? nullptr : found;
}

[[noreturn]] void refuse_field(const std::string& inside) {
  std::string names;
  for (const Field& field : fields) names += std::string(names.empty() ? "{" : ", {") + field.name + "}";
  throw Error(ExitCode::usage, "a name has no field {" + inside + "}; there are " + names + ", numbers also as {n:03d}");
}

// The width of "03d"; 0 for anything else.
int width_of(const std::string& spec) {
  const bool is_one = spec.size() == 3 && spec[0] == '0' && spec[1] >= '1' && spec[1] <= '9' && spec[2] == 'd';
  return is_one ? spec[1] - '0' : 0;
}

std::string padded(std::string digits, int width) {
  const auto wanted = static_cast<std::size_t>(width);
  return digits.size() < wanted ? std::string(wanted - digits.size(), '0') + digits : digits;
}

}  // namespace

std::string file_word(const std::string& text) {
  constexpr std::size_t longest = 100;  // file systems take 255 bytes
  std::string name;
  for (const char c : text.substr(0, longest)) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (kept)
      name += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name.empty() ? "film" : name;
}

NameTemplate::NameTemplate(const std::string& text) {
  std::string literal;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '{' && c != '}') {
      literal += c;
    } else if (i + 1 < text.size() && text[i + 1] == c) {
      literal += text[i++];
    } else {
      const std::size_t end = c == '{' ? text.find('}', i) : std::string::npos;
      if (end == std::string::npos) throw Error(ExitCode::usage, "the name " + text + " has a brace without its partner; {{ is a brace");
      const std::string inside = text.substr(i + 1, end - i - 1), name = inside.substr(0, inside.find(':'));
      const Field* field = field_named(name);
      const int width = name.size() == inside.size() ? 0 : width_of(inside.substr(name.size() + 1));
      if (field == nullptr || (name.size() != inside.size() && (width == 0 || !field->is_number))) refuse_field(inside);
      pieces_.push_back({std::exchange(literal, ""), false, 0});
      pieces_.push_back({name, true, width});
      i = end;
    }
  }
  pieces_.push_back({literal, false, 0});
}

bool NameTemplate::has(const std::string& field) const {
  return std::any_of(pieces_.begin(), pieces_.end(), [&](const Piece& piece) { return piece.is_field && piece.text == field; });
}

std::string NameTemplate::expand(const NameFields& values, std::uint64_t version) const {
  std::string name;
  for (const Piece& piece : pieces_)
    name += piece.is_field ? padded(field_named(piece.text)->text(values, version), piece.width) : piece.text;
  return name;
}

std::string NameTemplate::expand(const NameFields& values, const std::function<bool(const std::string&)>& is_taken) const {
  std::uint64_t version = 1;
  if (has("version")) {
    while (is_taken(expand(values, version))) ++version;
  }
  return expand(values, version);
}

}  // namespace fabula::batch
