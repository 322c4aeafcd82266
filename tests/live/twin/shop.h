// tests/live/twin/shop.h: the pieces of the subject shop(), a file each.
#pragma once

#include "tests/live/twin/patterns.h"

namespace warmfront::test {

std::span<const Pattern> shop_reads();
std::span<const Pattern> shop_writes();
std::span<const Pattern> shop_definitions();
std::span<const Pattern> shop_sessions();

}  // namespace warmfront::test
