// Asks kernels/cudnn.cpp for attention at the sizes of our models, and says what came of it.
#include <cstdio>

#include "kernels/cudnn.h"

extern "C" int cudaGetDevice(int* device) { return *device = 0; }  // there is no card

int main() {
  alignas(256) static char memory[fabula::cuda::fused_workspace];  // is looked at by nobody
  struct Sizes {
    long long q_rows, k_rows, heads, kv_heads, dim;
  };
  for (const Sizes s : {Sizes{450, 450, 8, 8, 32},
                        {3141, 3141, 6, 6, 64},
                        {16384, 16384, 40, 40, 128},
                        {1024, 1024, 16, 16, 72},
                        {70, 130, 8, 2, 64},
                        {16, 9, 4, 4, 16},
                        {20, 19, 3, 3, 33}}) {
    std::printf("  %lld queries, %lld keys, %lld heads (%lld of keys) of %lld: ", s.q_rows, s.k_rows, s.heads, s.kv_heads, s.dim);
    const bool planned =
        fabula::cuda::attend_with_cudnn({}, {memory, memory, memory, memory, memory, s.q_rows, s.k_rows, s.heads, s.kv_heads, s.dim});
    std::printf(planned ? "planned\n" : "no plan\n");
  }
  std::printf("  %s\n", fabula::cuda::cudnn_text().c_str());
}
