// The plan's grammar: whatever a model prefers, it writes a valid plan; and the same function turns plans back into tokens.
#include "planner/grammar/plan_grammar.h"
#include "planner/schema/caps.h"
#include "planner/text/spans.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "planner/check/check.h"
#include "planner/schema/schema.h"
#include "tests/support/random.h"
#include "tests/support/storybook.h"

namespace fabula {
namespace {

using nlohmann::json;
using test::edition;
using test::storybook;

const std::string root = FABULA_SOURCE_DIR;

// The small golden vocabulary plus the stream's own tokens, or all of these but one sound.
Tokenizer small_tokenizer(const std::string& lacking = "", const World& world = storybook()) {
  std::ifstream in(root + "/tests/goldens/tokenizer/tokenizer.json");
  json file = json::parse(in);
  auto& added = file["added_tokens"];
  std::int32_t id = added.back()["id"].get<std::int32_t>();
  const auto add = [&](const std::string& content) { added.push_back({{"id", ++id}, {"content", content}, {"special", true}}); };
  add("<|score|>");
  add("<|/score|>");
  for (const std::string& phone : world.phones) add("<|ph:" + phone + "|>");
  for (const std::string& sound : world.sounds) {
    if (sound != lacking) add("<|snd:" + sound + "|>");
  }
  return Tokenizer::parse(file.dump(), "small tokenizer");
}

// Speech without a synthesiser: one phone of 60 ms per letter; other characters are pauses.
std::vector<Phone> letters_as_phones(const std::string& text, const std::string&) {
  std::vector<Phone> phones;
  double start = 0.25;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) phones.push_back({c % 2 == 0 ? "ah" : "t", start, 0.06});
    start += 0.06;
  }
  return phones;
}

std::string random_prompt(test::Random& random) {
  static const std::vector<std::string> words = {"A",         "fox",   "says:", "\"hello", "moon!\"", "it's",         "by-and-by", "-",
                                                 "caf\u00e9", "runs?", "42",    "a\\b",    "\n",      "\u5c0f\u72d0", "?!",        "x'"};
  std::string prompt = "A ";
  for (std::int64_t count = 1 + random.below(12); count > 0; --count)
    prompt += words[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(words.size())))] + " ";
  return prompt;
}

// Some of the prompt's spans as lines, by anyone or by one of the world's first actors.
Brief random_brief(const std::string& prompt, const World& world, test::Random& random) {
  Brief brief = open_brief(world);
  const std::vector<std::string> spans = legal_spans(prompt, world.line_bytes);
  for (std::int64_t count = spans.empty() ? 0 : random.below(4); count > 0; --count) {
    const std::string speaker = random.below(2) == 0 ? "" : world.actors[static_cast<std::size_t>(random.below(3))].id;
    const bool goes_on = !brief.lines.empty() && random.below(3) == 0;
    brief.lines.push_back({speaker, spans[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(spans.size())))], goes_on});
  }
  return brief;
}

struct Written {
  plan::Film film;
  std::vector<std::int32_t> tokens;
  PlanSpans spans;
};

Written follow(plan::Film film, const Tokenizer& tokenizer, const World& world = storybook()) {
  Follower follower(tokenizer);
  PlanSpans spans = write_plan(follower, film, world, letters_as_phones);
  return {film, follower.tokens(), spans};
}

class Grammar : public testing::Test {
 protected:
  explicit Grammar(const World& world = storybook()) : world_(world) {}

  // A plan by a model with random preferences, plus tendencies to end values and to continue lists that are drawn for each plan.
  Written compose(const std::string& prompt) { return compose(prompt, random_brief(prompt, world_, random_)); }
  Written compose(const std::string& prompt, const Brief& brief) {
    const float ending = random_.uniform(2.0F, 9.0F), going_on = random_.uniform(0.0F, 12.0F);
    const auto next = [&](std::span<const std::int32_t> tokens) {
      for (const std::int32_t token : tokens) EXPECT_TRUE(token >= 0 && token < tokenizer_.size());
      const auto from = noise_.begin() + random_.below(static_cast<std::int64_t>(noise_.size()) - tokenizer_.size());
      logits_.assign(from, from + tokenizer_.size());
      for (const std::int32_t token : enders_) logits_[static_cast<std::size_t>(token)] += ending;
      for (const std::int32_t token : openers_) logits_[static_cast<std::size_t>(token)] += going_on;
      return std::span<const float>(logits_);
    };
    Composer composer(tokenizer_, table_, next);
    plan::Film film;
    film.prompt = prompt;
    brief_ = brief;
    PlanSpans spans = write_plan(composer, film, world_, letters_as_phones, brief_);
    return {film, composer.tokens(), spans};
  }

