// The plan's file format by itself: this test links planner_schema and nothing else of the planner but text.
#include <gtest/gtest.h>

#include "planner/schema/schema.h"

namespace fabula::plan {
namespace {

Film film() {
  Film film;
  film.prompt = "A fox.";
  film.title = "Fox";
  film.total_ms = 1000;
  film.characters = {{"fox", "Fox", "an orange fox", {"high"}}};
  film.places = {{"forest", "tall trees", "day"}};
  Shot shot;
  shot.id = "s010";
  shot.place = "forest";
  shot.duration_ms = 1000;
  shot.cast = {{"fox", "left", "right"}};
  shot.camera = {"wide", "static"};
  shot.ambience = "birds";
  film.shots = {shot};
  return film;
}

TEST(PlanFile, IsReadAndWrittenWithoutTheRestOfThePlanner) {
  EXPECT_EQ(from_json(to_json(film())), film());
  EXPECT_THROW((void)from_json("{}"), PlanError);
  EXPECT_NE(json_schema().find("fabula.plan/1"), std::string::npos);
}

}  // namespace
}  // namespace fabula::plan
