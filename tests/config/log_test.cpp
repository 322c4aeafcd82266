#include "config/log.h"

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront;
using namespace std::string_literals;

namespace {
struct Lines {
    std::vector<std::string> all;
    Logger::WriteLine writer() {
        return [this](std::string_view line) { all.emplace_back(line); };
    }
};

// The line without its time.
std::string logged(std::string_view message, Logger::Fields fields) {
    Lines lines;
    Logger log(LogLevel::Debug, lines.writer());
    log.info(message, fields);
    REQUIRE(lines.all.size() == 1);
    return lines.all.front().substr(lines.all.front().find(' ') + 1);
}
}  // namespace

TEST_CASE("log: a line is time, level, message and fields") {
    Lines lines;
    Logger log(LogLevel::Info, lines.writer());
    log.warning("client refused", {{LogKey::Client, "10.0.0.1:5"}, {LogKey::Limit, 7U}});
    REQUIRE(lines.all.size() == 1);
    std::string shape = lines.all.front();
    std::replace_if(
        shape.begin(), shape.begin() + 26, [](char c) { return c >= '0' && c <= '9'; }, '9');
    CHECK(shape == "9999-99-99T99:99:99.999999Z warning client refused client=10.0.0.1:5 limit=7");
}

TEST_CASE("log: values are quoted where they could be misread, numbers never") {
    CHECK(logged("m", {{LogKey::User, "alice"}}) == "info m user=alice");
    CHECK(logged("m", {{LogKey::User, "a b"}}) == R"(info m user="a b")");
    CHECK(logged("m", {{LogKey::User, ""}}) == R"(info m user="")");
    CHECK(logged("m", {{LogKey::User, "a=b"}}) == R"(info m user="a=b")");
    CHECK(logged("m", {{LogKey::User, R"(a"\b)"}}) == R"(info m user="a\"\\b")");
    CHECK(logged("m", {{LogKey::User, "a\n\r\t\x1b\0b"s}}) == R"(info m user="a\n\r\t\x1b\x00b")");
    CHECK(
        logged("m", {{LogKey::Count, -1}, {LogKey::Bytes, std::uint64_t{1} << 63}, {LogKey::Reason, true}}) ==
        "info m count=-1 bytes=9223372036854775808 reason=true");
    CHECK(logged("m", {{LogKey::Seconds, 0.25}}) == "info m seconds=0.25");
    CHECK(logged("m", {{LogKey::Seconds, std::chrono::milliseconds{1500}}}) == "info m seconds=1.5");
}

TEST_CASE("log: neither message nor value can start a second line, and long values are cut") {
    CHECK(logged("two\nlines", {}) == R"(info two\nlines)");
    CHECK(logged("m", {{LogKey::Statement, std::string(1024, 'x')}}) ==
          "info m statement=" + std::string(1024, 'x'));
    CHECK(logged("m", {{LogKey::Statement, std::string(5000, 'x')}}) ==
          "info m statement=" + std::string(1024, 'x') + "...");
}

TEST_CASE("log: what is below the level is left out, and the level can change") {
    Lines lines;
    Logger log(LogLevel::Warning, lines.writer());
    const auto log_each = [&] {
        lines.all.clear();
        log.debug("d");
        log.info("i");
        log.warning("w");
        log.error("e");
        return lines.all.size();
    };
    CHECK(log_each() == 2);
    log.set_level(LogLevel::Debug);
    CHECK(log_each() == 4);
    CHECK(log.logs(LogLevel::Debug));
    log.set_level(LogLevel::Error);
    CHECK(log_each() == 1);
    CHECK_FALSE(log.logs(LogLevel::Warning));
}

TEST_CASE("log: a message with braces is text, not a format") {
    CHECK(logged("{} {0}", {}) == "info {} {0}");
}

TEST_CASE("log: every key has a name of its own") {
    std::set<std::string_view> names;
    for (int key = 0; key <= static_cast<int>(LogKey::Worker); ++key) {
        CAPTURE(key);
        CHECK_FALSE(key_name(static_cast<LogKey>(key)).empty());
        CHECK(names.insert(key_name(static_cast<LogKey>(key))).second);
    }
}

TEST_CASE("log: threads write whole lines, and none is lost") {
    Lines lines;
    Logger log(LogLevel::Info, lines.writer());
    std::vector<std::thread> threads;
    for (unsigned worker = 0; worker < 4; ++worker) {
        threads.emplace_back([&log, worker] {
            for (unsigned i = 0; i < 250; ++i) {
                log.info("tick", {{LogKey::Worker, worker}, {LogKey::Count, i}});
                log.set_level(LogLevel::Info);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::set<std::string> distinct;
    for (const std::string& line : lines.all) distinct.insert(line.substr(line.find(' ')));
    CHECK(lines.all.size() == 1'000);
    CHECK(distinct.size() == 1'000);
}
