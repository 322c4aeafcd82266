#include <cstdlib>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/proxy/wire/trace.h"
#include "tests/proxy/wire/transcript.h"

using namespace warmfront::wire;

namespace {

const std::filesystem::path kGolden = std::filesystem::path(WARMFRONT_SOURCE_DIR) / "tests/golden";

std::string trace(const Transcript& transcript) {
    Tracer tracer(transcript.begins);
    for (const auto& chunk : transcript.chunks)
        chunk.from_frontend ? tracer.frontend(chunk.bytes) : tracer.backend(chunk.bytes);
    return tracer.lines();
}

std::string read_file(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("golden: every recorded conversation with PostgreSQL is decoded as its trace says") {
    for (const auto& transcript : load_transcripts(kGolden)) {
        CAPTURE(transcript.name);
        const auto file = kGolden / (transcript.name + ".trace");
        if (std::getenv("WARMFRONT_GOLDEN_WRITE") != nullptr) std::ofstream(file) << trace(transcript);
        CHECK(trace(transcript) == read_file(file));
    }
}

TEST_CASE("golden: one byte at a time decodes alike") {
    for (const auto& transcript : load_transcripts(kGolden)) {
        CAPTURE(transcript.name);
        Tracer tracer(transcript.begins);
        for (const auto& chunk : transcript.chunks)
            for (const char byte : chunk.bytes)
                chunk.from_frontend ? tracer.frontend({&byte, 1}) : tracer.backend({&byte, 1});
        CHECK(tracer.lines() == trace(transcript));
    }
}
