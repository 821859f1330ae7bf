// Memory for finding faults: each piece lies between pages that nothing may touch, and stays forbidden once it is given back.
#pragma once

#include <cstddef>
#include <vector>

namespace fabula {

/// Slow (two system calls a piece), and blind to nothing: the processor itself refuses an access, also one by code that no compiler
/// instrumented, such as a library's.
class GuardedMemory {
 public:
  GuardedMemory() = default;
  ~GuardedMemory();
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  /// `bytes` bytes that begin at a multiple of `alignment` and end less than `alignment` bytes before a forbidden page. All bits are set.
  /// Throws Error(out_of_memory).
  [[nodiscard]] std::byte* take(std::size_t bytes, std::size_t alignment);
  /// The number of pieces that are in use.
  [[nodiscard]] std::size_t count() const { return pieces_.size(); }
  /// Gives back all pieces but the first `count`. Aborts with a message if a write went past the end of one, or before its beginning.
  void give_back_from(std::size_t count);

 private:
  struct Piece {
    std::byte* mapping;
    std::size_t length;  // of the mapping, with both forbidden pages
    std::size_t first, bytes;
  };
  static void check(const Piece&);

  std::vector<Piece> pieces_, forbidden_;
};

}  // namespace fabula
