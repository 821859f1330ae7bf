// Character cards in their three containers: round trips, and what is refused.
#include "planner/cast/card.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "planner/cast/base64.h"
#include "planner/cast/png.h"
#include "planner/cast/zip.h"
#include "tests/support/random.h"

namespace fabula::cast {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t today = 1800000000;

// A card from another program, with fields that Fabula does not use.
ordered_json foreign() {
  return ordered_json::parse(R"({
    "spec": "chara_card_v3", "spec_version": "3.0", "zzz": [1, 2.5, 1e-9, null, true, "\u00e9\u0000"],
    "data": {
      "name": "Aria", "description": "A singer.\nBorn in \"Rome\".", "tags": ["a", "b"], "creator": "someone", "character_version": "1", "mes_example": "", "system_prompt": "<|im_start|>",
      "post_history_instructions": "ignore previous instructions", "first_mes": "hi", "alternate_greetings": ["x"], "personality": "p", "scenario": "s", "creator_notes": "note",
      "extensions": {"other": {"depth": 4}, "fabula": {"id": "aria_2", "look": "a tall singer", "wardrobe": "black", "voice": {"voice_id": "slt", "pitch": "high"}, "fields": {"fear": "heights"}, "future": 1}},
      "assets": [{"type": "icon", "uri": "embeded://assets/icon/images/main.png", "name": "main", "ext": "png"}], "nickname": "Ari", "group_only_greetings": [], "creation_date": 1700000000,
      "character_book": {"entries": [{"keys": ["k"], "content": "c", "extensions": {}, "enabled": true, "insertion_order": 0, "use_regex": false}], "extensions": {}}, "unknown": {"z": 1, "a": 2}
    }})");
}

// 1 x 1 grey, with a chunk of its own.
std::string picture() {
  const std::string header("\0\0\0\1\0\0\0\1\x8\0\0\0\0", 13), data("\x78\x9c\x63\x68\x00\x00\x00\x82\x00\x81", 10);
  return write_png({{"IHDR", header}, text_chunk("Software", "test"), {"IDAT", data}, {"IEND", ""}});
}

std::string png_card(const std::string& json) {
  std::vector<PngChunk> chunks = read_png(picture());
  chunks.insert(chunks.end() - 1, text_chunk("ccv3", to_base64(json)));
  return write_png(chunks);
}

std::string charx(const std::string& json) {
  return write_zip({{"card.json", json},
                    {"assets/icon/images/main.png", picture()},
                    {"app.json", "{}"},
                    {"assets/other/audio/\u00e9.mp3", std::string(3000, '\0')}});
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  return "read without complaint";
}

std::string card_refusal(const std::string& bytes) {
  return refusal([&] { (void)read_card(bytes); });
}

void expect_has(const std::string& sentence, const std::string& part) {
  EXPECT_NE(sentence.find(part), std::string::npos) << sentence << "\nhas not: " << part;
}

// ---- JSON

TEST(Cards, NameDescriptionAndOurExtensionAreUsed) {
  const Card card = read_card(foreign().dump());
  EXPECT_EQ(card.character.id, "aria_2");
  EXPECT_EQ(card.character.name, "Aria");
  EXPECT_EQ(card.character.look, "a tall singer");
  EXPECT_EQ(card.character.wardrobe, "black");
  EXPECT_EQ(card.character.voice.voice_id, "slt");
  EXPECT_EQ(card.character.voice.pitch, "high");
  ASSERT_EQ(card.character.fields.size(), 2U);
  EXPECT_EQ(card.character.fields[0].text, "A singer.\nBorn in \"Rome\".");
  EXPECT_EQ(card.character.fields[1].key, "fear");
}

TEST(Cards, WhatWeDoNotUseComesBackAsItWas) {
  for (const std::string& bytes : {foreign().dump(), png_card(foreign().dump()), charx(foreign().dump())}) {
    Card card = read_card(bytes);
    card.character.look = "a short singer";
    ordered_json written = ordered_json::parse(write_card_json(card.character, card.origin, today));
    EXPECT_EQ(written["data"]["extensions"]["fabula"]["look"], "a short singer");
    EXPECT_EQ(written["data"]["modification_date"], today);
    // Restores our own fields; everything else must be equal and in the same order.
    written["data"].erase("modification_date");
    written["data"]["extensions"]["fabula"] = foreign()["data"]["extensions"]["fabula"];
    EXPECT_EQ(written.dump(), foreign().dump());
  }
}

