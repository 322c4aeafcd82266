#include "cache/flights.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include <doctest/doctest.h>

#include "tests/cache/sample.h"

using namespace warmfront;
using namespace warmfront::cache;

class Listener : public Waiter {
public:
    void landed(std::uint64_t ticket, EntryRef result) noexcept override {
        const std::lock_guard lock(mutex_);
        heard_[ticket].push_back(body_of(result));
    }
    // Everything that was told to this ticket, joined; "" if nothing was.
    std::string heard(std::uint64_t ticket) {
        const std::lock_guard lock(mutex_);
        std::string all;
        for (const std::string& each : heard_[ticket]) all += each;
        return all;
    }

private:
    std::mutex mutex_;
    std::map<std::uint64_t, std::vector<std::string>> heard_;
};

struct Harbour {
    WriteLog log;
    Line* line = &log.line("db", sql::Oid{1});
    Listener one, two;
    [[nodiscard]] FillTicket ticket() const { return observe({&line, 1}); }
    void write() const {
        begin({&line, 1});
        end({&line, 1});
    }
};

TEST_CASE("flights: the first leads, later ones follow and get the leader's answer") {
    Harbour harbour;
    Flights flights;
    const KeyView key = key_of("a");
    CHECK(flights.join(key, harbour.ticket(), &harbour.one, 1) == FlightRole::Lead);
    CHECK(flights.join(key, harbour.ticket(), &harbour.one, 2) == FlightRole::Follow);
    CHECK(flights.join(key, harbour.ticket(), &harbour.two, 1) == FlightRole::Follow);
    CHECK(flights.join(key_of("b"), harbour.ticket(), &harbour.two, 2) == FlightRole::Lead);
    CHECK(flights.under_way() == 2);
    flights.land(key, &harbour.one, 1, entry_of("a", "A"));
    CHECK(harbour.one.heard(1) == "");
    CHECK(harbour.one.heard(2) == "A");
    CHECK(harbour.two.heard(1) == "A");
    CHECK(harbour.two.heard(2) == "");
    CHECK(flights.under_way() == 1);
    CHECK(flights.join(key, harbour.ticket(), &harbour.one, 3) == FlightRole::Lead);
}

TEST_CASE("flights: a leader without an answer tells its followers so") {
    Harbour harbour;
    Flights flights;
    const KeyView key = key_of("a");
    flights.join(key, harbour.ticket(), &harbour.one, 1);
    flights.join(key, harbour.ticket(), &harbour.two, 2);
    flights.land(key, &harbour.one, 1, EntryRef());
    CHECK(harbour.two.heard(2) == "(miss)");
}

TEST_CASE("flights: a read after a write does not share what was asked for before it") {
    Harbour harbour;
    Flights flights;
    const KeyView key = key_of("a");
    CHECK(flights.join(key, harbour.ticket(), &harbour.one, 1) == FlightRole::Lead);
    CHECK(flights.join(key, harbour.ticket(), &harbour.one, 2) == FlightRole::Follow);
    harbour.write();
    // The newer leader has the same number as the older one: sessions count for themselves.
    CHECK(flights.join(key, harbour.ticket(), &harbour.two, 1) == FlightRole::Lead);
    CHECK(flights.join(key, harbour.ticket(), &harbour.two, 2) == FlightRole::Follow);

    SUBCASE("the older lands first") {
        flights.land(key, &harbour.one, 1, entry_of("a", "old"));
        flights.land(key, &harbour.two, 1, entry_of("a", "new"));
    }
    SUBCASE("the newer lands first") {
        flights.land(key, &harbour.two, 1, entry_of("a", "new"));
        flights.land(key, &harbour.one, 1, entry_of("a", "old"));
    }
    CHECK(harbour.one.heard(2) == "old");
    CHECK(harbour.two.heard(2) == "new");
    CHECK(flights.under_way() == 0);
}

TEST_CASE("flights: while a write is pending everybody goes alone") {
    Harbour harbour;
    Flights flights;
    begin({&harbour.line, 1});
    CHECK(flights.join(key_of("a"), harbour.ticket(), &harbour.one, 1) == FlightRole::Alone);
    CHECK(flights.under_way() == 0);
}

