// cache_sim TRACE --capacity N [--policy ours]: the hit ratio of the store's policy on a recorded trace.
//
// TRACE is a file of little-endian uint32 keys, one per request, raw or zstd-compressed (told by its first
// bytes); "-" is standard input. N is a number of entries, or a share of the trace's unique keys ("0.1%":
// rounded down, at least 1). The cache begins cold and every entry has charge 1. Prints one line "hits
// requests ratio", for example "123 1000 0.123000"; on an error one line on stderr, status 1.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <xxhash.h>
#include <zstd.h>

#include "cache/policy.h"
#include "config/result.h"

namespace warmfront::cache {
namespace {

constexpr std::string_view kUsage = "usage: cache_sim TRACE --capacity N|P% [--policy ours]";

struct Options {
    std::string trace;
    double amount = 0;  // entries, or per cent of the unique keys
    bool percent = false;
};

tl::unexpected<Error> refuse(std::string text) {
    return fail("22023", std::move(text));
}  // invalid_parameter_value

Result<void> read_capacity(std::string_view text, Options& options) {
    options.percent = text.ends_with('%');
    const std::string_view number = options.percent ? text.substr(0, text.size() - 1) : text;
    const auto format = options.percent ? std::chars_format::fixed : std::chars_format::general;
    const auto [end, error] = std::from_chars(number.begin(), number.end(), options.amount, format);
    const bool whole = options.percent || number.find_first_not_of("0123456789") == std::string_view::npos;
    const bool in_range = options.amount > 0 && options.amount <= (options.percent ? 100 : 1e9);
    if (error == std::errc{} && end == number.end() && whole && in_range) return {};
    return refuse(fmt::format(
        "--capacity {}: expected a number of entries (1 to 1000000000) or a share of the keys (0.1%)", text));
}

Result<Options> parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const bool takes_value = argument == "--capacity" || argument == "--policy";
        if (takes_value && ++i == argc) return refuse(fmt::format("{} needs a value", argument));
        if (argument == "--capacity") {
            if (auto read = read_capacity(argv[i], options); !read) return tl::unexpected(read.error());
        } else if (argument == "--policy") {
            if (std::string_view(argv[i]) != "ours") {
                return refuse(fmt::format("--policy {}: only ours is known", argv[i]));
            }
        } else if (argument.starts_with("--") || !options.trace.empty()) {
            return refuse(fmt::format("unexpected argument {}; {}", argument, kUsage));
        } else {
            options.trace = argument;
        }
    }
    if (options.trace.empty() || options.amount == 0) return refuse(std::string(kUsage));
    return options;
}

Result<std::string> read_all(const std::string& path) {
    const bool standard_input = path == "-";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        standard_input ? stdin : std::fopen(path.c_str(), "rb"), [](std::FILE* f) { return std::fclose(f); });
    if (!file) return refuse(fmt::format("{}: {}", path, std::strerror(errno)));
    std::string bytes;
    std::vector<char> block(std::size_t{1} << 16);
    while (const std::size_t got = std::fread(block.data(), 1, block.size(), file.get())) {
        bytes.append(block.data(), got);
    }
    if (std::ferror(file.get())) return refuse(fmt::format("{}: {}", path, std::strerror(errno)));
    return bytes;
}

Result<std::string> decompressed(const std::string& path, std::string bytes) {
    constexpr std::string_view kZstdMagic = "\x28\xB5\x2F\xFD";
    if (!bytes.starts_with(kZstdMagic)) return bytes;
    const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                               ZSTD_freeDStream);
    std::string out;
    std::vector<char> block(ZSTD_DStreamOutSize());
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    std::size_t left = 1;
    while (input.pos < input.size || left != 0) {
        ZSTD_outBuffer output{block.data(), block.size(), 0};
        const std::size_t before = input.pos;
        left = ZSTD_decompressStream(stream.get(), &output, &input);
        if (ZSTD_isError(left)) {
            return refuse(fmt::format("{}: {}", path, ZSTD_getErrorName(left)));
        }
        if (output.pos == 0 && input.pos == before) {
            return refuse(fmt::format("{}: the compressed data ends early", path));
        }
        out.append(block.data(), output.pos);
    }
    return out;
}

// Keys numbered by first use.
struct Trace {
    std::vector<std::uint32_t> requests;
    std::vector<std::uint32_t> keys;
};

Result<Trace> load(const std::string& path) {
    auto bytes = read_all(path).and_then([&](std::string raw) { return decompressed(path, std::move(raw)); });
    if (!bytes) return tl::unexpected(bytes.error());
    if (bytes->empty() || bytes->size() % 4 != 0) {
        return refuse(
            fmt::format("{}: {} bytes; expected a multiple of 4 above 0 (uint32 keys)", path, bytes->size()));
    }
    Trace trace;
    trace.requests.reserve(bytes->size() / 4);
    std::unordered_map<std::uint32_t, std::uint32_t> numbers;
    for (std::size_t at = 0; at < bytes->size(); at += 4) {
        std::uint32_t key = 0;
        for (int i = 3; i >= 0; --i)
            key = key << 8 | static_cast<unsigned char>((*bytes)[at + static_cast<std::size_t>(i)]);
        const auto [place, added] = numbers.try_emplace(key, static_cast<std::uint32_t>(trace.keys.size()));
        if (added) trace.keys.push_back(key);
        trace.requests.push_back(place->second);
    }
    return trace;
}

std::uint64_t count_hits(const Trace& trace, std::size_t capacity) {
    std::vector<PolicyNode> nodes(trace.keys.size());
    std::vector<bool> resident(trace.keys.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        nodes[i].hash = XXH3_64bits(&trace.keys[i], sizeof trace.keys[i]);
        nodes[i].charge = 1;
    }
    std::uint64_t hits = 0;
    Policy policy(capacity);
    for (const std::uint32_t request : trace.requests) {
        PolicyNode& node = nodes[request];
        if (resident[request]) {
            ++hits;
            policy.touched(node);
            continue;
        }
        resident[request] = true;
        policy.inserted(node);
        while (const PolicyNode* victim = policy.victim())
            resident[static_cast<std::size_t>(victim - nodes.data())] = false;
    }
    return hits;
}

Result<void> simulate(int argc, char** argv) {
    const auto options = parse(argc, argv);
    if (!options) return tl::unexpected(options.error());
    const auto trace = load(options->trace);
    if (!trace) return tl::unexpected(trace.error());
    const double entries =
        options->percent ? options->amount / 100 * static_cast<double>(trace->keys.size()) : options->amount;
    const std::uint64_t hits =
        count_hits(*trace, std::max<std::size_t>(static_cast<std::size_t>(entries), 1));
    const std::size_t requests = trace->requests.size();
    fmt::print("{} {} {:.6f}\n", hits, requests, static_cast<double>(hits) / static_cast<double>(requests));
    return {};
}

}  // namespace
}  // namespace warmfront::cache

int main(int argc, char** argv) {
    const auto done = warmfront::cache::simulate(argc, argv);
    if (done) return 0;
    fmt::print(stderr, "cache_sim: {}\n", done.error().text);
    return 1;
}
