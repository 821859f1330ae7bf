// Compiles the list of fields into nodes, and runs them: between two values it looks ahead for all literals that may follow.
#include "planner/grammar/film_program.h"

#include <algorithm>
#include <concepts>

#include "base/error.h"
#include "planner/grammar/film_rules.h"

namespace fabula {
namespace {

using Kind = FilmNode::Kind;

template <typename T>
struct Stored;

template <>
struct Stored<std::string> {
  static constexpr Kind kind = Kind::text;
  static void store(void* member, const std::string& text) { *static_cast<std::string*>(member) = text; }
};
template <>
struct Stored<bool> {
  static constexpr Kind kind = Kind::flag;
  static void store(void* member, const std::string& text) { *static_cast<bool*>(member) = text == "true"; }
};
template <std::integral T>
struct Stored<T> {
  static constexpr Kind kind = Kind::number;
  static void store(void* member, const std::string& text) {
    *static_cast<T*>(member) = text.empty() ? T{} : static_cast<T>(std::stoll(text));
  }
};
template <std::integral T>
struct Stored<std::optional<T>> {
  static constexpr Kind kind = Kind::number;
  static void store(void* member, const std::string& text) {
    static_cast<std::optional<T>*>(member)->emplace(static_cast<T>(std::stoll(text)));
  }
};

template <typename T>
concept Object = requires {
  plan::Fields<T>::name;
};

template <typename S>
class Compiler;

template <typename T>
struct Compiled {
  static void into(FilmNode& node, std::vector<FilmNode>&, const FilmOptions&) {
    node.kind = Stored<T>::kind;
    node.store = Stored<T>::store;
  }
};

template <Object T>
struct Compiled<T> {
  static void into(FilmNode& node, std::vector<FilmNode>& nodes, const FilmOptions& options) {
    node.kind = Kind::object;
    Compiler<T> compiler(node.path, nodes, options);
    plan::Fields<T>::list(compiler);
    node.first = nodes.size();
    node.count = compiler.fields.size();
    nodes.insert(nodes.end(), compiler.fields.begin(), compiler.fields.end());
  }
};

template <typename T>
struct Compiled<std::vector<T>> {
  static void into(FilmNode& node, std::vector<FilmNode>& nodes, const FilmOptions& options) {
    node.kind = Kind::list;
    node.append = [](void* list) -> void* { return &static_cast<std::vector<T>*>(list)->emplace_back(); };
    FilmNode entry{.path = node.path + "[]", .limits = node.limits};
    entry.rule = film_rule(entry.path, options);
    Compiled<T>::into(entry, nodes, options);
    node.first = nodes.size();
    node.count = 1;
    nodes.push_back(entry);
  }
};

// Compiles the fields of one object. Their contents go into the table first.
template <typename S>
class Compiler {
 public:
  Compiler(const std::string& path, std::vector<FilmNode>& nodes, const FilmOptions& options)
      : path_(path), nodes_(nodes), options_(options) {}

  void constant(const char* key, const char* text) { fields.push_back({.kind = Kind::constant, .key = key, .constant = text}); }

  template <typename M>
  void need(const char* key, M S::*member, const char*, const plan::Limits& limits = {}) {
    add(key, member, limits, false);
  }

  template <typename M>
  void may(const char* key, M S::*member, const char*, const plan::Limits& limits = {}) {
    add(key, member, limits, true);
  }

  std::vector<FilmNode> fields;

 private:
  template <typename M>
  void add(const char* key, M S::*member, const plan::Limits& limits, bool optional) {
    static const S example{};
    FilmNode node{.key = key, .path = path_.empty() ? key : path_ + "." + key, .optional = optional, .limits = limits};
    if (is_left_out(node.path, optional, options_)) return;
    node.offset = reinterpret_cast<const char*>(&(example.*member)) - reinterpret_cast<const char*>(&example);
    node.rule = film_rule(node.path, options_);
    Compiled<M>::into(node, nodes_, options_);
    fields.push_back(node);
  }

  const std::string path_;
  std::vector<FilmNode>& nodes_;
  const FilmOptions& options_;
};

// An object or list being written.
struct Frame {
  const FilmNode* node;
  void* data = nullptr;  // null: not created yet
  std::size_t done = 0;  // fields passed, entries begun
  bool empty = true;     // an object that has no fields yet
};

// One possible continuation: a literal up to the next value, or to the end of the film.
struct Way {
  std::string literal;
  std::vector<Frame> stack;
  const FilmNode* value = nullptr;
};

class Machine {
 public:
  Machine(Composer& composer, plan::Film& film, const FilmProgram& program)
      : composer_(composer), program_(program), rules_(film, program.options()), now_{"{", {{&program.root(), &film}}} {}

  void run() {
    look_ahead();
    enter(composer_.choose(literals_));
    while (now_.value != nullptr) value();
  }

