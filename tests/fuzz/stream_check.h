// tests/fuzz/stream_check.h: frames a stream as its input says and ends the process if anything is not as
// promised.
#pragma once

#include <functional>

#include "proxy/wire/framer.h"
#include "tests/fuzz/input.h"

namespace warmfront::fuzz {

// Frames the split stream, and once more uncut, and requires: the pieces put together are the stream; a
// message is whole exactly if its length is within the limit; nothing is kept beyond what waits and one
// message; both ways give the same messages and the same end. Whole messages go to on_message.
void check_stream(const Input& input, const std::function<void(const wire::Piece&)>& on_message);

}  // namespace warmfront::fuzz
