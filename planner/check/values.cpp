// Checks every single value against the limits of its field: films come not only from files but also from planners and callers.
#include <concepts>

#include "planner/check/rules.h"
#include "planner/schema/values.h"

namespace fabula::plan {
namespace {

template <typename S>
class ValueCheck {
 public:
  ValueCheck(const S& object, std::string path, Findings& findings) : object_(object), path_(std::move(path)), findings_(findings) {}

  void constant(const char*, const char*) {}

  template <typename M>
  void need(const char* key, M S::*member, const char*, const Limits& limits = {}) {
    check(object_.*member, path_.empty() ? key : path_ + "." + key, limits);
  }

  template <typename M>
  void may(const char* key, M S::*member, const char* meaning, const Limits& limits = {}) {
    if (!is_default(object_, member)) need(key, member, meaning, limits);
  }

 private:
  void check(const std::string& text, const std::string& path, const Limits& limits) {
    if (const auto found = fault(path, text, limits)) findings_.all.push_back(*found);
  }
  void check(bool, const std::string&, const Limits&) {}
  template <std::integral T>
  void check(T number, const std::string& path, const Limits& limits) {
    if (const auto found = fault(path, static_cast<std::int64_t>(number), limits)) findings_.all.push_back(*found);
  }
  template <typename T>
  void check(const std::optional<T>& number, const std::string& path, const Limits& limits) {
    check(*number, path, limits);  // may() skips absent ones
  }
  template <typename T>
  void check(const std::vector<T>& entries, const std::string& path, const Limits& limits) {
    for (std::size_t i = 0; i < entries.size(); ++i) check(entries[i], at(path, i), limits);
  }
  template <typename T>
  requires requires { Fields<T>::name; }
  void check(const T& object, const std::string& path, const Limits&) {
    ValueCheck<T> inner(object, path, findings_);
    Fields<T>::list(inner);
  }

  const S& object_;
  std::string path_;
  Findings& findings_;
};

}  // namespace

void check_values(const Film& film, Findings& findings) {
  ValueCheck<Film> check(film, "", findings);
  Fields<Film>::list(check);
}

}  // namespace fabula::plan
