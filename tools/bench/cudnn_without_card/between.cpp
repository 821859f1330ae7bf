// A libcudnn.so.9 that stands between kernels/cudnn.cpp and NVIDIA's, on a machine without a card: where ours hands over a handle, which
// only a card makes, NVIDIA's gets the properties of a device from the file $DEVICE (cuDNN's own JSON). Nothing is run.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "kernels/cudnn_api.h"

namespace fabula::cuda::dnn {
namespace {

constexpr Kind device_properties{38};
constexpr Attribute heuristics_device{204}, plan_device{407}, device_json{2702};
constexpr Type characters{24};

template <typename Function>
Function* real(const char* name) {
  static void* const library = dlopen(std::getenv("CUDNN"), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) std::fprintf(stderr, "%s\n", dlerror()), std::exit(69);
  return reinterpret_cast<Function*>(dlsym(library, name));
}

Descriptor device() {
  static const Descriptor made = [] {
    std::ifstream file(std::getenv("DEVICE"));
    const std::string json{std::istreambuf_iterator<char>(file), {}};
    Descriptor properties = nullptr;
    (void)real<CreateDescriptor>("cudnnBackendCreateDescriptor")(device_properties, &properties);
    (void)real<SetAttribute>("cudnnBackendSetAttribute")(properties, device_json, characters, static_cast<std::int64_t>(json.size()),
                                                         json.data());
    const Status status = real<Finalize>("cudnnBackendFinalize")(properties);
    if (status != Status::success) std::fprintf(stderr, "cuDNN does not take the device's properties\n"), std::exit(65);
    return properties;
  }();
  return made;
}

}  // namespace

extern "C" {

std::size_t cudnnGetVersion() { return real<GetVersion>("cudnnGetVersion")(); }
const char* cudnnGetErrorString(Status status) { return real<GetErrorString>("cudnnGetErrorString")(status); }
void cudnnGetLastErrorString(char* message, std::size_t room) { real<GetLastErrorString>("cudnnGetLastErrorString")(message, room); }
Status cudnnBackendCreateDescriptor(Kind kind, Descriptor* made) {
  return real<CreateDescriptor>("cudnnBackendCreateDescriptor")(kind, made);
}
Status cudnnBackendDestroyDescriptor(Descriptor made) { return real<DestroyDescriptor>("cudnnBackendDestroyDescriptor")(made); }
Status cudnnBackendFinalize(Descriptor made) { return real<Finalize>("cudnnBackendFinalize")(made); }

Status cudnnCreate(Handle* handle) {
  static char none = 0;
  *handle = reinterpret_cast<Handle>(&none);
  return Status::success;
}
Status cudnnSetStream(Handle, void*) { return Status::success; }
Status cudnnBackendExecute(Handle, Descriptor, Descriptor) { return Status::success; }

Status cudnnBackendSetAttribute(Descriptor made, Attribute attribute, Type type, std::int64_t count, const void* values) {
  const auto set = real<SetAttribute>("cudnnBackendSetAttribute");
  const Descriptor properties = device();
  if (attribute == Attribute::graph_handle) return Status::success;
  if (attribute == Attribute::plan_handle) return set(made, plan_device, Type::descriptor, 1, &properties);
  if (attribute == Attribute::heuristics_mode) (void)set(made, heuristics_device, Type::descriptor, 1, &properties);
  return set(made, attribute, type, count, values);
}

Status cudnnBackendGetAttribute(Descriptor made, Attribute attribute, Type type, std::int64_t room, std::int64_t* count, void* into) {
  const Status status = real<GetAttribute>("cudnnBackendGetAttribute")(made, attribute, type, room, count, into);
  if (attribute == Attribute::heuristics_results && room > 0)
    std::printf("%lld of %lld engines, ", static_cast<long long>(*count), static_cast<long long>(room));
  if (attribute == Attribute::plan_workspace_size)
    std::printf("workspace %lld, ", static_cast<long long>(*static_cast<std::int64_t*>(into)));
  return status;
}

}  // extern "C"
}  // namespace fabula::cuda::dnn
