// What a test expects to be refused.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace fabula::test {

/// Runs `body`: the sentence of its Error, whose code must be `code`; "" if it is not refused.
template <typename Body>
std::string refusal(Body&& body, ExitCode code = ExitCode::bad_data) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "";
}

}  // namespace fabula::test
