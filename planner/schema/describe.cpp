// Derives the JSON Schema of a plan from schema/fields.h.
#include <nlohmann/json.hpp>

#include "planner/schema/fields.h"
#include "planner/schema/schema.h"

namespace fabula::plan {
namespace {

using nlohmann::ordered_json;

template <typename S>
ordered_json describe(ordered_json& definitions);

template <typename T>
struct Described;

template <>
struct Described<std::string> {
  static ordered_json type(const Limits& limits, ordered_json&) {
    ordered_json type = {{"type", "string"}};
    if (limits.is_id) type["pattern"] = "^[a-z][a-z0-9_]{0,31}$";
    if (!limits.choices.empty()) type["enum"] = std::vector<std::string>(limits.choices.begin(), limits.choices.end());
    if (!limits.is_id && limits.choices.empty()) {
      if (!limits.may_be_empty) type["minLength"] = 1;
      type["maxLength"] = longest_text;
    }
    return type;
  }
};

template <>
struct Described<bool> {
  static ordered_json type(const Limits&, ordered_json&) { return {{"type", "boolean"}}; }
};

template <std::integral T>
struct Described<T> {
  static ordered_json type(const Limits& limits, ordered_json&) {
    return {{"type", "integer"}, {"minimum", limits.low}, {"maximum", limits.high}};
  }
};

template <typename T>
struct Described<std::optional<T>> : Described<T> {};

template <typename T>
struct Described<std::vector<T>> {
  static ordered_json type(const Limits& limits, ordered_json& definitions) {
    return {{"type", "array"}, {"maxItems", longest_list}, {"items", Described<T>::type(limits, definitions)}};
  }
};

template <typename S>
requires requires { Fields<S>::name; }
struct Described<S> {
  static ordered_json type(const Limits&, ordered_json& definitions) {
    const std::string name = Fields<S>::name;
    if (!definitions.contains(name)) {
      ordered_json description = describe<S>(definitions);  // first, so that the definitions it refers to precede it
      definitions[name] = std::move(description);
    }
    return {{"$ref", "#/$defs/" + name}};
  }
};

template <typename S>
class Describer {
 public:
  explicit Describer(ordered_json& definitions) : definitions_(definitions) {}

  void constant(const char* key, const char* text) {
    properties_[key] = {{"const", text}};
    required_.push_back(key);
  }

  template <typename M>
  void need(const char* key, M S::*member, const char* meaning, const Limits& limits = {}) {
    add(key, member, meaning, limits);
    required_.push_back(key);
  }

  template <typename M>
  void may(const char* key, M S::*member, const char* meaning, const Limits& limits = {}) {
    add(key, member, meaning, limits);
    if constexpr (std::is_integral_v<M>) properties_[key]["default"] = S{}.*member;
  }

  ordered_json result() {
    return {{"type", "object"}, {"additionalProperties", false}, {"required", required_}, {"properties", properties_}};
  }

 private:
  template <typename M>
  void add(const char* key, M S::*, const char* meaning, const Limits& limits) {
    properties_[key] = {{"description", meaning}};
    properties_[key].update(Described<M>::type(limits, definitions_));
  }

  ordered_json& definitions_;
  ordered_json properties_ = ordered_json::object();
  std::vector<std::string> required_;
};

template <typename S>
ordered_json describe(ordered_json& definitions) {
  Describer<S> describer(definitions);
  Fields<S>::list(describer);
  return describer.result();
}

}  // namespace

std::string json_schema() {
  ordered_json definitions = ordered_json::object();
  const ordered_json film = describe<Film>(definitions);
  ordered_json schema = {
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "Fabula plan"},
      {"description", "A film as a plan: times are whole milliseconds on the film's clock; an optional field is absent at its default"}};
  schema.update(film);
  schema["$defs"] = definitions;
  return schema.dump(2);
}

}  // namespace fabula::plan
