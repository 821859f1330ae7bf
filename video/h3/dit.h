// MiniMaxH3Transformer3DModel (diffusers): one stack of blocks over one packed sequence of text, audio and video rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

#include "engine/ops.h"
#include "engine/replay.h"
#include "engine/tap.h"
#include "engine/weights/layers.h"
#include "video/h3/attention.h"
#include "video/h3/config.h"
#include "video/h3/layout.h"

namespace fabula::h3 {

/// Tags of a row (video/h3/layout.h). Each has its own modulation vectors.
constexpr std::int64_t modalities = 3;

/// MiniMaxH3TokenRefinerBlock: pre-norm block over the text rows alone, neither modulated nor rotated.
struct RefinerBlock {
  Tensor norm1;  ///< (hidden)
  SelfAttention attn;
  Tensor norm2;  ///< (hidden)
  FeedForward ff;
};

/// MiniMaxH3TransformerBlock.
struct DitBlock {
  Tensor norm1;  ///< (hidden)
  SelfAttention attn;
  Tensor norm2;  ///< (hidden)
  FeedForward ff;
};

struct Dit {
  DitConfig config;
  Weights weights;                ///< keeps the tensors below valid
  Linear proj_in, audio_proj_in;  ///< float32 in every precision, as are the time embedder and the two heads
  Linear context_embedder;
  Linear time_in, time_out;
  Layers<RefinerBlock> refiner_blocks;
  Tensor refiner_norm;  ///< (hidden)
  Layers<DitBlock> blocks;
  /// By block: time_embed_dim -> 3 modalities × (shift, scale, gate of attention; shift, scale, gate of feed-forward) × hidden.
  Layers<Linear> modulations;
  Tensor norm_out;             ///< (hidden)
  Linear norm_out_modulation;  ///< time_embed_dim -> (shift, scale) × hidden
  Linear proj_out, audio_proj_out;

  Dit(const DitConfig& its_config, Weights its_weights) : config(its_config), weights(std::move(its_weights)) {}
  /// Reads config.json and the weights of a `transformer` folder. Throws Error (input_missing, bad_data).
  static Dit load(const std::filesystem::path& folder, Precision precision, DeviceKind device = DeviceKind::cpu,
                  Residence residence = Residence::resident);
  /// The same of weights that are open.
  static Dit take(const DitConfig&, Weights weights, Residence residence);

  /// What its weights take in memory while it runs.
  [[nodiscard]] std::size_t bytes() const;
};

/// What stays the same over all steps of a clip: the refined text, the rotary angles, where each row goes, and the modulation, which
/// follows from timesteps alone. Lives in the arena.
struct DitSequence {
  Tensor text;  ///< (text rows, hidden)
  Rotary rope;  ///< (rows, rotary_dim)
  Tensor video_index, audio_index, text_index;
  std::span<const std::int32_t> tags;  ///< the layout's
  std::vector<Tensor> modulation;      ///< by block: (timesteps × modalities, 6 × hidden)
  Tensor norm_out_modulation;          ///< (timesteps, 2 × hidden)
};

/// text (text rows, text_dim); timesteps: all noise levels in [0, 1] (1 is clean) of the clip's evaluations. The modulation's weights, two
/// fifths of MiniMax-H3's, are read here and not again. The layout must outlive the sequence. Throws Error(bad_data) unless its three index
/// lists name every row once and tags and text fit them.
[[nodiscard]] DitSequence prepare(Context&, const Dit&, Tensor text, const Layout&, std::span<const float> timesteps, const Tap& = {});

struct DitOutput {
  Tensor video;  ///< (video rows, patch_dim): data-ward velocity, or the clean sample where the bundle says so
  Tensor audio;  ///< (audio rows, audio_in_channels)
};

/// One evaluation. video (video rows, patch_dim), audio (audio rows, audio_in_channels); timestep_indices (rows): each row's place in the
/// timesteps that the sequence was prepared for. replay: of the evaluations of this sequence on these video and audio rows, in one arena;
/// without one, or with streamed layers, whose memory is filled anew meanwhile, kernels are launched one by one. A replay goes without tap.
[[nodiscard]] DitOutput forward(Context&, const Dit&, const DitSequence&, Tensor video, Tensor audio,
                                std::span<const std::int32_t> timestep_indices, const Tap& = {}, Replay* replay = nullptr);

}  // namespace fabula::h3
