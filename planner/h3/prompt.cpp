// Assembles the requests of a film: descriptions, soundscape, music, and the sections about references.
#include "planner/h3/prompt.h"

#include <algorithm>
#include <set>

#include "planner/h3/clips.h"
#include "planner/h3/describe.h"
#include "planner/h3/references.h"
#include "planner/h3/words.h"

namespace fabula::h3 {
namespace {

constexpr const char* nothing = "N/A";  // the guide's word for silence and for no music

bool is_none(const std::string& text) { return text.empty() || text == "none" || text == "silence"; }

// Ambiences in order of the shots, sounds, and the bed below them: at most four sentences.
std::string soundscape(const plan::Film& film, const Pieces& pieces) {
  std::vector<std::string> ambiences, sounds;
  const auto add = [](std::vector<std::string>& list, const std::string& text) {
    const std::string words = plain(text);
    if (!is_none(words) && std::find(list.begin(), list.end(), words) == list.end()) list.push_back(words);
  };
  for (const Piece& p : pieces) {
    const plan::Shot& s = film.shots[p.shot];
    add(ambiences, s.ambience);
    for (const plan::SoundEffect& e : s.sfx) {
      if (s.start_ms + e.at_ms >= p.start_ms && s.start_ms + e.at_ms <= p.end_ms) add(sounds, e.description);
    }
  }
  std::string out;
  const auto say = [&out](const std::string& words) { out += (out.empty() ? "" : " ") + sentence(words); };
  for (std::size_t i = 0; i < ambiences.size(); ++i) ambiences[i] = (i == 0 ? "" : "then ") + ambiences[i];
  if (!ambiences.empty()) say(listed(ambiences));
  std::string in_order;
  for (const std::string& sound : sounds) in_order += (in_order.empty() ? "these sounds are heard in this order: " : "; ") + sound;
  if (!in_order.empty()) say(in_order);
  if (const std::string bed = plain(film.sound.ambience_bed); !is_none(bed)) say("below all of it, throughout: " + bed);
  return out.empty() ? nothing : out;
}

std::string music(const plan::Film& film, int start_ms, int end_ms) {
  const std::string words = plain(film.sound.music);
  const int in = film.sound.music_in_ms.value_or(0), out = film.sound.music_out_ms.value_or(film.total_ms);
  if (is_none(words) || in >= end_ms || out <= start_ms) return nothing;
  std::string text = sentence(words);
  if (in > start_ms)
    text += " It begins " + seconds(in - start_ms) + " into the video.";
  else if (start_ms > 0 && in < start_ms)
    text += " It goes on from before.";
  if (out < end_ms) text += " It ends " + seconds(out - start_ms) + " into the video.";
  return text;
}

// The sections of a request with references: the meaning of each label, what the video is made from, what is retained.
class Sections {
 public:
  Sections(const plan::Film& film, const Contents& contents, const Bound& bound, const Pieces& pieces, const Facts& before, Clip& clip)
      : film_(film), contents_(contents), bound_(bound), pieces_(pieces), before_(before), clip_(clip) {}

  void write() {
    for (const plan::Character* c : contents_.seen) {
      if (!bound_.subjects.contains(c->id)) continue;
      subject(c->id, name_of(*c) + " in " + pictures(c->id) + with(plain(c->look)), seen_in([&](const plan::Shot& s) {
                return std::any_of(s.cast.begin(), s.cast.end(), [&](const plan::CastMember& m) { return m.id == c->id; });
              }),
              changed_clothes(*c));
    }
    for (const plan::Place* p : contents_.places) {
      if (bound_.subjects.contains(p->id))
        subject(p->id, "the place in " + pictures(p->id) + with(plain(p->description)),
                seen_in([&](const plan::Shot& s) { return s.place == p->id; }), "");
    }
    for (const plan::Prop* p : contents_.props) {
      if (!bound_.subjects.contains(p->id)) continue;
      subject(p->id, "the thing in " + pictures(p->id) + with(plain(p->description)), seen_in([&](const plan::Shot& s) {
                const auto ids = props_of(film_, s);
                return std::find(ids.begin(), ids.end(), p->id) != ids.end();
              }),
              "");
    }
    for (const Reference& r : bound_.references) {
      for (const Use& u : r.uses) used(r, u);
    }
    std::string kinds;
    for (const char* kind : {"keyframe completion", "reference generation", "audio reference"}) {
      if (kinds_.contains(kind)) kinds += (kinds.empty() ? "" : " + ") + std::string(kind);
    }
    clip_.summary = "[" + kinds + "] The target video has " + std::to_string(pieces_.size()) + (pieces_.size() == 1 ? " shot" : " shots") +
                    " and is made with " + listed(labels_) + ".";
  }

 private:
  static std::string with(const std::string& words) { return words.empty() ? "" : ", " + words; }
  static void line(std::string& section, const std::string& text) { section += (section.empty() ? "" : "\n") + text; }

  void subject(const std::string& id, const std::string& is, const std::string& where, const std::string& but) {
    const std::string label = subject_label(bound_.subjects.at(id));
    line(clip_.subject_definitions, label + " is " + is + ".");
    line(clip_.retention_analysis, label + " (appears in " + where +
                                       "): " + (but.empty() ? "fully_preserved - the look is retained." : "partially_preserved - " + but));
    labels_.push_back(label);
    kinds_.insert("reference generation");
  }

