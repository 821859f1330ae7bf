// Every load and store of a kernel, checked: is it in memory that it was given, and is it ordered with those of other threads?
//
// The .cu files are compiled with -fsanitize=thread,bounds-strict; the calls that this puts before each access end here instead of in a
// sanitizer's runtime. Outside of kernels they return at once.
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <list>
#include <vector>

#include "tests/cuda_emulation/emulation.h"
#include "tests/cuda_emulation/include/cuda_runtime.h"

extern "C" const std::byte __executable_start, end;  // of the linker

// `extern __shared__`: kernels/launch.cuh declares it.
namespace fabula::cuda {
alignas(128) thread_local unsigned char dynamic_memory[cuda_emulation::most_dynamic_bytes];
}  // namespace fabula::cuda

namespace cuda_emulation {
namespace {

// ---- who touched a byte last

/// One access: when, by whom. `several` says that others did, too, in a way that no barrier orders.
struct Mark {
  std::uint32_t epoch = 0;
  std::uint32_t thread : 10 = 0;
  std::uint32_t several_lanes : 1 = 0;   // of the same warp, since its last __syncwarp
  std::uint32_t several_warps : 1 = 0;   // since the last barrier
  std::uint32_t several_blocks : 1 = 0;  // of this launch
  std::uint32_t warp_syncs : 19 = 0;
};
/// What was done to one granule, the unit that threads may write apart from each other.
struct Cell {
  Mark written, read;
};

bool same(const Mark& a, const Mark& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

std::uint32_t syncs_now() { return clock.warp_syncs & 0x7FFFFU; }

/// Whether nothing orders the access `mark` before that of the current thread.
bool unordered(const Mark& mark) {
  if (mark.epoch < clock.first_of_launch) return false;
  if (mark.several_blocks != 0 || mark.epoch < clock.first_of_block) return true;
  if (mark.epoch < clock.now) return false;
  if (mark.several_warps != 0) return true;
  if (mark.thread / 32 != clock.thread / 32) return true;
  if (mark.warp_syncs != syncs_now()) return false;
  return mark.several_lanes != 0 || mark.thread != clock.thread;
}

Mark mark_now() {
  Mark mark;
  mark.epoch = clock.now;
  mark.thread = clock.thread & 0x3FFU;
  mark.warp_syncs = clock.warp_syncs & 0x7FFFFU;
  return mark;
}

/// `before` and a read of the current thread.
Mark with_read(const Mark& before) {
  Mark mark = mark_now();
  if (before.epoch < clock.first_of_launch) return mark;
  mark.several_blocks = (before.several_blocks != 0 || before.epoch < clock.first_of_block) ? 1U : 0U;
  if (before.epoch < clock.now) return mark;
  mark.several_warps = (before.several_warps != 0 || before.thread / 32 != clock.thread / 32) ? 1U : 0U;
  const bool same_syncs = before.thread / 32 == clock.thread / 32 && before.warp_syncs == mark.warp_syncs;
  mark.several_lanes = (same_syncs && (before.several_lanes != 0 || before.thread != clock.thread)) ? 1U : 0U;
  return mark;
}

// ---- the memory there is

struct Block {
  const std::byte* begin;
  const std::byte* end;
  std::size_t granule;
  std::vector<Cell> cells;
};

Block block_of(const std::byte* begin, std::size_t bytes, std::size_t granule) {
  return {begin, begin + bytes, granule, std::vector<Cell>((bytes + granule - 1) / granule)};
}

/// A __shared__ variable, by its place in the thread-local memory of the program.
struct Variable {
  const std::byte* begin;
  const std::byte* end;
  std::string name;
};

struct Memory {
  std::list<Block> given;
  Block* last = nullptr;  // where the access before was
  Block shared{};
  std::vector<Variable> variables;  // in order
  const Variable* last_variable = nullptr;
};

/// The thread-local block of the program itself, for this OS thread.
std::pair<const std::byte*, std::size_t> thread_local_block() {
  std::pair<const std::byte*, std::size_t> found{};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* to) {
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          if (info->dlpi_phdr[i].p_type == PT_TLS)
            *static_cast<decltype(found)*>(to) = {static_cast<const std::byte*>(info->dlpi_tls_data), info->dlpi_phdr[i].p_memsz};
        }
        return 1;  // the first object is the program
      },
      &found);
  return found;
}

