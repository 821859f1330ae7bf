// Samplers, on models whose answer is known.
#include "engine/sample/samplers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "engine/machine.h"
#include "tests/support/refusal.h"

namespace fabula {
namespace {

Schedule schedule_of(double shift, int steps) {
  Schedule schedule(shift);
  schedule.set_points(steps + 1);
  return schedule;
}

bool go_on(std::size_t) { return true; }

TEST(Euler, WalksEveryTrackDownItsOwnScheduleToWhatTheModelTakesForClean) {
  const Schedule even = schedule_of(1.0, 4), bent = schedule_of(3.0, 4);
  run_in(cpu_machine(1), std::size_t{1} << 16U, [&](Context& ctx) {
    const Tensor x = constant(ctx, std::vector<float>{5.0F, -2.0F}, {2}), y = constant(ctx, std::vector<float>{1.0F}, {1});
    const Track tracks[] = {{x, even}, {y, bent}};
    std::size_t evaluations = 0, steps = 0;
    const auto evaluate = [&](Context& c, std::span<const float> timesteps) {
      EXPECT_EQ(timesteps[0], even.timesteps().at(evaluations));
      EXPECT_EQ(timesteps[1], bent.timesteps().at(evaluations));
      ++evaluations;
      return std::vector{constant(c, std::vector<float>{0.25F, 0.5F}, {2}), constant(c, std::vector<float>{-1.0F}, {1})};
    };
    sampler_named("euler").run(ctx, std::span(tracks), evaluate, [&](std::size_t done) {
      EXPECT_EQ(done, ++steps);
      if (done == 1) {
        EXPECT_FLOAT_EQ(x.f32()[0], 0.75F * 5.0F + 0.25F * 0.25F) << "sigma falls from 1 to 3/4";
      }
      return true;
    });
    EXPECT_EQ(evaluations, 4U);
    EXPECT_EQ(to_host(ctx, x), (std::vector<float>{0.25F, 0.5F}));
    EXPECT_EQ(to_host(ctx, y), (std::vector<float>{-1.0F}));
  });
}

TEST(Euler, StopsWhenAskedAndRefusesSchedulesOfDifferentLength) {
  const Schedule four = schedule_of(1.0, 4), five = schedule_of(1.0, 5);
  run_in(cpu_machine(1), std::size_t{1} << 16U, [&](Context& ctx) {
    const Tensor x = constant(ctx, std::vector<float>{1.0F}, {1});
    const auto evaluate = [&](Context& c, std::span<const float> timesteps) {
      std::vector<Tensor> clean;
      for (std::size_t i = 0; i < timesteps.size(); ++i) clean.push_back(constant(c, std::vector<float>{0.0F}, {1}));
      return clean;
    };
    const Track uneven[] = {{x, four}, {x, five}};
    const Sampler& euler = sampler_named("euler");
    EXPECT_NE(test::refusal([&] { euler.run(ctx, std::span(uneven), evaluate, go_on); }).find("4 and 5 steps"), std::string::npos);
    std::size_t steps = 0;
    EXPECT_NE("", test::refusal(
                      [&] { euler.run(ctx, std::span(uneven).first(1), evaluate, [&](std::size_t done) { return (steps = done) < 2; }); },
                      ExitCode::interrupted));
    EXPECT_EQ(steps, 2U);
  });
}

// A model that takes half of the sample for clean: x(sigma) = x(1) · sqrt(sigma) exactly.
float error_half_way(const char* sampler, int steps) {
  const Schedule even = schedule_of(1.0, steps);
  float error = 0.0F;
  run_in(cpu_machine(1), std::size_t{1} << 20U, [&](Context& ctx) {
    const Tensor x = constant(ctx, std::vector<float>{1.0F}, {1});
    const Track track[] = {{x, even}};
    const auto evaluate = [&](Context& c, std::span<const float>) { return std::vector{axpby(c, 0.5F, x, 0.0F, x)}; };
    sampler_named(sampler).run(ctx, std::span(track), evaluate, [&](std::size_t done) {
      if (done == even.steps() / 2) error = std::abs(x.f32()[0] - std::sqrt(even.sigmas()[done]));
      return true;
    });
  });
  return error;
}

TEST(Heun, IsOfSecondOrderWhereEulerIsOfFirst) {
  EXPECT_LT(error_half_way("heun", 8), 0.2F * error_half_way("euler", 16)) << "for as many evaluations";
  EXPECT_LT(error_half_way("heun", 8), 0.35F * error_half_way("heun", 4)) << "half the step, a quarter of the error";
  EXPECT_GT(error_half_way("euler", 8), 0.4F * error_half_way("euler", 4)) << "half the step, half of the error";
}

TEST(Samplers, AnUnknownNameIsRefusedWithThoseThatExist) {
  EXPECT_NE(test::refusal([] { (void)sampler_named("leapfrog"); }, ExitCode::usage).find("euler"), std::string::npos);
}

}  // namespace
}  // namespace fabula
