// tests/live/twin/masks.h: makes equal what may differ between two servers that were told the same.
//
// OIDs of what users made, in RowDescription and ParameterDescription; process ids; the places of rows that a
// lock timeout names. Nothing else.
#pragma once

#include "tests/live/support/raw_client.h"

namespace warmfront::test {

void mask(Messages& messages);

}  // namespace warmfront::test