/// The program's thread-local variables from its own symbol table: their extents are what an overrun is seen by.
std::vector<Variable> thread_local_variables(const std::byte* block) {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const std::vector<char> image{std::istreambuf_iterator<char>(file), {}};
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(image.data());
  const auto* sections = reinterpret_cast<const ElfW(Shdr)*>(image.data() + header->e_shoff);
  std::vector<Variable> found;
  for (int s = 0; s < header->e_shnum; ++s) {
    if (sections[s].sh_type != SHT_SYMTAB) continue;
    const auto* symbols = reinterpret_cast<const ElfW(Sym)*>(image.data() + sections[s].sh_offset);
    const char* names = image.data() + sections[sections[s].sh_link].sh_offset;
    for (std::size_t i = 0; i < sections[s].sh_size / sizeof *symbols; ++i) {
      if (ELF64_ST_TYPE(symbols[i].st_info) != STT_TLS || symbols[i].st_size == 0) continue;
      const std::byte* begin = block + symbols[i].st_value;
      found.push_back({begin, begin + symbols[i].st_size, names + symbols[i].st_name});
    }
  }
  std::sort(found.begin(), found.end(), [](const Variable& a, const Variable& b) { return a.begin < b.begin; });
  return found;
}

Memory& memory() {
  static Memory the_memory = [] {
    Memory made;
    const auto [begin, bytes] = thread_local_block();
    made.shared = block_of(begin, bytes, 2);
    made.variables = thread_local_variables(begin);
    return made;
  }();
  return the_memory;
}

// ---- the checks

std::string at_pc(const void* pc) {
  char text[96];
  std::snprintf(text, sizeof text, " (addr2line -Cfie PROGRAM 0x%zx)",
                static_cast<std::size_t>(static_cast<const std::byte*>(pc) - &__executable_start) - 1);
  return text;
}

struct Access {
  const std::byte* begin;
  std::size_t bytes;
  bool write;
  const void* pc;
  [[nodiscard]] std::string text(const char* space) const {
    return std::string(write ? "writes " : "reads ") + std::to_string(bytes) + " bytes of " + space + " memory";
  }
};

bool holds(const std::byte* begin, std::size_t bytes, const Access& access) {
  return access.begin >= begin && access.begin + access.bytes <= begin + bytes;
}

void check_order(Block& block, const Access& access, const char* space) {
  const auto begin = static_cast<std::size_t>(access.begin - block.begin);
  const std::size_t last = (begin + access.bytes - 1) / block.granule;
  Cell* cell = block.cells.data();
  const Mark now = mark_now();
  for (std::size_t i = begin / block.granule; i <= last; ++i) {
    if (!access.write && same(cell[i].read, now)) continue;
    if (unordered(cell[i].written))
      fail("race: " + access.text(space) + " that thread " + std::to_string(cell[i].written.thread) + " wrote, without a barrier between" +
           at_pc(access.pc));
    if (!access.write) {
      cell[i].read = with_read(cell[i].read);
      continue;
    }
    if (unordered(cell[i].read))
      fail("race: " + access.text(space) + " that thread " + std::to_string(cell[i].read.thread) + " read, without a barrier between" +
           at_pc(access.pc));
    cell[i].written = now;
  }
}

/// The variable that begins at or before `at`; null where none does.
const Variable* variable_at(Memory& m, const std::byte* at) {
  const Variable* last = m.last_variable;
  if (last != nullptr && at >= last->begin && at < last->end) return last;
  const auto after = std::upper_bound(m.variables.begin(), m.variables.end(), at,
                                      [](const std::byte* place, const Variable& variable) { return place < variable.begin; });
  return m.last_variable = after == m.variables.begin() ? nullptr : &*std::prev(after);
}

