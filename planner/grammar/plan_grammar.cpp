// The grammar of docs/BUNDLE.md as one function, for composing and following.
#include "planner/grammar/plan_grammar.h"

#include <algorithm>

#include "base/error.h"
#include "planner/schema/caps.h"
#include "planner/schema/ids.h"
#include "planner/text/names.h"
#include "planner/text/spans.h"

namespace fabula {
namespace {

class PlanWriter {
 public:
  PlanWriter(Scribe& scribe, plan::Film& film, const World& world, const PhonesFunction& phones, const Brief& brief, const StreamForm& form)
      : s_(scribe),
        film_(film),
        world_(world),
        phones_(phones),
        brief_(brief),
        form_(form),
        unsupported_spans_(Legal::one_of(legal_spans(film.prompt, PlanCaps::unsupported))) {}

  PlanSpans write() {
    if (form_.opening.empty() && form_.own) write_user_turn(s_, film_.prompt);
    s_.append(form_.opening);
    s_.literal(form_.own ? R"({"version":"fabula.plan/1","treatment":")" : R"({"treatment":")");
    s_.value(film_.treatment, Legal::text(PlanCaps::treatment), form_.own ? R"(","title":")" : R"(","version":"fabula.plan/1","title":")");
    s_.value(film_.title, Legal::text(PlanCaps::title), R"(","aspect":"16:9","fps":24,"total_ms":)");
    const std::size_t shots = total_ms(R"(,"language":"en","characters":[)");
    list(film_.characters, brief_.least_actors, brief_.actors.size(), R"(],"places":[)", [this](plan::Character& c) { character(c); });
    list(film_.places, 1, brief_.places.size(), R"(],"shots":[)", [this](plan::Place& p) { place(p); });
    for (std::size_t i = 0; i < shots; ++i) {
      shot(i);
      s_.literal(i + 1 < shots ? "," : R"(],"sound":{"music":"none"},"unsupported":[)");
    }
    unsupported();
    if (form_.own) s_.special("<|im_end|>");
    return std::move(spans_);
  }

 private:
  // `least` to `most` elements, one at least, separated by ",", then `after`.
  template <typename Element, typename Write>
  void list(std::vector<Element>& elements, std::size_t least, std::size_t most, std::string_view after, Write write) {
    std::size_t count = 0;
    do {
      if (s_.composes()) elements.emplace_back();
      write(elements[count++]);
    } while (choose(count < elements.size(), ",", count < most, count < least, after));
  }

  // Like Scribe::choose; a composed plan must take the first where it `must`.
  bool choose(bool given, std::string_view first, bool possible, bool must, std::string_view second) {
    if (!s_.composes() || !possible || !must) return s_.choose(given, first, possible, second);
    s_.literal(first);
    return true;
  }

  // The line to be spoken next; null if all are.
  [[nodiscard]] const Brief::Piece* next_piece() const { return spoken_ < brief_.lines.size() ? &brief_.lines[spoken_] : nullptr; }
  // Whether it must be spoken in this shot: it goes on with the line of the shot before, or no more shots are left than lines.
  [[nodiscard]] bool must_speak(std::size_t shot) const {
    return s_.composes() && next_piece() != nullptr &&
           (next_piece()->goes_on || brief_.lines.size() - spoken_ >= film_.shots.size() - shot);
  }

  // A field that a plan may omit; the stream then holds the world's first.
  void optional_value(std::string& text, std::vector<std::string> legal, const std::vector<World::Named>& names, std::string_view after) {
    std::string said = World::or_first(text, names);
    s_.value(said, Legal::one_of(std::move(legal)), after);
    if (s_.composes()) text = said;
  }

  void number(int& field, int computed) {
    if (s_.composes()) field = computed;
    s_.literal(std::to_string(field));
  }

  // Writes the film's length, which implies the number of shots; returns that number.
  std::size_t total_ms(std::string_view after) {
    const int lines = static_cast<int>(brief_.lines.size());
    const int least = std::clamp(std::max({lines, brief_.shots, brief_.shots > 0 ? 0 : brief_.least_shots}), 1, world_.max_shots);
    const int most = brief_.shots > 0 ? least : world_.max_shots;
    std::vector<std::string> lengths;
    for (int shots = least; shots <= most; ++shots) lengths.push_back(std::to_string(world_.film_ms(shots)));
    std::string total = std::to_string(film_.total_ms);
    s_.value(total, Legal::one_of(lengths), after);
    if (!s_.composes()) return film_.shots.size();
    const int chosen = least + static_cast<int>(std::find(lengths.begin(), lengths.end(), total) - lengths.begin());
    film_.total_ms = world_.film_ms(chosen);
    film_.shots.resize(static_cast<std::size_t>(chosen));
    return film_.shots.size();
  }

  void character(plan::Character& c) {
    const std::size_t begin = s_.position();
    s_.literal(R"({"id":")");
    s_.value(c.id, Legal::one_of(without(brief_.actors, ids_of(film_.characters))), R"(","name":")");
    s_.value(c.name, Legal::text(PlanCaps::name), R"(","look":")");
    s_.value(c.look, Legal::text(PlanCaps::look), R"(","voice":{"voice_id":")");
    s_.value(c.voice.voice_id, Legal::one_of(ids_of(world_.voices)), R"("}})");
    spans_.characters.push_back({begin, s_.position()});
  }