TEST_CASE("flights: who left is not told") {
    Harbour harbour;
    Flights flights;
    const KeyView key = key_of("a");
    flights.join(key, harbour.ticket(), &harbour.one, 1);
    flights.join(key, harbour.ticket(), &harbour.two, 2);
    flights.join(key, harbour.ticket(), &harbour.two, 3);
    flights.leave(key, &harbour.two, 2);
    flights.leave(key, &harbour.two, 99);
    flights.leave(key_of("b"), &harbour.two, 3);
    flights.land(key, &harbour.one, 1, entry_of("a", "A"));
    CHECK(harbour.two.heard(2) == "");
    CHECK(harbour.two.heard(3) == "A");
}

TEST_CASE("flights: landing what does not fly does nothing") {
    Harbour harbour;
    Flights flights;
    flights.land(key_of("a"), &harbour.one, 1, entry_of("a", "A"));
    flights.join(key_of("a"), harbour.ticket(), &harbour.one, 1);
    flights.land(key_of("a"), &harbour.one, 2, entry_of("a", "A"));
    flights.land(key_of("a"), &harbour.two, 1, entry_of("a", "A"));
    CHECK(flights.under_way() == 1);
}

TEST_CASE("flights: at the limits misses go alone") {
    Harbour harbour;
    Flights flights{{.flights_max = 16 * 3, .followers_max = 2}};
    int leaders = 0;
    for (int i = 0; i < 1'000; ++i)
        leaders +=
            flights.join(key_of(std::to_string(i)), harbour.ticket(), &harbour.one, 1) == FlightRole::Lead;
    CHECK(leaders == 16 * 3);
    CHECK(flights.under_way() == 16 * 3);
    CHECK(flights.join(key_of("0"), harbour.ticket(), &harbour.two, 1) == FlightRole::Follow);
    CHECK(flights.join(key_of("0"), harbour.ticket(), &harbour.two, 2) == FlightRole::Follow);
    CHECK(flights.join(key_of("0"), harbour.ticket(), &harbour.two, 3) == FlightRole::Alone);
}

TEST_CASE("flights: equal hashes of different keys fly apart") {
    Harbour harbour;
    Flights flights;
    CHECK(flights.join(key_at("a", 5), harbour.ticket(), &harbour.one, 1) == FlightRole::Lead);
    CHECK(flights.join(key_at("b", 5), harbour.ticket(), &harbour.one, 2) == FlightRole::Lead);
    CHECK(flights.join(key_at("b", 5), harbour.ticket(), &harbour.two, 1) == FlightRole::Follow);
    flights.land(key_at("a", 5), &harbour.one, 1, entry_of("a", "A"));
    CHECK(harbour.two.heard(1) == "");
    flights.land(key_at("b", 5), &harbour.one, 2, entry_of("b", "B"));
    CHECK(harbour.two.heard(1) == "B");
}

class Counter : public Waiter {
public:
    void landed(std::uint64_t, EntryRef) noexcept override { ++told; }
    std::atomic<std::uint64_t> told{0};
};

TEST_CASE("flights: under threads every follower is told exactly once and nothing stays up") {
    Harbour harbour;
    Flights flights;
    Counter counter;
    std::atomic<std::uint64_t> followed{0}, led{0};
    {
        std::vector<std::jthread> threads;
        for (int id = 0; id < 4; ++id) {
            threads.emplace_back([&, id] {
                for (std::uint64_t ticket = 0; ticket < 20'000; ++ticket) {
                    const std::string name = std::to_string(ticket % 3);
                    const std::uint64_t mine = ticket * 4 + static_cast<std::uint64_t>(id);
                    const FlightRole role = flights.join(key_of(name), harbour.ticket(), &counter, mine);
                    if (role == FlightRole::Follow) ++followed;
                    if (role == FlightRole::Lead) {
                        ++led;
                        std::this_thread::yield();
                        flights.land(key_of(name), &counter, mine, entry_of(name));
                    }
                    if (ticket % 100 == 0) harbour.write();
                }
            });
        }
    }
    CHECK(counter.told == followed);
    CHECK(led > 0);
    CHECK(flights.under_way() == 0);
}
