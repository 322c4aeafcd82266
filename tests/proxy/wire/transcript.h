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
    Transcript(std::string name, Framer::First begins) : name(std::move(name)), begins(begins) {}

    std::string name;
    Framer::First begins;
    std::vector<Chunk> chunks;  // as sent and received

    // The frontend's bytes up to the end of its startup packet, or of its CancelRequest.
    [[nodiscard]] std::string untyped() const;
    // All typed messages of one direction.
    [[nodiscard]] std::string typed(bool of_frontend) const;

private:
    [[nodiscard]] std::string all(bool of_frontend) const;
};

// Every *.hex of the folder, by name. A folder without any ends the test.
std::vector<Transcript> load_transcripts(const std::filesystem::path& folder);

}  // namespace warmfront::wire
