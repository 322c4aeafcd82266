// Runs a fuzz entry without a fuzzer, so that every build exercises it: the seeds, then mutations of them,
// the same ones each time.
//
//   NAME_fuzz_replay                     seeds and mutations
//   NAME_fuzz_replay --write-seeds DIR   writes the seeds as a corpus for libFuzzer
//   NAME_fuzz_replay FILE...             runs these inputs: a crash, to be debugged
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "config/ensure.h"
#include "tests/fuzz/input.h"
#include "tests/proxy/wire/transcript.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr int kMutations = 20'000;

// One for each stream of the golden transcripts of this direction.
std::vector<std::string> seeds() {
    using warmfront::fuzz::make_input;
    std::vector<std::string> inputs;
    const auto golden = std::filesystem::path(WARMFRONT_SOURCE_DIR) / "tests/golden";
    for (const auto& transcript : warmfront::wire::load_transcripts(golden)) {
        const std::string typed = transcript.typed(FUZZ_FRONTEND);
        if (FUZZ_FRONTEND && !transcript.untyped().empty())
            inputs.push_back(make_input(true, transcript.untyped() + typed));
        if (!typed.empty()) inputs.push_back(make_input(false, typed));
    }
    return inputs;
}

void run(const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

// A few bytes changed, removed, repeated or cut in, and other flags and cuts at the front.
std::string mutate(std::string input, std::mt19937& random) {
    input.insert(2, 2 * (random() % 8), '\0');
    for (std::size_t i = 0; i < 16 && i < input.size(); ++i)
        if (i < 2 || random() % 4 == 0) input[i] = static_cast<char>(random());
    for (unsigned changes = random() % 6; changes > 0; --changes) {
        const std::size_t at = random() % (input.size() + 1);
        const std::size_t length = random() % 12;
        switch (random() % 4) {
            case 0: input.erase(at, length); break;
            case 1: input.insert(at, input.substr(input.size() / 2, length)); break;
            case 2: input.insert(at, length, static_cast<char>(random())); break;
            case 3:
                if (at < input.size())
                    input[at] = static_cast<char>(random() % 2 == 0 ? random() : random() % 3 - 1);
                break;
        }
    }
    return input;
}

std::string read_file(const char* path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_seeds(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    int number = 0;
    for (const auto& seed : seeds())
        std::ofstream(folder / std::to_string(number++), std::ios::binary) << seed;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::string_view(argv[1]) == "--write-seeds") {
        write_seeds(argv[2]);
        return 0;
    }
    for (int i = 1; i < argc; ++i) run(read_file(argv[i]));
    if (argc > 1) return 0;
    const auto inputs = seeds();
    for (const auto& input : inputs) run(input);
    std::mt19937 random(1);
    for (int i = 0; i < kMutations; ++i) run(mutate(inputs[random() % inputs.size()], random));
    std::printf("%zu seeds, %d mutations\n", inputs.size(), kMutations);
    return 0;
}
