// Edits plans by the planner's own rules.
#include "tools/serve/remix.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "base/error.h"
#include "planner/check/check.h"
#include "planner/edit/replan.h"
#include "planner/edit/reshape.h"
#include "planner/edit/retime.h"
#include "planner/schema/schema.h"
#include "planner/text/text.h"

namespace fabula::serve {

using nlohmann::ordered_json;

namespace {

constexpr std::size_t longest_wish = 4096, longest_line = 1024;  // bytes

std::int64_t seed_of(const Fields& fields) {
  const std::int64_t seed = whole_number(fields, "seed", -1, std::numeric_limits<std::int64_t>::max());
  return seed >= 0 ? seed : static_cast<std::int64_t>(std::random_device{}());
}

std::size_t shot_in(const plan::Film& film, const std::string& id) {
  const auto found = std::find_if(film.shots.begin(), film.shots.end(), [&](const plan::Shot& shot) { return shot.id == id; });
  if (found == film.shots.end()) throw Refused(400, "the film has no shot " + printable(id.substr(0, 64)), "invalid_value", "shot");
  return static_cast<std::size_t>(found - film.shots.begin());
}

const World& world_of(const Editor& editor) {
  if (editor.world == nullptr) throw Refused(400, "plans of this model cannot be edited here", "unsupported", "prompt");
  return *editor.world;
}

plan::Film with_wish(const plan::Film& film, const std::string& text, const std::string& shot, const Editor& editor) {
  check_text(text, "prompt", longest_wish);
  const auto shape = plan::reshaping_in(text);
  plan::Wish wish{text, shot, false};
  if (shot.empty()) {
    // About the whole film: from its first shot on, unless the wish itself says where.
    wish.shot = shape ? film.shots.back().id : film.shots.front().id;
    wish.onwards = !shape;
  }
  return plan::replan(film, wish, world_of(editor), editor.phones).film;
}

// Times of lines follow from their texts again.
plan::Film with_lines(const plan::Film& film, std::size_t index, const std::string& lines, const Editor& editor) {
  const auto texts = ordered_json::parse(lines, nullptr, /*allow_exceptions=*/false);
  const std::size_t count = film.shots[index].dialogue.size();
  const bool is_list = texts.is_array() && std::all_of(texts.begin(), texts.end(), [](const auto& text) { return text.is_string(); });
  if (!is_list || texts.size() != count)
    throw Refused(400, "lines is a list of " + std::to_string(count) + " texts, one for each line of the shot", "invalid_value", "lines");
  ordered_json plan = ordered_json::parse(plan::to_json(film));
  ordered_json& dialogue = plan["shots"][index]["dialogue"];
  ordered_json kept = ordered_json::array();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text(trimmed(texts[i].get<std::string>()));
    if (text.empty()) continue;
    check_text(text, "lines", longest_line);
    ordered_json line = dialogue[i];
    if (line["text"] != text) {
      line["text"] = text;
      line.erase("start_ms");
      line.erase("end_ms");
    }
    kept.push_back(line);
  }
  dialogue = kept;
  return plan::retime_json(plan.dump(), world_of(editor), editor.phones).film;
}

void check_fields(const Fields& fields) {
  refuse_unknown(fields, {"prompt", "shot", "lines", "seed"});
  if (!fields.contains("prompt") && !fields.contains("lines") && !fields.contains("seed"))
    throw Refused(400, "a remix needs a prompt that says what is to change, lines, or a seed", "invalid_value", "prompt");
  if (fields.contains("lines") && !fields.contains("shot")) throw Refused(400, "lines belong to a shot", "invalid_value", "shot");
}

}  // namespace

plan::Film remixed(const plan::Film& film, const Fields& fields, const Editor& editor, std::map<std::string, std::string>& options) {
  check_fields(fields);
  const std::string shot = fields.contains("shot") ? fields.at("shot").text : "";
  if (!shot.empty()) (void)shot_in(film, shot);
  try {
    plan::Film changed = film;
    if (fields.contains("lines")) changed = with_lines(changed, shot_in(changed, shot), fields.at("lines").text, editor);
    if (fields.contains("prompt")) changed = with_wish(changed, fields.at("prompt").text, shot, editor);
    if (fields.contains("seed")) {
      const std::int64_t seed = seed_of(fields);
      if (shot.empty())
        options["seed"] = std::to_string(seed);
      else
        changed.shots[shot_in(changed, shot)].seed = seed;
    }
    if (editor.world != nullptr) plan::require_valid(changed, *editor.world);
    return changed;
  } catch (const Error& error) {
    throw Refused(400, error.what(), "invalid_value", fields.contains("prompt") ? "prompt" : fields.contains("lines") ? "lines" : "seed");
  }
}

}  // namespace fabula::serve
