// Writes the main field: each shot's view, then its events in order of time.
#include "planner/h3/describe.h"

#include <algorithm>
#include <set>

#include "planner/h3/words.h"

namespace fabula::h3 {
namespace {

template <typename T>
const T* by_id(const std::vector<T>& list, const std::string& id) {
  const auto at = std::find_if(list.begin(), list.end(), [&](const T& one) { return one.id == id; });
  return at == list.end() ? nullptr : &*at;
}

// "in a voice that is high, clear and slow, age ten, accent Irish: a curious girl"; empty if the plan gives no details.
std::string voice_words(const plan::Voice& v) {
  std::vector<std::string> is;
  for (const std::string* part : {&v.pitch, &v.timbre}) {
    if (const std::string word = plain(*part); !word.empty()) is.push_back(word);
  }
  if (v.pace == "slow" || v.pace == "fast") is.push_back(v.pace);
  std::string out = is.empty() ? "" : " that is " + listed(is);
  if (const std::string age = plain(v.age); !age.empty()) out += ", age " + age;
  if (const std::string accent = plain(v.accent); !accent.empty()) out += ", accent " + accent;
  if (const std::string said = plain(v.description); !said.empty()) out += ": " + said;
  return out.empty() ? "" : "in a voice" + out;
}

// An event in a piece.
struct Event {
  int at_ms;  // on the film's clock
  std::string text;
};

class Describer {
 public:
  Describer(const plan::Film& film, const Bound& bound) : film_(film), bound_(bound) {}

  Description run(const Pieces& pieces, const std::vector<std::vector<Part>>& parts, const std::vector<Facts>& before) {
    const std::string style = plain(film_.style);
    const bool full_reference = !bound_.references.empty();
    if (full_reference && !style.empty())
      text_ = "The target video is in this style: " + style + ".";  // the guide puts the style before [Shot 1]
    last_number_ = pieces.size();
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      facts_ = &before[pieces[i].shot];
      number_ = i + 1;
      if (!text_.empty()) text_ += full_reference ? "\n" : " ";
      text_ += "[Shot " + std::to_string(number_) + "] ";
      const std::string opening = i > 0                             ? "At " + timestamp(pieces[i].start_ms - pieces[0].start_ms) + ", "
                                  : full_reference || style.empty() ? ""
                                                                    : sentence(style) + " ";
      piece(pieces[i], i > 0 ? &pieces[i - 1] : nullptr, parts[i], opening);
    }
    return {text_, speakers_};
  }

 private:
  void say(const std::string& words) {
    if (!words.empty()) text_ += (text_.empty() || text_.back() == ' ' || text_.back() == '\n' ? "" : " ") + words;
  }

  void piece(const Piece& p, const Piece* previous, const std::vector<Part>& parts, const std::string& opening) {
    const plan::Shot& s = film_.shots[p.shot];
    const bool begins = p.start_ms == s.start_ms, ends = p.end_ms == s.start_ms + s.duration_ms;
    const bool same_place = previous != nullptr && film_.shots[previous->shot].place == s.place;
    const std::string view = framing(s.camera) + (same_place ? " in the same place" : " of " + place(s.place));
    if (previous != nullptr)
      text_ += opening + cut_words(s.transition) + " " + view + ".";
    else
      text_ += opening + sentence(view);
    if (!same_place) surroundings(s.place);
    if (previous == nullptr && begins && s.transition.kind == "fade")
      say("The picture fades in" + (s.transition.ms > 0 ? " over " + seconds(s.transition.ms) : std::string()) + ".");
    if (previous == nullptr && (!begins || s.transition.kind == "continue"))
      say("The take goes on from the moment before, with everybody and everything where it was.");
    frame(s, begins, "first_frame", "The shot begins from ", s.first_frame, "The shot opens on this: ");
    references(s);
    for (const plan::CastMember& m : s.cast) {
      if (s.start_ms + m.visible_at <= p.start_ms) member(m);
    }
    props(s);
    say(sentence(motion(s.camera, target(s))));
    for (const Event& e : events(p, s, parts))
      say(sentence(e.at_ms > p.start_ms ? seconds(e.at_ms - p.start_ms) + " into the shot, " + e.text : e.text));
    if (ends) after(s);
    frame(s, ends, "last_frame", "The shot ends on ", s.last_frame, "The shot ends on this: ");
  }

