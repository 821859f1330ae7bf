// See the header. cuBLASLt's matrices are column-major: a row-major (r, c) is its (c, r) with leading dimension c. So it is asked for
// outᵀ (n, rows) = weight (n, k) · xᵀ (k, rows), where it sees weight as (k, n), to be transposed.
#include "kernels/cublaslt.h"

#include <cublasLt.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>

#include "base/error.h"
#include "kernels/shared_library.h"

namespace fabula::cuda {
namespace {

/// The library's functions, each under its own name, and the one handle.
struct Library {
  SharedLibrary file{{"libcublasLt.so.13", "libcublasLt.so.12"}};
  decltype(&cublasLtCreate) create{};
  decltype(&cublasLtGetVersion) version{};
  decltype(&cublasLtGetStatusString) status_string{};
  decltype(&cublasLtMatmulDescCreate) desc_create{};
  decltype(&cublasLtMatmulDescDestroy) desc_destroy{};
  decltype(&cublasLtMatmulDescSetAttribute) desc_set{};
  decltype(&cublasLtMatrixLayoutCreate) layout_create{};
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy{};
  decltype(&cublasLtMatmulPreferenceCreate) preference_create{};
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy{};
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set{};
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic{};
  decltype(&cublasLtMatmul) matmul{};
  cublasLtHandle_t handle{};
  std::string absent;  // why it cannot be used; empty if it can

  Library() {
    file.find("cublasLtCreate", create);
    file.find("cublasLtGetVersion", version);
    file.find("cublasLtGetStatusString", status_string);
    file.find("cublasLtMatmulDescCreate", desc_create);
    file.find("cublasLtMatmulDescDestroy", desc_destroy);
    file.find("cublasLtMatmulDescSetAttribute", desc_set);
    file.find("cublasLtMatrixLayoutCreate", layout_create);
    file.find("cublasLtMatrixLayoutDestroy", layout_destroy);
    file.find("cublasLtMatmulPreferenceCreate", preference_create);
    file.find("cublasLtMatmulPreferenceDestroy", preference_destroy);
    file.find("cublasLtMatmulPreferenceSetAttribute", preference_set);
    file.find("cublasLtMatmulAlgoGetHeuristic", heuristic);
    file.find("cublasLtMatmul", matmul);
    absent = file.absent();
    if (!absent.empty()) return;
    const cublasStatus_t status = create(&handle);
    if (status != CUBLAS_STATUS_SUCCESS) absent = std::string("cuBLASLt does not start: ") + status_string(status);
  }

