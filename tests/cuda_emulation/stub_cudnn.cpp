// A libcudnn.so.9 for the tests: does on the host what the descriptors say, refuses what they must not say, and keeps a record.
//
// Formula: O = softmax(scale · Q·Kᵀ) · V, tensors (batch, heads, rows, dim) by their strides, heads of K and V shared by as many heads of Q
// (cuDNN's backend reference, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR). As cuDNN 9.19 does, the heuristics promise more configurations
// than the device then runs, and not every one that is left becomes a plan.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/bf16.h"
#include "kernels/cudnn_api.h"
#include "tests/cuda_emulation/include/cuda_runtime.h"

extern "C" void emulation_put_on_stream(cudaStream_t, const std::function<void()>&);  // of the program

namespace fabula::cuda::dnn {

struct HandleOf {
  cudaStream_t stream = nullptr;
};

namespace {

struct View {
  std::int64_t id = 0, alignment = 0;
  DataType type{};
  bool by_value = false;
  std::vector<std::int64_t> dims, strides;
};

/// What an operation says.
struct Attention {
  View q, k, v, out, scale;
};

struct Object {
  Kind kind;
  bool finalised = false;
  std::map<Attribute, std::vector<std::byte>> values;
  std::shared_ptr<const Attention> attention;  // of an operation, and of what was made of it, which may live longer

