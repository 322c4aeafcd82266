#include "tests/proxy/wire/transcript.h"

#include <algorithm>
#include <fstream>

#include "config/ensure.h"
#include "proxy/wire/cursor.h"
#include "proxy/wire/messages.h"

namespace warmfront::wire {
namespace {

std::string from_hex(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
    return bytes;
}

Transcript load(const std::filesystem::path& file) {
    std::ifstream lines(file);
    std::string line;
    std::getline(lines, line);
    Transcript transcript(file.stem(),
                          line == "begins with startup" ? Framer::First::Untyped : Framer::First::Typed);
    while (std::getline(lines, line)) transcript.chunks.push_back({line[0] == 'F', from_hex(line.substr(2))});
    return transcript;
}

}  // namespace

std::string Transcript::untyped() const {
    const std::string bytes = all(true);
    std::size_t at = 0;
    while (begins == Framer::First::Untyped && at < bytes.size()) {
        const std::uint32_t code = load_uint32(bytes.data() + at + 4);
        at += load_uint32(bytes.data() + at);
        if (code != kSslRequestCode && code != kGssEncRequestCode) break;
    }
    return bytes.substr(0, at);
}

std::string Transcript::typed(bool of_frontend) const {
    return all(of_frontend).substr(of_frontend ? untyped().size() : 0);
}

// Without the one-byte answers to requests for encryption.
std::string Transcript::all(bool of_frontend) const {
    std::string bytes;
    for (const auto& chunk : chunks) {
        const bool encryption_answer = !chunk.from_frontend && chunk.bytes.size() == 1;
        if (chunk.from_frontend == of_frontend && !encryption_answer) bytes += chunk.bytes;
    }
    return bytes;
}

std::vector<Transcript> load_transcripts(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().extension() == ".hex") files.push_back(entry.path());
    ensure(!files.empty(), "the golden transcripts are there");
    std::sort(files.begin(), files.end());
    std::vector<Transcript> transcripts;
    for (const auto& file : files) transcripts.push_back(load(file));
    return transcripts;
}

}  // namespace warmfront::wire
