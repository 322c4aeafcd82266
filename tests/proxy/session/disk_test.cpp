// Conversations over a disk tier: a real one where an answer is to come, and one without readers, for which
// the test answers, where it matters when that is.
#include <filesystem>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "cache/disk_tier.h"
#include "tests/proxy/session/stage.h"

namespace warmfront::session::test {
namespace {

constexpr std::string_view kRead = "SELECT v FROM t WHERE id = 1";

// Looks at what is handed down.
struct Hatch final : cache::LowerTier {
    cache::LowerTier* below = nullptr;
    cache::EntryRef last;
    void gave_up(cache::EntryRef entry) noexcept override {
        last = entry;
        below->gave_up(std::move(entry));
    }
    void superseded(std::uint64_t hash) noexcept override { below->superseded(hash); }
};

// A stage with a tier under its store, and the answer to kRead on disk alone.
struct Cellar {
    std::string directory;
    Stage stage;
    SimulatedClock clock{stage.now_us};
    std::unique_ptr<cache::DiskTier> tier;
    Hatch hatch;

    explicit Cellar(unsigned readers) {
        directory = (std::filesystem::temp_directory_path() / "warmfront-stage-XXXXXX").string();
        REQUIRE(::mkdtemp(directory.data()) != nullptr);
        tier = std::make_unique<cache::DiskTier>(
            stage.store, clock,
            cache::DiskTierOptions{
                .directory = directory + "/cache", .read_always = true, .readers = readers});
        REQUIRE(tier->start());
        stage.disk = tier.get();
        hatch.below = tier.get();
        stage.store.set_lower_tier(&hatch);
        Actor actor(stage);
        actor.client_sends(query(kRead));
        if (actor.conversation().blocked()) actor.answer_probe();
        actor.server_sends(rows("one"));
        REQUIRE(actor.take_client() == rows("one"));
        stage.store.set_limits(0, 10'000);
        tier->settle();
        stage.store.set_limits(std::size_t{256} << 20, 10'000);
        REQUIRE(stage.store.stats().entries == 0);
        REQUIRE(tier->stats().entries == 1);
        stage.tally = {};
    }
    ~Cellar() {
        stage.store.clear();
        tier = nullptr;
        std::filesystem::remove_all(directory);
    }
    void write() {
        Actor writer(stage);
        writer.client_sends(query("UPDATE t SET v = 'two' WHERE id = 1"));
        writer.server_sends(command_complete("UPDATE 1") + ready());
    }
};

void wait_for(Actor& actor) {
    while (!actor.has_landed()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    actor.deliver();
}

}  // namespace

TEST_CASE("disk: an answer on disk is given without the server, and is in memory then") {
    Cellar cellar(1);
    Actor actor(cellar.stage);
    actor.client_sends(query(kRead));
    CHECK(actor.conversation().blocked());
    CHECK(actor.conversation().reading_disk());
    wait_for(actor);
    CHECK(actor.take_client() == rows("one"));
    CHECK(actor.take_server().empty());
    CHECK_FALSE(actor.conversation().reading_disk());
    actor.client_sends(query(kRead));
    CHECK(actor.take_client() == rows("one"));
    CHECK(cellar.stage.tally.hits == 2);
    CHECK(cellar.tier->stats().hits == 1);
    CHECK(cellar.stage.flights.under_way() == 0);
}

TEST_CASE("disk: equal misses wait for one read") {
    Cellar cellar(0);
    Actor first(cellar.stage), second(cellar.stage);
    first.client_sends(query(kRead));
    second.client_sends(query(kRead));
    CHECK(first.conversation().reading_disk());
    CHECK(second.conversation().following());
    CHECK_FALSE(second.conversation().reading_disk());
    first.landed(1, cellar.hatch.last);
    first.deliver();
    CHECK(first.take_client() == rows("one"));
    REQUIRE(second.has_landed());
    second.deliver();
    CHECK(second.take_client() == rows("one"));
    CHECK((first.take_server() + second.take_server()).empty());
    CHECK(cellar.stage.flights.under_way() == 0);
}

TEST_CASE("disk: what a write made void is asked of the server") {
    Cellar cellar(1);
    cellar.write();
    Actor actor(cellar.stage);
    actor.client_sends(query(kRead));
    CHECK_FALSE(actor.conversation().blocked());
    CHECK(types(actor.take_server()) == "Q");
    actor.server_sends(rows("two"));
    CHECK(actor.take_client() == rows("two"));
}

TEST_CASE("disk: a read that brings nothing goes on to the server, whose answer is for the followers too") {
    Cellar cellar(0);
    Actor first(cellar.stage), second(cellar.stage);
    first.client_sends(query(kRead));
    second.client_sends(query(kRead));
    REQUIRE(first.conversation().reading_disk());
    first.landed(1, {});
    first.deliver();
    CHECK(types(first.take_server()) == "Q");
    CHECK(second.conversation().following());
    first.server_sends(rows("one"));
    CHECK(first.take_client() == rows("one"));
    second.deliver();
    CHECK(second.take_client() == rows("one"));
    CHECK(second.take_server().empty());
    CHECK(cellar.stage.flights.under_way() == 0);
}

TEST_CASE("disk: whoever stops waiting leaves nobody waiting, and asks the server") {
    enum class End { TooLong, Cancel, HangUp };
    for (const End end : {End::TooLong, End::Cancel, End::HangUp}) {
        CAPTURE(static_cast<int>(end));
        Cellar cellar(0);
        Actor first(cellar.stage), second(cellar.stage);
        first.client_sends(query(kRead));
        second.client_sends(query(kRead));
        switch (end) {
            case End::TooLong:
                first.conversation().stop_following(cellar.stage.now_us);
                first.client_sends({});
                CHECK(types(first.take_server()) == "Q");
                first.server_sends(rows("one"));
                CHECK(first.take_client() == rows("one"));
                break;
            case End::Cancel:
                CHECK(first.cancel());
                CHECK(types(first.take_client()) == "EZ");
                break;
            case End::HangUp: CHECK(first.hang_up().empty()); break;
        }
        CHECK_FALSE(first.conversation().reading_disk());
        first.landed(1, {});  // came too late
        first.deliver();
        CHECK(first.take_client().empty());
        REQUIRE(second.has_landed());
        second.deliver();
        (void)second.hang_up();
        CHECK(cellar.stage.flights.under_way() == 0);
    }
}

TEST_CASE("disk: behind a read that is under way, and without settings known, nothing waits for the disk") {
    Cellar cellar(0);
    Actor actor(cellar.stage);
    actor.client_sends(query("SELECT v FROM t WHERE id = 2"));
    CHECK(types(actor.take_server()) == "Q");
    actor.client_sends(query(kRead));
    CHECK_FALSE(actor.conversation().blocked());
    CHECK(types(actor.take_server()) == "Q");
    actor.server_sends(rows("two") + rows("one"));
    CHECK(actor.take_client() == rows("two") + rows("one"));
}

}  // namespace warmfront::session::test
