// AutoencoderKLMiniMaxH3Audio: encode and decode. Batch items (the two sides of stereo) are made one after the other.
#include <nlohmann/json.hpp>
#include <string>

#include "tools/golden_check/parameters.h"
#include "video/h3/audio_vae/audio_vae.h"

namespace fabula::golden {
namespace {

// in.wave (items, 1, samples) or in.latents (items, channels, frames).
Tensor input(const Case& one, const char* name, std::int64_t channels) {
  const Tensor tensor = one.in(name);
  const Shape& shape = tensor.shape;
  if (tensor.dtype != DType::f32 || shape.rank() != 3 || shape[1] != channels || shape.elements() == 0) {
    throw Error(ExitCode::bad_data, std::string("in.") + name + " is " + name_of(tensor.dtype) + " " + shape.text() +
                                        ", expected f32 (items, " + std::to_string(channels) + ", length)");
  }
  return tensor;
}

Tensor item_of(Context& ctx, const Tensor& batch, std::int64_t item, Shape shape) {
  return constant(ctx, floats(batch.slice(item, 1)), shape);
}

}  // namespace

void run_audio_vae(const Case& one, const Setup& setup, Comparison& comparison) {
  const auto parameters = nlohmann::json::parse(one.parameters, nullptr, /*allow_exceptions=*/false);
  const std::string op = parameters.is_object() ? parameters.value("op", "") : "";
  if (op != "encode" && op != "decode") throw Error(ExitCode::bad_data, "its \"op\" is neither encode nor decode");
  const h3::AudioVae vae = h3::AudioVae::load(one.weights, setup.machine.device);
  const Tensor batch = op == "encode" ? input(one, "wave", 1) : input(one, "latents", vae.latent_channels());
  const std::int64_t items = batch.shape[0], length = batch.shape[2];

  for (std::int64_t item = 0; item < items; ++item) {
    run_case(setup.exact, [&](Context& ctx) {
      const auto compare = [&](const std::string& name, const Tensor& actual) { comparison.slice(name, item, items, actual); };
      const Tap taps([&](const std::string& module, Tensor actual) { compare("tap." + module, actual); });
      if (op == "encode") {
        const h3::AudioVae::Posterior posterior = vae.posterior(ctx, item_of(ctx, batch, item, {length}), taps);
        compare("out.mean", posterior.mean);
        compare("out.logs", posterior.log_std);
      } else {
        compare("out.wave", vae.decode(ctx, item_of(ctx, batch, item, {vae.latent_channels(), length}), taps));
      }
    });
  }
}

}  // namespace fabula::golden
