// tests/fuzz/input.h: how a fuzzer's bytes are read as a stream, its split and a caller's behaviour.
//
//   byte 0     bit 0: the stream begins untyped; bits 1-2: the framer's limits; bit 3: TLS offered, bit 4:
//   TLS required;
//              bit 5: the caller stops after one piece of each feed
//   byte 1     number of cuts, modulo 8
//   2 bytes    each cut: a place in the stream, modulo its length
//   the rest   the stream
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/wire/framer.h"
#include "proxy/wire/startup_machine.h"

namespace warmfront::fuzz {

struct Input {
    Input(const std::uint8_t* data, std::size_t size);

    bool untyped;
    bool takes_one;
    wire::Framer::Limits limits;
    wire::StartupMachine::Options startup;
    std::string_view stream;
    std::vector<std::string>
        chunks;  // the stream as split: each with memory of its own, for the sanitizer to watch
};

// The input that has this stream, uncut.
std::string make_input(bool untyped, std::string_view stream);

}  // namespace warmfront::fuzz