  void check(cublasStatus_t status, const char* what) const {
    if (status != CUBLAS_STATUS_SUCCESS)
      throw Error(ExitCode::unavailable, std::string("cuBLASLt: ") + what + " failed: " + status_string(status));
  }
};

const Library& library() {
  static const Library opened;
  return opened;
}

// ---- descriptors

struct DestroyDesc {
  void operator()(cublasLtMatmulDesc_t desc) const { (void)library().desc_destroy(desc); }
};
struct DestroyLayout {
  void operator()(cublasLtMatrixLayout_t layout) const { (void)library().layout_destroy(layout); }
};
struct DestroyPreference {
  void operator()(cublasLtMatmulPreference_t preference) const { (void)library().preference_destroy(preference); }
};
using Desc = std::unique_ptr<std::remove_pointer_t<cublasLtMatmulDesc_t>, DestroyDesc>;
using Layout = std::unique_ptr<std::remove_pointer_t<cublasLtMatrixLayout_t>, DestroyLayout>;
using Preference = std::unique_ptr<std::remove_pointer_t<cublasLtMatmulPreference_t>, DestroyPreference>;

Layout layout_of(const Library& lt, cudaDataType_t type, std::int64_t rows, std::int64_t columns) {
  cublasLtMatrixLayout_t layout = nullptr;
  lt.check(lt.layout_create(&layout, type, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns), rows), "a matrix layout");
  return Layout(layout);
}

template <typename Value>
void set(const Library& lt, const Desc& desc, cublasLtMatmulDescAttributes_t attribute, const Value& value) {
  lt.check(lt.desc_set(desc.get(), attribute, &value, sizeof value), "an attribute of a product");
}

template <typename Value>
void set(const Library& lt, const Preference& preference, cublasLtMatmulPreferenceAttributes_t attribute, const Value& value) {
  lt.check(lt.preference_set(preference.get(), attribute, &value, sizeof value), "a preference");
}

cublasLtEpilogue_t epilogue_of(const Product& p) {
  const bool gelu = p.epilogue == Epilogue::gelu_tanh;  // cuBLASLt's GELU is the one with tanh
  if (p.bias == nullptr) return gelu ? CUBLASLT_EPILOGUE_GELU : CUBLASLT_EPILOGUE_DEFAULT;
  return gelu ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
}

struct Operation {
  Desc desc;
  Layout weight, x, out;
};

Operation operation_of(const Library& lt, const Product& p) {
  const cudaDataType_t operands = p.bf16 ? CUDA_R_16BF : CUDA_R_32F;
  cublasLtMatmulDesc_t made = nullptr;
  lt.check(lt.desc_create(&made, CUBLAS_COMPUTE_32F, CUDA_R_32F), "the description of a product");
  Operation operation{Desc(made), layout_of(lt, operands, p.k, p.n), layout_of(lt, operands, p.k, p.rows),
                      layout_of(lt, CUDA_R_32F, p.n, p.rows)};
  set(lt, operation.desc, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  set(lt, operation.desc, CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
  set(lt, operation.desc, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_of(p));
  if (p.bias != nullptr) {
    set(lt, operation.desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
    set(lt, operation.desc, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_32F);
  }
  return operation;
}

// ---- algorithms

/// What is known of an address: the largest power of two, up to 256, that divides it.
std::uint32_t alignment_of(const void* memory) {
  const auto address = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(memory) & 0xFFU) | 0x100U;
  return address & (~address + 1U);
}

/// What cuBLASLt's choice depends on.
using Key = std::tuple<std::int64_t, std::int64_t, std::int64_t, bool, int, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;

Key key_of(const Product& p) {
  return {p.rows,
          p.k,
          p.n,
          p.bf16,
          static_cast<int>(epilogue_of(p)),
          alignment_of(p.weight),
          alignment_of(p.x),
          alignment_of(p.out),
          alignment_of(p.bias)};
}

std::optional<cublasLtMatmulAlgo_t> chosen(const Library& lt, const Operation& operation, const Product& p) {
  cublasLtMatmulPreference_t made = nullptr;
  lt.check(lt.preference_create(&made), "preferences");
  const Preference preference(made);
  set(lt, preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{0});
  set(lt, preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(p.weight));
  set(lt, preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(p.x));
  set(lt, preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of(p.out));
  set(lt, preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(p.out));
  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  const cublasStatus_t status = lt.heuristic(lt.handle, operation.desc.get(), operation.weight.get(), operation.x.get(),
                                             operation.out.get(), operation.out.get(), preference.get(), 1, &result, &found);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || (status == CUBLAS_STATUS_SUCCESS && found == 0)) return std::nullopt;
  lt.check(status, "the search for an algorithm");
  return result.algo;
}

std::optional<cublasLtMatmulAlgo_t> algorithm_of(const Library& lt, const Operation& operation, const Product& p) {
  static std::mutex mutex;
  static std::map<Key, std::optional<cublasLtMatmulAlgo_t>> known;  // the search takes longer than a small product
  const std::lock_guard lock(mutex);
  const auto [at, fresh] = known.try_emplace(key_of(p));
  if (fresh) at->second = chosen(lt, operation, p);
  return at->second;
}

}  // namespace

bool has_cublaslt() { return library().absent.empty(); }

bool multiply_with_cublaslt(const Exec& exec, const Product& p) {
  const Library& lt = library();
  if (!has_cublaslt()) return false;
  const Operation operation = operation_of(lt, p);
  const std::optional<cublasLtMatmulAlgo_t> algorithm = algorithm_of(lt, operation, p);
  if (!algorithm) return false;
  const float one = 1.0F, zero = 0.0F;
  lt.check(lt.matmul(lt.handle, operation.desc.get(), &one, p.weight, operation.weight.get(), p.x, operation.x.get(), &zero, p.out,
                     operation.out.get(), p.out, operation.out.get(), &*algorithm, nullptr, 0, static_cast<cudaStream_t>(exec.stream)),
           "a product");
  return true;
}

std::string cublaslt_text() {
  const Library& lt = library();
  if (!has_cublaslt()) return lt.absent + "; matrix products run on kernels of ours, which are slower";
  const std::size_t version = lt.version();
  return "cuBLASLt " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." + std::to_string(version % 100);
}

}  // namespace fabula::cuda
