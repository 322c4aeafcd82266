// config/ensure.h: an assertion that stays on in release builds.
//
// A broken invariant is our bug, and going on could show a wrong row: the process ends with the place on stderr.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace warmfront {

inline void ensure(bool holds, const char* what,
                   std::source_location where = std::source_location::current()) {
    if (holds) [[likely]]
        return;
    std::fprintf(stderr, "%s:%u: %s: invariant broken: %s\n", where.file_name(), where.line(),
                 where.function_name(), what);
    std::abort();
}

}  // namespace warmfront
