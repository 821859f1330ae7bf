// Small kernels, most of them broken in one way each, for the tests of the emulation's own checks. Each works on `count` floats and throws
// Error with what the emulation says.
#pragma once

#include <cstdint>

namespace fabula::broken {

using Kernel = void (*)(float* values, std::int64_t count);

// Sound ones, as controls.
void sums_of_blocks(float* values, std::int64_t count);
void exchange_within_a_warp(float* values, std::int64_t count);
void dynamic_shared(float* values, std::int64_t count);

void writes_behind_a_tensor(float* values, std::int64_t count);
void reads_before_a_tensor(float* values, std::int64_t count);
void reads_null(float* values, std::int64_t count);
void index_behind_shared(float* values, std::int64_t count);
void index_in_the_next_line_of_shared(float* values, std::int64_t count);
void pointer_behind_shared(float* values, std::int64_t count);
void reads_shared_before_a_write(float* values, std::int64_t count);
void two_write_one_shared_word(float* values, std::int64_t count);
void reads_shared_without_a_barrier(float* values, std::int64_t count);
void writes_shared_that_others_read(float* values, std::int64_t count);
void exchange_within_a_warp_without_a_barrier(float* values, std::int64_t count);
void two_blocks_write_one_word(float* values, std::int64_t count);
void a_block_reads_what_another_wrote(float* values, std::int64_t count);
void barrier_of_half_a_block(float* values, std::int64_t count);
void two_barriers_at_once(float* values, std::int64_t count);
void a_thread_leaves_before_the_barrier(float* values, std::int64_t count);
void shuffle_of_half_a_warp(float* values, std::int64_t count);
void too_many_threads(float* values, std::int64_t count);
void too_much_dynamic_shared(float* values, std::int64_t count);
void behind_dynamic_shared(float* values, std::int64_t count);

}  // namespace fabula::broken
