#include "cache/disk_tier.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "tests/cache/sample.h"

using namespace warmfront;
using namespace warmfront::cache;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kKiB = std::size_t{1} << 10;
constexpr std::size_t kMiB = std::size_t{1} << 20;

// A directory that is gone at the end.
struct Directory {
    fs::path path;
    Directory() {
        std::string name = (fs::temp_directory_path() / "warmfront-disk-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Directory() { fs::remove_all(path); }
    [[nodiscard]] std::string tier() const { return (path / "cache").string(); }
    [[nodiscard]] std::string aside() const { return tier() + ".aside"; }
    [[nodiscard]] std::vector<fs::path> tables() const {
        std::vector<fs::path> found;
        for (const auto& file : fs::directory_iterator(tier()))
            if (file.path().extension() == ".sst") found.push_back(file.path());
        return found;
    }
};

// Waits for what it asked for.
class Patient final : public Waiter {
public:
    void landed(std::uint64_t ticket, EntryRef result) noexcept override {
        const std::lock_guard lock(mutex_);
        landed_.emplace(ticket, std::move(result));
        came_.notify_all();
    }
    EntryRef wait_for(std::uint64_t ticket) {
        std::unique_lock lock(mutex_);
        came_.wait(lock, [&] { return landed_.contains(ticket); });
        return landed_.at(ticket);
    }

private:
    std::mutex mutex_;
    std::condition_variable came_;
    std::map<std::uint64_t, EntryRef> landed_;
};

// A small store with a tier under it.
struct House {
    Directory directory;
    WriteLog log;
    Line* line = &log.line("db", sql::Oid{1});
    SimulatedClock clock{1'000'000};
    Store store;
    std::vector<DiskAlarm> alarms;
    std::mutex alarms_mutex;
    Patient waiter;
    std::uint64_t ticket = 0, filled = 0;
    DiskTierOptions options;
    std::unique_ptr<DiskTier> tier;

    explicit House(std::size_t memory = 2 * kMiB, std::uint64_t ttl_ms = 10'000)
        : store({.memory_bytes = memory, .ttl_ms = ttl_ms, .shards = 1}) {
        options = {.directory = directory.tier(),
                   .size_bytes = 64 * kMiB,
                   .memory_bytes = memory,
                   .ttl_ms = ttl_ms,
                   .read_always = true,
                   .alarm = [this](const DiskAlarm& alarm) {
                       const std::lock_guard lock(alarms_mutex);
                       alarms.push_back(alarm);
                   }};
    }
    bool open() {
        tier = std::make_unique<DiskTier>(store, clock, options);
        const bool is_open = tier->start();
        for (const DiskAlarm& alarm : alarms) MESSAGE(alarm.why);
        return is_open;
    }
    void fill(const std::string& name, const std::string& body, std::span<const Seen> seen) {
        store.fill(entry_of(key_of(name), seen, body, clock.now_ms()));
    }
    void fill(const std::string& name, const std::string& body) {
        fill(name, body, observe({&line, 1}).seen);
    }
    // So slowly that all of what memory gives up is written.
    void fill_slowly(const std::string& name, const std::string& body) {
        fill(name, body);
        if (++filled % 16 == 0) tier->settle();
    }
    // Everything goes from memory to disk, little by little: the queue is short.
    void press() {
        for (std::size_t left = options.memory_bytes; left > 0; left -= std::min(left, 64 * kKiB)) {
            store.set_limits(left, options.ttl_ms);
            if (store.stats().entries == 0) break;
            tier->settle();
        }
        store.set_limits(0, options.ttl_ms);
        tier->settle();
        store.set_limits(options.memory_bytes, options.ttl_ms);
        REQUIRE(store.stats().entries == 0);
    }
    [[nodiscard]] bool is_told_off() {
        const std::lock_guard lock(alarms_mutex);
        return !alarms.empty() && alarms.back().what == DiskAlarm::What::Off;
    }
    // What readers found out is done about on their threads.
    static void wait_until(const std::function<bool()>& holds) {
        for (int i = 0; !holds(); ++i) {
            REQUIRE(i < 30'000);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    // As a session does: memory, then disk.
    std::string get(const std::string& name) {
        if (const EntryRef found = store.find(key_of(name), clock.now_ms())) return body_of(found);
        return from_disk(name);
    }
    std::string from_disk(const std::string& name) {
        if (!tier->ask(key_of(name), {.waiter = &waiter, .ticket = ++ticket})) return "(not there)";
        return body_of(waiter.wait_for(ticket));
    }
    // Everything that is collected becomes files: as much again as a write buffer holds.
    void write_through() {
        for (int i = 0; tier->stats().bytes == 0; ++i) {
            REQUIRE(i < 20'000);
            const std::string other = "through-" + std::to_string(i);
            fill_slowly(other, other + std::string(4'000, '.'));
        }
    }
};

}  // namespace

TEST_CASE("disk tier: what memory gives up comes back from disk, and back into memory") {
    House house;
    REQUIRE(house.open());
    house.fill("a", "A");
    for (int i = 0; i < 10; ++i) house.fill(std::to_string(i), "other");
    house.press();
    CHECK(house.from_disk("a") == "A");
    CHECK(body_of(house.store.find(key_of("a"), house.clock.now_ms())) == "A");
    CHECK(house.from_disk("never") == "(not there)");
    const DiskStats stats = house.tier->stats();
    CHECK(stats.on);
    CHECK(stats.hits == 1);
    CHECK(stats.entries == 11);
    CHECK(stats.memory_bytes > 0);
    CHECK(house.store.stats().bytes + stats.memory_bytes <= 2 * kMiB);
    CHECK(house.alarms.empty());
}

TEST_CASE("disk tier: a write voids what is on disk at once, also while it is read, and another's does not") {
    House house;
    Line* const other = &house.log.line("db", sql::Oid{2});
    REQUIRE(house.open());
    house.fill("a", "A");
    house.fill("b", "B", observe({&other, 1}).seen);
    house.press();
    begin({&house.line, 1});
    CHECK(house.from_disk("a") == "(not there)");
    end({&house.line, 1});
    CHECK(house.from_disk("a") == "(not there)");
    CHECK(house.from_disk("b") == "B");
    CHECK(house.tier->stats().voided >= 1);
    house.log.everything_changed();
    house.store.clear();
    CHECK(house.from_disk("b") == "(not there)");
}

TEST_CASE("disk tier: the ttl counts from when the answer was asked for, wherever it lies") {
    House house(2 * kMiB, 500);
    REQUIRE(house.open());
    house.fill("a", "A");
    house.press();
    house.clock.advance(std::chrono::milliseconds(499));
    CHECK(house.get("a") == "A");
    house.clock.advance(std::chrono::milliseconds(1));
    CHECK(house.get("a") == "(not there)");
    house.fill("b", "B");
    house.press();
    house.tier->set_ttl(0);
    CHECK(house.from_disk("b") == "(not there)");
    CHECK(house.tier->stats().expired >= 1);
}

TEST_CASE("disk tier: an older answer does not come back once a newer one was stored") {
    House house;
    REQUIRE(house.open());
    house.fill("a", "old");
    house.press();
    house.clock.advance(std::chrono::milliseconds(1));
    house.fill("a", "new");
    CHECK(house.from_disk("a") == "(not there)");
    house.press();
    CHECK(house.from_disk("a") == "new");
}

TEST_CASE("disk tier: keys of one hash are told apart") {
    House house;
    REQUIRE(house.open());
    house.store.fill(entry_of(key_at("a", 77), {}, "A", 1'000));
    house.press();
    REQUIRE(house.tier->ask(key_at("b", 77), {.waiter = &house.waiter, .ticket = ++house.ticket}));
    CHECK(body_of(house.waiter.wait_for(house.ticket)) == "(miss)");
}

TEST_CASE("disk tier: agrees with a map under random fills, reads, writes, time and clearing") {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        CAPTURE(seed);
        House house(kMiB + seed * 512 * kKiB, 2'000);
        house.options.size_bytes = seed == 3 ? 2 * kMiB : 64 * kMiB;  // in the last one the files go round
        REQUIRE(house.open());
        struct Known {
            std::string body;
            std::uint64_t filled_at;
            FillTicket ticket;
        };
        std::map<std::string, Known> known;
        std::mt19937_64 random(seed);
        std::uint64_t found = 0, from_disk = 0;
        for (int step = 0; step < 12'000; ++step) {
            const std::string name = std::to_string(random() % 900);
            Line* line = &house.log.line("db", static_cast<sql::Oid>(random() % 16));
            house.clock.advance(std::chrono::microseconds(random() % 400));
            const std::uint64_t dice = random() % 1'000;
            if (step % 20 == 0) house.tier->settle();
            if (dice < 550) {
                const bool in_memory =
                    static_cast<bool>(house.store.find(key_of(name), house.clock.now_ms()));
                const std::string body = house.get(name);
                if (body == "(not there)" || body == "(miss)") continue;
                const auto expected = known.find(name);
                REQUIRE(expected != known.end());
                REQUIRE(expected->second.ticket.current());
                REQUIRE(house.clock.now_ms() - expected->second.filled_at < 2'000);
                REQUIRE(body == expected->second.body);
                ++found;
                from_disk += in_memory ? 0 : 1;
            } else if (dice < 990) {
                const FillTicket ticket = observe({&line, 1});
                const std::string body = name + std::string(random() % 6'000, 'x');
                if (house.store.fill(entry_of(key_of(name), ticket.seen, body, house.clock.now_ms())))
                    known[name] = {body, house.clock.now_ms(), ticket};
            } else if (dice < 998) {
                begin({&line, 1});
                end({&line, 1});
            } else if (dice == 998) {
                house.log.lost_sight("db");
                house.log.everything_changed("db");
            } else if (random() % 8 == 0) {
                house.store.clear();
                house.tier->clear();
                known.clear();
            }
        }
        CHECK(found > 500);
        CHECK(from_disk > (seed == 3 ? 5 : 100));
        CHECK(house.tier->stats().errors == 0);
    }
}

TEST_CASE("disk tier: whoever leaves is not told") {
    House house;
    REQUIRE(house.open());
    house.fill("a", "A");
    house.press();
    for (int i = 0; i < 200; ++i) {
        auto passing = std::make_unique<Patient>();
        house.store.clear();
        if (house.tier->ask(key_of("a"), {.waiter = passing.get(), .ticket = 1}))
            house.tier->leave(passing.get(), 1);
        passing = nullptr;  // a call into it would be seen by the address sanitizer
    }
    CHECK(house.get("a") == "A");
}

TEST_CASE("disk tier: a read that PostgreSQL would win is not made, but measured again now and then") {
    House house;
    house.options.read_always = false;
    REQUIRE(house.open());
    house.fill("a", "A");
    house.press();
    CHECK(house.from_disk("a") == "A");  // the first one tells how long it takes: nothing, on this clock
    const DiskTier::Asked fast{.waiter = &house.waiter, .ticket = ++house.ticket, .origin_us = 1};
    house.store.clear();
    CHECK_FALSE(house.tier->ask(key_of("a"), fast));
    CHECK(house.tier->stats().reads_slow == 1);
    house.clock.advance(DiskTier::kMeasureAnewAfter + std::chrono::microseconds(1));
    CHECK(house.tier->ask(key_of("a"), fast));
    CHECK(body_of(house.waiter.wait_for(fast.ticket)) == "A");
    house.store.clear();
    CHECK(house.tier->ask(key_of("a"),
                          {.waiter = &house.waiter, .ticket = ++house.ticket, .origin_us = 1'000}));
    CHECK(body_of(house.waiter.wait_for(house.ticket)) == "A");
}

TEST_CASE("disk tier: begins empty over what a former one left, which need not have ended well") {
    House house;
    REQUIRE(house.open());
    house.fill("a", "A");
    house.press();
    house.write_through();
    const Directory copy;  // as after kill -9: the files as they are at this moment
    fs::copy(house.directory.tier(), copy.tier(), fs::copy_options::recursive);
    house.tier = nullptr;

    House again;
    fs::copy(copy.tier(), again.directory.tier(), fs::copy_options::recursive);
    REQUIRE(again.open());
    CHECK(again.from_disk("a") == "(not there)");
    CHECK(again.alarms.empty());
    CHECK_FALSE(fs::exists(again.directory.aside()));
}

TEST_CASE("disk tier: what is torn or foreign at the start is set aside, never served") {
    House house;
    REQUIRE(house.open());
    house.fill("a", "A");
    house.press();
    house.write_through();
    house.tier = nullptr;
    const auto tear = [](const fs::path& file, std::uintmax_t to) { fs::resize_file(file, to); };
    struct Row {
        std::string_view name;
        std::function<void(const Directory&)> spoil;
    };
    for (const auto& [name, spoil] : std::vector<Row>{
             {"a table cut short",
              [&](const Directory& at) { tear(at.tables()[0], fs::file_size(at.tables()[0]) / 2); }},
             {"no manifest",
              [](const Directory& at) {
                  for (const auto& file : fs::directory_iterator(at.tier()))
                      if (file.path().filename().string().starts_with("MANIFEST")) fs::remove(file.path());
              }},
             {"another's file",
              [](const Directory& at) { std::ofstream(at.tier() + "/thesis.txt") << "mine"; }},
             {"CURRENT is garbage",
              [](const Directory& at) { std::ofstream(at.tier() + "/CURRENT") << "garbage"; }},
             {"a file in place of the directory", [](const Directory& at) {
                  fs::remove_all(at.tier());
                  std::ofstream(at.tier()) << "mine";
              }}}) {
        CAPTURE(name);
        House spoilt;
        fs::copy(house.directory.tier(), spoilt.directory.tier(), fs::copy_options::recursive);
        spoil(spoilt.directory);
        REQUIRE(spoilt.open());
        REQUIRE(spoilt.alarms.size() == 1);
        CHECK(spoilt.alarms[0].what == DiskAlarm::What::SetAside);
        CHECK(spoilt.tier->stats().set_aside == 1);
        CHECK(fs::exists(spoilt.directory.aside()));
        CHECK(spoilt.from_disk("a") == "(not there)");
        spoilt.fill("b", "B");
        spoilt.press();
        CHECK(spoilt.from_disk("b") == "B");
    }
}

TEST_CASE("disk tier: a flipped byte or a file cut short under its feet is set aside, never served") {
    for (const bool flip : {true, false}) {
        CAPTURE(flip);
        House house;
        REQUIRE(house.open());
        for (int i = 0; i < 600; ++i)
            house.fill_slowly("k" + std::to_string(i), "K" + std::to_string(i) + std::string(3'000, 'x'));
        house.write_through();
        for (const fs::path& table : house.directory.tables()) {
            if (flip) {
                std::fstream file(table, std::ios::in | std::ios::out | std::ios::binary);
                const auto size = fs::file_size(table);
                for (std::uintmax_t at = 100; at < size / 2;
                     at += 1'000) {  // in every block of the first half
                    file.seekg(static_cast<std::streamoff>(at));
                    const auto byte = static_cast<char>(file.get() ^ 1);
                    file.seekp(static_cast<std::streamoff>(at));
                    file.put(byte);
                }
            } else {
                fs::resize_file(table, 1'000);
            }
        }
        house.store.clear();
        int served = 0;
        for (int i = 0; i < 600; ++i) {
            const std::string body = house.from_disk("k" + std::to_string(i));
            if (body == "(not there)" || body == "(miss)") continue;
            CHECK(body == "K" + std::to_string(i) + std::string(3'000, 'x'));
            ++served;
        }
        CHECK(served < 600);
        house.wait_until([&] { return house.tier->stats().set_aside >= 1; });
        CHECK(fs::exists(house.directory.aside()));
        if (!house.tier->stats().on) continue;
        house.fill("b", "B");
        house.press();
        CHECK(house.from_disk("b") == "B");
    }
}

TEST_CASE("disk tier: again and again it is not set aside: it goes off") {
    House house;
    REQUIRE(house.open());
    for (std::uint64_t round = 0; round < DiskTier::kAsidesMax; ++round) {
        REQUIRE(house.tier->stats().on);
        house.fill("a" + std::to_string(round), "A");
        house.press();
        house.write_through();
        for (const fs::path& table : house.directory.tables()) fs::resize_file(table, 10);
        house.store.clear();
        for (int i = 0; i < 2'000; ++i) {
            (void)house.from_disk("a" + std::to_string(i));
            (void)house.from_disk("through-" + std::to_string(i));
        }
        const bool last = round + 1 == DiskTier::kAsidesMax;
        House::wait_until(
            [&] { return house.tier->stats().on != last && house.tier->stats().set_aside == round + 1; });
    }
    CHECK_FALSE(house.tier->stats().on);
    House::wait_until([&] { return house.is_told_off(); });
    CHECK_FALSE(house.tier->ask(key_of("a0"), {.waiter = &house.waiter, .ticket = ++house.ticket}));
}

TEST_CASE("disk tier: a disk that takes no more switches it off; memory goes on") {
    House house;
    REQUIRE(house.open());
    struct rlimit before = {};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit little = {16 * kKiB, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &little) == 0);
    for (int i = 0; house.tier->stats().on && i < 100'000; ++i) {
        house.fill(std::to_string(i), std::string(2'000, '.'));
        if (i % 100 == 0) house.tier->settle();
    }
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, old_handler);
    CHECK_FALSE(house.tier->stats().on);
    House::wait_until([&] { return house.is_told_off(); });
    CHECK(house.tier->stats().errors > 0);
    house.fill("a", "A");
    CHECK(house.get("a") == "A");
    CHECK(house.from_disk("0") == "(not there)");
}

TEST_CASE("disk tier: a directory that another has open is left alone") {
    House house;
    REQUIRE(house.open());
    House second;
    second.options.directory = house.options.directory;
    CHECK_FALSE(second.open());
    REQUIRE(second.alarms.size() == 1);
    CHECK(second.alarms[0].what == DiskAlarm::What::Off);
    house.fill("a", "A");
    house.press();
    CHECK(house.from_disk("a") == "A");
}

TEST_CASE("disk tier: files stay within their size, and memory within its budget") {
    House house(4 * kMiB);
    house.options.size_bytes = 4 * kMiB;
    REQUIRE(house.open());
    for (int i = 0; i < 8'000; ++i) {
        house.fill(std::to_string(i), std::string(3'000, '.'));
        if (i % 100 == 0) {
            house.tier->settle();
            CHECK(house.store.stats().bytes + house.tier->stats().memory_bytes <= 4 * kMiB);
        }
    }
    house.tier->settle();
    CHECK(house.tier->stats().writes > 3'000);
    CHECK(house.tier->stats().bytes <= 4 * kMiB + 512 * kKiB);  // the newest file, before the oldest goes
    CHECK(house.from_disk("0") == "(not there)");
}

TEST_CASE("disk tier: threads may fill, ask, void and clear at once") {
    House house(2 * kMiB);
    REQUIRE(house.open());
    std::atomic<std::uint64_t> hits{0};
    {
        std::vector<std::jthread> threads;
        for (std::uint64_t seed = 0; seed < 4; ++seed) {
            threads.emplace_back([&, seed] {
                std::mt19937_64 random{seed};
                Patient waiter;
                for (std::uint64_t step = 1; step < 6'000; ++step) {
                    const std::string name = std::to_string(random() % 2'000);
                    Line* line = &house.log.line("db", static_cast<sql::Oid>(random() % 64));
                    EntryRef entry = house.store.find(key_of(name), house.clock.now_ms());
                    if (!entry && house.tier->ask(key_of(name), {.waiter = &waiter, .ticket = step}))
                        entry = waiter.wait_for(step);
                    if (entry) {
                        REQUIRE(entry->key().bytes == name);
                        REQUIRE(body_of(entry).starts_with(name));
                        ++hits;
                        continue;
                    }
                    const FillTicket ticket = observe({&line, 1});
                    house.fill(name, name + std::string(random() % 4'000, 'x'), ticket.seen);
                    if (step % 64 == 0) begin({&line, 1}), end({&line, 1});
                    if (step % 4'000 == 0) house.tier->clear();
                }
            });
        }
    }
    CHECK(hits > 0);
}
