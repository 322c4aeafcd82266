#include "proxy/history_command.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "forecast/history.h"

namespace warmfront {
namespace {

struct CloseFile {
    void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

int failed(const std::string& why) {
    std::fprintf(stderr, "warmfront history: %s\n", why.c_str());
    return 1;
}

// nullptr: it cannot be opened, errno says why. Owned only if it is no standard stream.
std::FILE* open_or(const std::string& path, const char* mode, std::FILE* standard, File& owned) {
    if (path.empty() || path == "-") return standard;
    owned.reset(std::fopen(path.c_str(), mode));
    return owned.get();
}

bool read_line(std::FILE* file, std::string& line) {
    line.clear();
    for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
        if (c == '\n') return true;
        line += static_cast<char>(c);
        if (line.size() > (std::size_t{1} << 20)) return true;  // no record is that long: it will not be read
    }
    return !line.empty();
}

}  // namespace

int export_history(const CommandLine& command_line) {
    const auto reader =
        forecast::HistoryReader::open(forecast::history_path(command_line.settings.state_dir));
    if (!reader) return failed(reader.error().text);
    const std::string& path = command_line.history.file;
    File owned;
    std::FILE* const out = open_or(path, "w", stdout, owned);
    if (!out) return failed(path + ": " + std::strerror(errno));
    const auto done = reader->export_history([&](std::string_view line) {
        return std::fwrite(line.data(), 1, line.size(), out) == line.size() && std::fputc('\n', out) != EOF;
    });
    if (!done) return failed(done.error().text);
    if (std::fflush(out) != 0 || std::ferror(out))
        return failed("cannot write: " + std::string(std::strerror(errno)));
    return 0;
}

int import_history(const CommandLine& command_line) {
    const std::string& path = command_line.history.file;
    File owned;
    std::FILE* const in = open_or(path, "r", stdin, owned);
    if (!in) return failed(path + ": " + std::strerror(errno));
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    std::error_code failure;
    std::filesystem::create_directories(command_line.settings.state_dir, failure);
    if (failure) return failed(command_line.settings.state_dir + ": " + failure.message());
    auto writer = forecast::HistoryWriter::open(forecast::history_path(command_line.settings.state_dir), {},
                                                now.count());
    if (!writer) return failed(writer.error().text);
    if (!writer->set_aside().empty())
        std::fprintf(stderr, "warmfront history: set aside as %s\n", writer->set_aside().c_str());
    const auto records = writer->import([in](std::string& line) { return read_line(in, line); });
    if (!records) return failed((path.empty() ? "-" : path) + ": " + records.error().text);
    std::fprintf(stderr, "warmfront history: %zu records\n", *records);
    return 0;
}

}  // namespace warmfront