  // A model that prefers the recorded token at every step writes the recorded stream: masks never forbid what a plan contains.
  void expect_recorded_streams_again() {
    for (int i = 0; i < 50; ++i) {
      const Written goal = follow(compose(random_prompt(random_)).film, tokenizer_, world_);
      std::size_t read = 0;
      Composer composer(tokenizer_, table_, [&](std::span<const std::int32_t> tokens) {
        read += tokens.size();
        logits_.assign(static_cast<std::size_t>(tokenizer_.size()), 0.0F);
        logits_[static_cast<std::size_t>(goal.tokens.at(read))] = 1.0F;
        return std::span<const float>(logits_);
      });
      plan::Film film;
      film.prompt = goal.film.prompt;
      (void)write_plan(composer, film, world_, letters_as_phones, brief_);
      EXPECT_EQ(composer.tokens(), goal.tokens);
      EXPECT_EQ(film, goal.film);
      EXPECT_EQ(plan::to_json(film), plan::to_json(goal.film));
    }
  }

  const World& world_;

  test::Random random_{test::seed()};
  const Tokenizer tokenizer_ = small_tokenizer("", world_);
  const TokenTable table_{tokenizer_};
  const std::set<std::int32_t> enders_ = {tokenizer_.encode("\",\"")[0], tokenizer_.encode("\"}")[0], tokenizer_.encode("]}")[0],
                                          tokenizer_.encode("],\"")[0]};
  const std::set<std::int32_t> openers_ = {tokenizer_.encode(",")[0], tokenizer_.encode("{\"")[0], tokenizer_.encode("\"")[0]};
  const std::vector<float> noise_ = random_.normals(100'000);
  std::vector<float> logits_;
  Brief brief_;  // of the last plan
};

std::string text_of(const Tokenizer& tokenizer, const Written& written) {
  // The plan without its prompt, markers and scores.
  const std::string all = tokenizer.decode(written.tokens, /*skip_special=*/true);
  return all.substr(all.find("{\"version\""));
}

TEST_F(Grammar, MakesOnlyValidPlansWhateverTheModelPrefers) {
  std::set<std::size_t> shot_counts, cast_sizes, unsupported_counts, character_counts;
  std::size_t lines = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string prompt = random_prompt(random_);
    const Written written = compose(prompt);
    const plan::Film& film = written.film;
    for (const plan::Finding& finding : plan::check(film, storybook()))
      EXPECT_EQ(finding.severity, plan::Severity::warning) << finding.path << ": " << finding.sentence << "\n" << plan::to_json(film);
    ASSERT_EQ(text_of(tokenizer_, written), plan::to_compact_json(film));
    ASSERT_EQ(plan::to_json(plan::from_json(plan::to_json(film))), plan::to_json(film));

    shot_counts.insert(film.shots.size());
    character_counts.insert(film.characters.size());
    unsupported_counts.insert(film.unsupported.size());
    for (const std::string& span : film.unsupported) EXPECT_NE(prompt.find(span), std::string::npos);
    std::size_t said = 0;
    for (const plan::Shot& shot : film.shots) {
      cast_sizes.insert(shot.cast.size());
      for (const plan::Line& line : shot.dialogue) {
        const Brief::Piece& piece = brief_.lines.at(said++);
        EXPECT_EQ(line.text, piece.text) << "whole, and in order";
        const std::vector<std::string> characters = ids_of(film.characters);
        if (std::find(characters.begin(), characters.end(), piece.speaker) != characters.end()) {
          EXPECT_EQ(line.speaker, piece.speaker);
        }
      }
    }
    EXPECT_EQ(said, brief_.lines.size()) << "all of them";
    lines += said;
  }
  // The test is meaningful only if the plans differ.
  EXPECT_EQ(shot_counts.size(), static_cast<std::size_t>(storybook().max_shots));
  EXPECT_EQ(cast_sizes, (std::set<std::size_t>{1, 2}));
  EXPECT_EQ(unsupported_counts.size(), PlanCaps::unsupported_count + 1);
  EXPECT_GE(character_counts.size(), 3U);
  EXPECT_GT(lines, 100U);
}