  void place(plan::Place& p) {
    const std::size_t begin = s_.position();
    s_.literal(R"({"id":")");
    s_.value(p.id, Legal::one_of(without(brief_.places, ids_of(film_.places))), R"(","description":")");
    s_.value(p.description, Legal::text(PlanCaps::description), R"(","time_of_day":")");
    if (world_.weathers.empty()) {
      s_.value(p.time_of_day, Legal::one_of(brief_.times), R"("})");
    } else {
      s_.value(p.time_of_day, Legal::one_of(brief_.times), R"(","weather":")");
      optional_value(p.weather, s_.composes() ? weathers_of(p) : std::vector<std::string>{}, world_.weathers, R"("})");
    }
    spans_.places.push_back({begin, s_.position()});
  }

  // The weathers of the brief that the place can have; the world's first if it can have none of them.
  [[nodiscard]] std::vector<std::string> weathers_of(const plan::Place& p) const {
    std::vector<std::string> weathers = world_.place(p.id)->weathers;
    std::erase_if(weathers, [&](const std::string& weather) { return !has(brief_.weathers, weather); });
    return weathers.empty() ? std::vector{world_.weathers.front().id} : weathers;
  }

  void shot(std::size_t index) {
    const std::size_t begin = s_.position();
    plan::Shot& shot = film_.shots[index];
    const int start = world_.film_ms(static_cast<int>(index)), end = world_.film_ms(static_cast<int>(index) + 1);
    if (s_.composes()) shot.id = plan::shot_id(index);
    s_.literal(R"({"id":")" + shot.id + R"(","place":")");
    const bool goes_on = index > 0 && must_speak(index) && next_piece()->goes_on;
    s_.value(shot.place, Legal::one_of(goes_on ? std::vector{film_.shots[index - 1].place} : ids_of(film_.places)), R"(","start_ms":)");
    number(shot.start_ms, start);
    s_.literal(R"(,"duration_ms":)");
    number(shot.duration_ms, end - start);
    s_.literal(R"(,"cast":[)");
    constexpr std::string_view acting = R"(],"action_beats":[)";
    list(shot.cast, 1, std::min(PlanCaps::cast, film_.characters.size()), world_.props.empty() ? acting : R"(],"props":[)",
         [&](plan::CastMember& m) { member(shot, m, must_speak(index)); });
    if (!world_.props.empty()) props(shot, acting);
    list(shot.action_beats, 1, shot.cast.size(), R"(],"camera":{"size":")", [&](plan::ActionBeat& b) { beat(shot, b); });
    s_.value(shot.camera.size, Legal::one_of(world_.camera_sizes), R"(","move":")");
    s_.value(shot.camera.move, Legal::one_of(world_.camera_moves), R"("},"dialogue":[)");
    dialogue(shot, must_speak(index), R"(],"ambience":")");
    s_.value(shot.ambience, Legal::one_of(world_.ambiences), R"("})");
    spans_.shots.push_back({begin, s_.position()});
    if (form_.own) score(shot);
  }

  void member(const plan::Shot& shot, plan::CastMember& m, bool speaks) {
    const bool is_speaker = speaks && shot.cast.size() == 1 && has(ids_of(film_.characters), next_piece()->speaker);
    s_.literal(R"({"id":")");
    s_.value(m.id, Legal::one_of(is_speaker ? std::vector{next_piece()->speaker} : without(ids_of(film_.characters), ids_of(shot.cast))),
             R"(","position":")");
    s_.value(m.position, Legal::one_of(world_.positions), R"(","facing":")");
    if (world_.moods.empty()) return s_.value(m.facing, Legal::one_of(world_.facings), R"("})");
    s_.value(m.facing, Legal::one_of(world_.facings), R"(","mood":")");
    optional_value(m.mood, ids_of(world_.moods), world_.moods, R"("})");
  }

  // Zero or more props.
  void props(plan::Shot& shot, std::string_view after) {
    std::size_t count = 0;
    bool another = s_.choose(!shot.props.empty(), R"({"id":")", !brief_.props.empty(), after);
    while (another) {
      if (s_.composes()) shot.props.emplace_back();
      plan::ShotProp& p = shot.props[count++];
      s_.value(p.id, Legal::one_of(without(brief_.props, ids_of(shot.props))), R"(","position":")");
      s_.value(p.position, Legal::one_of(world_.positions), R"("})");
      another = s_.choose(count < shot.props.size(), ",", count < std::min(PlanCaps::props, brief_.props.size()), after);
      if (another) s_.literal(R"({"id":")");
    }
  }

  void beat(const plan::Shot& shot, plan::ActionBeat& b) {
    std::vector<std::string> acting;
    for (const plan::ActionBeat& other : shot.action_beats) acting.push_back(other.who);
    s_.literal(R"({"at_ms":)" + std::to_string(b.at_ms) + R"(,"who":")");
    s_.value(b.who, Legal::one_of(without(ids_of(shot.cast), acting)), R"(","what":")");
    s_.value(b.what, Legal::one_of(brief_.actions), R"("})");
  }

  // One line or none.
  void dialogue(plan::Shot& shot, bool must, std::string_view after) {
    const Brief::Piece* piece = next_piece();
    const bool is_known = piece != nullptr && has(ids_of(film_.characters), piece->speaker);
    const std::vector<std::string> speakers = is_known && has(ids_of(shot.cast), piece->speaker) ? std::vector{piece->speaker}
                                              : is_known && !must                                ? std::vector<std::string>{}
                                                                                                 : ids_of(shot.cast);
    const bool room = shot.duration_ms > line_lead_ms + line_tail_ms && piece != nullptr && !speakers.empty();
    if (!choose(!shot.dialogue.empty(), R"({"speaker":")", room, must, after)) return;
    if (s_.composes()) shot.dialogue.emplace_back();
    ++spoken_;
    plan::Line& line = shot.dialogue.front();
    s_.value(line.speaker, Legal::one_of(speakers), R"(","text":")");
    s_.value(line.text, Legal::one_of({piece == nullptr ? "" : piece->text}), R"(","start_ms":)");
    number(line.start_ms, shot.start_ms + line_lead_ms);
    s_.literal(R"(,"end_ms":)");
    number(line.end_ms, s_.composes() ? line_end_ms(shot, line.text, voice_of(line.speaker), phones_) : line.end_ms);
    s_.literal(R"(,"mode":"on_screen"})");
    s_.literal(after);
  }

  const World::Voice& voice_of(const std::string& speaker) const {
    for (const plan::Character& c : film_.characters) {
      if (c.id == speaker) return *world_.voice(c.voice.voice_id);
    }
    throw Error(ExitCode::internal, "write_plan: the speaker \"" + speaker + "\" is no character");
  }

  void score(const plan::Shot& shot) {
    std::vector<ScoreSound>& sounds = spans_.sounds.emplace_back();
    s_.mark("<|score|>");
    const std::size_t begin = s_.position();
    for (const ScoreSound& sound : score_of(film_, shot, world_, phones_)) sounds.insert(sounds.end(), s_.mark(sound.token), sound);
    spans_.scores.push_back({begin, s_.position()});
    s_.mark("<|/score|>");
  }

  void unsupported() {
    std::vector<std::string>& spans = film_.unsupported;
    std::size_t count = 0;
    bool another = s_.choose(!spans.empty(), R"(")", !unsupported_spans_.none(), "]}");
    while (another) {
      if (s_.composes()) spans.emplace_back();
      s_.value(spans[count++], unsupported_spans_, R"(")");
      another = s_.choose(count < spans.size(), ",", count < PlanCaps::unsupported_count, "]}");
      if (another) s_.literal(R"(")");
    }
  }

  Scribe& s_;
  plan::Film& film_;
  const World& world_;
  const PhonesFunction& phones_;
  const Brief& brief_;
  const StreamForm form_;
  const Legal unsupported_spans_;
  std::size_t spoken_ = 0;  // of the brief's lines
  PlanSpans spans_;
};

}  // namespace

void write_user_turn(Scribe& scribe, std::string_view text) {
  scribe.special("<|im_start|>");
  scribe.literal("user\n");
  scribe.literal(text);
  scribe.special("<|im_end|>");
  scribe.literal("\n");
  scribe.special("<|im_start|>");
  scribe.literal("assistant\n");
}

PlanSpans write_plan(Scribe& scribe, plan::Film& film, const World& world, const PhonesFunction& phones, const Brief& brief,
                     const StreamForm& form) {
  return PlanWriter(scribe, film, world, phones, brief, form).write();
}

PlanSpans write_plan(Scribe& scribe, plan::Film& film, const World& world, const PhonesFunction& phones) {
  return write_plan(scribe, film, world, phones, open_brief(world));
}

}  // namespace fabula
