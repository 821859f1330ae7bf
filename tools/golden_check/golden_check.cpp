// Walks a folder of goldens and runs every case in it against the engine. See the shared format in tools/goldens/README.md.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "tools/golden_check/parts.h"

namespace fabula::golden {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path weights_folder(const fs::path& folder) {
  const fs::path pointer = folder / "weights.json";
  if (!fs::exists(pointer)) return folder;
  std::ifstream in(pointer);
  const json root = json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || !root.contains("folder") || !root["folder"].is_string())
    throw Error(ExitCode::bad_data, pointer.string() + " does not name a folder");
  return folder / root["folder"].get<std::string>();
}

namespace {

struct Verdict {
  std::string folder, name, part;
  double error = 0.0, tolerance = 0.0;
  std::string failure;  // empty: ok
};

// The reference's own distance between its two precisions, where a case was made in the lower one.
double widened(const json& parameters, double tolerance) {
  const auto found = parameters.find("float32_difference");
  if (found == parameters.end() || !found->is_object()) return tolerance;
  for (const auto& [name, value] : found->items()) {
    if (value.is_number()) tolerance = std::max(tolerance, 2.0 * value.get<double>());
  }
  return tolerance;
}

void judge(const Case& one, const json& parameters, const Setup& setup, Verdict& verdict) {
  const Part* part = part_named(one.part);
  if (part == nullptr) throw Error(ExitCode::bad_data, "the part \"" + one.part + "\" is unknown");
  verdict.tolerance = widened(parameters, setup.precision == Precision::bf16 ? part->bf16 : part->fp32);
  Comparison comparison(one.tensors, setup.machine);
  part->run(one, setup, comparison);
  verdict.error = comparison.largest_error();
  const auto left = comparison.left_out();
  if (!left.empty())
    throw Error(ExitCode::check_failed, std::to_string(left.size()) + " results were not computed, the first is " + *left.begin());
  if (!(verdict.error <= verdict.tolerance)) verdict.failure = comparison.worst() + " is too far from the reference";
}

// A file's verdict, or nothing when it holds no case (weights, configurations).
std::optional<Verdict> check_file(const fs::path& file, const fs::path& root, const Setup& setup) {
  const bool safetensors = file.extension() == ".safetensors", cases = file.filename() == "cases.json";
  if (!safetensors && !cases) return std::nullopt;
  Verdict verdict;
  verdict.folder = fs::relative(file.parent_path(), root).string();
  verdict.name = file.stem();
  try {
    Case one;
    one.file = file;
    std::optional<Safetensors> tensors;
    json parameters = json::object();
    if (cases) {
      one.part = "tokenizer";
    } else {
      tensors = Safetensors::open(file);
      const auto found = tensors->metadata().find("case");
      if (found == tensors->metadata().end()) return std::nullopt;
      one.tensors = &*tensors;
      one.parameters = found->second;
      parameters = json::parse(one.parameters, nullptr, /*allow_exceptions=*/false);
      if (!parameters.is_object() || !parameters.contains("part") || !parameters["part"].is_string())
        throw Error(ExitCode::bad_data, "its metadata names no part");
      one.part = parameters["part"].get<std::string>();
    }
    verdict.part = one.part;
    one.weights = weights_folder(file.parent_path());
    judge(one, parameters, setup, verdict);
  } catch (const std::bad_alloc&) {
    verdict.failure = "it asks for more memory than is allowed";
  } catch (const std::exception& error) {
    verdict.failure = error.what();
  }
  return verdict;
}

void print(const Verdict& v) {
  std::printf("%-22s %-32s %10.3g  %8.1g  %s%s%s\n", v.folder.c_str(), v.name.c_str(), v.error, v.tolerance,
              v.failure.empty() ? "ok" : "FAILED", v.failure.empty() ? "" : "  ", v.failure.c_str());
  std::fflush(stdout);
}

int check(const fs::path& root, const Setup& setup, bool as_json) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  int passed = 0, failed = 0;
  json list = json::array();
  for (const fs::path& file : files) {
    const auto verdict = check_file(file, root, setup);
    if (!verdict) continue;
    ++(verdict->failure.empty() ? passed : failed);
    if (as_json) {
      list.push_back({{"folder", verdict->folder},
                      {"case", verdict->name},
                      {"part", verdict->part},
                      {"error", verdict->error},
                      {"tolerance", verdict->tolerance},
                      {"ok", verdict->failure.empty()},
                      {"failure", verdict->failure}});
    } else {
      print(*verdict);
    }
  }
  if (passed + failed == 0) throw Error(ExitCode::input_missing, "no case was found in " + root.string());
  if (as_json)
    std::printf("%s\n",
                json{{"cases", list}, {"passed", passed}, {"failed", failed}}.dump(2, ' ', false, json::error_handler_t::replace).c_str());
  else
    std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : static_cast<int>(ExitCode::check_failed);
}

// A corrupted file must not take the machine's memory with it. Under a sanitizer, which maps terabytes for itself, there is no limit.
void limit_memory() {
  constexpr rlim_t most = rlim_t{12} << 30;
  rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  if (pages * 4096 > most) return;
  const rlimit limit{most, most};
  setrlimit(RLIMIT_AS, &limit);
}

Machine machine_of(const std::string& table, int threads, Precision precision) {
  if (table == "cuda") return cuda_machine(0, precision);
  return table == "reference" ? reference_machine() : cpu_machine(threads, precision);
}

int run(int argc, char** argv) {
  CLI::App app{"Runs every case below a folder of goldens and compares it with the reference's results."};
  std::string folder, table = "cpu", precision = "fp32";
  int threads = 2;
  bool as_json = false;
  app.add_option("folder", folder, "Folder of goldens")->required()->type_name("DIR");
  app.add_option("--kernels", table, "Which kernel table")->check(CLI::IsMember({"reference", "cpu", "cuda"}))->capture_default_str();
  app.add_option("--precision", precision, "Numeric profile")->check(CLI::IsMember({"fp32", "bf16"}))->capture_default_str();
  app.add_option("--threads", threads, "Threads")->check(CLI::Range(1, 256))->capture_default_str();
  app.add_flag("--json", as_json, "Print JSON");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  if (!fs::is_directory(folder)) throw Error(ExitCode::input_missing, folder + " is not a folder");
  if (table != "cuda") limit_memory();  // the CUDA driver maps far more than it uses
  const Precision profile = precision == "bf16" ? Precision::bf16 : Precision::fp32;
  const Setup setup{machine_of(table, threads, profile), profile, machine_of(table, threads, Precision::fp32)};
  return check(folder, setup, as_json);
}

}  // namespace
}  // namespace fabula::golden

int main(int argc, char** argv) {
  try {
    return fabula::golden::run(argc, argv);
  } catch (const fabula::Error& error) {
    std::fprintf(stderr, "golden_check: %s\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "golden_check: %s\n", error.what());
    return static_cast<int>(fabula::ExitCode::unexpected);
  }
}