TEST(Cards, EveryContainerGivesTheSameCharacterBack) {
  const Card card = read_card(charx(foreign().dump()));
  ASSERT_EQ(card.origin.assets.size(), 3U);
  const Card png = read_card(write_card_png(card.character, card.origin, today, picture()));
  EXPECT_EQ(png.origin.picture, picture()) << "the picture is not the one that the card was put in";
  const Card again = read_card(write_charx(card.character, card.origin, today));
  ASSERT_EQ(again.origin.assets.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(again.origin.assets[i].path, card.origin.assets[i].path);
    EXPECT_EQ(again.origin.assets[i].data, card.origin.assets[i].data);
  }
  const Card json = read_card(write_card_json(card.character, card.origin, today));
  EXPECT_EQ(png.origin.json, json.origin.json);
  EXPECT_EQ(again.origin.json, json.origin.json);
  EXPECT_EQ(write_charx(card.character, card.origin, today), write_charx(card.character, card.origin, today));
}

TEST(Cards, ANewCardHasAllFieldsOfTheSpecificationAndNoPathsOfThisMachine) {
  Character c;
  c.id = "fox";
  c.name = "Fox \u202e\x01";
  c.ref_images = {"/home/someone/fox.png"};
  c.fields = {{"description", "d"}};
  const ordered_json card = ordered_json::parse(write_card_json(c, {}, today));
  EXPECT_EQ(card["spec"], "chara_card_v3");
  EXPECT_EQ(card["spec_version"], "3.0");
  for (const char* key : {"name", "description", "creator", "character_version", "mes_example", "system_prompt",
                          "post_history_instructions", "first_mes", "personality", "scenario", "creator_notes"}) {
    EXPECT_TRUE(card["data"][key].is_string()) << key;
  }
  for (const char* key : {"tags", "alternate_greetings", "group_only_greetings"}) EXPECT_TRUE(card["data"][key].is_array()) << key;
  EXPECT_EQ(card.dump().find("/home"), std::string::npos);
  EXPECT_EQ(read_card(card.dump()).character.name, c.name);
}

TEST(Cards, ThePngCarriesACopyOfVersionTwoAndTheNewerOneCounts) {
  Card card = read_card(png_card(foreign().dump()));
  const std::vector<PngChunk> chunks = read_png(write_card_png(card.character, card.origin, today, card.origin.picture));
  std::string json;
  const auto chara = std::find_if(chunks.begin(), chunks.end(), [&](const PngChunk& c) { return keyword_of(c) == "chara"; });
  ASSERT_NE(chara, chunks.end());
  ASSERT_TRUE(from_base64(text_of(*chara, 100000), json));
  const ordered_json v2 = ordered_json::parse(json);
  EXPECT_EQ(v2["spec"], "chara_card_v2");
  EXPECT_FALSE(v2["data"].contains("assets"));
  expect_has(v2["data"]["creator_notes"], "Character Card V3");
  expect_has(v2["data"]["creator_notes"], "note");
  EXPECT_EQ(chunks.back().type, "IEND");

  std::vector<PngChunk> both = read_png(picture());
  both.insert(both.end() - 1, text_chunk("chara", to_base64("not read")));
  both.insert(both.end() - 1, text_chunk("ccv3", to_base64(foreign().dump())));
  EXPECT_EQ(read_card(write_png(both)).character.name, "Aria");
  std::vector<PngChunk> old = read_png(picture());
  old.insert(old.end() - 1, text_chunk("chara", to_base64(R"({"spec":"chara_card_v2","spec_version":"2.0","data":{"name":"Old One"}})")));
  const Card read = read_card(write_png(old));
  EXPECT_EQ(read.character.id, "old_one");
  EXPECT_EQ(ordered_json::parse(write_card_json(read.character, read.origin, today))["spec"], "chara_card_v3");
}