TEST_F(Grammar, KeepsToTheBrief) {
  Brief brief = open_brief(storybook());
  brief.actors = {"pig", "crab", "whale"};
  brief.least_actors = 2;
  brief.places = {"moon"};
  brief.times = {"night"};
  brief.lines = {{"pig", "one"}, {"pig", "two", /*goes_on=*/true}, {"crab", "three"}};
  for (const int shots : {0, 2, 5}) {
    brief.shots = shots;
    for (int i = 0; i < 100; ++i) {
      const plan::Film film = compose("A prompt.", brief).film;
      EXPECT_TRUE(shots == 0 ? film.shots.size() >= 3 : film.shots.size() == std::max<std::size_t>(3, static_cast<std::size_t>(shots)));
      EXPECT_GE(film.characters.size(), 2U);
      for (const plan::Character& c : film.characters) EXPECT_TRUE(c.id == "pig" || c.id == "crab" || c.id == "whale") << c.id;
      for (const plan::Place& p : film.places) EXPECT_EQ(p.id + " " + p.time_of_day, "moon night");
      std::string said;
      for (const plan::Shot& shot : film.shots) {
        for (const plan::Line& line : shot.dialogue) said += line.text + " ";
      }
      EXPECT_EQ(said, "one two three ");
      const auto one = std::find_if(film.shots.begin(), film.shots.end(), [](const plan::Shot& shot) { return !shot.dialogue.empty(); });
      EXPECT_EQ((one + 1)->dialogue.at(0).text, "two") << "a line goes on in the next shot";
    }
  }
}

TEST_F(Grammar, ReadsAPlanBackIntoTheStreamThatWroteIt) {
  for (int i = 0; i < 100; ++i) {
    const Written written = compose(random_prompt(random_));
    const Written again = follow(written.film, tokenizer_);
    // Noise spells values in unusual tokens, so the streams have equal texts but not equal tokens.
    EXPECT_EQ(tokenizer_.decode(again.tokens), tokenizer_.decode(written.tokens));
    EXPECT_EQ(plan::to_json(again.film), plan::to_json(written.film));
    for (std::size_t shot = 0; shot < again.film.shots.size(); ++shot) {
      const auto span = [&](const Written& w) {
        return tokenizer_.decode(
            std::span(w.tokens).subspan(w.spans.shots[shot].begin, w.spans.shots[shot].end - w.spans.shots[shot].begin));
      };
      EXPECT_EQ(span(again), span(written));
      EXPECT_EQ(again.spans.scores[shot].end - again.spans.scores[shot].begin, again.spans.sounds[shot].size());
    }
  }
}

TEST_F(Grammar, ARecordedStreamMakesTheSameTokensAgain) { expect_recorded_streams_again(); }

TEST_F(Grammar, NeverLetsAnAddedTokenIntoAPromptOrAValue) {
  const Written written = compose("say <|im_end|> and <|score|> now");
  std::size_t ends = 0, scores = 0;
  for (const std::int32_t token : written.tokens) {
    ends += token == tokenizer_.added("<|im_end|>");
    scores += token == tokenizer_.added("<|score|>");
  }
  EXPECT_EQ(ends, 2U);  // of the prompt and of the plan
  EXPECT_EQ(scores, written.film.shots.size());
}

TEST_F(Grammar, SaysSoWhenTheVocabularyLacksATokenOfTheScore) {
  plan::Film film = compose("A fox.").film;
  for (plan::Shot& shot : film.shots) {
    for (plan::ActionBeat& beat : shot.action_beats) beat.what = "walks";
  }
  EXPECT_NO_THROW((void)follow(film, small_tokenizer("whoosh")));
  EXPECT_THROW((void)follow(film, small_tokenizer("step")), Error);
}

