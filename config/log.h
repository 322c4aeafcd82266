// config/log.h: log lines that a person reads and a program can take apart.
//
//   2026-03-01T12:00:00.123456Z info listening address=127.0.0.1:6432 worker=0
//   time (UTC) level message key=value ...
//
// The message is a fixed text; whatever varies is a value under a key from LogKey. A value with blanks,
// quotes, = or control characters, or an empty one, is in double quotes with \", \\, \n, \r, \t and \xHH
// escapes, and so is a message with control characters escaped: one call is one line, whatever a client put
// into a name. Values are cut to 1 KiB, which ends in "...". Thread-safe. A line is written whole by the
// calling thread under a short lock: who does not read stderr stops us.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <variant>

#include "config/settings.h"

namespace warmfront {

enum class LogKey {
    Actual,
    Address,
    After,
    Before,
    Bytes,
    Cause,
    Client,
    Count,
    Database,
    Expected,
    File,
    High,
    Limit,
    Low,
    Mode,
    Path,
    Pid,
    Reason,
    Relation,
    Seconds,
    Series,
    Setting,
    Side,
    Signal,
    Sqlstate,
    Statement,
    Upstream,
    User,
    Version,
    Worker,
};
[[nodiscard]] std::string_view key_name(LogKey key);  // "address"

// One key and its value. Holds a view of a text: it lives no longer than the call.
struct LogField {
    LogField(LogKey k, std::string_view text) : key(k), value(text) {}
    LogField(LogKey k, const char* text) : key(k), value(std::string_view(text)) {}
    LogField(LogKey k, const std::string& text) : key(k), value(std::string_view(text)) {}
    LogField(LogKey k, bool truth) : key(k), value(std::string_view(truth ? "true" : "false")) {}
    LogField(LogKey k, std::signed_integral auto number) : key(k), value(std::int64_t{number}) {}
    LogField(LogKey k, std::unsigned_integral auto number) : key(k), value(std::uint64_t{number}) {}
    LogField(LogKey k, double number) : key(k), value(number) {}
    template <typename Rep, typename Period>
    LogField(LogKey k, std::chrono::duration<Rep, Period> time)  // in seconds
        : key(k), value(std::chrono::duration<double>(time).count()) {}

    LogKey key;
    std::variant<std::string_view, std::int64_t, std::uint64_t, double> value;
};

class Logger {
public:
    using Fields = std::initializer_list<LogField>;
    // Gets each line without its end, one at a time.
    using WriteLine = std::function<void(std::string_view line)>;

    explicit Logger(LogLevel level);  // to stderr
    Logger(LogLevel level, WriteLine write);
    ~Logger();
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;

    void set_level(LogLevel level) noexcept;
    // For fields that are dear to make.
    [[nodiscard]] bool logs(LogLevel level) const noexcept;

    void debug(std::string_view message, Fields fields = {}) noexcept {
        log(LogLevel::Debug, message, fields);
    }
    void info(std::string_view message, Fields fields = {}) noexcept { log(LogLevel::Info, message, fields); }
    void warning(std::string_view message, Fields fields = {}) noexcept {
        log(LogLevel::Warning, message, fields);
    }
    void error(std::string_view message, Fields fields = {}) noexcept {
        log(LogLevel::Error, message, fields);
    }
    void log(LogLevel level, std::string_view message, Fields fields) noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace warmfront
