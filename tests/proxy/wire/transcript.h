// tests/proxy/wire/transcript.h: the golden transcripts of tests/golden, which record.py there made.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "proxy/wire/framer.h"

namespace warmfront::wire {

struct Transcript {
    struct Chunk {
        bool from_frontend;
        std::string bytes;
    };
    std::string name;
    Framer::First begins;
    std::vector<Chunk> chunks;  // as sent and received

    // All of one direction, without the one-byte answer to an SSLRequest.
    [[nodiscard]] std::string stream(bool of_frontend) const;
};

// Every *.hex of the folder, by name. A folder without any ends the test.
std::vector<Transcript> load_transcripts(const std::filesystem::path& folder);

}  // namespace warmfront::wire