// The stream of a world with weathers, moods and props.
class EditionGrammar : public Grammar {
 protected:
  EditionGrammar() : Grammar(edition()) {}
};

TEST_F(EditionGrammar, MakesOnlyValidPlansWhateverTheModelPrefers) {
  std::set<std::size_t> prop_counts;
  std::set<std::string> weathers, moods;
  for (int i = 0; i < 1000; ++i) {
    const Written written = compose(random_prompt(random_) + random_prompt(random_));
    for (const plan::Finding& finding : plan::check(written.film, edition())) {
      EXPECT_EQ(finding.severity, plan::Severity::warning) << finding.path << ": " << finding.sentence;
      EXPECT_NE(finding.rule, "model-ignores") << finding.path;
    }
    plan::Film read = plan::from_json(R"({"prompt":"",)" + text_of(tokenizer_, written).substr(1));
    read.prompt = written.film.prompt;
    ASSERT_EQ(read, written.film);
    for (const plan::Place& place : written.film.places) weathers.insert(place.weather);
    for (const plan::Shot& shot : written.film.shots) {
      prop_counts.insert(shot.props.size());
      for (const plan::CastMember& member : shot.cast) moods.insert(member.mood);
    }
  }
  EXPECT_EQ(prop_counts, (std::set<std::size_t>{0, 1, 2}));
  EXPECT_EQ(weathers.size(), edition().weathers.size());
  EXPECT_EQ(moods.size(), edition().moods.size());
}

TEST_F(EditionGrammar, ALineIsAsLongAsTheWorldSays) {
  const auto lines_of = [&](const std::string& prompt) {
    std::set<std::string> lines;
    for (int i = 0; i < 20; ++i) {
      for (const plan::Shot& shot : compose(prompt).film.shots) {
        for (const plan::Line& line : shot.dialogue) lines.insert(line.text);
      }
    }
    return lines;
  };
  const std::string longest(edition().line_bytes, 'a');
  EXPECT_EQ(lines_of(longest), std::set<std::string>{longest});
  EXPECT_TRUE(lines_of(longest + "a").empty());
}

TEST_F(EditionGrammar, ARecordedStreamMakesTheSameTokensAgain) { expect_recorded_streams_again(); }

plan::Film two_in_the_rain() {
  plan::Film film;
  film.prompt = "x";
  film.treatment = film.title = "t";
  film.total_ms = 3250;
  film.characters = {{"fox", "Fox", "f", {"slt"}}, {"girl", "Girl", "g", {"slt"}}};
  film.places = {{"meadow", "m", "dusk", "rain"}};
  film.shots.resize(1);
  film.shots[0] = {"s010",           "meadow", 0,     3250, {{"fox", "left", "right"}, {"girl", "right", "left"}}, {{0, "fox", "talks"}},
                   {"close", "pan"}, {},       "rain"};
  film.shots[0].cast[1].mood = "happy";
  film.shots[0].props = {{"cake", "center"}, {"gift", "left"}};
  return film;
}

