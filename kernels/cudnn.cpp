// See the header. cuDNN is asked through its backend interface: descriptors get attributes and are finalised; an operation of them makes a
// graph, heuristics make engine configurations of the graph, and the first of these that becomes a plan is kept.
#include "kernels/cudnn.h"

#include <cuda_runtime.h>

#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "kernels/cudnn_api.h"
#include "kernels/shared_library.h"

namespace fabula::cuda {
namespace {

using dnn::Attribute;
using dnn::Descriptor;
using dnn::Kind;
using dnn::Type;

constexpr std::size_t least_version = 91301;  // the first with attention as one operation

std::string version_text(std::size_t version) {
  return "cuDNN " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." + std::to_string(version % 100);
}

/// The library's functions.
struct Library {
  SharedLibrary file{{"libcudnn.so.9"}};
  dnn::GetVersion* version{};
  dnn::GetErrorString* error_string{};
  dnn::GetLastErrorString* last_error{};
  dnn::Create* create{};
  dnn::SetStream* set_stream{};
  dnn::CreateDescriptor* create_descriptor{};
  dnn::DestroyDescriptor* destroy_descriptor{};
  dnn::SetAttribute* set{};
  dnn::GetAttribute* get{};
  dnn::Finalize* finalize{};
  dnn::Execute* execute{};
  std::string absent;  // why it cannot be used; empty if it can

  Library() {
    file.find("cudnnGetVersion", version);
    file.find("cudnnGetErrorString", error_string);
    file.find("cudnnGetLastErrorString", last_error);
    file.find("cudnnCreate", create);
    file.find("cudnnSetStream", set_stream);
    file.find("cudnnBackendCreateDescriptor", create_descriptor);
    file.find("cudnnBackendDestroyDescriptor", destroy_descriptor);
    file.find("cudnnBackendSetAttribute", set);
    file.find("cudnnBackendGetAttribute", get);
    file.find("cudnnBackendFinalize", finalize);
    file.find("cudnnBackendExecute", execute);
    absent = file.absent();
    if (absent.empty() && version() < least_version) absent = version_text(version()) + " is older than 9.13.1";
  }