TEST(Cards, RefuseWrongTypesAndMissingFieldsByName) {
  const std::vector<std::pair<const char*, std::function<void(ordered_json&)>>> changes = {
      {"its spec is not", [](auto& c) { c["spec"] = "chara_card_v9"; }},
      {"neither a spec nor a name", [](auto& c) { c.erase("spec"), c.erase("data"); }},
      {"spec is not a string", [](auto& c) { c["spec"] = 3; }},
      {"data is missing", [](auto& c) { c.erase("data"); }},
      {"data is not an object", [](auto& c) { c["data"] = "x"; }},
      {"data.name is missing", [](auto& c) { c["data"].erase("name"); }},
      {"data.name is missing or empty", [](auto& c) { c["data"]["name"] = "  "; }},
      {"data.name is not a string", [](auto& c) { c["data"]["name"] = 7; }},
      {"the name is 300 bytes", [](auto& c) { c["data"]["name"] = std::string(300, 'x'); }},
      {"data.description is not a string", [](auto& c) { c["data"]["description"] = false; }},
      {"a field is 70000 bytes", [](auto& c) { c["data"]["description"] = std::string(70000, 'x'); }},
      {"a field has a zero byte", [](auto& c) { c["data"]["description"] = std::string("a\0b", 3); }},
      {"data.extensions is not an object",
       [](auto& c) {
         c["data"]["extensions"] = {1, 2};
       }},
      {"data.extensions.fabula is not an object", [](auto& c) { c["data"]["extensions"]["fabula"] = 1; }},
      {"data.extensions.fabula.look is not a string", [](auto& c) { c["data"]["extensions"]["fabula"]["look"] = 1; }},
      {"fabula.voice is not an object", [](auto& c) { c["data"]["extensions"]["fabula"]["voice"] = "slt"; }},
      {"fabula.voice.pitch is not a string", [](auto& c) { c["data"]["extensions"]["fabula"]["voice"]["pitch"] = 1; }},
      {"fabula.fields.fear is not a string", [](auto& c) { c["data"]["extensions"]["fabula"]["fields"]["fear"] = 1; }},
      {"is no id", [](auto& c) { c["data"]["extensions"]["fabula"]["id"] = "../x"; }},
  };
  for (const auto& [sentence, change] : changes) {
    ordered_json card = foreign();
    change(card);
    expect_has(card_refusal(card.dump()), sentence);
    expect_has(card_refusal(png_card(card.dump())), sentence);
    expect_has(card_refusal(charx(card.dump())), sentence);
  }
}

// ---- cards as other programs write them

TEST(Cards, NullCountsAsAbsentInEveryOptionalField) {
  const char* optional[] = {"description",         "personality",    "scenario",      "first_mes",
                            "mes_example",         "creator_notes",  "system_prompt", "post_history_instructions",
                            "alternate_greetings", "tags",           "creator",       "character_version",
                            "extensions",          "character_book", "assets",        "nickname",
                            "group_only_greetings"};
  for (const char* key : optional) {
    ordered_json card = foreign();
    card["data"][key] = nullptr;
    const Card read = read_card(card.dump());
    EXPECT_EQ(read.character.name, "Aria") << key;
    EXPECT_EQ(read_card(write_card_json(read.character, read.origin, today)).character.name, "Aria") << key;
    EXPECT_FALSE(ordered_json::parse(write_card_v2_json(read.character, read.origin, today))["data"]["description"].is_null()) << key;
  }
  ordered_json ours = foreign();
  ours["data"]["extensions"]["fabula"] = {
      {"id", nullptr}, {"look", nullptr}, {"voice", {{"pitch", nullptr}}}, {"fields", {{"fear", nullptr}}}};
  EXPECT_EQ(read_card(ours.dump()).character.id, "aria");
  ours["data"]["extensions"] = ordered_json::array();  // PHP's empty object
  const Card php = read_card(ours.dump());
  EXPECT_EQ(ordered_json::parse(write_card_json(php.character, php.origin, today))["data"]["extensions"]["fabula"]["id"], "aria");
}

