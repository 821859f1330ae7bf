// Reads the name of a device, and makes its machine.
#include "library/device_choice.h"

#include <charconv>

#include "kernels/device.h"
#include "kernels/instruction_set.h"

namespace fabula {

std::optional<int> cuda_device_of(const std::string& device) {
  if (device == "cuda") return 0;
  constexpr std::string_view prefix = "cuda:";
  if (!device.starts_with(prefix)) return std::nullopt;
  int number = 0;
  const char* end = device.data() + device.size();
  const auto read = std::from_chars(device.data() + prefix.size(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number < 0) return std::nullopt;
  return number;
}

Machine machine_of(const ModelOptions& options) {
  if (const std::optional<int> number = cuda_device_of(options.device)) return cuda_machine(*number, precision_of(options.precision));
  return cpu_machine(thread_count(options.threads), precision_of(options.precision));
}

std::string device_profile(const std::string& device) {
  const std::optional<int> number = cuda_device_of(device);
  if (!number) return processor_profile();
  use_cuda_device(*number);
  const std::string text = cuda_device_text(*number);
  return "CUDA " + text.substr(0, text.rfind(','));
}

std::string graphics_text() {
  std::string text;  // without a device NVIDIA's libraries do not start
  for (int device = 0; device < cuda_devices(); ++device) text += (text.empty() ? "" : "; ") + cuda_device_text(device);
  return text.empty() ? "no CUDA device that this build can use" : text + "; " + cuda_libraries_text();
}

}  // namespace fabula
