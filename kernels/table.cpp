// The host's tables: filled with the reference first, then overridden family by family.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "kernels/attention_tiles.h"
#include "kernels/cudnn.h"
#include "kernels/families.h"
#include "kernels/instruction_set.h"
#include "kernels/multiply.h"

namespace fabula {
namespace {

Kernels reference_table(const char* name) {
  Kernels table{};
  table.name = name;
  add_reference_gemm(table);
  add_reference_quant(table);
  add_reference_norm(table);
  add_reference_attention(table);
  add_reference_rope(table);
  add_reference_conv(table);
  add_reference_alias_free(table);
  add_reference_elementwise(table);
  return table;
}

}  // namespace

const Kernels& reference_kernels() {
  static const Kernels table = reference_table("reference");
  return table;
}

const Kernels& cpu_kernels() {
  static const Kernels table = [] {
    (void)instruction_set();  // before Highway first chooses
    Kernels cpu = reference_table("cpu");
    add_cpu_gemm(cpu);
    add_cpu_quant(cpu);
    add_cpu_norm(cpu);
    add_cpu_attention(cpu);
    add_cpu_rope(cpu);
    add_cpu_conv(cpu);
    add_cpu_alias_free(cpu);
    add_cpu_elementwise(cpu);
    return cpu;
  }();
  return table;
}

const Kernels& cpu_bf16_kernels() {
  static const Kernels table = [] {
    Kernels narrow = cpu_kernels();
    add_cpu_attention_bf16(narrow);
    return narrow;
  }();
  return table;
}

bool complete(const Kernels& table) {
  void* entries[sizeof(Kernels) / sizeof(void*)];
  static_assert(sizeof entries == sizeof(Kernels), "a table is its name and its entries");
  std::memcpy(entries, &table, sizeof entries);
  return std::find(std::begin(entries), std::end(entries), nullptr) == std::end(entries);
}

std::size_t linear_scratch(const Tensor& x, const Tensor& weight) {
  if (weight.dtype != DType::bf16) return 0;
  return static_cast<std::size_t>(std::max(x.elements(), words_in_tiles(x.rows(), x.width()))) * sizeof(float);
}

std::size_t attention_scratch(const Exec& exec, const Tensor& q, const Tensor& k, bool causal) {
  const std::int64_t q_rows = q.shape[0], dim = q.shape[2];
  if (is_tiled(exec, q)) return static_cast<std::size_t>(k.shape[1] * tiled_head_words(k.shape[0], dim)) * sizeof(std::uint32_t);
  if (exec.attention != AttentionBy::cudnn || exec.rows_alone || causal || q_rows < 16 || dim > 128 || dim % 8 != 0) return 0;
  const std::int64_t elements = 2 * q.elements() + 2 * k.elements();  // q and out, k and v
  return cuda::fused_workspace + cuda::fused_alignment + static_cast<std::size_t>(elements) * sizeof(std::uint16_t);
}

std::size_t linear_i8_scratch(const Tensor& x) {
  return static_cast<std::size_t>(x.rows()) * sizeof(float) + static_cast<std::size_t>(x.elements()) * sizeof(std::int16_t);
}

}  // namespace fabula
