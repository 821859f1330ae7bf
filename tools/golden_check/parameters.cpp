// Parameters and tensors of a case, each checked as it is read.
#include "tools/golden_check/parameters.h"

#include <cstring>
#include <nlohmann/json.hpp>

namespace fabula::golden {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& name) {
  throw Error(ExitCode::bad_data, "the case's parameter \"" + name + "\" is missing or makes no sense");
}

json parameter(const Case& one, const std::string& name) {
  const json root = json::parse(one.parameters, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || !root.contains(name)) refuse(name);
  return root[name];
}

template <typename T>
std::vector<T> copied(const Tensor& tensor, DType dtype) {
  if (tensor.dtype != dtype)
    throw Error(ExitCode::bad_data, std::string("a tensor of the case is ") + name_of(tensor.dtype) + ", expected " + name_of(dtype));
  std::vector<T> values(static_cast<std::size_t>(tensor.elements()));
  if (!values.empty()) std::memcpy(values.data(), tensor.data, values.size() * sizeof(T));
  return values;
}

}  // namespace

std::int64_t whole_number(const Case& one, const std::string& name, std::int64_t low, std::int64_t high) {
  const json value = parameter(one, name);
  if (!value.is_number_integer() || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high) refuse(name);
  return value.get<std::int64_t>();
}

double real_number(const Case& one, const std::string& name) {
  const json value = parameter(one, name);
  if (!value.is_number()) refuse(name);
  return value.get<double>();
}

std::string text(const Case& one, const std::string& name) {
  const json value = parameter(one, name);
  if (!value.is_string()) refuse(name);
  return value.get<std::string>();
}

std::vector<std::int64_t> whole_numbers(const Case& one, const std::string& name, std::size_t count, std::int64_t low, std::int64_t high) {
  const json value = parameter(one, name);
  if (!value.is_array() || value.size() != count) refuse(name);
  std::vector<std::int64_t> numbers;
  for (const json& entry : value) {
    if (!entry.is_number_integer() || entry.get<std::int64_t>() < low || entry.get<std::int64_t>() > high) refuse(name);
    numbers.push_back(entry.get<std::int64_t>());
  }
  return numbers;
}

std::vector<float> floats(const Tensor& tensor) { return copied<float>(tensor, DType::f32); }
std::vector<std::int64_t> integers(const Tensor& tensor) { return copied<std::int64_t>(tensor, DType::i64); }

}  // namespace fabula::golden
