// Looks at the processor and at FABULA_CPU, and holds Highway's choice to what they say.
#include "kernels/instruction_set.h"

#include <hwy/targets.h>
#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/error.h"
#include "kernels/multiply.h"

namespace fabula {
namespace {

struct Named {
  InstructionSet set;
  const char* name;  // in FABULA_CPU
  const char* text;  // for people, in receipts, too
};
constexpr std::array<Named, 4> named = {{
    {InstructionSet::baseline, "", "x86-64"},
    {InstructionSet::avx2, "avx2", "x86-64 AVX2"},
    {InstructionSet::avx512, "avx512", "x86-64 AVX-512"},
    {InstructionSet::amx, "amx", "x86-64 AMX"},
}};

InstructionSet of_the_processor() {
  if (cpu_has_tiles()) return InstructionSet::amx;
  const auto targets = hwy::SupportedTargets();
  if ((targets & HWY_AVX3) != 0) return InstructionSet::avx512;
  return (targets & HWY_AVX2) != 0 ? InstructionSet::avx2 : InstructionSet::baseline;
}

InstructionSet allowed() {
  const char* asked = std::getenv("FABULA_CPU");
  const InstructionSet widest = of_the_processor();
  if (asked == nullptr || *asked == '\0') return widest;
  const auto* found = std::find_if(named.begin() + 1, named.end(), [&](const Named& one) { return one.name == std::string(asked); });
  if (found == named.end()) throw Error(ExitCode::usage, "FABULA_CPU is \"" + std::string(asked) + "\"; it can be avx2, avx512 or amx");
  const InstructionSet set = std::min(found->set, widest);
  if (set < InstructionSet::avx512) hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL);
  return set;
}

}  // namespace

InstructionSet instruction_set() {
  static const InstructionSet set = allowed();
  return set;
}

std::string instruction_set_name() {
  const InstructionSet set = instruction_set();
#if defined(__x86_64__)
  return std::find_if(named.begin(), named.end(), [&](const Named& one) { return one.set == set; })->text;
#else
  (void)set;
  return "generic";
#endif
}

std::string processor_profile(const std::string& instruction_set) {
  const auto* found = std::find_if(named.begin(), named.end(), [&](const Named& one) { return one.text == instruction_set; });
  return found == named.end() || found->set == InstructionSet::baseline ? instruction_set : "x86-64-v3";
}

}  // namespace fabula
