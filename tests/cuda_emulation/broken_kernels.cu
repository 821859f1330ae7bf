// See the header. Compiled like the kernels of kernels/.
#include "tests/cuda_emulation/broken_kernels.h"

#include "kernels/launch.cuh"

namespace fabula::broken {
namespace {

using cuda::block_sum;
using cuda::dynamic_shared_memory;

constexpr unsigned threads = 64;

void run(void (*kernel)(float*, std::int64_t), float* values, std::int64_t count, unsigned blocks = 1, unsigned size = threads,
         std::size_t shared = 0) {
  cuda::launch({}, "a kernel", kernel, blocks, size, shared, values, count);
}

__global__ void sums_kernel(float* values, std::int64_t) {
  const float sum = block_sum(values[blockIdx.x * threads + threadIdx.x]);
  values[blockIdx.x * threads + threadIdx.x] = sum;
}

template <bool synchronised>
__global__ void warp_exchange_kernel(float* values, std::int64_t) {
  __shared__ float room[threads];
  room[threadIdx.x] = 0.0F;
  __syncthreads();
  room[threadIdx.x] = values[threadIdx.x];
  if constexpr (synchronised) __syncwarp();
  values[threadIdx.x] = room[threadIdx.x ^ 1U];
}

__global__ void dynamic_kernel(float* values, std::int64_t count) {
  auto* room = dynamic_shared_memory<float>();
  room[threadIdx.x] = values[threadIdx.x];
  __syncthreads();
  values[threadIdx.x] = room[count - 1 - threadIdx.x];
}

__global__ void write_at_kernel(float* values, std::int64_t at) { values[at + threadIdx.x] = 1.0F; }
__global__ void read_at_kernel(float* values, std::int64_t at) { values[threadIdx.x] = values[at + threadIdx.x]; }
__global__ void null_kernel(float* values, std::int64_t count) {
  const float* absent = count < 0 ? values : nullptr;
  values[threadIdx.x] = absent[threadIdx.x];
}

__global__ void index_kernel(float* values, std::int64_t count) {
  __shared__ float room[threads];
  const unsigned at = threadIdx.x + static_cast<unsigned>(count) - threads + 1;  // the last is one too far
  room[at] = values[threadIdx.x];
  values[threadIdx.x] = room[at];
}
__global__ void line_kernel(float* values, std::int64_t count) {
  __shared__ float room[2][threads];
  const unsigned at = threadIdx.x + static_cast<unsigned>(count) - threads + 1;
  room[0][at] = values[threadIdx.x];
  values[threadIdx.x] = room[0][at];
}
__global__ void pointer_kernel(float* values, std::int64_t count) {
  __shared__ float room[threads];
  float* behind = room + count;
  behind[threadIdx.x] = values[threadIdx.x];
}
__global__ void unwritten_kernel(float* values, std::int64_t) {
  __shared__ float room[threads];
  if (threadIdx.x < threads - 1) room[threadIdx.x] = values[threadIdx.x];
  __syncthreads();
  values[threadIdx.x] = room[threadIdx.x];
}

__global__ void two_writers_kernel(float* values, std::int64_t) {
  __shared__ float room[threads];
  room[threadIdx.x / 2] = values[threadIdx.x];
  __syncthreads();
  values[threadIdx.x] = room[threadIdx.x / 2];
}
__global__ void no_barrier_kernel(float* values, std::int64_t count) {
  __shared__ float room[threads];
  room[threadIdx.x] = 0.0F;
  __syncthreads();
  room[threadIdx.x] = values[threadIdx.x];
  values[threadIdx.x] = room[count - 1 - threadIdx.x];
}
__global__ void overwriting_kernel(float* values, std::int64_t count) {
  __shared__ float room[threads];
  room[threadIdx.x] = values[threadIdx.x];
  __syncthreads();
  const float other = room[count - 1 - threadIdx.x];
  room[threadIdx.x] = other;  // before all have read
}

__global__ void same_word_kernel(float* values, std::int64_t) {
  if (threadIdx.x == 0) values[0] = static_cast<float>(blockIdx.x);
}
__global__ void neighbour_kernel(float* values, std::int64_t) {
  if (threadIdx.x == 0) values[blockIdx.x] = blockIdx.x == 0 ? 1.0F : values[blockIdx.x - 1];
}

__global__ void half_barrier_kernel(float* values, std::int64_t count) {
  if (threadIdx.x < count / 2) __syncthreads();
  values[threadIdx.x] = 0.0F;
  __syncthreads();
}
__global__ void two_barriers_kernel(float*, std::int64_t count) {
  if (threadIdx.x < count / 2) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}
__global__ void leaving_kernel(float* values, std::int64_t) {
  if (threadIdx.x == 7) return;
  __syncthreads();
  values[threadIdx.x] = 0.0F;
}
__global__ void half_shuffle_kernel(float* values, std::int64_t) {
  if (threadIdx.x % 32 < 16) values[threadIdx.x] = __shfl_xor_sync(0xFFFFFFFFU, values[threadIdx.x], 1);
}
__global__ void nothing_kernel(float*, std::int64_t) {}

}  // namespace

void sums_of_blocks(float* values, std::int64_t count) { run(sums_kernel, values, count, static_cast<unsigned>(count) / threads); }
void exchange_within_a_warp(float* values, std::int64_t count) { run(warp_exchange_kernel<true>, values, count); }
void dynamic_shared(float* values, std::int64_t) { run(dynamic_kernel, values, threads, 1, threads, threads * sizeof(float)); }

void writes_behind_a_tensor(float* values, std::int64_t count) { run(write_at_kernel, values, count - threads + 1); }
void reads_before_a_tensor(float* values, std::int64_t) { run(read_at_kernel, values, -1); }
void reads_null(float* values, std::int64_t count) { run(null_kernel, values, count); }
void index_behind_shared(float* values, std::int64_t) { run(index_kernel, values, threads); }
void index_in_the_next_line_of_shared(float* values, std::int64_t) { run(line_kernel, values, threads); }
void pointer_behind_shared(float* values, std::int64_t count) { run(pointer_kernel, values, 1000 * count); }
void reads_shared_before_a_write(float* values, std::int64_t count) { run(unwritten_kernel, values, count); }
void two_write_one_shared_word(float* values, std::int64_t count) { run(two_writers_kernel, values, count); }
void reads_shared_without_a_barrier(float* values, std::int64_t) { run(no_barrier_kernel, values, threads); }
void writes_shared_that_others_read(float* values, std::int64_t) { run(overwriting_kernel, values, threads); }
void exchange_within_a_warp_without_a_barrier(float* values, std::int64_t count) { run(warp_exchange_kernel<false>, values, count); }
void two_blocks_write_one_word(float* values, std::int64_t count) { run(same_word_kernel, values, count, 2); }
void a_block_reads_what_another_wrote(float* values, std::int64_t count) { run(neighbour_kernel, values, count, 2); }
void barrier_of_half_a_block(float* values, std::int64_t) { run(half_barrier_kernel, values, threads); }
void two_barriers_at_once(float* values, std::int64_t) { run(two_barriers_kernel, values, threads); }
void a_thread_leaves_before_the_barrier(float* values, std::int64_t count) { run(leaving_kernel, values, count); }
void shuffle_of_half_a_warp(float* values, std::int64_t count) { run(half_shuffle_kernel, values, count); }
void too_many_threads(float* values, std::int64_t count) { run(nothing_kernel, values, count, 1, 1056); }
void too_much_dynamic_shared(float* values, std::int64_t count) { run(nothing_kernel, values, count, 1, threads, 49 * 1024); }
void behind_dynamic_shared(float* values, std::int64_t) { run(dynamic_kernel, values, threads, 1, threads, (threads - 1) * sizeof(float)); }

}  // namespace fabula::broken
