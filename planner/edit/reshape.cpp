// Reads wishes about shots and the title with a few patterns, and changes the list of shots.
#include "planner/edit/reshape.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>

#include "base/error.h"
#include "planner/check/check.h"
#include "planner/edit/retime.h"
#include "planner/schema/caps.h"
#include "planner/schema/finding.h"
#include "planner/schema/ids.h"
#include "planner/text/text.h"

namespace fabula::plan {
namespace {

using Kind = Reshaping::Kind;

const std::string which = R"((?:(?:this|the|that) shot|shot (s\w+)|(s\d\w*)))";
const std::string amount = R"((half a|an?|one|two|three|four|five|six|\d+(?:[.,]\d+)?))";

double number_of(std::string word) {
  static const std::map<std::string, double> words = {{"half a", 0.5}, {"a", 1},    {"an", 1},   {"one", 1}, {"two", 2},
                                                      {"three", 3},    {"four", 4}, {"five", 5}, {"six", 6}};
  if (const auto known = words.find(word); known != words.end()) return known->second;
  std::replace(word.begin(), word.end(), ',', '.');
  return std::min(std::strtod(word.c_str(), nullptr), 3600.0);
}

std::string without_quotes(std::string text) {
  for (const char* quote : {"\"", "'", "\u201c", "\u201d", "\u2018", "\u2019", "\u201e"}) {
    const std::string mark = quote;
    if (text.starts_with(mark)) text.erase(0, mark.size());
    if (text.ends_with(mark)) text.erase(text.size() - mark.size());
  }
  return std::string(trimmed(text));
}

std::regex pattern(const std::string& text) { return std::regex("\\s*(?:please )?" + text + "[.!]?\\s*", std::regex::icase); }

std::ptrdiff_t index_of(const Film& film, const std::string& id) {
  const auto found = std::find_if(film.shots.begin(), film.shots.end(), [&](const Shot& shot) { return shot.id == id; });
  if (found == film.shots.end())
    throw Error(ExitCode::usage, "the plan has no shot \"" + printable(id) + "\"; it has " + joined(ids_of(film.shots)));
  return found - film.shots.begin();
}

// An id between two shots: "s025" between s020 and s030, else the next free one.
std::string id_after(const Film& film, std::ptrdiff_t index) {
  const std::vector<std::string> taken = ids_of(film.shots);
  const auto number = [&](std::ptrdiff_t at) -> int {
    if (at < 0 || at >= std::ssize(film.shots)) return 0;
    return static_cast<int>(std::min(std::strtoul(film.shots[static_cast<std::size_t>(at)].id.c_str() + 1, nullptr, 10), 100'000UL));
  };
  const auto id_of = [](int value) {
    const std::string digits = std::to_string(value);
    return "s" + std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
  };
  const int low = number(index), high = number(index + 1);
  const int middle = high > low + 1 ? (low + high) / 2 : low + 10;
  if (high == 0 || high > low + 1) {
    std::string id = id_of(high == 0 ? low + 10 : middle);
    if (std::find(taken.begin(), taken.end(), id) == taken.end()) return id;
  }
  for (std::size_t i = film.shots.size();; ++i) {
    if (std::string id = shot_id(i); std::find(taken.begin(), taken.end(), id) == taken.end()) return id;
  }
}

// A shot that shows the same once more: nothing is said, and nothing happens that has happened already.
Shot like(const Shot& shot, const std::string& id) {
  Shot copy = shot;
  copy.id = id;
  copy.dialogue.clear();
  copy.effects.clear();
  copy.transition = {};
  copy.seed.reset();
  copy.locked.clear();
  return copy;
}

std::ptrdiff_t insert_after(Film& film, std::ptrdiff_t index) {
  const Shot copy = like(film.shots[static_cast<std::size_t>(std::max<std::ptrdiff_t>(index, 0))], id_after(film, index));
  film.shots.insert(film.shots.begin() + index + 1, copy);
  return index + 1;
}

std::string in_seconds(int ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", ms / 1000.0);
  return text;
}

void make_last(Replanned& result, std::ptrdiff_t index, const Reshaping& wish, const World& world) {
  Film& film = result.film;
  Shot& shot = film.shots[static_cast<std::size_t>(index)];
  const int own = world.film_ms(1);
  const double given = 1000 * wish.seconds;
  const int wanted = static_cast<int>(std::lround(!wish.is_relative ? given : shot.duration_ms + (wish.seconds == 0 ? own : given)));
  if (wanted < 1)
    throw Error(ExitCode::bad_data, "the wish leaves nothing of " + shot.id + ", which lasts " + in_seconds(shot.duration_ms));
  int parts = 1;  // a film of more shots than a plan may have is refused by the check
  while (wanted > own + 1 && world.film_ms(parts) < wanted && parts <= world.max_shots) ++parts;
  shot.duration_ms = parts == 1 ? wanted : own;
  if (parts > 1) {
    result.notes.push_back("this model's shots last " + in_seconds(own) + " at most, so " + shot.id + " goes on in " +
                           std::to_string(parts - 1) + (parts == 2 ? " further shot" : " further shots"));
  }
  for (int i = 1; i < parts; ++i) {
    index = insert_after(film, index);
    film.shots[static_cast<std::size_t>(index)].duration_ms = (i + 1 == parts ? wanted : world.film_ms(i + 1)) - world.film_ms(i);
  }
  for (Shot& one : film.shots) std::erase_if(one.sfx, [&](const SoundEffect& sound) { return sound.at_ms >= one.duration_ms; });
}

Replanned add_shot(const Film& film, const Reshaping& wish, std::ptrdiff_t index, const World& world, const PhonesFunction& phones) {
  Film longer = film;
  const std::ptrdiff_t at = insert_after(longer, wish.before ? index - 1 : index);
  Shot& shot = longer.shots[static_cast<std::size_t>(at)];
  shot.duration_ms = world.film_ms(1);
  longer = retime(longer, world).film;
  if (wish.text.empty()) return {longer, {}};
  return replan(longer, {wish.text, longer.shots[static_cast<std::size_t>(at)].id, false}, world, phones);
}

void set_title(Film& film, const std::string& title) {
  if (title.empty() || title.size() > PlanCaps::title)
    throw Error(ExitCode::bad_data,
                "a title has 1 to " + std::to_string(PlanCaps::title) + " bytes, this one has " + std::to_string(title.size()));
  film.title = title;
}

void require_unlocked(const Shot& shot) {
  if (!shot.locked.empty())
    throw Error(ExitCode::bad_data,
                "the shot " + shot.id + " has locked fields (" + joined(shot.locked) + "), so the wish cannot change its place or length");
}

}  // namespace

std::optional<Reshaping> reshaping_in(const std::string& wish) {
  static const std::regex title = pattern(
      "(?:call (?:it|the film)|name (?:it|the film)|title:|(?:change|set) the title to|rename (?:it|the film) to|the title is) *(.+?)");
  static const std::regex removal = pattern("(?:remove|delete|drop|cut|take out) " + which);
  static const std::regex addition = pattern("(?:add|insert) (?:a|another|one more|a new) shot(?: (before|after)(?: (?:this one|this|it|" +
                                             which + "))?)?(?:[:,]? *(?:where |in which |with |of |that shows )?(.*?))?");
  static const std::regex length =
      pattern("(?:make|let) (?:it|" + which + ") (?:last |be )?(?:for )?" + amount + " ?(?:seconds?|s)(?: long)?");
  static const std::regex change = pattern("(?:make (?:it|" + which + ") )?" + amount + " ?(?:seconds?|s) (longer|shorter)");
  static const std::regex plain = pattern("(?:make (?:it|" + which + ") (longer|shorter)|(lengthen|shorten) (?:it|" + which + "))(?: by " +
                                          amount + " ?(?:seconds?|s))?");
  constexpr std::size_t longest = 4000;  // of a prompt
  if (wish.size() > longest) return std::nullopt;
  std::smatch found;
  const auto shot = [&](std::size_t first) { return found[first].matched ? found[first].str() : found[first + 1].str(); };
  if (std::regex_match(wish, found, title)) return Reshaping{.kind = Kind::title, .text = without_quotes(found[1])};
  if (std::regex_match(wish, found, removal)) return Reshaping{.kind = Kind::remove, .shot = shot(1)};
  if (std::regex_match(wish, found, addition))
    return Reshaping{
        .kind = Kind::add, .shot = shot(2), .text = std::string(trimmed(found[4].str())), .before = lowercase(found[1].str()) == "before"};
  if (std::regex_match(wish, found, length))
    return Reshaping{.kind = Kind::last, .shot = shot(1), .seconds = number_of(lowercase(found[3].str()))};
  const auto relative = [&](const std::string& word, double seconds, std::string id) {
    const bool is_shorter = word.find("short") != std::string::npos;
    return Reshaping{.kind = Kind::last, .shot = std::move(id), .seconds = is_shorter ? -seconds : seconds, .is_relative = true};
  };
  if (std::regex_match(wish, found, change)) return relative(lowercase(found[4].str()), number_of(lowercase(found[3].str())), shot(1));
  if (std::regex_match(wish, found, plain)) {
    const std::string word = lowercase(found[3].str() + found[4].str());
    const double seconds = found[7].matched ? number_of(lowercase(found[7].str())) : word.find("short") != std::string::npos ? 0.5 : 0.0;
    return relative(word, seconds, found[3].matched ? shot(1) : shot(5));
  }
  return std::nullopt;
}

Replanned reshape(const Film& film, const Wish& wish, const Reshaping& change, const World& world, const PhonesFunction& phones) {
  Replanned result{film, {}};
  if (change.kind == Kind::title) {
    set_title(result.film, change.text);
    return result;
  }
  const std::ptrdiff_t index = index_of(film, change.shot.empty() ? wish.shot : change.shot);
  const Shot& shot = film.shots[static_cast<std::size_t>(index)];
  if (change.kind == Kind::add) {
    result = add_shot(film, change, index, world, phones);
  } else {
    require_unlocked(shot);
    if (change.kind == Kind::remove && film.shots.size() == 1) throw Error(ExitCode::bad_data, shot.id + " is the film's only shot");
    if (change.kind == Kind::remove)
      result.film.shots.erase(result.film.shots.begin() + index);
    else
      make_last(result, index, change, world);
  }
  Retimed timed = retime(result.film, world);
  result.film = std::move(timed.film);
  result.notes.insert(result.notes.end(), timed.notes.begin(), timed.notes.end());
  std::vector<Finding> findings = check(result.film, world);
  if (has_errors(findings)) throw PlanError("the wish cannot be met", std::move(findings));
  return result;
}

}  // namespace fabula::plan