  void check(dnn::Status status, const char* what) const {
    if (status == dnn::Status::success) return;
    char reason[512] = "";
    last_error(reason, sizeof reason);
    throw Error(ExitCode::unavailable, std::string("cuDNN: ") + what + " failed: " + error_string(status) + ", " + reason);
  }
};

const Library& library() {
  static const Library opened;
  return opened;
}

// ---- descriptors

struct Destroy {
  void operator()(Descriptor descriptor) const { (void)library().destroy_descriptor(descriptor); }
};
using Owned = std::unique_ptr<void, Destroy>;

/// One attribute of a descriptor.
struct Setting {
  Attribute attribute;
  Type type;
  std::int64_t count;
  const void* values;
};

Owned created(const Library& lib, Kind kind, const char* what) {
  Descriptor descriptor = nullptr;
  lib.check(lib.create_descriptor(kind, &descriptor), what);
  return Owned(descriptor);
}

Owned finished(const Library& lib, Kind kind, const char* what, std::initializer_list<Setting> settings) {
  Owned made = created(lib, kind, what);
  for (const Setting& s : settings) lib.check(lib.set(made.get(), s.attribute, s.type, s.count, s.values), what);
  lib.check(lib.finalize(made.get()), what);
  return made;
}

// ---- the operation

/// The tensors of the operation, by the names that plan and call have in common.
enum Id : std::int64_t { id_q = 1, id_k, id_v, id_out, id_scale };

Owned tensor(const Library& lib, std::int64_t id, dnn::DataType type, const std::int64_t (&dims)[4], const std::int64_t (&strides)[4],
             bool by_value) {
  const std::int64_t alignment = 16;
  return finished(lib, Kind::tensor, "the description of a tensor",
                  {{Attribute::tensor_id, Type::int64, 1, &id},
                   {Attribute::tensor_data_type, Type::data_type, 1, &type},
                   {Attribute::tensor_alignment, Type::int64, 1, &alignment},
                   {Attribute::tensor_dimensions, Type::int64, 4, dims},
                   {Attribute::tensor_strides, Type::int64, 4, strides},
                   {Attribute::tensor_by_value, Type::boolean, 1, &by_value}});
}

/// A tensor (rows, heads, dim), as cuDNN names it: (batch, heads, rows, dim).
Owned rows_tensor(const Library& lib, std::int64_t id, std::int64_t rows, std::int64_t heads, std::int64_t dim) {
  return tensor(lib, id, dnn::DataType::bf16, {1, heads, rows, dim}, {rows * heads * dim, dim, heads * dim, 1}, /*by_value=*/false);
}

Owned attention_operation(const Library& lib, const FusedAttention& a) {
  const Owned q = rows_tensor(lib, id_q, a.q_rows, a.heads, a.dim), k = rows_tensor(lib, id_k, a.k_rows, a.kv_heads, a.dim);
  const Owned v = rows_tensor(lib, id_v, a.k_rows, a.kv_heads, a.dim), out = rows_tensor(lib, id_out, a.q_rows, a.heads, a.dim);
  const Owned scale = tensor(lib, id_scale, dnn::DataType::f32, {1, 1, 1, 1}, {1, 1, 1, 1}, /*by_value=*/true);
  const Descriptor operands[] = {q.get(), k.get(), v.get(), out.get(), scale.get()};
  return finished(lib, Kind::attention, "the description of an attention",
                  {{Attribute::attention_q, Type::descriptor, 1, &operands[0]},
                   {Attribute::attention_k, Type::descriptor, 1, &operands[1]},
                   {Attribute::attention_v, Type::descriptor, 1, &operands[2]},
                   {Attribute::attention_out, Type::descriptor, 1, &operands[3]},
                   {Attribute::attention_scale, Type::descriptor, 1, &operands[4]}});
}

// ---- plans

/// cuDNN's engine configurations for the graph, best first.
std::vector<Owned> configurations_of(const Library& lib, Descriptor graph) {
  const char* const what = "the search for a plan";
  const dnn::HeuristicMode mode = dnn::HeuristicMode::a;
  const Owned heuristics =
      finished(lib, Kind::heuristics, what,
               {{Attribute::heuristics_graph, Type::descriptor, 1, &graph}, {Attribute::heuristics_mode, Type::heuristic_mode, 1, &mode}});
  std::int64_t count = 0;
  lib.check(lib.get(heuristics.get(), Attribute::heuristics_results, Type::descriptor, 0, &count, nullptr), what);
  std::vector<Owned> found;
  std::vector<Descriptor> raw;
  for (std::int64_t i = 0; i < count; ++i) raw.push_back(found.emplace_back(created(lib, Kind::engine_config, what)).get());
  // Now they are tried on the device, and count is of those that it can run.
  lib.check(lib.get(heuristics.get(), Attribute::heuristics_results, Type::descriptor, count, &count, raw.data()), what);
  found.resize(static_cast<std::size_t>(count));
  return found;
}

std::int64_t workspace_of(const Library& lib, const Owned& plan) {
  std::int64_t bytes = 0, count = 0;
  lib.check(lib.get(plan.get(), Attribute::plan_workspace_size, Type::int64, 1, &count, &bytes), "asking for a plan's workspace");
  return bytes;
}

/// The first plan that can be made and needs no more than the workspace. Throws Error(unavailable) where there is none.
Owned plan_of(const Library& lib, dnn::Handle handle, const FusedAttention& a) {
  const Owned operation = attention_operation(lib, a);
  const Descriptor operations[] = {operation.get()};
  const Owned graph =
      finished(lib, Kind::graph, "a graph",
               {{Attribute::graph_handle, Type::handle, 1, &handle}, {Attribute::graph_operations, Type::descriptor, 1, operations}});
  std::string reason = "cuDNN has no plan for it";
  for (const Owned& configuration : configurations_of(lib, graph.get())) {
    try {
      const Descriptor engine_config = configuration.get();
      Owned plan = finished(
          lib, Kind::plan, "a plan",
          {{Attribute::plan_handle, Type::handle, 1, &handle}, {Attribute::plan_engine_config, Type::descriptor, 1, &engine_config}});
      const std::int64_t bytes = workspace_of(lib, plan);
      if (bytes <= static_cast<std::int64_t>(fused_workspace)) return plan;
      reason = "cuDNN's plan needs a workspace of " + std::to_string(bytes) + " bytes";
    } catch (const Error& error) {
      reason = error.what();
    }
  }
  throw Error(ExitCode::unavailable, reason);
}

/// What a plan depends on: q_rows, k_rows, heads, kv_heads, dim.
using Key = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>;

/// A handle and its plans; null: there is none, ours runs. They belong to one device.
struct Device {
  dnn::Handle handle{};
  std::map<Key, Owned> plans;
};

struct Devices {
  std::mutex mutex;  // held while a plan is put on a stream, too: a handle has one stream at a time
  std::map<int, Device> by_number;
  std::string refusal;
};

Devices& devices() {
  static auto* const kept = new Devices;  // for good: graphs hold what plans own, and CUDA may be gone before static objects are
  return *kept;
}

Device& device_of_thread(Devices& all) {
  int number = 0;
  if (cudaGetDevice(&number) != cudaSuccess) throw Error(ExitCode::unavailable, "CUDA: asking for the device failed");
  return all.by_number[number];
}

Descriptor known_plan(const Library& lib, Devices& all, Device& device, const FusedAttention& a) {
  const auto [at, fresh] = device.plans.try_emplace({a.q_rows, a.k_rows, a.heads, a.kv_heads, a.dim});
  if (!fresh) return at->second.get();
  try {
    if (device.handle == nullptr) lib.check(lib.create(&device.handle), "starting it");
    at->second = plan_of(lib, device.handle, a);
  } catch (const Error& error) {
    all.refusal = "attention of " + std::to_string(a.q_rows) + " queries and " + std::to_string(a.k_rows) + " keys, " +
                  std::to_string(a.heads) + " heads of " + std::to_string(a.dim) + ", runs on kernels of ours: " + error.what();
  }
  return at->second.get();
}

void run(const Library& lib, dnn::Handle handle, Descriptor plan, const FusedAttention& a, void* stream) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(a.dim));
  const std::int64_t ids[] = {id_q, id_k, id_v, id_out, id_scale};
  const void* const pointers[] = {a.q, a.k, a.v, a.out, &scale};
  const Owned pack = finished(lib, Kind::variant_pack, "naming the operands of an attention",
                              {{Attribute::pack_ids, Type::int64, 5, ids},
                               {Attribute::pack_pointers, Type::pointer, 5, pointers},
                               {Attribute::pack_workspace, Type::pointer, 1, &a.workspace}});
  lib.check(lib.set_stream(handle, stream), "choosing a stream");
  lib.check(lib.execute(handle, plan, pack.get()), "an attention");
}

}  // namespace

bool has_cudnn() { return library().absent.empty(); }

bool attend_with_cudnn(const Exec& exec, const FusedAttention& a) {
  const Library& lib = library();
  if (!has_cudnn()) return false;
  Devices& all = devices();
  const std::lock_guard lock(all.mutex);
  Device& device = device_of_thread(all);
  const Descriptor plan = known_plan(lib, all, device, a);
  if (plan == nullptr) return false;
  run(lib, device.handle, plan, a, exec.stream);
  return true;
}

std::string cudnn_text() {
  const Library& lib = library();
  if (!has_cudnn()) return lib.absent + "; attention runs on kernels of ours, which are slower";
  Devices& all = devices();
  const std::lock_guard lock(all.mutex);
  return version_text(lib.version()) + (all.refusal.empty() ? "" : "; " + all.refusal);
}

}  // namespace fabula::cuda
