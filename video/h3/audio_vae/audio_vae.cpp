// Loads the autoencoder and checks what goes in and out of it.
#include "video/h3/audio_vae/audio_vae.h"

#include <string>

#include "base/error.h"
#include "video/h3/audio_vae/decoder.h"
#include "video/h3/audio_vae/encoder.h"

namespace fabula::h3 {

struct AudioVae::Impl {
  AudioVaeConfig config;
  Weights weights;
  audio_vae::Encoder encoder;
  audio_vae::Decoder decoder;
};

namespace {

void expect(bool holds, const char* op, const char* expected, const Tensor& got) {
  if (!holds) throw Error(ExitCode::internal, std::string(op) + ": expected " + expected + ", got " + got.shape.text());
}

}  // namespace

AudioVae::AudioVae(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
AudioVae::~AudioVae() = default;
AudioVae::AudioVae(AudioVae&&) noexcept = default;
AudioVae& AudioVae::operator=(AudioVae&&) noexcept = default;

AudioVae AudioVae::load(const std::filesystem::path& folder, DeviceKind device) {
  const AudioVaeConfig config = AudioVaeConfig::read(folder);
  Weights weights = Weights::open(folder, Precision::fp32, device);
  audio_vae::Encoder encoder = audio_vae::take_encoder(weights, config);
  audio_vae::Decoder decoder = audio_vae::take_decoder(weights, config);
  weights.finish();
  return AudioVae(std::make_unique<const Impl>(Impl{config, std::move(weights), std::move(encoder), std::move(decoder)}));
}

const AudioVaeConfig& AudioVae::config() const { return impl_->config; }

std::size_t AudioVae::parameter_bytes() const { return impl_->weights.bytes(); }

Tensor AudioVae::encode(Context& ctx, Tensor samples, const Tap& tap) const { return posterior(ctx, samples, tap).mean; }

AudioVae::Posterior AudioVae::posterior(Context& ctx, Tensor samples, const Tap& tap) const {
  expect(samples.shape.rank() == 1 && samples.elements() > 0, "AudioVae::encode", "(samples)", samples);
  const std::int64_t n = samples.elements(), hop = hop_length();
  const std::int64_t padding = (n + hop - 1) / hop * hop - n;
  const Tensor padded = padding == 0 ? samples : pad3d(ctx, samples.view({1, 1, 1, n}), {.w_right = padding}, Pad::zero);
  return audio_vae::encode(ctx, impl_->encoder, padded.view({1, n + padding}), tap);
}

Tensor AudioVae::decode(Context& ctx, Tensor latents, const Tap& tap) const {
  expect(latents.shape.rank() == 2 && latents.shape[0] == latent_channels() && latents.shape[1] > 0, "AudioVae::decode",
         "(latent_channels, frames)", latents);
  const Tensor samples = audio_vae::decode(ctx, impl_->decoder, latents, tap);
  clamp(ctx, samples, -1.0F, 1.0F);  // as the reference does
  tap("decoder", samples);
  return samples;
}

}  // namespace fabula::h3
