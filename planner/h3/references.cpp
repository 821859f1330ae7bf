// Collects the files of a clip, ranks them, and keeps what the model's limits allow.
#include "planner/h3/references.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "planner/text/text.h"

namespace fabula::h3 {
namespace {

// The model's limits: MiniMaxH3Ref2VASetupStep of diffusers.
constexpr std::size_t most_images = 9, most_videos = 3, most_audios = 3, most_references = 12;

struct Kind {
  const char *name, *label;
  std::size_t most;
};
constexpr Kind image{"image", "Picture", most_images}, video{"video", "Video", most_videos}, audio{"audio", "Audio", most_audios};

// A voice is always audio; the kind of a shot's reference follows from its extension.
const Kind& kind_of(const std::string& role, const std::string& file) {
  if (role == "voice") return audio;
  if (role != "reference") return image;
  const std::string extension = lowercase(file.substr(std::min(file.size(), file.rfind('.') + 1)));
  for (const char* known : {"wav", "mp3", "flac", "ogg", "m4a", "opus"}) {
    if (extension == known) return audio;
  }
  for (const char* known : {"mp4", "mov", "mkv", "webm"}) {
    if (extension == known) return video;
  }
  return image;
}

struct Candidate {
  Use use;
  std::string file;
  std::size_t rank;  // 0 for the first file of a subject, 1 for its second …
};

void add(std::vector<Candidate>& all, const std::string& role, const std::string& of, const std::vector<std::string>& files) {
  for (std::size_t i = 0; i < files.size(); ++i) all.push_back({{role, of}, files[i], i});
}

template <typename T>
bool has(const std::vector<const T*>& list, const T& one) {
  return std::find(list.begin(), list.end(), &one) != list.end();
}

std::vector<Candidate> candidates_of(const plan::Film& film, const Pieces& pieces, const Contents& contents) {
  std::vector<Candidate> all;
  for (const plan::Character& c : film.characters) {
    if (has(contents.seen, c)) add(all, "portrait", c.id, c.ref_images);
    if (has(contents.heard, c)) add(all, "voice", c.id, c.voice.ref_audio);
  }
  for (const plan::Place* place : contents.places) add(all, "plate", place->id, place->ref_images);
  for (const plan::Prop* prop : contents.props) add(all, "prop", prop->id, prop->ref_images);
  for (const Piece& piece : pieces) {
    const plan::Shot& s = film.shots[piece.shot];
    const bool begins = piece.start_ms == s.start_ms, ends = piece.end_ms == s.start_ms + s.duration_ms;
    const auto& files = s.conditioning.references;
    const bool frames = s.conditioning.mode == "first_frame" || s.conditioning.mode == "first_last_frame";
    const std::size_t count = !frames                                ? 0
                              : s.conditioning.mode == "first_frame" ? std::min<std::size_t>(1, files.size())
                                                                     : std::min<std::size_t>(2, files.size());
    if (count > 0 && begins) add(all, "first_frame", s.id, {files[0]});
    if (count > 1 && ends) add(all, "last_frame", s.id, {files[1]});
    add(all, "reference", s.id, {files.begin() + static_cast<std::ptrdiff_t>(count), files.end()});
  }
  // A video's sound track takes an <Audio j> as well (MiniMaxH3Ref2VATextEncoderStep), and whether it has one is unknown here. At the end
  // it shifts no other label.
  std::stable_partition(all.begin(), all.end(),
                        [](const Candidate& c) { return kind_of(c.use.role, c.file).name != std::string_view("video"); });
  return all;
}

}  // namespace

std::vector<std::string> props_of(const plan::Film& film, const plan::Shot& s) {
  std::vector<std::string> ids;
  const auto named = [&](const std::string& id) {
    const bool is_prop = std::any_of(film.props.begin(), film.props.end(), [&](const plan::Prop& p) { return p.id == id; });
    if (is_prop && std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  };
  named(s.camera.target);
  for (const plan::Fact& f : s.pre) named(f.entity);
  for (const plan::Fact& f : s.effects) named(f.entity);
  return ids;
}

Contents contents_of(const plan::Film& film, const Pieces& pieces, const std::vector<std::vector<Part>>& parts) {
  std::set<std::string> seen, heard, places, props;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const plan::Shot& s = film.shots[pieces[i].shot];
    for (const plan::CastMember& m : s.cast) seen.insert(m.id);
    for (const Part& part : parts[i]) heard.insert(part.line->speaker);
    places.insert(s.place);
    for (const std::string& id : props_of(film, s)) props.insert(id);
  }
  Contents contents;
  for (const plan::Character& c : film.characters) {
    if (seen.contains(c.id)) contents.seen.push_back(&c);
    if (heard.contains(c.id)) contents.heard.push_back(&c);
  }
  for (const plan::Place& p : film.places) {
    if (places.contains(p.id)) contents.places.push_back(&p);
  }
  for (const plan::Prop& p : film.props) {
    if (props.contains(p.id)) contents.props.push_back(&p);
  }
  return contents;
}

Bound bind(const plan::Film& film, const Pieces& pieces, const Contents& contents, std::vector<std::string>& left_out) {
  const std::vector<Candidate> candidates = candidates_of(film, pieces, contents);
  std::vector<const Candidate*> by_rank;
  for (const Candidate& c : candidates) by_rank.push_back(&c);
  std::stable_sort(by_rank.begin(), by_rank.end(), [](const Candidate* a, const Candidate* b) { return a->rank < b->rank; });

  const std::string where = " in the clip at " + std::to_string(pieces.front().start_ms) + " ms";
  using File = std::pair<std::string, std::string>;  // kind, file
  std::map<std::string, std::size_t> counts;
  std::set<File> admitted;
  for (const Candidate* c : by_rank) {
    const Kind& kind = kind_of(c->use.role, c->file);
    if (admitted.contains({kind.name, c->file})) continue;
    if (counts[kind.name] == kind.most || admitted.size() == most_references) {
      left_out.push_back("the " + std::string(kind.name) + " " + c->file + " of " + c->use.of + where + ": the model takes " +
                         std::to_string(kind.most) + " of the kind and " + std::to_string(most_references) + " references in all");
      continue;
    }
    ++counts[kind.name];
    admitted.insert({kind.name, c->file});
  }
  Bound bound;
  if (counts["audio"] == admitted.size()) {
    for (const auto& [kind, file] : admitted)
      left_out.push_back("the audio " + file + where + ": the model takes audio only beside a picture or a video");
    return bound;
  }
  std::map<File, std::size_t> at;
  std::map<std::string, int> number;
  for (const Candidate& c : candidates) {
    const Kind& kind = kind_of(c.use.role, c.file);
    const File file{kind.name, c.file};
    if (!admitted.contains(file)) continue;
    const auto [place, is_new] = at.try_emplace(file, bound.references.size());
    if (is_new)
      bound.references.push_back({"<" + std::string(kind.label) + " " + std::to_string(++number[kind.name]) + ">", kind.name, c.file, {}});
    Reference& reference = bound.references[place->second];
    reference.uses.push_back(c.use);
    if (c.use.role == "voice") bound.voices.try_emplace(c.use.of, reference.label);
    if (c.use.role == "portrait" || c.use.role == "plate" || c.use.role == "prop")
      bound.subjects.try_emplace(c.use.of, static_cast<int>(bound.subjects.size()) + 1);
  }
  return bound;
}

}  // namespace fabula::h3
