// Throws the exception once more and looks what it is.
#include "library/failure.h"

#include <filesystem>
#include <new>

namespace fabula {

Failure current_failure() {
  try {
    throw;
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::out_of_memory, "out of memory"};
  } catch (const std::filesystem::filesystem_error& error) {
    return {ExitCode::io, error.path1().string() + " cannot be used: " + error.code().message()};
  } catch (const std::exception& error) {
    return {ExitCode::unexpected, error.what()};
  } catch (...) {
    return {ExitCode::unexpected, "an error without a sentence"};
  }
}

}  // namespace fabula