  // A first or last frame: as a picture if one is bound, and in words.
  void frame(const plan::Shot& s, bool is_in, const char* role, const std::string& from, const std::string& words,
             const std::string& intro) {
    if (!is_in) return;
    for (const Reference& r : bound_.references) {
      for (const Use& u : r.uses) {
        if (u.role == role && u.of == s.id) say(from + r.label + ".");
      }
    }
    if (const std::string described = plain(words); !described.empty()) say(sentence(intro + described));
  }

  void references(const plan::Shot& s) {
    for (const Reference& r : bound_.references) {
      for (const Use& u : r.uses) {
        if (u.role == "reference" && u.of == s.id) say("The shot follows " + r.label + ".");
      }
    }
  }

  // "<Subject 3>, a wooden pier, at dusk" or "a wooden pier at dusk"
  std::string place(const std::string& id) {
    const plan::Place* p = by_id(film_.places, id);
    if (p == nullptr) return plain(id);
    const bool is_new = told_.insert(id).second;
    const std::string words = is_new ? plain(p->description) : definite(plain(p->description)), time = time_words(p->time_of_day);
    const std::string labelled = labelled_as(id, words, is_new);
    return labelled + (time.empty() ? "" : (labelled == words ? " " : ", ") + time);
  }

  // Further facts about the place.
  void surroundings(const std::string& id) {
    const plan::Place* p = by_id(film_.places, id);
    if (p == nullptr) return;
    std::vector<std::string> facts;
    if (const std::string weather = plain(p->weather); !weather.empty()) facts.push_back("the weather is " + weather);
    if (const std::string light = plain(p->lighting); !light.empty()) facts.push_back("the light is " + light);
    for (const plan::Landmark& l : p->landmarks) {
      const std::string name = plain(l.name), side = position_words(l.screen);
      if (!name.empty()) facts.push_back(with_article(name) + " is " + (side.empty() ? "there" : side));
    }
    say(sentence(listed(facts)));
  }

  static std::string with_article(const std::string& name) {
    return definite(name) != name || name.starts_with("the ") || name.starts_with("The ") ? definite(name) : "the " + name;
  }

  // `words` after the label of their subject, if there is one; later the label alone.
  std::string labelled_as(const std::string& id, const std::string& words, bool is_new) const {
    const auto subject = bound_.subjects.find(id);
    if (subject == bound_.subjects.end()) return words;
    const std::string label = subject_label(subject->second);
    return is_new && !words.empty() ? label + ", " + words : label;
  }

  // A character as the subject of a sentence; with look and clothes at the first mention in a clip and after a change of clothes.
  std::string who(const std::string& id) {
    const plan::Character* c = by_id(film_.characters, id);
    if (c == nullptr) return plain(id);
    const bool is_new = told_.insert(id).second;
    const std::string clothes = wardrobe(*c);
    const bool other_clothes = !clothes.empty() && wears_[id] != clothes;
    wears_[id] = clothes;
    std::string out = labelled_as(id, name_of(*c), is_new);
    const std::string look = is_new ? plain(c->look) : "";
    if (!look.empty()) out += ", " + look;
    if (other_clothes) out += ", wearing " + clothes;
    return out + (!look.empty() || other_clothes ? "," : "");
  }

  std::string short_name(const std::string& id) const {
    const plan::Character* c = by_id(film_.characters, id);
    return c == nullptr ? plain(id) : labelled_as(id, name_of(*c), false);
  }

  std::string wardrobe(const plan::Character& c) const {
    const auto fact = facts_->find({c.id, "wardrobe"});
    return plain(fact == facts_->end() ? c.wardrobe : fact->second);
  }

  static std::string stance(const plan::CastMember& m) {
    std::string out = position_words(m.position);
    if (!m.depth.empty()) out += (out.empty() ? "in the " : " in the ") + plain(m.depth);
    if (const std::string facing = plain(m.facing); !facing.empty()) out += (out.empty() ? "facing " : ", facing ") + facing;
    return out;
  }

  void member(const plan::CastMember& m) { say(sentence(who(m.id) + " is " + stance(m))); }

