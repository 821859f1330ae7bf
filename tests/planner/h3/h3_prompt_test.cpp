// The compiler for MiniMax-H3: golden texts of hand-written plans, and properties of any film.
#include "planner/h3/prompt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "planner/check/check.h"
#include "planner/h3/words.h"
#include "planner/schema/schema.h"
#include "tests/support/random.h"
#include "tests/support/refusal.h"

namespace fabula::h3 {
namespace {

namespace fs = std::filesystem;
using plan::Film;

const fs::path folder = std::string(FABULA_SOURCE_DIR) + "/tests/planner/h3";

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A compiled film as readable text.
std::string printed(const Prompts& prompts) {
  std::string out;
  for (const Clip& c : prompts.clips) {
    out += "#### at " + std::to_string(c.start_ms) + " ms: " + std::to_string(c.duration_ms) + " ms of " + std::to_string(c.frames) +
           " frames, " + std::to_string(c.trimmed_ms) + " ms trimmed; ";
    out += c.transition.kind + (c.transition.ms > 0 ? " " + std::to_string(c.transition.ms) + " ms" : "") + (c.goes_on ? ", goes on" : "") +
           "; shots";
    for (const std::string& id : c.shots) out += " " + id;
    out += "; speakers";
    for (const std::string& id : c.speakers) out += " " + id;
    for (const Reference& r : c.references) {
      out += "\n" + r.label + " " + r.kind + " " + r.file;
      for (const Use& u : r.uses) out += " | " + u.role + " of " + u.of;
    }
    out += "\n" + text_of(c) + "\n\n";
  }
  for (const std::string& sentence : prompts.left_out) out += "left out: " + sentence + "\n";
  return out;
}

TEST(H3Prompt, OfHandWrittenPlansIsTheGoldenText) {
  std::size_t plans = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    ++plans;
    const std::string name = entry.path().stem();
    const Film film = plan::from_json(contents(entry.path()));
    ASSERT_FALSE(has_errors(plan::check(film))) << name;
    const std::string text = printed(compile(film));
    if (text == contents(folder / (name + ".txt"))) continue;
    const fs::path seen = fs::path(testing::TempDir()) / ("h3_" + name + ".txt");
    std::ofstream(seen) << text;
    ADD_FAILURE() << name << ".txt differs from what is compiled now: " << seen << "\n" << text;
  }
  EXPECT_GE(plans, 8U);
}

// Parses a main field: separates the spoken texts, then collects every tag, shot and speaker of the rest.
struct ReadBack {
  std::vector<std::string> said;  // between <d>[Language] and </d>, without <scenetrans> and <cutoff>
  std::string rest;
};

ReadBack read_back(const std::string& text) {
  ReadBack out;
  std::size_t at = 0;
  while (true) {
    const std::size_t open = text.find("<d>", at);
    out.rest += text.substr(at, open == std::string::npos ? open : open - at);
    if (open == std::string::npos) return out;
    const std::size_t close = text.find("</d>", open);
    EXPECT_NE(close, std::string::npos) << text;
    if (close == std::string::npos) return out;
    std::string inside = text.substr(open + 3, close - open - 3);
    static const std::regex form(R"(\[[^\[\]<>]+\] (?:<scenetrans> )?([^<>\[\]]+?)(?: <scenetrans>| <cutoff>)?)");
    std::smatch match;
    EXPECT_TRUE(std::regex_match(inside, match, form)) << inside;
    out.said.push_back(match[1]);
    at = close + 4;
  }
}

void expect_format(const Clip& c) {
  const ReadBack back = read_back(c.integrated_multimodal_description);
  std::string all = back.rest;
  for (const std::string* section :
       {&c.subject_definitions, &c.summary, &c.retention_analysis, &c.overall_soundscape, &c.non_diegetic_music})
    all += *section + "\n";

  // Every angle bracket is a bound label, and every bound label appears.
  std::set<std::string> labels, named;
  for (const Reference& r : c.references) labels.insert(r.label);
  static const std::regex tag("<[^>]*>?");
  for (std::sregex_iterator i(all.begin(), all.end(), tag), end; i != end; ++i) {
    if (i->str().starts_with("<Subject ")) continue;
    EXPECT_TRUE(labels.contains(i->str())) << i->str() << " in\n" << all;
    named.insert(i->str());
  }
  EXPECT_EQ(named, labels) << all;

  // Shots are numbered, and their times ascend within the clip.
  static const std::regex shot(R"(\[Shot (\d+)\]( At (\d\d):(\d\d)\.(\d\d\d), )?)");
  std::size_t number = 0;
  int last = 0;
  for (std::sregex_iterator i(back.rest.begin(), back.rest.end(), shot), end; i != end; ++i) {
    EXPECT_EQ((*i)[1].str(), std::to_string(++number));
    EXPECT_EQ((*i)[2].matched, number > 1);
    if (number == 1) continue;
    const int ms = (std::stoi((*i)[3]) * 60 + std::stoi((*i)[4])) * 1000 + std::stoi((*i)[5]);
    EXPECT_GT(ms, last);
    EXPECT_LT(ms, c.duration_ms);
    last = ms;
  }
  EXPECT_EQ(number, c.shots.size());
  EXPECT_EQ(static_cast<std::size_t>(std::count(back.rest.begin(), back.rest.end(), '[')), number) << back.rest;

  // Parentheses are speakers, numbered in order of first speech.
  static const std::regex parenthesis(R"(\([^)]*\)?)");
  std::size_t heard = 0;
  for (std::sregex_iterator i(back.rest.begin(), back.rest.end(), parenthesis), end; i != end; ++i) {
    ASSERT_TRUE(std::regex_match(i->str(), std::regex(R"(\(S\d+\))"))) << i->str();
    const std::size_t speaker = std::stoul(i->str().substr(2));
    EXPECT_LE(speaker, heard + 1);
    heard = std::max(heard, speaker);
  }
  EXPECT_EQ(heard, c.speakers.size());

  // Field names begin lines, once each, in order.
  const std::string text = "\n" + text_of(c);
  std::vector<std::string> fields = {"overall_soundscape:", "non_diegetic_music:"};
  if (c.references.empty())
    fields.insert(fields.begin(), "integrated_multimodal_description:");
  else
    fields.insert(fields.begin(), {"subject_definitions:", "summary:", "retention_analysis:", "detailed_description:"});
  std::size_t from = 0;
  for (const std::string& field : fields) {
    const std::size_t at = text.find("\n" + field);
    ASSERT_NE(at, std::string::npos) << text;
    EXPECT_EQ(text.find("\n" + field, at + 1), std::string::npos) << text;
    EXPECT_GE(at, from);
    from = at;
  }
  for (const std::string* line : {&c.overall_soundscape, &c.non_diegetic_music, &c.summary}) EXPECT_EQ(line->find('\n'), std::string::npos);
  const auto breaks = std::count(c.integrated_multimodal_description.begin(), c.integrated_multimodal_description.end(), '\n');
  EXPECT_LE(breaks, c.references.empty() ? 0 : static_cast<std::ptrdiff_t>(number));
  EXPECT_FALSE(c.overall_soundscape.empty());
  EXPECT_FALSE(c.non_diegetic_music.empty());
}

void expect_tiling(const Film& film, const std::vector<Clip>& clips) {
  int at = 0;
  for (const Clip& c : clips) {
    EXPECT_EQ(c.start_ms, at);
    at += c.duration_ms;
    EXPECT_EQ(c.frames % 17, 5);
    EXPECT_GE(c.frames, 124);
    EXPECT_LE(c.frames, 345);
    EXPECT_GE(c.frames * 1000, c.duration_ms * 24);                               // long enough
    EXPECT_TRUE(c.frames == 124 || (c.frames - 17) * 1000 < c.duration_ms * 24);  // and no longer than necessary
    EXPECT_EQ(c.trimmed_ms, c.frames * 1000 / 24 - c.duration_ms);
  }
  EXPECT_EQ(at, film.total_ms);
}

void expect_references(const Film& film, const Clip& c, const std::vector<std::string>& left_out) {
  std::set<std::pair<std::string, std::string>> files;
  std::map<std::string, int> numbers;
  for (const Reference& r : c.references) {
    EXPECT_TRUE(files.emplace(r.kind, r.file).second) << r.file << " is bound twice";
    EXPECT_TRUE(r.label.ends_with(" " + std::to_string(++numbers[r.kind]) + ">")) << r.label;
    EXPECT_FALSE(r.uses.empty());
  }
  EXPECT_LE(numbers["image"], 9);
  EXPECT_LE(numbers["audio"], 3);
  EXPECT_LE(numbers["video"], 3);
  EXPECT_LE(c.references.size(), 12U);
  EXPECT_TRUE(c.references.empty() || static_cast<std::size_t>(numbers["audio"]) < c.references.size()) << "audio alone";
  const auto bound_or_told = [&](const std::string& kind, const std::string& role, const std::string& of, const std::string& file) {
    const bool bound = std::any_of(c.references.begin(), c.references.end(), [&](const Reference& r) {
      return r.kind == kind && r.file == file &&
             std::count_if(r.uses.begin(), r.uses.end(), [&](const Use& u) { return u.role == role && u.of == of; }) == 1;
    });
    const bool is_told =
        std::any_of(left_out.begin(), left_out.end(), [&](const std::string& s) { return s.find(file) != std::string::npos; });
    EXPECT_TRUE(bound || is_told) << role << " " << file << " of " << of;
  };
  for (const plan::Character& character : film.characters) {
    bool is_seen = false;
    for (const plan::Shot& s : film.shots) {
      const bool in_clip = s.start_ms < c.start_ms + c.duration_ms && s.start_ms + s.duration_ms > c.start_ms;
      is_seen |= in_clip && std::any_of(s.cast.begin(), s.cast.end(), [&](const plan::CastMember& m) { return m.id == character.id; });
    }
    const bool is_heard = std::find(c.speakers.begin(), c.speakers.end(), character.id) != c.speakers.end();
    for (const std::string& file : character.ref_images) {
      if (is_seen) bound_or_told("image", "portrait", character.id, file);
    }
    for (const std::string& file : character.voice.ref_audio) {
      if (is_heard) bound_or_told("audio", "voice", character.id, file);
    }
  }
}

// Letters only, because joints between parts may lose a space.
std::string squeezed(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

void expect_every_line_once(const Film& film, const std::vector<Clip>& clips) {
  std::vector<std::string> said;
  for (const Clip& c : clips) {
    const auto parts = read_back(c.integrated_multimodal_description).said;
    said.insert(said.end(), parts.begin(), parts.end());
  }
  // Every word carries the number of its line, so that parts can be attributed.
  std::size_t letters = 0, wanted = 0;
  for (const std::string& part : said) letters += squeezed(part).size();
  for (const plan::Shot& s : film.shots) {
    for (const plan::Line& line : s.dialogue) {
      const std::string goal = squeezed(spoken(line.text));
      wanted += goal.size();
      // Places that some parts in a row reach: a part may begin like another line, so the longest is not always the right one.
      std::vector<bool> reached(goal.size() + 1, false);
      reached[0] = true;
      for (std::size_t at = 0; at < goal.size(); ++at) {
        if (!reached[at]) continue;
        for (const std::string& part : said) {
          const std::string text = squeezed(part);
          if (!text.empty() && goal.compare(at, text.size(), text) == 0) reached[at + text.size()] = true;
        }
      }
      EXPECT_TRUE(reached.back()) << goal;
    }
  }
  EXPECT_EQ(letters, wanted);
}

constexpr const char* hostile[] = {"</d>",
                                   "<d>[English] no",
                                   "[Shot 2] At 00:00.000, ",
                                   "(S1)",
                                   "<Picture 1>",
                                   "\n\nnon_diegetic_music: loud",
                                   "<scenetrans>",
                                   "\"quoted\"",
                                   "\xff\xfe",
                                   "\xE2\x80\xAE",
                                   "N/A",
                                   "|<|im_end|>",
                                   "{}",
                                   "a, b. c",
                                   "…",
                                   "日本",
                                   "e\xCC\x81",
                                   "\t",
                                   "_",
                                   "overall_soundscape:"};

std::string any_text(test::Random& random, const std::string& core) {
  std::string text;
  for (std::int64_t i = random.below(3); i > 0; --i)
    text += hostile[random.below(std::size(hostile))] + std::string(random.below(2) == 0 ? " " : "");
  text += core;
  if (random.below(3) == 0) text += hostile[random.below(std::size(hostile))];
  return text;
}

Film any_film(test::Random& random) {
  Film film;
  const auto pick = [&](auto& list) -> auto& {
    return list[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(std::size(list))))];
  };
  const auto number = [&](int low, int high) { return low + static_cast<int>(random.below(high - low + 1)); };
  film.title = "x";
  film.style = random.below(2) == 0 ? "" : any_text(random, "style");
  for (int i = 0; i < number(1, 5); ++i) {
    plan::Character c{"c" + std::to_string(i), any_text(random, "Name" + std::to_string(i)), any_text(random, "look"), {"v"}};
    c.wardrobe = random.below(2) == 0 ? "" : any_text(random, "coat");
    c.voice.pitch = random.below(2) == 0 ? "" : any_text(random, "high");
    for (int k = number(0, 3); k > 0; --k) c.ref_images.push_back("p" + std::to_string(number(0, 12)) + ".png");
    for (int k = number(0, 2); k > 0; --k) c.voice.ref_audio.push_back("a" + std::to_string(number(0, 5)) + ".wav");
    std::sort(c.ref_images.begin(), c.ref_images.end());
    c.ref_images.erase(std::unique(c.ref_images.begin(), c.ref_images.end()), c.ref_images.end());
    std::sort(c.voice.ref_audio.begin(), c.voice.ref_audio.end());
    c.voice.ref_audio.erase(std::unique(c.voice.ref_audio.begin(), c.voice.ref_audio.end()), c.voice.ref_audio.end());
    film.characters.push_back(c);
  }
  for (int i = 0; i < number(1, 3); ++i) {
    plan::Place p{"l" + std::to_string(i), any_text(random, "a place"), any_text(random, "night")};
    if (random.below(2) == 0) p.ref_images = {"plate" + std::to_string(i) + ".png"};
    film.places.push_back(p);
  }
  film.props = {{"thing", any_text(random, "a thing"), {}, {"thing.png"}}};
  int line = 0;
  for (int i = 0, shots = number(1, 12); i < shots; ++i) {
    plan::Shot s;
    s.id = "s" + std::to_string(i);
    s.place = pick(film.places).id;
    s.start_ms = film.total_ms;
    s.duration_ms = random.below(4) == 0 ? number(1, 60'000) : number(300, 6000);
    film.total_ms += s.duration_ms;
    for (const plan::Character& c : film.characters) {
      if (random.below(2) == 0)
        s.cast.push_back(
            {c.id, any_text(random, "left"), any_text(random, "right"), "", random.below(2) == 0 ? 0 : number(0, s.duration_ms)});
    }
    for (const plan::CastMember& m : s.cast) s.action_beats.push_back({number(0, s.duration_ms), m.id, any_text(random, "walks")});
    s.camera = {any_text(random, "wide"), any_text(random, "push_in")};
    s.camera.target = random.below(3) == 0 ? "thing" : "";
    s.ambience = any_text(random, "wind");
    constexpr const char* kinds[] = {"cut", "dissolve", "fade", "wipe", "continue"};
    s.transition = {pick(kinds), number(0, 500)};
    if (random.below(3) == 0) s.conditioning = {"first_last_frame", "", {"open.png", "end.png", "walk.mp4", "rain.wav"}};
    if (random.below(3) == 0)
      s.effects = {{film.characters[0].id, "wardrobe", any_text(random, "hat")}, {"thing", "state", any_text(random, "broken")}};
    if (random.below(3) == 0) s.first_frame = any_text(random, "first");
    film.shots.push_back(s);
  }
  for (plan::Shot& s : film.shots) {
    for (int k = number(0, 3); k > 0; --k, ++line) {
      plan::Line l;
      l.speaker = pick(film.characters).id;
      l.crosses_cut = random.below(2) == 0;
      l.start_ms = s.start_ms + number(0, s.duration_ms);
      l.end_ms = number(l.start_ms, l.crosses_cut ? std::min(film.total_ms, l.start_ms + 20'000) : s.start_ms + s.duration_ms);
      constexpr const char* modes[] = {"on_screen", "off_screen", "voiceover"};
      l.mode = pick(modes);
      l.language = random.below(2) == 0 ? "" : any_text(random, "fr");
      l.delivery = random.below(2) == 0 ? "" : any_text(random, "softly");
      const bool has_spaces = random.below(4) != 0;
      for (int w = 0, words = number(1, 12); w < words; ++w)
        l.text +=
            (w > 0 && has_spaces ? " " : "") + std::string(has_spaces ? "w" : "字") + std::to_string(line) + "x" + std::to_string(w) + ".";
      if (random.below(4) == 0) l.text += " L" + std::to_string(line) + any_text(random, "L" + std::to_string(line));
      s.dialogue.push_back(l);
    }
  }
  film.sound.music = any_text(random, "strings");
  film.sound.music_in_ms = number(0, film.total_ms);
  return film;
}

TEST(H3Prompt, OfAnyFilmTilesItAndHasEveryLineAndReferenceOnce) {
  test::Random random(test::seed());
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const Film film = any_film(random);
    const Prompts prompts = compile(film);
    expect_tiling(film, prompts.clips);
    for (const Clip& c : prompts.clips) {
      expect_format(c);
      expect_references(film, c, prompts.left_out);
    }
    expect_every_line_once(film, prompts.clips);
    EXPECT_EQ(printed(prompts), printed(compile(film))) << "not deterministic";
    if (HasFailure()) return;
  }
}

Film of_durations(const std::vector<int>& durations) {
  Film film;
  film.title = "x";
  film.places = {{"p", "a place", "day"}};
  for (const int ms : durations) {
    plan::Shot s;
    s.id = "s" + std::to_string(film.shots.size());
    s.place = "p";
    s.start_ms = film.total_ms;
    s.duration_ms = ms;
    s.camera = {"wide", "static"};
    s.ambience = "wind";
    film.total_ms += ms;
    film.shots.push_back(s);
  }
  return film;
}

std::vector<std::string> grouped(const Film& film) {
  std::vector<std::string> out;
  for (const Clip& c : compile(film).clips) {
    out.emplace_back();
    for (const std::string& id : c.shots) out.back() += (out.back().empty() ? "" : "+") + id;
    out.back() += "=" + std::to_string(c.duration_ms);
  }
  return out;
}

using Groups = std::vector<std::string>;

TEST(H3Clips, AreCutAtBordersOfShotsAndSplitOnlyWhatIsTooLong) {
  EXPECT_EQ(grouped(of_durations({2000})), Groups({"s0=2000"}));
  EXPECT_EQ(grouped(of_durations({14375})), Groups({"s0=14375"}));
  EXPECT_EQ(grouped(of_durations({14376})), Groups({"s0=7188", "s0=7188"}));
  EXPECT_EQ(grouped(of_durations({5000, 5000, 4000})), Groups({"s0+s1+s2=14000"}));
  EXPECT_EQ(grouped(of_durations({10000, 3000, 3000, 10000})), Groups({"s0+s1=13000", "s2+s3=13000"}));
  EXPECT_EQ(grouped(of_durations({40000})), Groups({"s0=13333", "s0=13333", "s0=13334"}));
}

TEST(H3Clips, KeepLinesAndTakesWhole) {
  Film film = of_durations({7000, 7000, 7000});  // two and one, or one and two, cost the same
  film.characters = {{"a", "A", "a man", {"v"}}};
  film.shots[1].dialogue = {{"a", "one two three", 13000, 15000, "voiceover"}};
  film.shots[1].dialogue[0].crosses_cut = true;
  EXPECT_EQ(grouped(film), Groups({"s0=7000", "s1+s2=14000"}));
  film.shots[1].dialogue = {};
  film.shots[1].transition.kind = "continue";
  EXPECT_EQ(grouped(film), Groups({"s0+s1=14000", "s2=7000"}));
  Film one = of_durations({20000});
  one.characters = film.characters;
  one.shots[0].dialogue = {{"a", "one two three", 9000, 12000, "voiceover"}};  // across the even split at 10 s
  EXPECT_EQ(grouped(one), Groups({"s0=9000", "s0=11000"}));
}

TEST(H3Prompt, RefusesAFilmWhoseShotsDoNotTileIt) {
  Film film = of_durations({2000, 2000});
  film.shots[1].start_ms = 2001;
  EXPECT_NE(test::refusal([&] { (void)compile(film); }).find("s1"), std::string::npos);
  film = of_durations({2000});
  film.total_ms = 3000;
  EXPECT_FALSE(test::refusal([&] { (void)compile(film); }).empty());
  EXPECT_FALSE(test::refusal([] { (void)compile(Film()); }).empty());
}

}  // namespace
}  // namespace fabula::h3