void check_shared(Memory& m, const Access& access) {
  const Variable* variable = variable_at(m, access.begin);
  const bool dynamic = variable != nullptr && variable->begin == reinterpret_cast<const std::byte*>(fabula::cuda::dynamic_memory);
  const std::byte* end = variable == nullptr ? access.begin : dynamic ? variable->begin + clock.dynamic_bytes : variable->end;
  if (access.begin + access.bytes > end)
    fail("out of range: " + access.text("shared") + " behind " + (variable == nullptr ? "nothing" : variable->name) + at_pc(access.pc));
  if (!access.write &&
      m.shared.cells[static_cast<std::size_t>(access.begin - m.shared.begin) / m.shared.granule].written.epoch < clock.first_of_block)
    fail("not written: " + access.text("shared") + " of " + variable->name + " before its block wrote there" + at_pc(access.pc));
  // What another block did to shared memory is no concern of this one.
  const std::uint32_t launch = std::exchange(clock.first_of_launch, clock.first_of_block);
  check_order(m.shared, access, "shared");
  clock.first_of_launch = launch;
}

void check(const Access& access) {
  if (!clock.in_kernel || holds(clock.stack, clock.stack_bytes, access)) return;
  const Unchecked unchecked;
  Memory& m = memory();
  if (access.begin >= m.shared.begin && access.begin < m.shared.end) return check_shared(m, access);
  if (m.last != nullptr && holds(m.last->begin, static_cast<std::size_t>(m.last->end - m.last->begin), access))
    return check_order(*m.last, access, "global");
  for (Block& block : m.given) {
    if (!holds(block.begin, static_cast<std::size_t>(block.end - block.begin), access)) continue;
    m.last = &block;
    return check_order(block, access, "global");
  }
  // Constants, and threadIdx and its like.
  const bool of_the_program = access.begin >= &__executable_start && access.begin < &::end;
  if (!access.write && (of_the_program || holds(clock.parameters, clock.parameter_bytes, access))) return;
  fail("out of bounds: " + access.text("global") + at_pc(access.pc));
}

}  // namespace

void give(const void* begin, std::size_t bytes, std::size_t granule) {
  memory().given.push_back(block_of(static_cast<const std::byte*>(begin), bytes, granule));
}

void take_back(const void* begin) {
  Memory& m = memory();
  m.last = nullptr;
  m.given.remove_if([&](const Block& block) { return block.begin == begin; });
}

}  // namespace cuda_emulation

// ---- what the compiler calls

#define ACCESS(name, bytes, write) \
  void name(void* at) { cuda_emulation::check({static_cast<const std::byte*>(at), bytes, write, __builtin_return_address(0)}); }

extern "C" {

ACCESS(__tsan_read1, 1, false)
ACCESS(__tsan_read2, 2, false)
ACCESS(__tsan_read4, 4, false)
ACCESS(__tsan_read8, 8, false)
ACCESS(__tsan_read16, 16, false)
ACCESS(__tsan_write1, 1, true)
ACCESS(__tsan_write2, 2, true)
ACCESS(__tsan_write4, 4, true)
ACCESS(__tsan_write8, 8, true)
ACCESS(__tsan_write16, 16, true)
ACCESS(__tsan_unaligned_read2, 2, false)
ACCESS(__tsan_unaligned_read4, 4, false)
ACCESS(__tsan_unaligned_read8, 8, false)
ACCESS(__tsan_unaligned_read16, 16, false)
ACCESS(__tsan_unaligned_write2, 2, true)
ACCESS(__tsan_unaligned_write4, 4, true)
ACCESS(__tsan_unaligned_write8, 8, true)
ACCESS(__tsan_unaligned_write16, 16, true)

void __tsan_read_range(void* at, std::size_t bytes) {
  cuda_emulation::check({static_cast<const std::byte*>(at), bytes, false, __builtin_return_address(0)});
}
void __tsan_write_range(void* at, std::size_t bytes) {
  cuda_emulation::check({static_cast<const std::byte*>(at), bytes, true, __builtin_return_address(0)});
}
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

/// An index outside its array. The data begin with the place in the source: file, line, column.
void __ubsan_handle_out_of_bounds(const void* data, std::uintptr_t index) {
  struct Place {
    const char* file;
    std::uint32_t line, column;
  };
  const auto& place = *static_cast<const Place*>(data);
  const bool in_kernel = cuda_emulation::clock.in_kernel;
  const cuda_emulation::Unchecked unchecked;
  const std::string text = "out of range: index " + std::to_string(static_cast<std::intptr_t>(index)) + " of an array, " + place.file +
                           ":" + std::to_string(place.line);
  if (in_kernel) cuda_emulation::fail(text);
  std::fputs((text + "\n").c_str(), stderr);
  std::abort();
}

}  // extern "C"