  void props(const plan::Shot& s) {
    for (const std::string& id : props_of(film_, s)) {
      const plan::Prop& prop = *by_id(film_.props, id);
      const bool is_new = told_.insert(id).second;
      if (!is_new) continue;
      std::vector<std::string> facts;
      if (const auto state = facts_->find({id, "state"}); state != facts_->end()) facts.push_back(plain(state->second));
      if (const auto holder = facts_->find({id, "holder"}); holder != facts_->end() && by_id(film_.characters, holder->second) != nullptr) {
        facts.push_back("held by " + short_name(holder->second));
      }
      const std::string words = labelled_as(id, plain(prop.description), true);
      say(sentence(facts.empty() ? "in the picture there is " + words
                                 : words + (words.starts_with('<') ? ", is " : " is ") + listed(facts)));
    }
  }

  std::string thing(const std::string& id) const {
    const plan::Prop* prop = by_id(film_.props, id);
    return prop == nullptr ? plain(id) : labelled_as(id, with_article(plain(prop->description)), false);
  }

  std::string target(const plan::Shot& s) const {
    const std::string& t = s.camera.target;
    if (t.empty()) return {};
    if (by_id(film_.characters, t) != nullptr) return short_name(t);
    return by_id(film_.props, t) != nullptr ? thing(t) : with_article(plain(t));  // the name of a landmark
  }

  std::vector<Event> events(const Piece& p, const plan::Shot& s, const std::vector<Part>& parts) {
    // The first mention introduces a character, so events are worded in order of time.
    struct Due {
      int at_ms;
      const plan::CastMember* comes = nullptr;
      const plan::ActionBeat* beat = nullptr;
      const plan::SoundEffect* sound = nullptr;
      const Part* part = nullptr;
    };
    std::vector<Due> due;
    const auto in = [&](long long at) { return at >= p.start_ms && (at < p.end_ms || p.end_ms == s.start_ms + s.duration_ms); };
    for (const auto& m : s.cast) {
      if (m.visible_at > 0 && s.start_ms + m.visible_at > p.start_ms && in(s.start_ms + m.visible_at))
        due.push_back({s.start_ms + m.visible_at, &m});
    }
    for (const auto& b : s.action_beats) {
      if (in(s.start_ms + b.at_ms)) due.push_back({s.start_ms + b.at_ms, nullptr, &b});
    }
    for (const auto& e : s.sfx) {
      if (in(s.start_ms + e.at_ms)) due.push_back({s.start_ms + e.at_ms, nullptr, nullptr, &e});
    }
    for (const Part& part : parts) due.push_back({part.start_ms, nullptr, nullptr, nullptr, &part});
    std::stable_sort(due.begin(), due.end(), [](const Due& a, const Due& b) { return a.at_ms < b.at_ms; });
    std::vector<Event> events;
    for (const Due& d : due) {
      if (d.comes != nullptr) events.push_back({d.at_ms, who(d.comes->id) + " comes into the picture " + stance(*d.comes)});
      if (d.beat != nullptr) events.push_back({d.at_ms, who(d.beat->who) + " " + plain(d.beat->what)});
      if (d.sound != nullptr) events.push_back({d.at_ms, "this is heard: " + plain(d.sound->description)});
      if (d.part != nullptr) events.push_back({d.at_ms, spoken_part(s, *d.part)});
    }
    return events;
  }

  std::string speaker_label(const std::string& id) {
    auto at = std::find(speakers_.begin(), speakers_.end(), id);
    if (at == speakers_.end()) at = speakers_.insert(speakers_.end(), id);
    return "(S" + std::to_string(at - speakers_.begin() + 1) + ")";
  }