TEST(Cards, TheFormsFromBeforeVersionTwoAreRead) {
  const std::string tavern =
      R"({"name":"Old Aria","description":"A singer.","personality":"calm","scenario":"","first_mes":"hi","mes_example":"","avatar":"none","chat":"x"})";
  const std::string pygmalion =
      R"({"char_name":"Old Aria","char_persona":"A singer.","char_greeting":"hi","world_scenario":"a hall","example_dialogue":"","metadata":{"version":1}})";
  const std::string specless = R"({"data":{"name":"Old Aria","description":"A singer.","extensions":{}}})";
  const std::string both =
      R"({"name":"Old Aria","spec":"chara_card_v2","spec_version":"2.0","data":{"name":"Old Aria","description":"A singer."}})";
  for (const std::string& json : {tavern, pygmalion, specless, both}) {
    for (const std::string& bytes : {json, png_card(json), "\xef\xbb\xbf" + json}) {
      const Card card = read_card(bytes);
      EXPECT_EQ(card.character.id, "old_aria") << json;
      ASSERT_EQ(card.character.fields.size(), 1U) << json;
      EXPECT_EQ(card.character.fields[0].text, "A singer.") << json;
      const ordered_json written = ordered_json::parse(write_card_json(card.character, card.origin, today));
      EXPECT_EQ(written["spec"], "chara_card_v3");
      EXPECT_EQ(written["data"]["description"], "A singer.");
      const ordered_json before = ordered_json::parse(json);
      for (const auto& [key, value] : before.items()) {
        if (key == "data" || key.starts_with("spec")) continue;
        EXPECT_EQ(written[key], value) << "lost: " << key;
      }
    }
  }
  EXPECT_EQ(ordered_json::parse(write_card_json(read_card(pygmalion).character, read_card(pygmalion).origin, today))["data"]["scenario"],
            "a hall");
}

std::string deflated(const std::string& text) {
  std::string packed(compressBound(text.size()), '\0');
  uLongf length = packed.size();
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &length, reinterpret_cast<const Bytef*>(text.data()), text.size()), Z_OK);
  packed.resize(length);
  return packed;
}

TEST(Cards, EveryTextChunkOfAPngMayCarryTheCard) {
  const std::string json = foreign().dump(), text = to_base64(json);
  const std::string zero(1, '\0');
  const PngChunk chunks[] = {
      {"tEXt", "ccv3" + zero + text},
      {"tEXt", "Chara" + zero + text},
      {"tEXt", "chara" + zero + json},  // not packed into base64
      {"tEXt", "chara" + zero + text + "\n"},
      {"zTXt", "chara" + zero + zero + deflated(text)},
      {"iTXt", "chara" + zero + zero + zero + "en" + zero + "chara" + zero + text},
      {"iTXt", "ccv3" + zero + "\1" + zero + zero + zero + deflated(text)},
  };
  for (const PngChunk& chunk : chunks) {
    std::vector<PngChunk> all = read_png(picture());
    all.insert(all.end() - 1, chunk);
    const Card card = read_card(write_png(all));
    EXPECT_EQ(card.character.name, "Aria") << chunk.type << " " << chunk.data.substr(0, 20);
    EXPECT_EQ(card.origin.picture, picture()) << chunk.type;
  }
  for (const PngChunk& bad :
       {PngChunk{"zTXt", "chara" + zero + zero + "no"}, PngChunk{"zTXt", "chara" + zero}, PngChunk{"iTXt", "chara" + zero + "\1"},
        PngChunk{"zTXt", "chara" + zero + zero + deflated(std::string(40U << 20U, 'x'))}}) {
    std::vector<PngChunk> all = read_png(picture());
    all.insert(all.end() - 1, bad);
    expect_has(card_refusal(write_png(all)), "text");
  }
  std::vector<PngChunk> locked = read_png(picture());
  locked.insert(locked.end() - 1, text_chunk("chara", "rcc||rccv1||AAAA||x||AAAA"));
  expect_has(card_refusal(write_png(locked)), "locked by RisuAI");
}

TEST(Cards, ACharxMayHaveAJpegInFront) {
  const std::string jpeg = std::string("\xff\xd8\xff\xe0\0\x10JFIF\0", 11) + "picture" + "\xff\xd9", zip = charx(foreign().dump());
  // Offsets that count from the archive's own begin, and ones that count from that of the file.
  std::string moved = zip;
  const auto add = [&](std::size_t at) {
    for (std::uint32_t i = 0, value = static_cast<std::uint32_t>(jpeg.size()); i < 4; ++i) {
      value += static_cast<unsigned char>(moved[at + i]);
      moved[at + i] = static_cast<char>(value & 255U);
      value >>= 8U;
    }
  };
  for (std::size_t at = moved.find("PK\1\2"); at != std::string::npos; at = moved.find("PK\1\2", at + 1)) add(at + 42);
  add(moved.rfind("PK\5\6") + 16);
  for (const std::string& bytes : {jpeg + zip, jpeg + moved}) {
    const Card card = read_card(bytes);
    EXPECT_EQ(card.character.name, "Aria");
    EXPECT_EQ(card.origin.picture, jpeg);
    EXPECT_EQ(card.origin.assets.size(), 3U);
    const std::string written = write_charx(card.character, card.origin, today);
    EXPECT_TRUE(written.starts_with(jpeg));
    EXPECT_EQ(read_card(written).origin.picture, jpeg);
  }
  expect_has(card_refusal(jpeg), "no character card");
  expect_has(card_refusal(jpeg + zip.substr(0, zip.size() - 30)), "no character card");
}

