// A libcublasLt.so.13 for the tests: does on the host what the descriptors say, refuses what they must not say, and keeps a record.
//
// Formulas: D = epilogue(alpha · op(A) · op(B) + beta · C + bias), matrices column-major, the bias one value for each row of D (cuBLAS
// manual, cublasLtMatmul and cublasLtEpilogue_t).
#include <cublasLt.h>

#include <functional>
#include <map>
#include <string>

struct StubHandle {};
struct StubDesc {
  cublasOperation_t a = CUBLAS_OP_N, b = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const float* bias = nullptr;
  cudaDataType_t bias_type = CUDA_R_32F;
};
struct StubLayout {
  cudaDataType_t type;
  std::uint64_t rows, columns;
  std::int64_t leading;
};
struct StubPreference {
  std::uint64_t workspace = 0;
  std::map<int, std::uint32_t> alignment;
};

extern "C" void emulation_put_on_stream(cudaStream_t, const std::function<void()>&);  // of the program

namespace {

StubHandle the_handle;
std::string record;
int alive = 0;  // descriptors that were not destroyed

float value_at(const void* matrix, const StubLayout& layout, cublasOperation_t op, std::uint64_t row, std::uint64_t column) {
  if (op == CUBLAS_OP_T) std::swap(row, column);
  const std::size_t at = row + column * static_cast<std::size_t>(layout.leading);
  if (layout.type == CUDA_R_32F) return static_cast<const float*>(matrix)[at];
  return __uint_as_float(static_cast<unsigned>(static_cast<const std::uint16_t*>(matrix)[at]) << 16U);
}

bool has_bias(const StubDesc& desc) { return (desc.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0; }

float finished(const StubDesc& desc, float value) {
  if ((desc.epilogue & CUBLASLT_EPILOGUE_GELU) == 0) return value;
  return 0.5F * value * (1.0F + std::tanh(0.7978845608028654F * (value + 0.044715F * value * value * value)));
}

/// The extents of op(A), op(B) and D fit, no leading dimension is shorter than its column, types are ones that go together.
bool fit(const StubDesc& desc, const StubLayout& a, const StubLayout& b, const StubLayout& d) {
  const auto rows = [](const StubLayout& m, cublasOperation_t op) { return op == CUBLAS_OP_T ? m.columns : m.rows; };
  const auto columns = [](const StubLayout& m, cublasOperation_t op) { return op == CUBLAS_OP_T ? m.rows : m.columns; };
  for (const StubLayout* m : {&a, &b, &d}) {
    if (m->rows == 0 || m->columns == 0 || m->leading < static_cast<std::int64_t>(m->rows)) return false;
  }
  return rows(a, desc.a) == d.rows && columns(a, desc.a) == rows(b, desc.b) && columns(b, desc.b) == d.columns && a.type == b.type &&
         d.type == CUDA_R_32F && has_bias(desc) == (desc.bias != nullptr) && desc.bias_type == CUDA_R_32F;
}

void multiply(const StubDesc& desc, const void* a, const StubLayout& a_layout, const void* b, const StubLayout& b_layout, float* d,
              const StubLayout& d_layout) {
  const std::uint64_t depth = desc.a == CUBLAS_OP_T ? a_layout.rows : a_layout.columns;
  for (std::uint64_t column = 0; column < d_layout.columns; ++column) {
    for (std::uint64_t row = 0; row < d_layout.rows; ++row) {
      float sum = 0.0F;
      for (std::uint64_t i = 0; i < depth; ++i) sum += value_at(a, a_layout, desc.a, row, i) * value_at(b, b_layout, desc.b, i, column);
      if (has_bias(desc)) sum += desc.bias[row];
      d[row + column * static_cast<std::size_t>(d_layout.leading)] = finished(desc, sum);
    }
  }
}

std::string text_of(const StubLayout& m, cublasOperation_t op) {
  return std::string(m.type == CUDA_R_32F ? "f32" : "bf16") + "(" + std::to_string(m.rows) + "x" + std::to_string(m.columns) + " ld " +
         std::to_string(m.leading) + (op == CUBLAS_OP_T ? ")T" : ")");
}

template <typename Made, typename... Arguments>
cublasStatus_t make(Made** to, Arguments... arguments) {
  *to = new Made{arguments...};
  ++alive;
  return CUBLAS_STATUS_SUCCESS;
}

template <typename Made>
cublasStatus_t destroy(Made* made) {
  delete made;
  --alive;
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

/// What was called since the last time it was asked, a line each.
const char* stub_record() {
  static std::string taken;
  taken = std::exchange(record, {});
  return taken.c_str();
}
int stub_alive() { return alive; }

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = &the_handle;
  return CUBLAS_STATUS_SUCCESS;
}
std::size_t cublasLtGetVersion() { return 130002; }
const char* cublasLtGetStatusString(cublasStatus_t status) { return status == CUBLAS_STATUS_SUCCESS ? "success" : "refused by the stub"; }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* desc, cublasComputeType_t compute, cudaDataType_t scale) {
  return compute == CUBLAS_COMPUTE_32F && scale == CUDA_R_32F ? make(desc) : CUBLAS_STATUS_INVALID_VALUE;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc) { return destroy(desc); }
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc, cublasLtMatmulDescAttributes_t attribute, const void* value,
                                              std::size_t bytes) {
  const auto into = [&](auto& field) {
    if (bytes != sizeof field) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(&field, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  };
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return into(desc->a);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return into(desc->b);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return into(desc->epilogue);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return into(desc->bias);
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
      return into(desc->bias_type);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType_t type, std::uint64_t rows, std::uint64_t columns,
                                          std::int64_t leading_dimension) {
  return make(layout, type, rows, columns, leading_dimension);
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) { return destroy(layout); }

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) { return make(preference); }
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) { return destroy(preference); }
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* value, std::size_t bytes) {
  if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES && bytes == sizeof preference->workspace) {
    std::memcpy(&preference->workspace, value, bytes);
    return CUBLAS_STATUS_SUCCESS;
  }
  std::uint32_t alignment = 0;
  if (bytes != sizeof alignment) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&alignment, value, bytes);
  preference->alignment[attribute] = alignment;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int most, cublasLtMatmulHeuristicResult_t* result,
                                              int* found) {
  if (handle != &the_handle || most != 1 || c != d || !fit(*desc, *a, *b, *d)) return CUBLAS_STATUS_INVALID_VALUE;
  record += "heuristic workspace " + std::to_string(preference->workspace) + " alignment";
  for (const auto& [operand, bytes] : preference->alignment) record += " " + std::to_string(bytes);
  record += "\n";
  *result = {};
  result->algo.data[0] = d->rows * d->columns;  // to be handed back
  *found = 1;
  if (a->rows == 31) *found = 0;  // a depth that the stub has no algorithm for
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout, const void* beta,
                              const void* c, cublasLtMatrixLayout_t c_layout, void* d, cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void* workspace, std::size_t workspace_bytes, cudaStream_t stream) {
  const bool scaled = *static_cast<const float*>(alpha) != 1.0F || *static_cast<const float*>(beta) != 0.0F;
  if (handle != &the_handle || scaled || c != d || c_layout != d_layout || !fit(*desc, *a_layout, *b_layout, *d_layout) ||
      algorithm->data[0] != d_layout->rows * d_layout->columns || workspace != nullptr || workspace_bytes != 0)
    return CUBLAS_STATUS_INVALID_VALUE;
  record += "matmul " + text_of(*a_layout, desc->a) + " * " + text_of(*b_layout, desc->b) + " = " + text_of(*d_layout, CUBLAS_OP_N) +
            " epilogue " + std::to_string(desc->epilogue) + "\n";
  emulation_put_on_stream(stream, [=, desc = *desc, a_layout = *a_layout, b_layout = *b_layout, d_layout = *d_layout] {
    multiply(desc, a, a_layout, b, b_layout, static_cast<float*>(d), d_layout);
  });
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
