#include <unistd.h>

#include <fstream>
#include <iostream>
#include <thread>

#include "kernels/error.h"
#include "tools/fabula/commands.h"

namespace fabula::cli {

namespace fs = std::filesystem;

fs::path locate_bundle(const std::string& given) {
  if (!given.empty()) return given;
  // From build/<preset>/bin upwards to the checkout; from an installed bin to its share folder.
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  for (fs::path at = program.parent_path(); !at.empty(); at = at.parent_path()) {
    for (const char* below : {"assets/models/nano", "share/fabula/models/nano"}) {
      if (fs::exists(at / below / "fabula.json")) return at / below;
    }
    if (at == at.root_path()) break;
  }
  throw Error(ExitCode::unavailable, "no model bundle was found beside " + program.string() + "; name one with --model DIR");
}

Precision precision_of(const std::string& name) {
  if (name == "fp32") return Precision::fp32;
  if (name == "bf16") return Precision::bf16;
  return cpu_has_bf16() ? Precision::bf16 : Precision::fp32;
}

int thread_count(int given) {
  if (given > 0) return given;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::string read_text(const std::string& file, std::size_t most) {
  std::ifstream opened;
  if (file != "-") opened.open(file, std::ios::binary);
  std::istream& in = file == "-" ? std::cin : opened;
  std::string text;
  for (char piece[65536]; text.size() <= most && in; text.append(piece, static_cast<std::size_t>(in.gcount()))) in.read(piece, sizeof piece);
  if (in.bad() || (file != "-" && !opened.is_open())) throw Error(ExitCode::input_missing, "cannot read " + (file == "-" ? "standard input" : file));
  return text;
}

void write_file(const fs::path& file, const std::string& text) {
  const fs::path part = file.string() + ".part";
  {
    std::ofstream out(part, std::ios::binary);
    if (!out) throw Error(ExitCode::cannot_create, "cannot create " + file.string());
    out << text;
    out.flush();
    if (!out) {
      std::error_code ignored;
      fs::remove(part, ignored);
      throw Error(ExitCode::io, "cannot write " + file.string() + " (is the disk full?)");
    }
  }
  fs::rename(part, file);
}

}  // namespace fabula::cli