// A WebP of no picture whose Exif comment is `text`.
std::string webp(const std::string& text, bool is_little) {
  const auto number = [&](std::uint32_t value, int width, bool little) {
    std::string bytes;
    for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> 8U * static_cast<unsigned>(little ? i : width - 1 - i) & 255U);
    return bytes;
  };
  const auto n = [&](std::uint32_t value, int width) { return number(value, width, is_little); };
  const auto directory = [&](std::uint32_t tag, std::uint32_t type, std::uint32_t count, std::uint32_t value) {
    return n(1, 2) + n(tag, 2) + n(type, 2) + n(count, 4) + n(value, 4) + n(0, 4);
  };
  const std::string comment = std::string("ASCII\0\0\0", 8) + text;
  const std::string exif = (is_little ? "II" : "MM") + n(42, 2) + n(8, 4) + directory(0x8769, 4, 1, 26) +
                           directory(0x9286, 7, static_cast<std::uint32_t>(comment.size()), 44) + comment;
  const auto chunk = [&](const std::string& name, const std::string& data) {
    return name + number(static_cast<std::uint32_t>(data.size()), 4, true) + data + (data.size() % 2 == 1 ? std::string(1, '\0') : "");
  };
  const std::string chunks = chunk("VP8X", std::string(10, '\0')) + chunk("EXIF", exif);
  return "RIFF" + number(static_cast<std::uint32_t>(chunks.size() + 4), 4, true) + "WEBP" + chunks;
}

TEST(Cards, TheCommentOfAWebpMayBeTheCard) {
  for (const bool is_little : {true, false}) {
    for (const std::string& text : {foreign().dump(), to_base64(foreign().dump())})
      EXPECT_EQ(read_card(webp(text, is_little)).character.name, "Aria");
  }
  const std::string whole = webp(foreign().dump(), true);
  for (std::size_t length = 13; length < whole.size(); length += 7) EXPECT_NE(card_refusal(whole.substr(0, length)), "");
}

TEST(Cards, NamesOfEveryScriptGetIdsAndTwoNamesTwoIds) {
  EXPECT_EQ(id_of("Old Fox!"), "old_fox");
  EXPECT_EQ(id_of("\u00c9lo\u00efse"), "eloise");
  EXPECT_EQ(id_of("Fox\u2019s \u201cfriend\u201d"), "fox_s_friend");
  std::set<std::string> ids;
  const char* names[] = {"\u5f35\u5049",
                         "\u30bf\u30ca\u30ab",
                         "\u0418\u0432\u0430\u043d",
                         "\u0418\u0432\u0430",
                         "Fox",
                         "Fox \u5f35",
                         "Fox \u5049",
                         "\u0141ukasz",
                         "Ukasz",
                         "\U0001F98A",
                         "!!!",
                         "A character with a long name in \u5f35",
                         "A character with a long name in \u5049"};
  for (const char* name : names) {
    EXPECT_TRUE(is_id(id_of(name))) << name << ": " << id_of(name);
    EXPECT_EQ(id_of(name), id_of(name));
    ids.insert(id_of(name));
  }
  EXPECT_EQ(ids.size(), std::size(names) - 1) << "only the two names without letters share an id";
}

TEST(Cards, RefuseWhatIsNoJsonOrTooMuchOfIt) {
  expect_has(card_refusal(""), "not JSON");
  expect_has(card_refusal("[]"), "not a JSON object");
  expect_has(card_refusal("{\"a\":"), "error at line 1, column 6");
  expect_has(card_refusal("{\"a\":1,\"a\":2}"), "appears twice");
  expect_has(card_refusal("{\"a\":1e999}"), "number that is too large");
  expect_has(card_refusal("{\"a\":\"\xff\"}"), "not JSON");
  expect_has(card_refusal(std::string(1000000, '[')), "nested more than 64 deep");
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  expect_has(card_refusal(objects), "nested more than 64 deep");
  expect_has(card_refusal("{\"a\":\"" + std::string(largest_card_json, 'x') + "\"}"), "larger than 4 MB");
  expect_has(card_refusal(std::string(50U << 20U, 'x')), "larger than 4 MB");
  expect_has(card_refusal(std::string(257U << 20U, 'x')), "larger than 256 MB");
  std::string keys = "{";
  for (int i = 0; i < 300000; ++i) keys += "\"" + std::to_string(i) + "\":0,";
  expect_has(card_refusal(keys + "\"x\":0}"), "more than 2000 keys");
  const std::string sixty =
      "{\"spec\":\"chara_card_v3\",\"data\":{\"name\":\"x\"},\"deep\":" + std::string(60, '[') + std::string(60, ']') + "}";
  EXPECT_EQ(read_card(sixty).character.id, "x");
}