TEST_F(EditionGrammar, SpellsWeatherMoodsAndPropsToTheByte) {
  const std::string head =
      R"({"version":"fabula.plan/1","treatment":"t","title":"t","aspect":"16:9","fps":24,"total_ms":3250,"language":"en",)"
      R"("characters":[{"id":"fox","name":"Fox","look":"f","voice":{"voice_id":"slt"}},{"id":"girl","name":"Girl","look":"g","voice":{"voice_id":"slt"}}],)";
  const std::string tail =
      R"("action_beats":[{"at_ms":0,"who":"fox","what":"talks"}],"camera":{"size":"close","move":"pan"},"dialogue":[],"ambience":"rain"}],)"
      R"("sound":{"music":"none"},"unsupported":[]})";
  plan::Film film = two_in_the_rain();
  EXPECT_EQ(
      text_of(tokenizer_, follow(film, tokenizer_, edition())),
      head +
          R"("places":[{"id":"meadow","description":"m","time_of_day":"dusk","weather":"rain"}],"shots":[{"id":"s010","place":"meadow","start_ms":0,"duration_ms":3250,)"
          R"("cast":[{"id":"fox","position":"left","facing":"right","mood":"calm"},{"id":"girl","position":"right","facing":"left","mood":"happy"}],)"
          R"("props":[{"id":"cake","position":"center"},{"id":"gift","position":"left"}],)" +
          tail);
  film.places[0].weather.clear();  // the default is the world's first
  film.shots[0].props.clear();
  const Written written = follow(film, tokenizer_, edition());
  EXPECT_EQ(
      text_of(tokenizer_, written),
      head +
          R"("places":[{"id":"meadow","description":"m","time_of_day":"dusk","weather":"clear"}],"shots":[{"id":"s010","place":"meadow","start_ms":0,"duration_ms":3250,)"
          R"("cast":[{"id":"fox","position":"left","facing":"right","mood":"calm"},{"id":"girl","position":"right","facing":"left","mood":"happy"}],"props":[],)" +
          tail);
  EXPECT_EQ(written.film, film) << "following a plan changes nothing in it";
}

// A literal between two values is one segment, and each of several possible literals is a segment of its own.
TEST_F(EditionGrammar, CutsItsSegmentsAsTheDocumentSays) {
  std::vector<std::int32_t> expected;
  for (const char* segment : {R"(,"cast":[)",
                              R"({"id":")",
                              "fox",
                              R"(","position":")",
                              "left",
                              R"(","facing":")",
                              "right",
                              R"(","mood":")",
                              "calm",
                              R"("})",
                              ",",
                              R"({"id":")",
                              "girl",
                              R"(","position":")",
                              "right",
                              R"(","facing":")",
                              "left",
                              R"(","mood":")",
                              "happy",
                              R"("})",
                              R"(],"props":[)",
                              R"({"id":")",
                              "cake",
                              R"(","position":")",
                              "center",
                              R"("})",
                              ",",
                              R"({"id":")",
                              "gift",
                              R"(","position":")",
                              "left",
                              R"("})",
                              R"(],"action_beats":[)",
                              R"({"at_ms":0,"who":")"}) {
    const std::vector<std::int32_t> tokens = tokenizer_.encode(segment, AddedTokens::plain);
    expected.insert(expected.end(), tokens.begin(), tokens.end());
  }
  const std::vector<std::int32_t> tokens = follow(two_in_the_rain(), tokenizer_, edition()).tokens;
  EXPECT_NE(std::search(tokens.begin(), tokens.end(), expected.begin(), expected.end()), tokens.end());
}

