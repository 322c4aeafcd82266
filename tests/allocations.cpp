#include "tests/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

static std::atomic<std::size_t> count{0};
static std::atomic<std::size_t> bytes{0};

// g++ takes the malloc and free of replaced operators, once inlined, for a mismatch.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++count;
    bytes += size;
    return std::malloc(size);
}
void* operator new(std::size_t size) {
    if (void* memory = operator new(size, std::nothrow)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace warmfront::test {

std::size_t allocations() {
    return count;
}

std::size_t allocated_bytes() {
    return bytes;
}

}  // namespace warmfront::test