TEST(Cards, AnOriginThatIsNoCardIsRefusedOnExport) {
  const Character c = read_card(foreign().dump()).character;
  for (const char* json : {"[]", "{\"spec\":\"chara_card_v3\",\"data\":{\"name\":\"x\",\"extensions\":[]}}", "{"}) {
    refusal([&] { (void)write_card_json(c, {json, "", {}}, today); });
  }
}

// ---- base64

TEST(Base64, FollowsTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(to_base64(bytes), text);
    std::string read;
    EXPECT_TRUE(from_base64(text, read));
    EXPECT_EQ(read, bytes);
  }
  std::string read;
  EXPECT_TRUE(from_base64("Zm9v\r\nYg", read));
  EXPECT_EQ(read, "foob");
  for (const char* wrong : {"Z", "Zg=", "Zg===", "Z=g=", "Zm9v!", "Zm 9v", "Zm9vY", "="}) EXPECT_FALSE(from_base64(wrong, read)) << wrong;
}

// ---- PNG

TEST(Png, RefusesWhatIsDamaged) {
  const std::string good = png_card(foreign().dump());
  expect_has(card_refusal(good.substr(0, good.size() - 1)), "cut short");
  expect_has(card_refusal(good.substr(0, 8)), "cut short");
  std::string flipped = good;
  flipped[45] = static_cast<char>(flipped[45] ^ 1);
  expect_has(card_refusal(flipped), "checksum");
  std::string long_chunk = good;
  long_chunk[8] = '\x7f';
  expect_has(card_refusal(long_chunk), "cut short");
  expect_has(refusal([] { (void)read_png("GIF89a"); }), "does not begin as one");
  const PngChunk header{"IHDR", std::string(13, '\1')};
  expect_has(refusal([&] { (void)read_png(write_png({{"IDAT", "x"}, header, {"IEND", ""}})); }), "does not begin with its header");
  expect_has(refusal([&] { (void)read_png(write_png({header, {"IEND", ""}})); }), "no picture");
  expect_has(refusal([&] { (void)read_png(write_png({header, {"ID3T", "x"}, {"IEND", ""}})); }), "damaged chunk");
  std::vector<PngChunk> many(70000, {"IDAT", ""});
  many.insert(many.begin(), header);
  expect_has(refusal([&] { (void)read_png(write_png(many)); }), "more than 65536 chunks");
  expect_has(card_refusal(picture()), "no character card");
  std::vector<PngChunk> chunks = read_png(picture());
  chunks.insert(chunks.end() - 1, text_chunk("ccv3", "***"));
  expect_has(card_refusal(write_png(chunks)), "not base64");
  EXPECT_EQ(write_png(read_png(good + "trailing")), good);
}

// ---- zip

// Writes `value` little-endian at the n-th record with this mark, `at` bytes into it.
std::string patched(std::string zip, const char* mark, int n, std::size_t at, std::size_t width, std::uint32_t value) {
  std::size_t record = zip.find(mark);
  while (n-- > 0) record = zip.find(mark, record + 1);
  for (std::size_t i = 0; i < width; ++i) zip[record + at + i] = static_cast<char>(value >> 8U * i & 255U);
  return zip;
}

constexpr const char *local = "PK\3\4", *central = "PK\1\2", *final = "PK\5\6";

std::string zip_refusal(const std::string& bytes) {
  return refusal([&] { (void)read_zip(bytes); });
}

