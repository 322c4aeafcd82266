#include "proxy/control/historian.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "forecast/history.h"

using namespace warmfront;
using namespace warmfront::control;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kBegin_s = 1'767'225'600;  // 2026-01-01T00:00:00Z

// A historian whose requests are what the test says.
class Desk {
public:
    Desk() {
        std::string name = std::filesystem::temp_directory_path() / "historian.XXXXXX";
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        directory_ = name;
    }
    ~Desk() {
        historian = nullptr;
        std::filesystem::remove_all(directory_);
    }
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    void start(std::int64_t at_ms) {
        Historian::Options options;
        options.path = file();
        options.workers = 1;
        options.snapshot = [this] {
            LoadSnapshot snapshot;
            snapshot.databases["app"] = {requests, 0};
            return snapshot;
        };
        options.collect = [](const std::shared_ptr<CollectedKeys>& keys) { keys->give({}); };
        options.maker.catalog = [](const std::string&) { return nullptr; };
        ForecastSettings settings;
        settings.bucket = 60s;
        settings.keep = settings.keep_days;  // the test's time is long ago
        historian = std::make_unique<Historian>(std::move(options), settings, log);
        historian->start(at_ms);
    }
    void wait_for(std::uint64_t buckets) const {
        for (auto seen = historian->numbers(); seen.written + seen.dropped < buckets;
             seen = historian->numbers())
            std::this_thread::sleep_for(1ms);
    }
    [[nodiscard]] std::string file() const { return directory_ + subdirectory + "/history.sqlite"; }
    [[nodiscard]] std::string directory() const { return directory_; }
    [[nodiscard]] std::string series() const {
        const auto reader = forecast::HistoryReader::open(file());
        REQUIRE(reader);
        const auto values = reader->series({forecast::SeriesName::Kind::Database, "app", "", {}}, kBegin_s,
                                           kBegin_s + 3600, 60);
        REQUIRE(values);
        std::string text;
        for (const double value : values->values)
            text += (text.empty() ? "" : " ") +
                    (value == value ? std::to_string(static_cast<int>(value)) : std::string("-"));
        return text;
    }
    [[nodiscard]] std::string logged() const {
        const std::lock_guard lock(mutex_);
        return logged_;
    }

    std::string subdirectory;
    std::atomic<std::uint64_t> requests{0};
    std::unique_ptr<Historian> historian;

private:
    std::string directory_;
    mutable std::mutex mutex_;
    std::string logged_;

public:
    Logger log{LogLevel::Info, [this](std::string_view line) {
                   const std::lock_guard lock(mutex_);
                   logged_.append(line) += '\n';
               }};
};

constexpr std::int64_t at(std::int64_t seconds) {
    return (kBegin_s + seconds) * 1000;
}

}  // namespace

TEST_CASE("historian: buckets end at multiples of their length, and the open one is written at the end") {
    Desk desk;
    desk.start(at(30));
    desk.requests += 4;
    CHECK(desk.historian->close(at(60)) == 60s);
    desk.requests += 7;
    CHECK(desk.historian->close(at(120) + 20) == 60s - 20ms);  // a little late
    desk.requests += 9;
    desk.historian->finish(at(170));
    CHECK(desk.historian->numbers().written == 3);
    CHECK(desk.historian->numbers().dropped == 0);
    CHECK(desk.series() == "8 7 10");  // of 30 s 4, of 50 s 9: extrapolated
}

TEST_CASE("historian: a bucket that was closed too late is not known, and not the next one's load") {
    Desk desk;
    desk.start(at(0));
    desk.requests += 5;
    (void)desk.historian->close(at(60));
    desk.requests += 1000;
    (void)desk.historian->close(at(300));
    desk.requests += 6;
    (void)desk.historian->close(at(360));
    desk.historian->finish(at(360));
    CHECK(desk.historian->numbers().dropped == 1);
    CHECK(desk.series() == "5 - - - - 6");
    CHECK(desk.logged().find("a bucket of the history is dropped") != std::string::npos);
}

TEST_CASE("historian: what cannot be written is counted and logged, and the next one is tried anew") {
    Desk desk;
    desk.subdirectory = "/not/there";
    desk.start(at(0));
    for (int minute = 1; minute <= 2; ++minute) {
        desk.requests += 5;
        (void)desk.historian->close(at(60 * minute));
        desk.wait_for(static_cast<std::uint64_t>(minute));
    }
    CHECK(desk.historian->numbers().dropped == 2);
    CHECK_FALSE(desk.historian->numbers().problem.empty());
    std::filesystem::create_directories(desk.directory() + desk.subdirectory);
    desk.requests += 6;
    desk.historian->finish(at(180));
    CHECK(desk.historian->numbers().written == 1);
    CHECK(desk.historian->numbers().problem.empty());
    CHECK(desk.series() == "6");
    CHECK(desk.logged().find("the history is written again") != std::string::npos);
}

TEST_CASE("historian: while files cannot grow nothing else stops, and then it goes on") {
    Desk desk;
    desk.start(at(0));
    desk.requests += 5;
    (void)desk.historian->close(at(60));
    desk.wait_for(1);
    REQUIRE(desk.historian->numbers().written == 1);
    ::rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const ::rlimit none{1, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &none) == 0);
    desk.requests += 50;
    (void)desk.historian->close(at(120));
    desk.wait_for(2);
    const auto full = desk.historian->numbers();
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    (void)std::signal(SIGXFSZ, handler);
    CHECK(full.dropped == 1);
    CHECK_FALSE(full.problem.empty());
    desk.requests += 6;
    desk.historian->finish(at(180));
    CHECK(desk.historian->numbers().written == 2);
    CHECK(desk.series() == "5 - 6");
}
