// A language model from a GGUF file, in the terms of a published folder.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/weights/gguf.h"
#include "planner/lm/chat.h"
#include "planner/lm/qwen3.h"

namespace fabula {

// Each throws Error(bad_data), naming the file, for what is missing, malformed or not supported.

/// Of the architectures llama, qwen2 and qwen3.
[[nodiscard]] Qwen3Config config_of(const Gguf&);
/// Byte-level BPE with one of the known patterns.
[[nodiscard]] Tokenizer tokenizer_of(const Gguf&);
/// Without a template: that of the vocabulary's markers.
[[nodiscard]] ChatForm chat_of(const Gguf&);
/// The tokens that end an answer, as stop_tokens() has them of a folder.
[[nodiscard]] std::vector<std::int32_t> stops_of(const Gguf&, const Tokenizer&);
/// The tensors by the names that take_qwen3 takes. Refers to the file's mapping and keeps it.
[[nodiscard]] StoredModel weights_of(const Gguf&, const Qwen3Config&);

}  // namespace fabula