 private:
  void value() {
    void* member = target();
    std::string text;
    const Legal legal = rules_.legal(*now_.value);
    const bool is_text = now_.value->kind == Kind::text, is_free = legal.is_text();
    const std::string quote = is_text ? "\"" : "";
    bool looked = false;
    const std::size_t way = composer_.value(text, legal, [&](const std::string& written) -> const std::vector<std::string>& {
      now_.value->store(member, written);
      if (!looked || !is_free) {  // the continuations after free text do not depend on it
        now_.literal = quote;
        look_ahead();
        looked = true;
      }
      return literals_;
    });
    now_.value->store(member, text);
    enter(way);
  }

  // Creates the objects and entries that the continuation enters, and returns where its value is stored.
  void* target() {
    for (std::size_t i = 1; i < now_.stack.size(); ++i) {
      Frame& frame = now_.stack[i];
      if (!frame.data) frame.data = inside(now_.stack[i - 1], *frame.node);
    }
    return inside(now_.stack.back(), *now_.value);
  }
  static void* inside(const Frame& outer, const FilmNode& node) {
    return outer.node->kind == Kind::list ? outer.node->append(outer.data) : static_cast<char*>(outer.data) + node.offset;
  }

  void enter(std::size_t way) {
    Way taken = std::move(ways_[way]);
    now_ = std::move(taken);
  }

  void look_ahead() {
    ways_.clear();
    literals_.clear();
    continue_way({now_.literal, now_.stack});
    for (const Way& way : ways_) literals_.push_back(way.literal);
  }

  void continue_way(Way way) {
    if (way.stack.empty())
      ways_.push_back(std::move(way));
    else if (way.stack.back().node->kind == Kind::list)
      next_entry(std::move(way));
    else
      next_field(std::move(way));
  }

  void next_entry(Way way) {
    Frame& list = way.stack.back();
    const Count count = rules_.count(*list.node, list.done);
    if (list.done < count.most) {
      Way more = way;
      if (more.stack.back().done++ > 0) more.literal += ",";
      begin(program_.nodes()[list.node->first], std::move(more));
    }
    if (list.done >= std::max<std::size_t>(count.least, list.node->optional ? 1 : 0)) close(std::move(way), "]");
  }

  void next_field(Way way) {
    const Frame object = way.stack.back();
    for (std::size_t i = object.done; i < object.node->count; ++i) {
      const FilmNode& field = program_.nodes()[object.node->first + i];
      const Count count = field.optional ? rules_.count(field, 0) : Count{1, 1};
      if (count.most == 0) continue;
      Way in = way;
      in.stack.back().done = i + 1;
      in.stack.back().empty = false;
      in.literal += (object.empty ? "\"" : ",\"") + field.key + "\":";
      begin(field, std::move(in));
      if (count.least > 0) return;
    }
    close(std::move(way), "}");
  }

  void close(Way way, const char* bracket) {
    way.literal += bracket;
    way.stack.pop_back();
    continue_way(std::move(way));
  }

  void begin(const FilmNode& node, Way way) {
    const bool is_list = node.kind == Kind::list;
    if (node.kind == Kind::constant) {
      way.literal += "\"" + node.constant + "\"";
      continue_way(std::move(way));
    } else if (is_list || node.kind == Kind::object) {
      way.literal += is_list ? "[" : "{";
      way.stack.push_back({&node});
      continue_way(std::move(way));
    } else {
      if (node.kind == Kind::text) way.literal += "\"";
      way.value = &node;
      ways_.push_back(std::move(way));
    }
  }

  Composer& composer_;
  const FilmProgram& program_;
  const FilmRules rules_;
  Way now_;
  std::vector<Way> ways_;
  std::vector<std::string> literals_;
};

}  // namespace

FilmProgram::FilmProgram(const FilmOptions& options) : options_(options) {
  if (options.max_shots < 1 || options.shortest_shot_ms < 1 || options.longest_shot_ms / 2 < options.shortest_shot_ms ||
      options.longest_shot_ms > 3'600'000 || options.max_shots > 1000) {
    throw Error(ExitCode::usage,
                "a film has 1 to 1000 shots, each of at most an hour and the longest at least twice as long as the shortest");
  }
  FilmNode film{};
  Compiled<plan::Film>::into(film, nodes_, options);
  // A model that was not trained on plans thinks in the treatment: it comes first, even before the version.
  const auto fields = nodes_.begin() + static_cast<std::ptrdiff_t>(film.first);
  const auto treatment = std::find_if(fields, nodes_.end(), [](const FilmNode& field) { return field.path == "treatment"; });
  std::rotate(fields, treatment, treatment + 1);
  nodes_.push_back(film);
}

void write_any_plan(Composer& composer, plan::Film& film, const FilmProgram& program) { Machine(composer, film, program).run(); }

}  // namespace fabula
