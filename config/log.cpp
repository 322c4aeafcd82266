// spdlog gives the level, the lock, the time and the sink; the text is made here, before the lock is taken.
#include "config/log.h"

#include <mutex>
#include <string>

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace warmfront {
namespace {

constexpr std::size_t kValueBytesMax = 1024;

class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    explicit LineSink(Logger::WriteLine write) : write_(std::move(write)) {}

private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        write_(std::string_view(line.data(), line.size()));
    }
    void flush_() override {}

    Logger::WriteLine write_;
};

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::Debug: return spdlog::level::debug;
        case LogLevel::Info: return spdlog::level::info;
        case LogLevel::Warning: return spdlog::level::warn;
        case LogLevel::Error: return spdlog::level::err;
    }
    return spdlog::level::info;
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool needs_quotes(std::string_view text) {
    for (const char c : text)
        if (is_control(c) || c == ' ' || c == '"' || c == '=' || c == '\\') return true;
    return text.empty();
}

void append_escaped(std::string& line, char c) {
    switch (c) {
        case '\n': line += "\\n"; break;
        case '\r': line += "\\r"; break;
        case '\t': line += "\\t"; break;
        default:
            if (is_control(c))
                fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
            else
                line.push_back(c);
    }
}

void append_text(std::string& line, std::string_view text) {
    const std::string_view kept = text.substr(0, kValueBytesMax);
    const bool quotes = needs_quotes(kept);
    if (quotes) line.push_back('"');
    for (const char c : kept) {
        if (c == '"' || c == '\\') line.push_back('\\');
        append_escaped(line, c);
    }
    if (kept.size() < text.size()) line += "...";
    if (quotes) line.push_back('"');
}

void append_value(std::string& line, const LogField& field) {
    if (const auto* text = std::get_if<std::string_view>(&field.value)) return append_text(line, *text);
    std::visit([&](const auto& number) { fmt::format_to(std::back_inserter(line), "{}", number); },
               field.value);
}

std::string make_text(std::string_view message, Logger::Fields fields) {
    std::string line;
    for (const char c : message) append_escaped(line, c);
    for (const LogField& field : fields) {
        line.push_back(' ');
        line += key_name(field.key);
        line.push_back('=');
        append_value(line, field);
    }
    return line;
}

}  // namespace

std::string_view key_name(LogKey key) {
    switch (key) {
        case LogKey::Actual: return "actual";
        case LogKey::Address: return "address";
        case LogKey::After: return "after";
        case LogKey::Before: return "before";
        case LogKey::Bytes: return "bytes";
        case LogKey::Cause: return "cause";
        case LogKey::Client: return "client";
        case LogKey::Count: return "count";
        case LogKey::Database: return "database";
        case LogKey::Expected: return "expected";
        case LogKey::File: return "file";
        case LogKey::High: return "high";
        case LogKey::Limit: return "limit";
        case LogKey::Low: return "low";
        case LogKey::Mode: return "mode";
        case LogKey::Path: return "path";
        case LogKey::Pid: return "pid";
        case LogKey::Reason: return "reason";
        case LogKey::Relation: return "relation";
        case LogKey::Seconds: return "seconds";
        case LogKey::Series: return "series";
        case LogKey::Setting: return "setting";
        case LogKey::Side: return "side";
        case LogKey::Signal: return "signal";
        case LogKey::Sqlstate: return "sqlstate";
        case LogKey::Statement: return "statement";
        case LogKey::Upstream: return "upstream";
        case LogKey::User: return "user";
        case LogKey::Version: return "version";
        case LogKey::Worker: return "worker";
    }
    return "";
}

struct Logger::Impl {
    Impl(LogLevel level, spdlog::sink_ptr sink, const std::string& line_end)
        : logger("warmfront", std::move(sink)) {
        logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(
            "%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc, line_end));
        logger.set_level(spdlog_level(level));
    }
    spdlog::logger logger;
};

Logger::Logger(LogLevel level)
    : impl_(std::make_unique<Impl>(level, std::make_shared<spdlog::sinks::stderr_sink_mt>(), "\n")) {}
Logger::Logger(LogLevel level, WriteLine write)
    : impl_(std::make_unique<Impl>(level, std::make_shared<LineSink>(std::move(write)), "")) {}
Logger::~Logger() = default;

void Logger::set_level(LogLevel level) noexcept {
    impl_->logger.set_level(spdlog_level(level));
}
bool Logger::logs(LogLevel level) const noexcept {
    return impl_->logger.should_log(spdlog_level(level));
}

void Logger::log(LogLevel level, std::string_view message, Fields fields) noexcept {
    if (!logs(level)) return;
    impl_->logger.log(spdlog_level(level), make_text(message, fields));
}

}  // namespace warmfront
