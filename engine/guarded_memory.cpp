// Pages with PROT_NONE around each piece.
#include "engine/guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/error.h"

namespace fabula {
namespace {

constexpr std::byte untouched{0xFF};

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

std::byte* GuardedMemory::take(std::size_t bytes, std::size_t alignment) {
  const std::size_t page = page_size(), rounded = (bytes + alignment - 1) / alignment * alignment;
  const std::size_t usable = std::max((rounded + page - 1) / page * page, page), length = usable + 2 * page;
  void* mapping = ::mmap(nullptr, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED || ::mprotect(static_cast<std::byte*>(mapping) + page, usable, PROT_READ | PROT_WRITE) != 0) {
    if (mapping != MAP_FAILED) ::munmap(mapping, length);
    throw Error(ExitCode::out_of_memory, "no room for " + std::to_string(bytes) + " guarded bytes");
  }
  pieces_.push_back({static_cast<std::byte*>(mapping), length, page + usable - rounded, bytes});
  const Piece& piece = pieces_.back();
  std::memset(piece.mapping + page, static_cast<int>(untouched), usable);
  return piece.mapping + piece.first;
}

// The pages stop a stray access at their borders; between those and the piece itself only the bytes can tell.
void GuardedMemory::check(const Piece& piece) {
  const std::size_t page = page_size();
  const auto is_touched = [](std::byte b) { return b != untouched; };
  const bool before = std::any_of(piece.mapping + page, piece.mapping + piece.first, is_touched);
  const bool after = std::any_of(piece.mapping + piece.first + piece.bytes, piece.mapping + piece.length - page, is_touched);
  if (!before && !after) return;
  std::fprintf(stderr, "fabula: a write went %s a tensor of %zu bytes\n", before ? "before" : "past the end of", piece.bytes);
  std::abort();
}

void GuardedMemory::give_back_from(std::size_t count) {
  for (; pieces_.size() > count; pieces_.pop_back()) {
    const Piece& piece = pieces_.back();
    check(piece);
    // Mapped anew rather than protected: the memory itself goes back to the system, the addresses stay taken.
    ::mmap(piece.mapping, piece.length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    forbidden_.push_back(piece);
  }
}

GuardedMemory::~GuardedMemory() {
  give_back_from(0);
  for (const Piece& piece : forbidden_) ::munmap(piece.mapping, piece.length);
}

}  // namespace fabula
