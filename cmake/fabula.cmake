# The helpers that every folder's CMakeLists.txt uses.
find_program(FABULA_CCACHE ccache)
if(FABULA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${FABULA_CCACHE})
endif()
find_package(Threads REQUIRED)

# Everything is compiled with these.
add_library(fabula_flags INTERFACE)
target_compile_options(fabula_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror)
# g++ 12 warns of overlaps that are not there in "literal" + std::string (GCC bug 105329).
target_compile_options(fabula_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_include_directories(fabula_flags INTERFACE ${PROJECT_SOURCE_DIR})
# The same source gives the same numbers whatever the optimiser sees: no contraction of a*b+c into fma behind our back.
target_compile_options(fabula_flags INTERFACE -ffp-contract=off)
if(FABULA_SANITIZE)
  target_compile_options(fabula_flags INTERFACE -fsanitize=${FABULA_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(fabula_flags INTERFACE -fsanitize=${FABULA_SANITIZE})
endif()

# Sources whose headers (JSON, the command line's parser) cost more to compile than their code takes to run: eight at a time and hardly
# optimised, which takes a third of the time from nothing; but a changed file takes its seven neighbours with it.
option(FABULA_TOGETHER "Compile light sources eight at a time; turn it off while you edit them" ON)
function(fabula_together target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${FABULA_TOGETHER} UNITY_BUILD_BATCH_SIZE 8)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

# fabula_library(name [TOGETHER] SOURCES a.cpp … [DEPS other …] [PRIVATE_DEPS lib …])
# DEPS are visible to whoever links this library, PRIVATE_DEPS (third-party libraries that a file wraps) are not.
function(fabula_library name)
  cmake_parse_arguments(ARG "TOGETHER" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  if(ARG_TOGETHER)
    fabula_together(${name})
  endif()
  target_link_libraries(${name} PUBLIC fabula_flags ${ARG_DEPS} PRIVATE Threads::Threads ${ARG_PRIVATE_DEPS})
endfunction()

# fabula_test(name SOURCES a_test.cpp … DEPS …): one ctest entry a test binary, GoogleTest's main.
function(fabula_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE fabula_flags ${ARG_DEPS} ${ARG_PRIVATE_DEPS} GTest::gtest_main Threads::Threads)
  # What a test calls is optimised; the test itself is compiled twice as fast without.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O0>)
  target_compile_definitions(${name} PRIVATE FABULA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
endfunction()