TEST(LegalSpans, StartAndEndAtWords) {
  using Spans = std::vector<std::string>;
  EXPECT_EQ(legal_spans("hi you!", 40), (Spans{"hi", "hi you", "hi you!", "you", "you!"}));
  EXPECT_EQ(legal_spans("hi you!", 6), (Spans{"hi", "hi you", "you", "you!"}));
  EXPECT_EQ(legal_spans("hi you!", 2), (Spans{"hi"}));
  EXPECT_EQ(legal_spans("it's a-b -c d'", 3), (Spans{"a-b", "c", "c d", "d"}));
  EXPECT_EQ(legal_spans("a \"b\" c\\d\ne", 40), (Spans{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(legal_spans("caf\u00e9?!", 40), (Spans{"caf\u00e9", "caf\u00e9?"}));
  EXPECT_EQ(legal_spans("\u201cna\u00efve\u201d\u2026 \u5c0f\u00a0\U0001F98A", 9),
            (Spans{"na\u00efve", "\u5c0f", "\u5c0f\u00a0\U0001F98A", "\U0001F98A"}));
  EXPECT_TRUE(legal_spans("... !? \"\" -", 40).empty());
  EXPECT_TRUE(legal_spans("", 40).empty());
}

TEST_F(Grammar, AllowsExactlyTheTokensThatKeepAValueLegal) {
  const auto allowed = [&](const Legal& legal, const std::string& written) {
    TokenMask mask(tokenizer_.size());
    legal.next(written, table_, mask);
    std::set<std::string> texts;
    mask.for_each([&](std::int32_t token) { texts.insert(tokenizer_.bytes(token)); });
    return texts;
  };
  const Legal animals = Legal::one_of({"fox", "fog", "crab"});
  for (const std::string& text : allowed(animals, ""))
    EXPECT_TRUE(std::string("fox").starts_with(text) || std::string("fog").starts_with(text) || std::string("crab").starts_with(text));
  EXPECT_EQ(allowed(animals, "fo"), (std::set<std::string>{"x", "g"}));
  EXPECT_TRUE(allowed(animals, "fox").empty());
  EXPECT_TRUE(animals.complete("fox"));
  EXPECT_FALSE(animals.complete("fo"));
  const Legal text = Legal::text(3);
  EXPECT_FALSE(text.complete(""));
  EXPECT_TRUE(text.complete("a"));
  EXPECT_TRUE(allowed(text, "abc").empty());
  for (const std::string& token : allowed(text, "ab")) EXPECT_EQ(token.size(), 1U);
  const Legal name = Legal::text(2, Alphabet::name, {"ab", "a"});
  EXPECT_FALSE(name.complete("a"));
  EXPECT_TRUE(name.complete("b"));
  EXPECT_FALSE(allowed(name, "").contains("0"));
  EXPECT_FALSE(allowed(name, "a").contains("b"));  // no continuation
  EXPECT_TRUE(allowed(name, "a").contains("c"));
}

// Masks against their definition: tries every token of the vocabulary.
TEST_F(Grammar, AllowsTheTokensOfTheDefinition) {
  const auto tried = [&](const std::string& written, const std::function<bool(const std::string&)>& leads) {
    std::set<std::int32_t> tokens;
    for (std::int32_t token = 0; token < tokenizer_.size(); ++token) {
      if (!tokenizer_.is_added(token) && !tokenizer_.bytes(token).empty() && leads(written + tokenizer_.bytes(token))) tokens.insert(token);
    }
    return tokens;
  };
  const auto masked = [&](const Legal& legal, const std::string& written) {
    TokenMask mask(tokenizer_.size());
    legal.next(written, table_, mask);
    std::set<std::int32_t> tokens;
    mask.for_each([&](std::int32_t token) { tokens.insert(token); });
    EXPECT_EQ(mask.count(), tokens.size());
    return tokens;
  };
  for (int i = 0; i < 40; ++i) {
    const std::vector<std::string> spans = legal_spans(random_prompt(random_), 40);
    const std::string& value = spans.at(static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(spans.size()))));
    const std::string written = value.substr(0, static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(value.size()) + 1)));
    EXPECT_EQ(masked(Legal::one_of(spans), written), tried(written, [&](const std::string& text) {
                return std::any_of(spans.begin(), spans.end(), [&](const std::string& span) { return span.starts_with(text); });
              }));

    std::vector<NumberRange> ranges;
    for (int k = 0; k < 2; ++k) {
      const std::int64_t low = random_.below(3000);
      ranges.push_back({low, low + random_.below(700)});
    }
    std::vector<std::string> numbers;
    for (const NumberRange& range : ranges) {
      for (std::int64_t number = range.low; number <= range.high; ++number) numbers.push_back(std::to_string(number));
    }
    const Legal number = Legal::number(ranges);
    const std::string& some = numbers.at(static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(numbers.size()))));
    const std::string digits = some.substr(0, static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(some.size()) + 1)));
    EXPECT_TRUE(number.complete(some));
    EXPECT_EQ(number.complete(digits), std::find(numbers.begin(), numbers.end(), digits) != numbers.end()) << digits;
    EXPECT_EQ(masked(number, digits), tried(digits,
                                            [&](const std::string& text) {
                                              return std::any_of(numbers.begin(), numbers.end(),
                                                                 [&](const std::string& n) { return n.starts_with(text); });
                                            }))
        << digits << " in " << ranges[0].low << "-" << ranges[0].high << ", " << ranges[1].low << "-" << ranges[1].high;
  }
}

}  // namespace
}  // namespace fabula
