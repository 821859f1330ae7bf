// Runs a kernel: block after block, the threads of a block as fibers that change places at barriers and warp collectives only.
//
// A fiber starts by makecontext and then changes by _setjmp and _longjmp, which unlike swapcontext make no system call.
#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "tests/cuda_emulation/emulation.h"
#include "tests/cuda_emulation/include/cuda_runtime.h"

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace cuda_emulation {

Clock clock;

namespace {

constexpr std::size_t stack_bytes = 64 * 1024;
constexpr unsigned lanes = 32;

enum class State : std::uint8_t { ready, at_barrier, in_warp, ended };

struct Fiber {
  std::unique_ptr<std::byte[]> stack = std::make_unique_for_overwrite<std::byte[]>(stack_bytes);
  ucontext_t start{};
  jmp_buf at{};
  bool started = false;
};

struct Thread {
  Fiber* fiber = nullptr;
  State state = State::ready;
  dim3 index;
};

struct Warp {
  std::uint32_t syncs = 0;
  unsigned arrived = 0, mask = 0;
  std::source_location where;
  int turn = 0;  // collectives use the two rooms by turns: who is late still reads the one before
  std::array<std::array<unsigned char, 32 * lanes>, 2> rooms{};
};

struct Device {
  Launch launch{};
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::deque<Fiber> fibers;
  std::vector<Fiber*> idle;
  std::size_t current = 0;
  std::size_t at_barrier = 0;
  std::source_location barrier;
  jmp_buf scheduler{};
  std::string failure;  // of the last launch that failed
  std::map<const void*, std::size_t> dynamic_allowed;
};

Device& device() {
  static Device the_device;
  return the_device;
}

std::string text_of(const std::source_location& at) { return std::string(at.file_name()) + ":" + std::to_string(at.line()); }
bool same_place(const std::source_location& a, const std::source_location& b) {
  return a.line() == b.line() && std::strcmp(a.file_name(), b.file_name()) == 0;
}

void yield() {
  Device& d = device();
  if (_setjmp(d.threads[d.current].fiber->at) == 0) _longjmp(d.scheduler, 1);
}

/// A fiber's life: the thread that the scheduler gave it, to its end; then the next.
void live() {
  for (;;) {
    Device& d = device();
    clock.in_kernel = true;
    d.launch.run(d.launch.call);
    clock.in_kernel = false;
    d.threads[d.current].state = State::ended;
    yield();
  }
}

Fiber* idle_fiber(Device& d) {
  if (d.idle.empty()) d.idle.push_back(&d.fibers.emplace_back());
  Fiber* fiber = d.idle.back();
  d.idle.pop_back();
  return fiber;
}

void resume(Device& d, std::size_t index) {
  Thread& thread = d.threads[index];
  if (thread.fiber == nullptr) thread.fiber = idle_fiber(d);
  d.current = index;
  threadIdx = thread.index;
  clock.thread = static_cast<std::uint32_t>(index);
  clock.warp_syncs = d.warps[index / lanes].syncs;
  clock.stack = thread.fiber->stack.get();
  if (_setjmp(d.scheduler) == 0) {
    if (thread.fiber->started) _longjmp(thread.fiber->at, 1);
    thread.fiber->started = true;
    getcontext(&thread.fiber->start);
    thread.fiber->start.uc_stack.ss_sp = thread.fiber->stack.get();
    thread.fiber->start.uc_stack.ss_size = stack_bytes;
    makecontext(&thread.fiber->start, live, 0);
    setcontext(&thread.fiber->start);
  }
  clock.in_kernel = false;
  Thread& after = device().threads[device().current];  // locals may be stale behind a _longjmp
  if (after.state == State::ended && after.fiber != nullptr) {
    device().idle.push_back(after.fiber);
    after.fiber = nullptr;
  }
}

/// Nobody can go on although some wait: says who stands where.
std::string deadlock(const Device& d) {
  const auto in = [&](State state) { return std::count_if(d.threads.begin(), d.threads.end(), [&](auto& t) { return t.state == state; }); };
  std::string text = "divergent threads:";
  if (in(State::at_barrier) > 0) text += " " + std::to_string(in(State::at_barrier)) + " wait at the barrier " + text_of(d.barrier) + ";";
  for (const Warp& warp : d.warps) {
    if (warp.arrived == 0) continue;
    text += " lanes " + std::to_string(warp.arrived) + " of mask " + std::to_string(warp.mask) + " wait at " + text_of(warp.where) + ";";
    break;
  }
  return text + " " + std::to_string(in(State::ended)) + " of " + std::to_string(d.threads.size()) + " have ended";
}

void next_epoch() { ++clock.now; }

void run_block(Device& d) {
  next_epoch();
  clock.first_of_block = clock.now;
  d.at_barrier = 0;
  for (Thread& thread : d.threads) thread.state = State::ready;
  for (Warp& warp : d.warps) warp.arrived = 0;
  for (std::size_t ended = 0; ended < d.threads.size() && d.failure.empty();) {
    bool moved = false;
    for (std::size_t i = 0; i < d.threads.size() && d.failure.empty(); ++i) {
      if (d.threads[i].state != State::ready) continue;
      moved = true;
      resume(d, i);
    }
    ended = static_cast<std::size_t>(
        std::count_if(d.threads.begin(), d.threads.end(), [](const Thread& thread) { return thread.state == State::ended; }));
    if (!moved && ended < d.threads.size() && d.failure.empty()) d.failure = deadlock(d);
  }
}

/// Fibers of a launch that failed are not resumed: they start afresh.
void abandon(Device& d) {
  d.idle.clear();
  for (Fiber& fiber : d.fibers) {
    fiber.started = false;
    d.idle.push_back(&fiber);
  }
  for (Thread& thread : d.threads) thread.fiber = nullptr;
}

std::size_t volume(const dim3& d) { return std::size_t{d.x} * d.y * d.z; }

bool valid(const cudaLaunchConfig_t& c, std::size_t dynamic_allowed) {
  const std::size_t threads = volume(c.blockDim);
  return threads > 0 && threads <= 1024 && c.blockDim.z <= 64 && volume(c.gridDim) > 0 && c.gridDim.x <= 0x7FFFFFFFU &&
         c.gridDim.y <= 65535 && c.gridDim.z <= 65535 && c.dynamicSmemBytes <= dynamic_allowed;
}

void seat_threads(Device& d, const dim3& shape) {
  d.threads.assign(volume(shape), Thread{});
  d.warps.assign((d.threads.size() + lanes - 1) / lanes, Warp{});
  for (std::size_t i = 0; i < d.threads.size(); ++i) {
    const auto at = static_cast<unsigned>(i);
    d.threads[i].index = dim3(at % shape.x, at / shape.x % shape.y, at / shape.x / shape.y);
  }
}

}  // namespace

cudaError_t run(const cudaLaunchConfig_t& config, const Launch& given) {
  Device& d = device();
  const auto allowed = d.dynamic_allowed.find(given.kernel);
  if (!valid(config, allowed == d.dynamic_allowed.end() ? free_dynamic_bytes : allowed->second)) return cudaErrorInvalidConfiguration;
  d.launch = given;
  d.failure.clear();
  seat_threads(d, config.blockDim);
  clock.parameters = static_cast<const std::byte*>(given.call);
  clock.parameter_bytes = given.call_bytes;
  clock.dynamic_bytes = config.dynamicSmemBytes;
  clock.stack_bytes = stack_bytes;
  clock.first_of_launch = clock.now + 1;
  blockDim = config.blockDim;
  gridDim = config.gridDim;
  const std::size_t blocks = volume(config.gridDim);
  const DeviceMemoryAccess access;
  for (std::size_t i = 0; i < blocks && d.failure.empty(); ++i) {
    blockIdx = dim3(static_cast<unsigned>(i % config.gridDim.x), static_cast<unsigned>(i / config.gridDim.x % config.gridDim.y),
                    static_cast<unsigned>(i / config.gridDim.x / config.gridDim.y));
    run_block(d);
  }
  if (d.failure.empty()) return cudaSuccess;
  abandon(d);
  return cudaErrorLaunchFailure;
}

cudaError_t allow_dynamic_shared(const void* kernel, std::size_t bytes) {
  if (bytes > most_dynamic_bytes) return cudaErrorInvalidValue;
  device().dynamic_allowed[kernel] = bytes;
  return cudaSuccess;
}

void fail(const std::string& what) {
  Device& d = device();
  const auto text = [](const dim3& at) {
    return "(" + std::to_string(at.x) + ", " + std::to_string(at.y) + ", " + std::to_string(at.z) + ")";
  };
  d.failure = "block " + text(blockIdx) + ", thread " + text(threadIdx) + ": " + what;
  _longjmp(d.scheduler, 1);
}

const std::string& failure() { return device().failure; }

void block_barrier(std::source_location where) {
  const Unchecked unchecked;
  Device& d = device();
  if (d.at_barrier == 0) d.barrier = where;
  if (!same_place(d.barrier, where)) fail("divergent threads: a barrier at " + text_of(where) + ", others wait at " + text_of(d.barrier));
  if (++d.at_barrier < d.threads.size()) {
    d.threads[d.current].state = State::at_barrier;
    yield();
    return;
  }
  d.at_barrier = 0;
  next_epoch();
  for (Thread& thread : d.threads) thread.state = State::ready;
}

namespace {

/// Waits for the lanes of `mask`, which all hand in `bytes` of their own; returns what lane l handed in at [32·l].
const unsigned char* exchange(unsigned mask, const void* mine, std::size_t bytes, std::source_location where) {
  Device& d = device();
  const std::size_t first = d.current / lanes * lanes, lane = d.current % lanes;
  Warp& warp = d.warps[d.current / lanes];
  if ((mask >> lane & 1U) == 0) fail("a lane that its own mask leaves out, at " + text_of(where));
  if (warp.arrived == 0) {
    warp.mask = mask;
    warp.where = where;
  }
  if (warp.mask != mask || !same_place(warp.where, where))
    fail("divergent lanes: one at " + text_of(where) + ", others of its warp at " + text_of(warp.where));
  const int turn = warp.turn;
  auto& room = warp.rooms[static_cast<std::size_t>(turn)];
  std::memcpy(room.data() + 32 * lane, mine, bytes);
  warp.arrived |= 1U << lane;
  if (warp.arrived != mask) {
    d.threads[d.current].state = State::in_warp;
    yield();
    return room.data();
  }
  warp.arrived = 0;
  warp.turn = 1 - turn;
  for (std::size_t i = 0; i < lanes && first + i < d.threads.size(); ++i) {
    if ((mask >> i & 1U) != 0) d.threads[first + i].state = State::ready;
  }
  return room.data();
}

}  // namespace

void shuffle(unsigned mask, void* value, std::size_t bytes, unsigned from, std::source_location where) {
  const Unchecked unchecked;
  std::memcpy(value, exchange(mask, value, bytes, where) + 32 * from, bytes);
}

void gather(const void* mine, std::size_t bytes, void* all, std::source_location where) {
  const Unchecked unchecked;
  const unsigned char* room = exchange(0xFFFFFFFFU, mine, bytes, where);
  for (std::size_t lane = 0; lane < lanes; ++lane) std::memcpy(static_cast<unsigned char*>(all) + lane * bytes, room + 32 * lane, bytes);
}

void warp_barrier(unsigned mask, std::source_location where) {
  const Unchecked unchecked;
  Device& d = device();
  Warp& warp = d.warps[d.current / lanes];
  const std::uint32_t before = warp.syncs;
  const unsigned char nothing = 0;
  exchange(mask, &nothing, 1, where);
  if (warp.syncs == before) ++warp.syncs;
  clock.warp_syncs = warp.syncs;
}

}  // namespace cuda_emulation