  // One part of a line: speaker, number and delivery before <d>, only the words inside, and the joints to the parts around it.
  std::string spoken_part(const plan::Shot& s, const Part& part) {
    const plan::Line& line = *part.line;
    const bool is_seen = std::any_of(s.cast.begin(), s.cast.end(), [&](const plan::CastMember& m) { return m.id == line.speaker; });
    std::string out = who(line.speaker);
    const bool has_comma = out.ends_with(',');
    if (has_comma) out.pop_back();
    const bool is_first = std::find(speakers_.begin(), speakers_.end(), line.speaker) == speakers_.end();
    out += " " + speaker_label(line.speaker);
    const std::string sounds = is_first ? voice(line.speaker) : "";
    out += sounds.empty() && has_comma ? "," : sounds;
    if (part.text.empty())
      return out + (out.ends_with(',') ? "" : ",") + " ends the line, whose final words carry over from the previous shot";
    out += line.mode == "voiceover" ? " says in an off-screen voiceover" : line.mode == "off_screen" ? " says from off-screen" : " says";
    if (const std::string delivery = plain(line.delivery); !delivery.empty()) out += ", " + delivery;
    if (part.was_begun)
      out += number_ == 1 ? ", going on in the middle of the sentence" : ", as the line carries over from the previous shot";
    const bool to_next_clip = part.goes_on && number_ == last_number_;
    out += ": <d>[" + language_name(line.language.empty() ? film_.language : line.language) + "] " +
           (part.was_begun && number_ > 1 ? "<scenetrans> " : "") + part.text +
           (!part.goes_on  ? ""
            : to_next_clip ? " <cutoff>"
                           : " <scenetrans>") +
           "</d>";
    if (line.mode == "voiceover" && is_seen)
      out += " while the lips of " + short_name(line.speaker) + " remain completely closed";
    else if (line.mode == "voiceover" && !s.cast.empty())
      out += " while the lips of everybody in the picture remain completely closed";
    if (part.goes_on && !to_next_clip)
      out +=
          line.mode == "voiceover" ? ", and the line continues seamlessly across the cut" : " The line continues seamlessly across the cut";
    return out;
  }

  // Introduces a speaker: the voice, and the recording that it follows.
  std::string voice(const std::string& id) const {
    const plan::Character* c = by_id(film_.characters, id);
    if (c == nullptr) return "";
    std::string out;
    if (const std::string words = voice_words(c->voice); !words.empty()) out += ", " + words + ",";
    const auto recording = bound_.voices.find(id);
    if (recording != bound_.voices.end())
      out += std::string(out.empty() ? "," : "") + " using the voice timbre referenced from " + recording->second + ",";
    return out;
  }

  // The facts that hold after the shot, except places, which the next shots show.
  void after(const plan::Shot& s) {
    std::vector<std::string> facts;
    for (const plan::Fact& f : s.effects) {
      const bool is_character = by_id(film_.characters, f.entity) != nullptr;
      if (f.attribute == "place") continue;
      const std::string entity = is_character ? short_name(f.entity) : thing(f.entity), value = plain(f.value);
      if (f.attribute == "holder") {
        if (f.value == "none")
          facts.push_back("nobody holds " + entity);
        else if (by_id(film_.characters, f.value) != nullptr)
          facts.push_back(short_name(f.value) + " holds " + entity);
        else
          facts.push_back(entity + " is left where it is");
      } else if (f.attribute == "state") {
        facts.push_back(entity + " is " + value);
      } else if (f.attribute == "wardrobe") {
        facts.push_back(entity + " wears " + value);
        wears_[f.entity] = value;
      } else {
        facts.push_back("the " + plain(f.attribute) + " of " + entity + " is " + value);
      }
    }
    if (!facts.empty()) say("By the end of the shot, " + listed(facts) + ".");
  }

  const plan::Film& film_;
  const Bound& bound_;
  const Facts* facts_ = nullptr;
  std::size_t number_ = 0, last_number_ = 0;  // of the current shot in its clip, and of the clip's last
  std::string text_;
  std::vector<std::string> speakers_;
  std::set<std::string> told_;                // characters, places and props already introduced in the clip
  std::map<std::string, std::string> wears_;  // the clothes mentioned last, by character
};

}  // namespace

std::vector<Facts> facts_before_shots(const plan::Film& film) {
  Facts now;
  for (const plan::Fact& f : film.world) now[{f.entity, f.attribute}] = f.value;
  std::vector<Facts> before;
  for (const plan::Shot& s : film.shots) {
    before.push_back(now);
    for (const plan::Fact& f : s.effects) now[{f.entity, f.attribute}] = f.value;
  }
  return before;
}

Description describe(const plan::Film& film, const Pieces& pieces, const std::vector<std::vector<Part>>& parts, const Bound& bound,
                     const std::vector<Facts>& before) {
  return Describer(film, bound).run(pieces, parts, before);
}

std::string name_of(const plan::Character& c) {
  const std::string name = plain(c.name);
  return name.empty() ? plain(c.id) : name;
}

std::string subject_label(int number) { return "<Subject " + std::to_string(number) + ">"; }

}  // namespace fabula::h3
