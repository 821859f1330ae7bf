// A shared library that is opened by name while the program runs, because not every machine has it.
#pragma once

#include <dlfcn.h>

#include <string>
#include <vector>

namespace fabula {

class SharedLibrary {
 public:
  /// Opens the first of `names` that there is.
  explicit SharedLibrary(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      name_ = name;
      if ((handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) != nullptr) return;
      absent_ = names.front() + " was not opened: " + dlerror();
    }
  }
  ~SharedLibrary() {
    if (handle_ != nullptr) dlclose(handle_);
  }
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;

  /// Sets `function` to what the library calls `name`. Where it has no such thing, the library counts as absent.
  template <typename Function>
  void find(const char* name, Function& function) {
    if (!absent().empty()) return;
    function = reinterpret_cast<Function>(dlsym(handle_, name));
    if (function == nullptr) missing_ = name_ + " has no " + name;
  }
  /// Why it cannot be used; empty if it can.
  [[nodiscard]] const std::string& absent() const { return handle_ == nullptr ? absent_ : missing_; }

 private:
  void* handle_ = nullptr;
  std::string name_, absent_, missing_;
};

}  // namespace fabula
