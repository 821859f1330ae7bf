// Finds the rule of a path, says which optional fields a program has, and applies the limits where no rule says more.
#include "planner/grammar/film_rules.h"

#include <algorithm>

#include "planner/grammar/rule_helpers.h"
#include "planner/schema/caps.h"
#include "planner/text/spans.h"

namespace fabula {
namespace {

using film_rules::Names;

// Optional fields about the story rather than picture and sound. A world's program writes these, and those that its world has values for
// (check/model.cpp accepts the same).
const Names story_fields = {"logline", "props", "world", "beats", "shots[].beat", "shots[].pre", "shots[].effects"};
bool has_values(const World& world, const std::string& path) {
  return (path == "places[].weather" && !world.weathers.empty()) || (path == "shots[].cast[].mood" && !world.moods.empty()) ||
         (path == "shots[].props" && !world.props.empty());
}
// Fields that a person or the compiler fills in, not a language model.
const Names fields_of_others = {"seed",
                                "characters[].voice.ref_audio",
                                "characters[].ref_images",
                                "characters[].cast_id",
                                "places[].ref_images",
                                "props[].ref_images",
                                "shots[].conditioning",
                                "shots[].seed",
                                "shots[].locked"};

const FilmRule* find(std::span<const FilmRule> rules, const std::string& path) {
  const auto found = std::find_if(rules.begin(), rules.end(), [&](const FilmRule& rule) { return rule.path == path; });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace

const FilmRule* film_rule(const std::string& path, const FilmOptions& options) {
  const FilmRule* own = find(options.world != nullptr ? rules_of_world() : rules_of_any_film(), path);
  return own != nullptr ? own : find(rules_in_common(), path);
}

bool is_left_out(const std::string& path, bool optional, const FilmOptions& options) {
  if (path == "prompt") return true;  // given, not written
  if (!optional) return false;
  if (!options.all_fields && has(fields_of_others, path)) return true;
  const auto within = [&](const std::string& top) {
    return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '[' || path[top.size()] == '.');
  };
  return options.world != nullptr && !has_values(*options.world, path) && std::none_of(story_fields.begin(), story_fields.end(), within);
}

FilmRules::FilmRules(const plan::Film& f, const FilmOptions& o)
    : film(f), options(o), spans(legal_spans(f.prompt, PlanCaps::unsupported)) {}

Legal FilmRules::legal(const FilmNode& node) const {
  if (node.rule != nullptr && node.rule->legal != nullptr) return node.rule->legal(*this);
  if (node.kind == FilmNode::Kind::flag) return Legal::one_of({"true"});
  if (node.kind == FilmNode::Kind::number)
    return Legal::number({{std::max<std::int64_t>(node.limits.low, node.optional ? 1 : 0), node.limits.high}});
  if (!node.limits.choices.empty()) return Legal::one_of({node.limits.choices.begin(), node.limits.choices.end()});
  return film_rules::free_text(film_rules::short_text_bytes);
}

Count FilmRules::count(const FilmNode& node, std::size_t written) const {
  return node.rule != nullptr && node.rule->count != nullptr ? node.rule->count(*this, written) : Count{0, 1};
}

}  // namespace fabula
