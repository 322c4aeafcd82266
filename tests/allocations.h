// tests/allocations.h: counts what a test binary takes from the heap, by replacing operator new.
//
// A binary that has tests/allocations.cpp among its sources counts from its start, all threads together.
#pragma once

#include <cstddef>

namespace warmfront::test {

[[nodiscard]] std::size_t allocations();
[[nodiscard]] std::size_t allocated_bytes();

}  // namespace warmfront::test