TEST(Zip, GivesBackWhatWasWritten) {
  test::Random random(test::seed());
  std::vector<ZipEntry> entries = {
      {"card.json", std::string(100000, 'a')}, {"empty.json", ""}, {"a/b/c", ""}, {"a/\u00e9", std::string("\0\1", 2)}};
  std::string noise(5000, '\0');
  for (char& c : noise) c = static_cast<char>(random.below(256));
  entries.push_back({"noise.json", noise});
  const std::vector<ZipEntry> read = read_zip(write_zip(entries), {512, 32U << 20U, 2000});
  ASSERT_EQ(read.size(), entries.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].name, entries[i].name);
    EXPECT_EQ(read[i].data, entries[i].data);
  }
  EXPECT_TRUE(read_zip(write_zip({})).empty());
}

TEST(Zip, RefusesNamesThatLeaveTheirPlace) {
  for (const char* name : {"../x", "a/../x", "a/..", "/x", "\\x", "a\\..\\x", "C:x", "a//x", "./x", "a/./x", ""}) {
    refusal([&] { (void)write_zip({{name, ""}}); });
    // As another program might write it: a name of the same length, patched in afterwards.
    const std::string length(std::string_view(name).size(), 'n');
    if (length.empty()) continue;
    std::string zip = write_zip({{length, "data"}});
    zip.replace(zip.find(length), length.size(), name);
    zip.replace(zip.rfind(length), length.size(), name);
    expect_has(zip_refusal(zip), "whose name");
  }
  refusal([&] { (void)write_zip({{std::string("a\0b", 3), ""}}); });
  refusal([&] { (void)write_zip({{"a\nb", ""}}); });
  refusal([&] { (void)write_zip({{"\xff", ""}}); });
  refusal([&] { (void)write_zip({{std::string(256, 'a'), ""}}); });
  expect_has(zip_refusal(write_zip({{"a", "1"}, {"a", "2"}})), "twice");
}

TEST(Zip, RefusesWhatIsNotPlainlyOneArchive) {
  const std::string zip = write_zip({{"a.json", std::string(500, 'a')}, {"b", "bbbb"}});
  ASSERT_EQ(read_zip(zip).size(), 2U);
  expect_has(zip_refusal(patched(patched(zip, central, 0, 8, 2, 1), local, 0, 6, 2, 1)), "is encrypted");
  expect_has(zip_refusal(patched(zip, central, 0, 8, 2, 1U << 6U)), "is encrypted");
  expect_has(zip_refusal(patched(zip, central, 0, 10, 2, 12)), "packed in a way");
  expect_has(zip_refusal(patched(zip, central, 0, 16, 4, 1)), "in two ways");
  expect_has(zip_refusal(patched(patched(zip, central, 0, 16, 4, 1), local, 0, 14, 4, 1)), "checksum is wrong");
  expect_has(zip_refusal(patched(patched(zip, central, 0, 24, 4, 499), local, 0, 22, 4, 499)), "not as large as it says");
  expect_has(zip_refusal(patched(patched(zip, central, 0, 24, 4, 501), local, 0, 22, 4, 501)), "not as large as it says");
  expect_has(zip_refusal(patched(patched(zip, central, 1, 20, 4, 400), local, 1, 18, 4, 400)), "larger than the file");
  expect_has(zip_refusal(patched(zip, central, 0, 20, 4, 0xffffffff)), "zip64");
  expect_has(zip_refusal(patched(zip, central, 0, 34, 2, 1)), "several disks");
  expect_has(zip_refusal(patched(zip, central, 0, 38, 4, 0xA1FF0000)), "is a link");
  expect_has(zip_refusal(patched(zip, central, 0, 42, 4, 0x7fffffff)), "cut short");
  expect_has(zip_refusal(patched(zip, central, 1, 42, 4, 0)), "in two ways");
  expect_has(zip_refusal(patched(zip, local, 0, 30, 1, 'z')), "in two ways");
  expect_has(zip_refusal(patched(zip, final, 0, 4, 2, 1)), "several disks");
  expect_has(zip_refusal(patched(zip, final, 0, 8, 2, 1)), "several disks");
  expect_has(zip_refusal(patched(zip, final, 0, 16, 4, 3)), "not where it says");
  expect_has(zip_refusal(patched(patched(zip, final, 0, 8, 2, 1), final, 0, 10, 2, 1)), "not as long as it says");
  expect_has(zip_refusal(patched(patched(zip, final, 0, 8, 2, 3), final, 0, 10, 2, 3)), "cut short");
  expect_has(zip_refusal(patched(zip, central, 1, 0, 4, 0)), "damaged directory");
  expect_has(zip_refusal(zip + "x"), "no end record");
  expect_has(zip_refusal(zip.substr(0, zip.size() - 30)), "no end record");
  expect_has(zip_refusal("PK\3\4"), "cut short");
}

