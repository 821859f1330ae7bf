// BigVGAN: upsampling stages of residual blocks with alias-free activations.
#include "video/h3/audio_vae/decoder.h"

namespace fabula::h3::audio_vae {
namespace {

constexpr std::int64_t filter_taps = 12;  // of the resampling filters inside every activation

// The filters are buffers of the checkpoint: what the weights were trained with is what is used.
AliasFreeSnake take_activation(Weights& weights, const std::string& prefix, std::int64_t channels) {
  return {
      weights.take(prefix + ".act.alpha", {channels}),
      weights.take(prefix + ".act.beta", {channels}),
      weights.take(prefix + ".upsample.filter", {1, 1, filter_taps}).view({filter_taps}),
      weights.take(prefix + ".downsample.lowpass.filter", {1, 1, filter_taps}).view({filter_taps}),
  };
}

AmpBlock take_amp_block(Weights& weights, const std::string& prefix, std::int64_t channels, std::int64_t kernel,
                        const std::vector<int>& dilations) {
  AmpBlock block;
  for (std::size_t i = 0; i < dilations.size(); ++i) {
    const std::int64_t dilation = dilations[i];
    const auto part = [&](const char* list, std::size_t index) { return prefix + list + std::to_string(index); };
    block.push_back({
        take_activation(weights, part(".activations.", 2 * i), channels),
        take_activation(weights, part(".activations.", 2 * i + 1), channels),
        take_conv(weights, part(".convs1.", i), channels, channels, kernel, {.padding = (kernel - 1) * dilation / 2, .dilation = dilation}),
        take_conv(weights, part(".convs2.", i), channels, channels, kernel, {.padding = (kernel - 1) / 2}),
    });
  }
  return block;
}

// weight_norm of a transposed convolution runs over the first axis too, which is the input's there: weight (in, out, kernel).
Conv take_upsampler(Weights& weights, const std::string& prefix, std::int64_t in, std::int64_t out, std::int64_t kernel,
                    std::int64_t rate) {
  return {weights.take_weight_norm(prefix, {in, out, kernel}),
          weights.take(prefix + ".bias", {out}),
          {.stride = rate, .padding = (kernel - rate) / 2}};
}

Tensor activate(Context& ctx, Tensor x, const AliasFreeSnake& a) {
  return snake_beta_alias_free(ctx, x, a.alpha, a.beta, a.up_filter, a.down_filter);
}

// x (channels, length) is updated in place.
void amp_block(Context& ctx, const AmpBlock& block, Tensor x) {
  for (const AmpPair& pair : block) {
    Arena::Scope scope(ctx.arena);
    Tensor h = convolve(ctx, activate(ctx, x, pair.activation1), pair.dilated);
    h = convolve(ctx, activate(ctx, h, pair.activation2), pair.plain);
    add_into(ctx, h, x);
  }
}

// The mean over the stage's blocks of x (channels, length), each of which starts from x.
Tensor mean_of_blocks(Context& ctx, const UpsamplingStage& stage, std::size_t first_block, Tensor x, const Tap& tap) {
  Tensor sum = ctx.arena.take(x.shape);
  for (std::size_t j = 0; j < stage.blocks.size(); ++j) {
    Arena::Scope scope(ctx.arena);
    const Tensor h = j == 0 ? sum : ctx.arena.take(x.shape);
    copy(ctx, x, h);
    amp_block(ctx, stage.blocks[j], h);
    tap.under("decoder.resblocks.", first_block + j).self(h);
    if (j > 0) add_into(ctx, h, sum);
  }
  axpby_into(ctx, 1.0F / static_cast<float>(stage.blocks.size()), sum, 0.0F, sum, sum);
  return sum;
}

}  // namespace

Decoder take_decoder(Weights& weights, const AudioVaeConfig& config) {
  Decoder decoder;
  decoder.in_proj = take_pointwise(weights, "dec_in_proj", config.latent_channels, config.latent_dim);
  decoder.first = take_conv(weights, "decoder.conv_pre", config.latent_dim, config.decoder_dim, 7, {.padding = 3});
  const std::size_t kernels = config.resblock_kernel_sizes.size();
  std::int64_t channels = config.decoder_dim;
  for (std::size_t i = 0; i < config.decoder_rates.size(); ++i, channels /= 2) {
    UpsamplingStage stage;
    stage.up = take_upsampler(weights, "decoder.ups." + std::to_string(i) + ".0", channels, channels / 2, config.decoder_kernel_sizes[i],
                              config.decoder_rates[i]);
    for (std::size_t j = 0; j < kernels; ++j) {
      const std::string prefix = "decoder.resblocks." + std::to_string(i * kernels + j);
      stage.blocks.push_back(
          take_amp_block(weights, prefix, channels / 2, config.resblock_kernel_sizes[j], config.resblock_dilation_sizes[j]));
    }
    decoder.stages.push_back(std::move(stage));
  }
  decoder.activation = take_activation(weights, "decoder.activation_post", channels);
  decoder.last = take_conv(weights, "decoder.conv_post", channels, 1, 7, {.padding = 3}, /*bias=*/false);
  return decoder;
}

Tensor decode(Context& ctx, const Decoder& decoder, Tensor latents, const Tap& tap) {
  Tensor x = convolve(ctx, latents, decoder.in_proj);
  tap("dec_in_proj", x);
  x = convolve(ctx, x, decoder.first);
  tap("decoder.conv_pre", x);
  std::size_t block = 0;
  for (std::size_t i = 0; i < decoder.stages.size(); ++i) {
    const UpsamplingStage& stage = decoder.stages[i];
    x = conv_transpose1d(ctx, x, stage.up.weight, stage.up.bias, stage.up.params);
    tap.under("decoder.ups.", i)("0", x);
    x = mean_of_blocks(ctx, stage, block, x, tap);
    block += stage.blocks.size();
  }
  x = activate(ctx, x, decoder.activation);
  tap("decoder.activation_post", x);
  x = convolve(ctx, x, decoder.last);
  tap("decoder.conv_post", x);
  return x.view({x.elements()});
}

}  // namespace fabula::h3::audio_vae