  template <typename T>
  std::vector<T> all(Attribute attribute) const {
    const auto at = values.find(attribute);
    if (at == values.end()) return {};
    std::vector<T> result(at->second.size() / sizeof(T));
    std::memcpy(result.data(), at->second.data(), at->second.size());
    return result;
  }
  template <typename T>
  T one(Attribute attribute) const {
    const std::vector<T> found = all<T>(attribute);
    return found.size() == 1 ? found[0] : T{};
  }
};

/// What an attribute must be, by the manual. count 0: any number.
struct Rule {
  Kind kind;
  Attribute attribute;
  Type type;
  std::size_t size, count;
};
const Rule rules[] = {
    {Kind::tensor, Attribute::tensor_id, Type::int64, 8, 1},
    {Kind::tensor, Attribute::tensor_data_type, Type::data_type, 4, 1},
    {Kind::tensor, Attribute::tensor_alignment, Type::int64, 8, 1},
    {Kind::tensor, Attribute::tensor_dimensions, Type::int64, 8, 4},
    {Kind::tensor, Attribute::tensor_strides, Type::int64, 8, 4},
    {Kind::tensor, Attribute::tensor_by_value, Type::boolean, 1, 1},
    {Kind::attention, Attribute::attention_q, Type::descriptor, 8, 1},
    {Kind::attention, Attribute::attention_k, Type::descriptor, 8, 1},
    {Kind::attention, Attribute::attention_v, Type::descriptor, 8, 1},
    {Kind::attention, Attribute::attention_out, Type::descriptor, 8, 1},
    {Kind::attention, Attribute::attention_scale, Type::descriptor, 8, 1},
    {Kind::graph, Attribute::graph_handle, Type::handle, 8, 1},
    {Kind::graph, Attribute::graph_operations, Type::descriptor, 8, 0},
    {Kind::heuristics, Attribute::heuristics_graph, Type::descriptor, 8, 1},
    {Kind::heuristics, Attribute::heuristics_mode, Type::heuristic_mode, 4, 1},
    {Kind::plan, Attribute::plan_handle, Type::handle, 8, 1},
    {Kind::plan, Attribute::plan_engine_config, Type::descriptor, 8, 1},
    {Kind::variant_pack, Attribute::pack_ids, Type::int64, 8, 0},
    {Kind::variant_pack, Attribute::pack_pointers, Type::pointer, 8, 0},
    {Kind::variant_pack, Attribute::pack_workspace, Type::pointer, 8, 1},
};

HandleOf the_handle;
std::string record, reason;
int alive = 0;  // descriptors that were not destroyed

Object& object(Descriptor descriptor) { return *static_cast<Object*>(descriptor); }

Status refused(const std::string& why, Status status = Status::bad_parameter) {
  reason = why;
  return status;
}

View view_of(const Object& tensor) {
  return {tensor.one<std::int64_t>(Attribute::tensor_id),         tensor.one<std::int64_t>(Attribute::tensor_alignment),
          tensor.one<DataType>(Attribute::tensor_data_type),      tensor.one<std::uint8_t>(Attribute::tensor_by_value) != 0,
          tensor.all<std::int64_t>(Attribute::tensor_dimensions), tensor.all<std::int64_t>(Attribute::tensor_strides)};
}

std::string text_of(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
  return "(" + text + ")";
}

std::string text_of(const View& t) {
  return std::to_string(t.id) + (t.type == DataType::bf16 ? " bf16 " : " f32 ") + text_of(t.dims) +
         (t.by_value ? " by value" : " strides " + text_of(t.strides) + " at multiples of " + std::to_string(t.alignment));
}

bool is_set(const Object& made, std::initializer_list<Attribute> attributes) {
  return std::all_of(attributes.begin(), attributes.end(), [&](Attribute a) { return made.values.contains(a); });
}

Status finalise_attention(Object& made) {
  const auto view = [&](Attribute a) { return view_of(object(made.one<Descriptor>(a))); };
  if (!is_set(made, {Attribute::attention_q, Attribute::attention_k, Attribute::attention_v, Attribute::attention_out}))
    return refused("an operand is missing");
  const Attention a{view(Attribute::attention_q), view(Attribute::attention_k), view(Attribute::attention_v),
                    view(Attribute::attention_out), view(Attribute::attention_scale)};
  const bool fits = a.q.dims == a.out.dims && a.k.dims == a.v.dims && a.q.dims[0] == a.k.dims[0] && a.q.dims[3] == a.k.dims[3] &&
                    a.q.dims[1] % a.k.dims[1] == 0;
  if (!fits || a.scale.type != DataType::f32 || !a.scale.by_value) return refused("the operands do not fit");
  made.attention = std::make_shared<const Attention>(a);
  for (const auto& [name, operand] : {std::pair{"q", a.q}, {"k", a.k}, {"v", a.v}, {"out", a.out}, {"scale", a.scale}})
    record += std::string(name) + " " + text_of(operand) + "\n";
  return Status::success;
}

Status finalise_plan(Object& made) {
  if (made.one<Handle>(Attribute::plan_handle) != &the_handle) return refused("a plan without its handle");
  const Object& configuration = object(made.one<Descriptor>(Attribute::plan_engine_config));
  if (!configuration.attention) return refused("the configuration is none of the heuristics'");
  if (configuration.one<std::int64_t>(Attribute::plan_workspace_size) < 0)
    return refused("the engine does not compile", Status::not_supported);
  made.values[Attribute::plan_workspace_size] = configuration.values.at(Attribute::plan_workspace_size);
  made.attention = configuration.attention;
  record += "plan, workspace " + std::to_string(made.one<std::int64_t>(Attribute::plan_workspace_size)) + "\n";
  return Status::success;
}

Status finalise(Object& made) {
  switch (made.kind) {
    case Kind::tensor:
      if (!is_set(made, {Attribute::tensor_id, Attribute::tensor_data_type, Attribute::tensor_alignment, Attribute::tensor_dimensions,
                         Attribute::tensor_strides}))
        return refused("a tensor is not complete");
      return Status::success;
    case Kind::attention:
      return finalise_attention(made);
    case Kind::graph:
      if (made.one<Handle>(Attribute::graph_handle) != &the_handle) return refused("a graph without its handle");
      if (made.all<Descriptor>(Attribute::graph_operations).size() != 1) return refused("the stub knows graphs of one operation");
      made.attention = object(made.one<Descriptor>(Attribute::graph_operations)).attention;
      return Status::success;
    case Kind::heuristics:
      if (!is_set(made, {Attribute::heuristics_graph, Attribute::heuristics_mode})) return refused("heuristics of nothing");
      return Status::success;
    case Kind::plan:
      return finalise_plan(made);
    case Kind::variant_pack:
      if (made.all<void*>(Attribute::pack_pointers).size() != made.all<std::int64_t>(Attribute::pack_ids).size())
        return refused("as many names as pointers");
      return Status::success;
    case Kind::engine_config:
      return refused("only heuristics make configurations");
  }
  return refused("unknown");
}

/// Keys that the stub has no plan for that is small enough, and such whose plan does not run.
constexpr std::int64_t keys_without_plan = 31, keys_that_fail = 29;

/// Three are promised. The device runs two: the first does not compile, the second needs 256 bytes of workspace.
Status configurations(const Object& heuristics, std::int64_t room, std::int64_t* count, void* into) {
  constexpr std::int64_t workspaces[] = {-1, 256};
  *count = room == 0 ? 3 : 2;
  if (room == 0) return Status::success;
  const auto attention = object(heuristics.one<Descriptor>(Attribute::heuristics_graph)).attention;
  record += "heuristics, mode " + std::to_string(heuristics.one<int>(Attribute::heuristics_mode)) + "\n";
  for (int i = 0; i < 2; ++i) {
    const bool large = attention->k.dims[2] == keys_without_plan;
    const std::int64_t bytes = large && i == 1 ? std::int64_t{1} << 30 : workspaces[i];
    Object& made = object(static_cast<Descriptor*>(into)[i]);
    if (made.kind != Kind::engine_config) return refused("results are configurations");
    made.attention = attention;
    made.finalised = true;
    made.values[Attribute::plan_workspace_size].resize(sizeof bytes);
    std::memcpy(made.values[Attribute::plan_workspace_size].data(), &bytes, sizeof bytes);
  }
  return Status::success;
}

std::size_t place(const View& t, std::int64_t batch, std::int64_t head, std::int64_t row, std::int64_t i) {
  return static_cast<std::size_t>(batch * t.strides[0] + head * t.strides[1] + row * t.strides[2] + i * t.strides[3]);
}

/// One head of one batch.
void attend(const Attention& a, const std::uint16_t* q, const std::uint16_t* k, const std::uint16_t* v, std::uint16_t* out, float scale,
            std::int64_t batch, std::int64_t head) {
  const std::int64_t kv_head = head / (a.q.dims[1] / a.k.dims[1]), dim = a.q.dims[3], keys = a.k.dims[2];
  for (std::int64_t row = 0; row < a.q.dims[2]; ++row) {
    std::vector<float> weights(static_cast<std::size_t>(keys));
    for (std::int64_t key = 0; key < keys; ++key) {
      float& logit = weights[static_cast<std::size_t>(key)];
      for (std::int64_t i = 0; i < dim; ++i)
        logit += from_bf16(q[place(a.q, batch, head, row, i)]) * from_bf16(k[place(a.k, batch, kv_head, key, i)]);
      logit *= scale;
    }
    const float largest = *std::max_element(weights.begin(), weights.end());
    float total = 0.0F;
    for (float& weight : weights) total += weight = std::exp(weight - largest);
    for (std::int64_t i = 0; i < dim; ++i) {
      float sum = 0.0F;
      for (std::int64_t key = 0; key < keys; ++key)
        sum += weights[static_cast<std::size_t>(key)] * from_bf16(v[place(a.v, batch, kv_head, key, i)]);
      out[place(a.out, batch, head, row, i)] = to_bf16(sum / total);
    }
  }
}

/// The operand of that name; null where the pack has none, or at no multiple of its alignment.
void* operand(const Object& pack, const View& t) {
  const std::vector<std::int64_t> ids = pack.all<std::int64_t>(Attribute::pack_ids);
  const auto at = std::find(ids.begin(), ids.end(), t.id);
  if (at == ids.end()) return nullptr;
  void* const found = pack.all<void*>(Attribute::pack_pointers)[static_cast<std::size_t>(at - ids.begin())];
  return t.by_value || reinterpret_cast<std::uintptr_t>(found) % static_cast<std::uintptr_t>(t.alignment) == 0 ? found : nullptr;
}

Status execute(HandleOf& handle, const Object& plan, const Object& pack) {
  const Attention& a = *plan.attention;
  const auto of = [&](const View& t) { return static_cast<std::uint16_t*>(operand(pack, t)); };
  std::uint16_t *const q = of(a.q), *const k = of(a.k), *const v = of(a.v), *const out = of(a.out);
  const auto* const scale = static_cast<const float*>(operand(pack, a.scale));
  auto* const workspace = pack.one<std::byte*>(Attribute::pack_workspace);
  if (q == nullptr || k == nullptr || v == nullptr || out == nullptr || scale == nullptr)
    return refused("an operand is missing or misaligned");
  if (workspace == nullptr || reinterpret_cast<std::uintptr_t>(workspace) % 256 != 0) return refused("no workspace, or it is misaligned");
  if (a.k.dims[2] == keys_that_fail) return refused("the stub does not like it", Status{5000});
  record += "execute, scale " + std::to_string(*scale) + "\n";
  const auto bytes = static_cast<std::size_t>(plan.one<std::int64_t>(Attribute::plan_workspace_size));
  emulation_put_on_stream(handle.stream, [=, a = *plan.attention, scale = *scale] {
    std::memset(workspace, 0xA5, bytes);
    for (std::int64_t batch = 0; batch < a.q.dims[0]; ++batch)
      for (std::int64_t head = 0; head < a.q.dims[1]; ++head) attend(a, q, k, v, out, scale, batch, head);
  });
  return Status::success;
}

}  // namespace

extern "C" {

/// What was called since the last time it was asked, a line each.
const char* stub_cudnn_record() {
  static std::string taken;
  taken = std::exchange(record, {});
  return taken.c_str();
}
int stub_cudnn_alive() { return alive; }

std::size_t cudnnGetVersion() { return STUB_VERSION; }
const char* cudnnGetErrorString(Status status) { return status == Status::success ? "success" : "refused by the stub"; }
void cudnnGetLastErrorString(char* message, std::size_t room) { message[reason.copy(message, room - 1)] = 0; }
Status cudnnCreate(Handle* handle) {
  *handle = &the_handle;
  return Status::success;
}
Status cudnnSetStream(Handle handle, cudaStream_t stream) {
  handle->stream = stream;
  return Status::success;
}

Status cudnnBackendCreateDescriptor(Kind kind, Descriptor* descriptor) {
  *descriptor = new Object{kind, false, {}, nullptr};
  ++alive;
  return Status::success;
}
Status cudnnBackendDestroyDescriptor(Descriptor descriptor) {
  delete &object(descriptor);
  --alive;
  return Status::success;
}

Status cudnnBackendSetAttribute(Descriptor descriptor, Attribute attribute, Type type, std::int64_t count, const void* values) {
  Object& made = object(descriptor);
  const auto* const rule =
      std::find_if(std::begin(rules), std::end(rules), [&](const Rule& r) { return r.kind == made.kind && r.attribute == attribute; });
  if (rule == std::end(rules)) return refused("no attribute of it");
  const auto number = static_cast<std::size_t>(count);
  if (made.finalised || rule->type != type || number == 0 || (rule->count != 0 && rule->count != number))
    return refused("a wrong attribute");
  for (std::size_t i = 0; type == Type::descriptor && i < number; ++i) {
    if (!object(static_cast<const Descriptor*>(values)[i]).finalised) return refused("a part is not finalised");
  }
  const auto* const bytes = static_cast<const std::byte*>(values);
  made.values[attribute].assign(bytes, bytes + number * rule->size);
  return Status::success;
}

Status cudnnBackendGetAttribute(Descriptor descriptor, Attribute attribute, Type type, std::int64_t room, std::int64_t* count, void* into) {
  const Object& made = object(descriptor);
  if (!made.finalised) return refused("not finalised");
  if (attribute == Attribute::heuristics_results && type == Type::descriptor) return configurations(made, room, count, into);
  if (attribute != Attribute::plan_workspace_size || type != Type::int64 || room != 1) return refused("no attribute to be asked for");
  std::memcpy(into, made.values.at(attribute).data(), sizeof(std::int64_t));
  *count = 1;
  return Status::success;
}

Status cudnnBackendFinalize(Descriptor descriptor) {
  const Status status = finalise(object(descriptor));
  object(descriptor).finalised = status == Status::success;
  return status;
}

Status cudnnBackendExecute(Handle handle, Descriptor plan, Descriptor pack) {
  if (handle != &the_handle || !object(plan).finalised || !object(pack).finalised) return refused("nothing to run");
  return execute(*handle, object(plan), object(pack));
}

}  // extern "C"
}  // namespace fabula::cuda::dnn
