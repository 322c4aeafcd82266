// config/ensure.h: an assertion that stays on in release builds.
//
// A broken invariant is our bug, and going on could show a wrong row: the process ends with the place on
// stderr.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace warmfront {

// The defaults are the caller's place; builtins, because clang 14 (fuzzers, clang-tidy) has no
// std::source_location.
inline void ensure(bool holds, const char* what, const char* file = __builtin_FILE(),
                   int line = __builtin_LINE(), const char* function = __builtin_FUNCTION()) {
    if (holds) [[likely]]
        return;
    std::fprintf(stderr, "%s:%d: %s: invariant broken: %s\n", file, line, function, what);
    std::abort();
}

}  // namespace warmfront