  void used(const Reference& r, const Use& u) {
    if (u.role == "voice") {
      line(clip_.subject_definitions, r.label + " is the voice-timbre reference for " + speaker(u.of) + ".");
      line(clip_.retention_analysis, r.label + ": reference - the voice follows its timbre without copying the signal.");
      kinds_.insert("audio reference");
    } else if (u.role == "first_frame" || u.role == "last_frame") {
      const std::string which = u.role == "first_frame" ? "first frame" : "last frame";
      line(clip_.subject_definitions, r.label + " is the " + which + " of " + shot(u.of) + ".");
      line(clip_.retention_analysis, r.label + " (" + shot(u.of) + " " + which + "): fully_preserved - the frame is reproduced.");
      kinds_.insert("keyframe completion");
    } else if (u.role == "reference") {
      line(clip_.subject_definitions, r.label + " is a reference for " + shot(u.of) + ".");
      line(clip_.retention_analysis,
           r.label + (r.kind == "audio" ? ": reference - what it sounds like is followed without copying the signal."
                                        : " (" + shot(u.of) + "): weak_reference - composition and content are followed."));
      kinds_.insert(r.kind == "audio" ? "audio reference" : "reference generation");
    } else {
      return;  // mentioned with its subject
    }
    if (std::find(labels_.begin(), labels_.end(), r.label) == labels_.end()) labels_.push_back(r.label);
  }

  std::string pictures(const std::string& id) const {
    std::vector<std::string> labels;
    for (const Reference& r : bound_.references) {
      if (r.kind == "image" && std::any_of(r.uses.begin(), r.uses.end(), [&](const Use& u) { return u.of == id; }))
        labels.push_back(r.label);
    }
    return listed(labels);
  }

  // "<Subject 1> (S2)"; the name instead of a label for an unseen speaker.
  std::string speaker(const std::string& id) const {
    const auto subject = bound_.subjects.find(id);
    std::string who = subject != bound_.subjects.end() ? subject_label(subject->second) : "";
    for (const plan::Character* c : contents_.heard) {
      if (who.empty() && c->id == id) who = name_of(*c);
    }
    const auto at = std::find(clip_.speakers.begin(), clip_.speakers.end(), id);
    return who + " (S" + std::to_string(at - clip_.speakers.begin() + 1) + ")";
  }

  std::string shot(const std::string& id) const {
    const auto at = std::find(clip_.shots.begin(), clip_.shots.end(), id);
    return "[Shot " + std::to_string(at - clip_.shots.begin() + 1) + "]";
  }

  template <typename IsIn>
  std::string seen_in(IsIn is_in) const {
    std::string all;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (is_in(film_.shots[pieces_[i].shot])) all += (all.empty() ? "" : ", ") + std::string("[Shot ") + std::to_string(i + 1) + "]";
    }
    return all;
  }

  // A portrait shows the clothes of the film's beginning.
  std::string changed_clothes(const plan::Character& c) const {
    const auto now = before_.find({c.id, "wardrobe"});
    return now == before_.end() || now->second == c.wardrobe
               ? ""
               : "the face and the build are retained, the clothes are now " + plain(now->second) + ".";
  }

  const plan::Film& film_;
  const Contents& contents_;
  const Bound& bound_;
  const Pieces& pieces_;
  const Facts& before_;
  Clip& clip_;
  std::vector<std::string> labels_;
  std::set<std::string> kinds_;
};

}  // namespace

Prompts compile(const plan::Film& film) {
  Prompts prompts;
  const std::vector<Pieces> clips = clips_of(film);
  const auto parts = parts_of(film, clips);
  const std::vector<Facts> before = facts_before_shots(film);
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const Pieces& pieces = clips[i];
    const plan::Shot& first = film.shots[pieces.front().shot];
    Clip clip;
    clip.start_ms = pieces.front().start_ms;
    clip.duration_ms = pieces.back().end_ms - clip.start_ms;
    clip.frames = legal_frames(clip.duration_ms);
    clip.trimmed_ms = clip.frames * 1000 / fps - clip.duration_ms;
    for (const Piece& p : pieces) clip.shots.push_back(film.shots[p.shot].id);
    const bool is_rest = clip.start_ms > first.start_ms;
    if (!is_rest) clip.transition = first.transition;
    clip.goes_on = is_rest || (i > 0 && first.transition.kind == "continue");

    const Contents contents = contents_of(film, pieces, parts[i]);
    Bound bound = bind(film, pieces, contents, prompts.left_out);
    Description description = describe(film, pieces, parts[i], bound, before);
    clip.integrated_multimodal_description = std::move(description.text);
    clip.speakers = std::move(description.speakers);
    if (!bound.references.empty()) Sections(film, contents, bound, pieces, before[pieces.front().shot], clip).write();
    clip.overall_soundscape = soundscape(film, pieces);
    clip.non_diegetic_music = music(film, clip.start_ms, clip.start_ms + clip.duration_ms);
    clip.references = std::move(bound.references);
    prompts.clips.push_back(std::move(clip));
  }
  return prompts;
}

std::string text_of(const Clip& c) {
  if (c.references.empty()) {
    return "integrated_multimodal_description: " + c.integrated_multimodal_description + "\n\noverall_soundscape: " + c.overall_soundscape +
           "\n\nnon_diegetic_music: " + c.non_diegetic_music;
  }
  return "subject_definitions:\n" + c.subject_definitions + "\n\nsummary:\n" + c.summary + "\n\nretention_analysis:\n" +
         c.retention_analysis + "\n\ndetailed_description:\n" + c.integrated_multimodal_description + "\n\noverall_soundscape:\n" +
         c.overall_soundscape + "\n\nnon_diegetic_music:\n" + c.non_diegetic_music;
}

}  // namespace fabula::h3
