// torch.Generator's stream: uniform and normal values.
#include "engine/sample/rng.h"
#include "tools/golden_check/parameters.h"

namespace fabula::golden {

// randn(5), randn(16), randn(37), randn(3, 24, 7), rand(9) from one generator, in this order.
void run_rng(const Case& one, const Setup&, Comparison& compare) {
  TorchGenerator generator(static_cast<std::uint64_t>(whole_number(one, "seed", 0, INT64_MAX)));
  const struct {
    const char* name;
    Shape shape;
  } draws[] = {{"out.randn_5", {5}}, {"out.randn_16", {16}}, {"out.randn_37", {37}}, {"out.randn_3x24x7", {3, 24, 7}}};
  for (const auto& draw : draws) {
    std::vector<float> values(static_cast<std::size_t>(draw.shape.elements()));
    generator.normal(values);
    compare.values(draw.name, values, draw.shape);
  }
  std::vector<float> values(9);
  generator.uniform(values);
  compare.values("out.rand_9", values, {9});
}

}  // namespace fabula::golden
