// JSON fields within limits: what is read, and that every refusal names the file, the key, the value and what was expected.
#include "base/json_fields.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "tests/support/refusal.h"

namespace fabula {
namespace {

using test::refusal;

JsonFields fields_of(const std::string& text) { return JsonFields::parse(text, "c.json"); }

TEST(JsonFields, AreReadWithinTheirLimits) {
  const JsonFields fields = fields_of(
      R"({"layers": 4, "theta": 1e6, "name": "fox", "tied": true, "none": null, "rates": [2, 4], "lists": [[1], [2, 3]],
          "mean": [0, -0.5], "inner": {"depth": 3}, "files": {"a": "x", "b": "y"}})");
  EXPECT_EQ(fields.integer("layers", 1, 4), 4);
  EXPECT_EQ(fields.integer<int>("layers", 4, 9), 4);
  EXPECT_EQ(fields.integer_or("none", 7, 1, 9), 7);
  EXPECT_EQ(fields.integer_or("absent", std::int64_t{7}, 1, 9), 7);
  EXPECT_EQ(fields.real("theta", 1.0, 1e9), 1e6);
  EXPECT_EQ(fields.real("layers", 0.0, 9.0), 4.0);
  EXPECT_EQ(fields.text("name"), "fox");
  EXPECT_EQ(fields.choice("name", {"pig", "fox"}), "fox");
  EXPECT_TRUE(fields.flag_or("tied", false));
  EXPECT_FALSE(fields.flag_or("absent", false));
  EXPECT_EQ(fields.integers("rates", 1, 2, 1, 4), (std::vector<std::int64_t>{2, 4}));
  EXPECT_EQ(fields.integer_lists<int>("lists", 1, 2, 1, 3), (std::vector<std::vector<int>>{{1}, {2, 3}}));
  EXPECT_EQ(fields.reals("mean", 2, -1.0, 1.0), (std::vector<float>{0.0F, -0.5F}));
  EXPECT_EQ(fields.object("inner").integer("depth", 1, 3), 3);
  EXPECT_EQ(fields.object("inner").name(), "c.json: inner");
  EXPECT_EQ(fields.texts("files"), (std::map<std::string, std::string>{{"a", "x"}, {"b", "y"}}));
  EXPECT_TRUE(fields.has("name"));
  EXPECT_FALSE(fields.has("none") || fields.has("absent"));
}

TEST(JsonFields, OutsideTheirLimitsAreRefusedWithValueAndRange) {
  const JsonFields fields = fields_of(
      R"({"layers": 7, "big": 18446744073709551615, "half": 2.5, "text": "8", "none": null, "theta": -1, "list": [1, 9], "object": {},
          "files": {"a": 1}, "inner": {"depth": 9}})");
  const std::pair<std::string, std::function<void()>> cases[] = {
      {R"(c.json: "layers" holds 7, expected an integer from 1 to 4)", [&] { (void)fields.integer("layers", 1, 4); }},
      {R"(c.json: "big" holds 18446744073709551615, expected an integer from 1 to 4)", [&] { (void)fields.integer("big", 1, 4); }},
      {R"(c.json: "half" holds 2.5, expected an integer from 1 to 4)", [&] { (void)fields.integer("half", 1, 4); }},
      {R"(c.json: "text" holds "8", expected an integer from 1 to 9)", [&] { (void)fields.integer("text", 1, 9); }},
      {R"(c.json: "none" holds null, expected an integer from 1 to 4)", [&] { (void)fields.integer("none", 1, 4); }},
      {R"(c.json: the field "absent" is missing)", [&] { (void)fields.integer("absent", 1, 4); }},
      {R"(c.json: "theta" holds -1, expected a number from 1 to 1e+12)", [&] { (void)fields.real("theta", 1.0, 1e12); }},
      {R"(c.json: "layers" holds 7, expected a string)", [&] { (void)fields.text("layers"); }},
      {R"(c.json: "text" holds "8", expected "x0", "x1" or "x2")",
       [&] {
         (void)fields.choice("text", {"x0", "x1", "x2"});
       }},
      {R"(c.json: "layers" holds 7, expected true or false)", [&] { (void)fields.flag_or("layers", true); }},
      {R"(c.json: "list" holds 9, expected an integer from 1 to 4)", [&] { (void)fields.integers("list", 1, 2, 1, 4); }},
      {R"(c.json: "list" holds a list of 2 values, expected a list of 3 values)", [&] { (void)fields.integers("list", 3, 3, 1, 9); }},
      {R"(c.json: "list" holds a list of 2 values, expected a list of 3 to 4 values)", [&] { (void)fields.integers("list", 3, 4, 1, 9); }},
      {R"(c.json: "object" holds an object, expected a list of 3 values)", [&] { (void)fields.reals("object", 3, 0.0, 1.0); }},
      {R"(c.json: "list" holds 1, expected a list of 1 to 2 values)", [&] { (void)fields.integer_lists("list", 1, 2, 1, 9); }},
      {R"(c.json: "list" holds a list of 2 values, expected an object)", [&] { (void)fields.object("list"); }},
      {R"(c.json: files: "a" holds 1, expected a string)", [&] { (void)fields.texts("files"); }},
      {R"(c.json: inner: "depth" holds 9, expected an integer from 1 to 3)", [&] { (void)fields.object("inner").integer("depth", 1, 3); }},
  };
  for (const auto& [sentence, read] : cases) EXPECT_EQ(refusal(read), sentence);
}

TEST(JsonFields, OfAHostileFileAreRefusedInAShortSentence) {
  EXPECT_EQ(refusal([] { (void)fields_of("{"); }), "c.json is not JSON: there is an error at line 1, column 2");
  EXPECT_EQ(refusal([] { (void)fields_of(""); }), "c.json is not JSON: there is an error at line 1, column 1");
  EXPECT_EQ(refusal([] { (void)fields_of("{\n  \"größe\": 7,\n  \"größe\" 8\n}"); }),
            "c.json is not JSON: there is an error at line 3, column 11");
  EXPECT_EQ(refusal([] { (void)fields_of("{\"a\": 1e999}"); }), "c.json is not JSON: it holds a number that is too large");
  EXPECT_EQ(refusal([] { (void)fields_of("7"); }), "c.json: holds 7, expected a JSON object");
  const std::string deep = R"({"a": )" + std::string(100000, '[') + std::string(100000, ']') + "}";
  EXPECT_EQ(refusal([&] { (void)fields_of(deep).integer("a", 1, 2); }),
            R"(c.json: "a" holds a list of 1 value, expected an integer from 1 to 2)");
  const std::string said = refusal([] { (void)fields_of(R"({"a": ")" + std::string(100000, 'x') + "\xff\"}").integer("a", 1, 2); });
  EXPECT_LT(said.size(), 120U) << said.substr(0, 200);
}

TEST(JsonFields, OfAFileThatIsNotThereAreInputMissing) {
  const auto file = std::filesystem::path(::testing::TempDir()) / "fabula no such file.json";
  EXPECT_NE(refusal([&] { (void)JsonFields::open(file); }, ExitCode::input_missing).find("no such file.json"), std::string::npos);
}

}  // namespace
}  // namespace fabula
