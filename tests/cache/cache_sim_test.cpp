// Runs the program build/cache_sim, which the build puts beside this test.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include "tests/cache/policy_reference.h"

namespace warmfront::cache {

namespace {

struct Outcome {
    int status = -1;
    std::string output;  // of both streams
};

class Simulator {
public:
    Simulator() {
        std::string pattern = std::filesystem::temp_directory_path() / "cache_sim_test.XXXXXX";
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        directory_ = pattern;
    }
    ~Simulator() { std::filesystem::remove_all(directory_); }
    Simulator(const Simulator&) = delete;
    Simulator& operator=(const Simulator&) = delete;

    // {} in arguments stands for a file that holds bytes.
    [[nodiscard]] Outcome run(std::string_view bytes, std::string_view arguments) const {
        const std::string file = directory_ / "trace";
        std::ofstream(file, std::ios::binary) << bytes;
        const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "cache_sim";
        const std::string command =
            fmt::format("'{}' {} 2>&1", program.string(), fmt::format(fmt::runtime(arguments), file));
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"),
                                                                   [](std::FILE*) { return 0; });
        REQUIRE(pipe);
        Outcome outcome;
        char buffer[512];
        while (std::fgets(buffer, sizeof buffer, pipe.get()) != nullptr) outcome.output += buffer;
        outcome.status = WEXITSTATUS(pclose(pipe.get()));
        return outcome;
    }

private:
    std::filesystem::path directory_;
};

std::string little_endian(const reference::Trace& trace) {
    std::string bytes;
    for (const std::uint32_t key : trace) {
        for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(key >> shift & 0xFF);
    }
    return bytes;
}

// The keys 1, 2, 1, 2, 70000, 1 as zstd writes them.
constexpr std::string_view kCompressed{
    "\x28\xb5\x2f\xfd\x00\x58\xc1\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00"
    "\x70\x11\x01\x00\x01\x00\x00\x00",
    33};

}  // namespace

TEST_CASE("cache_sim: prints hits, requests and ratio") {
    const Simulator simulator;
    const std::string six = little_endian({1, 2, 1, 2, 70'000, 1});
    struct Row {
        std::string_view arguments, prints;
    };
    for (const auto& [arguments, prints] :
         std::vector<Row>{{"{} --capacity 3", "3 6 0.500000\n"},
                          {"--capacity 3 {} --policy ours", "3 6 0.500000\n"},
                          {"- --capacity 3 < {}", "3 6 0.500000\n"},
                          {"{} --capacity 100%", "3 6 0.500000\n"},
                          {"{} --capacity 0.1%", "0 6 0.000000\n"}}) {
        CAPTURE(arguments);
        const Outcome outcome = simulator.run(six, arguments);
        CHECK(outcome.status == 0);
        CHECK(outcome.output == prints);
    }
    CHECK(simulator.run(kCompressed, "{} --capacity 3").output == "3 6 0.500000\n");
}

TEST_CASE("cache_sim: counts what the policy itself does") {
    const Simulator simulator;
    const auto trace = reference::zipf(20'000, 2'000, 0.9, 0, 1);
    const Outcome outcome = simulator.run(little_endian(trace), "{} --capacity 100");
    unsigned long hits = 0, requests = 0;
    double ratio = 0;
    REQUIRE(std::sscanf(outcome.output.c_str(), "%lu %lu %lf", &hits, &requests, &ratio) == 3);
    CHECK(requests == trace.size());
    CHECK(ratio == doctest::Approx(static_cast<double>(hits) / 20'000).epsilon(1e-5));
    CHECK(ratio == doctest::Approx(reference::hit_ratio<reference::Ours>(trace, 100)).epsilon(0.02));
}

TEST_CASE("cache_sim: says what is wrong and ends with status 1") {
    const Simulator simulator;
    struct Row {
        std::string_view bytes, arguments, says;
    };
    for (const auto& [bytes, arguments, says] :
         std::vector<Row>{{"abcd", "{}.missing --capacity 1", "No such file"},
                          {"abcde", "{} --capacity 1", "5 bytes; expected a multiple of 4"},
                          {"", "{} --capacity 1", "0 bytes"},
                          {"abcd", "{} --capacity 0", "--capacity 0: expected"},
                          {"abcd", "{} --capacity -1", "--capacity -1: expected"},
                          {"abcd", "{} --capacity 1.5", "--capacity 1.5: expected"},
                          {"abcd", "{} --capacity 101%", "--capacity 101%: expected"},
                          {"abcd", "{} --capacity", "--capacity needs a value"},
                          {"abcd", "{}", "usage"},
                          {"abcd", "{} --capacity 1 --policy lru", "only ours"},
                          {"abcd", "{} --capacity 1 --fast", "unexpected argument --fast"},
                          {kCompressed.substr(0, 12), "{} --capacity 1", "ends early"}}) {
        CAPTURE(arguments);
        const Outcome outcome = simulator.run(bytes, arguments);
        CHECK(outcome.status == 1);
        CHECK(outcome.output.starts_with("cache_sim: "));
        CHECK(outcome.output.find(says) != std::string::npos);
    }
}

}  // namespace warmfront::cache