TEST(Zip, RefusesBombs) {
  expect_has(zip_refusal(write_zip({{"a.json", std::string(10U << 20U, '\0')}})), "more than 200 times its size");
  expect_has(zip_refusal(write_zip(std::vector<ZipEntry>(2, {"a", ""}))), "twice");
  std::vector<ZipEntry> many;
  for (int i = 0; i < 5000; ++i) many.push_back({std::to_string(i), ""});
  expect_has(zip_refusal(write_zip(many)), "more than 4096 entries");
  expect_has(refusal([] {
               (void)read_zip(write_zip({{"a", std::string(900, 'a')}, {"b", std::string(200, 'b')}}), {512, 1000, 200});
             }),
             "unpacks to more than");
  // Two entries over the same bytes: the second directory entry points into the data of the first, which holds a header.
  const std::string inner = write_zip({{"b", "bbbb"}});
  const std::string inner_local = inner.substr(0, inner.find(central));
  std::string outer = write_zip({{"a", inner_local}, {"b", "bbbb"}});
  outer = patched(outer, central, 1, 42, 4, static_cast<std::uint32_t>(outer.find(inner_local)));
  expect_has(zip_refusal(outer), "overlap");
}

TEST(Zip, SkipsFoldersAndReadsSizesThatFollow) {
  std::string zip = write_zip({{"dir.", ""}, {"b", "bbbb"}});
  zip[zip.find("dir.") + 3] = '/';
  zip[zip.rfind("dir.") + 3] = '/';
  ASSERT_EQ(read_zip(zip).size(), 1U);
  // Flag 3: the local header has neither sizes nor checksum.
  std::string streamed = write_zip({{"b", "bbbb"}});
  constexpr std::uint32_t flags = 1U << 11U | 1U << 3U;
  streamed = patched(
      patched(patched(patched(patched(streamed, local, 0, 6, 2, flags), central, 0, 8, 2, flags), local, 0, 14, 4, 0), local, 0, 18, 4, 0),
      local, 0, 22, 4, 0);
  EXPECT_EQ(read_zip(streamed).at(0).data, "bbbb");
  expect_has(card_refusal(write_zip({{"cards.json", "{}"}})), "no card.json");
}

// ---- any bytes

TEST(Cards, DamageGivesAnErrorOrAValidCardAndNothingElse) {
  test::Random random(test::seed());
  const std::string json = foreign().dump();
  int read = 0, refused = 0;
  for (const std::string& whole : {json, png_card(json), charx(json)}) {
    for (int round = 0; round < 1500; ++round) {
      std::string damaged = whole;
      const auto any = [&] { return static_cast<std::size_t>(random.below(static_cast<std::int64_t>(damaged.size()))); };
      const std::int64_t kind = random.below(4);
      if (kind == 0) damaged.resize(any());
      if (kind == 1) damaged.erase(any(), any() % 20 + 1);
      if (kind >= 1) {
        for (std::int64_t i = random.below(3); i >= 0; --i) damaged[any()] = static_cast<char>(random.below(256));
      }
      try {
        const Card card = read_card(damaged);
        require_valid(card.character);
        EXPECT_EQ(read_card(write_card_json(card.character, card.origin, today)).character.name, card.character.name);
        EXPECT_EQ(read_card(write_charx(card.character, card.origin, today)).character.id, card.character.id);
        ++read;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 1000);
  EXPECT_GT(read, 20);
}

// Damage that checksums cannot detect: the JSON is changed, then packed correctly.
TEST(Cards, DamagedJsonInSoundContainersGivesAnErrorOrAValidCard) {
  test::Random random(test::seed() + 1);
  for (int round = 0; round < 1500; ++round) {
    std::string json = foreign().dump();
    for (std::int64_t i = random.below(4); i >= 0; --i) {
      json[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(json.size())))] = "{}[],:\"\\0ae\x80\n"[random.below(13)];
    }
    for (const std::string& bytes : {json, png_card(json), charx(json)}) {
      try {
        const Card card = read_card(bytes);
        (void)write_card_png(card.character, card.origin, today, picture());
        (void)prompt_sentence(card.character);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace fabula::cast
