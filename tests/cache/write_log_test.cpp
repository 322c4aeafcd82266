#include "cache/write_log.h"

#include <algorithm>
#include <thread>

#include <doctest/doctest.h>

#include "cache/write_protocol.h"

using namespace warmfront;
using namespace warmfront::cache;

static Line& line_of(WriteLog& log, std::uint32_t oid) {
    return log.line("db", sql::Oid{oid});
}

TEST_CASE("write log: a relation has one line, told apart by database") {
    WriteLog log;
    const Line& line = log.line("a", sql::Oid{5});
    CHECK(&line == &log.line("a", sql::Oid{5}));
    CHECK(&line != &log.line("b", sql::Oid{5}));
    CHECK(&line != &log.line("a", sql::Oid{0}));
    CHECK(log.relations() == 3);
}

TEST_CASE("write log: an answer is kept only if no write touched its asking") {
    enum class Step { Begin, End, Observe };
    using enum Step;
    struct Row {
        std::string_view name;
        std::vector<Step> steps;
        bool fillable, current;
    };
    for (const auto& [name, steps, fillable, current] :
         std::vector<Row>{{"nothing happens", {Observe}, true, true},
                          {"after a write", {Begin, End, Observe}, true, true},
                          {"a write begins", {Observe, Begin}, true, false},
                          {"a write passes", {Observe, Begin, End}, true, false},
                          {"within a write", {Begin, Observe}, false, true},
                          {"a write ends", {Begin, Observe, End}, false, false},
                          {"one of two writes ends before", {Begin, Begin, End, Observe}, false, true},
                          {"both end before", {Begin, Begin, End, End, Observe}, true, true}}) {
        CAPTURE(name);
        WriteLog log;
        Line* line = &line_of(log, 1);
        FillTicket ticket;
        for (const Step step : steps) {
            switch (step) {
                case Begin: begin({&line, 1}); break;
                case End: end({&line, 1}); break;
                case Observe: ticket = observe({&line, 1}); break;
            }
        }
        CHECK(ticket.fillable == fillable);
        CHECK(ticket.current() == current);
    }
}

TEST_CASE("write log: a write to one relation leaves the others alone") {
    WriteLog log;
    Line* read = &line_of(log, 1);
    Line* written = &line_of(log, 2);
    const FillTicket ticket = observe({&read, 1});
    begin({&written, 1});
    CHECK(ticket.current());
    CHECK(observe({&read, 1}).fillable);
    end({&written, 1});
    CHECK(ticket.current());
}

TEST_CASE("write log: continuity in doubt voids one database or all") {
    WriteLog log;
    const auto ticket_of = [&](std::string_view database) {
        Line* const reads[] = {&log.line(database, sql::Oid{}), &log.line(database, sql::Oid{7})};
        return observe(reads);
    };
    FillTicket a = ticket_of("a"), b = ticket_of("b");
    log.everything_changed("a");
    CHECK_FALSE(a.current());
    CHECK(b.current());
    a = ticket_of("a");
    CHECK(a.current());
    CHECK(a.fillable);
    log.everything_changed();
    CHECK_FALSE(a.current());
    CHECK_FALSE(b.current());
}

TEST_CASE("write log: losing sight voids one database or all, and is told from changes") {
    WriteLog log;
    Line& line = log.line("a", sql::Oid{});
    const auto ticket_of = [&](std::string_view database) {
        Line* const reads[] = {&log.line(database, sql::Oid{}), &log.line(database, sql::Oid{7})};
        return observe(reads);
    };
    const FillTicket a = ticket_of("a"), b = ticket_of("b");
    const auto unchanged = [](const FillTicket& ticket) {
        return std::ranges::all_of(
            ticket.seen, [](const Seen& each) { return protocol::unchanged(*each.line, each.sequence); });
    };
    log.lost_sight("a");
    CHECK_FALSE(a.current());
    CHECK(unchanged(a));
    CHECK(losses_in(line.sequence.load()) == 1);
    CHECK(b.current());
    log.lost_sight();
    CHECK_FALSE(b.current());
    CHECK(unchanged(b));
    CHECK(losses_in(line.sequence.load()) == 2);
    CHECK(ticket_of("a").fillable);
    log.everything_changed("a");
    CHECK_FALSE(unchanged(a));
    CHECK(losses_in(line.sequence.load()) == 2);
    CHECK(unchanged(b));
}

TEST_CASE("write log: a read of more relations than a ticket holds is not kept") {
    WriteLog log;
    std::vector<Line*> reads;
    for (std::uint32_t oid = 0; oid < FillTicket::kLinesMax; ++oid) reads.push_back(&line_of(log, oid));
    CHECK(observe(reads).fillable);
    reads.push_back(&line_of(log, 1'000));
    CHECK_FALSE(observe(reads).fillable);
}

TEST_CASE("write log: lines stay where they are while threads add others") {
    WriteLog log;
    Line* const first = &line_of(log, 0);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&log, first] {
                for (std::uint32_t oid = 0; oid < 2'000; ++oid) {
                    Line* line = &line_of(log, oid);
                    begin({&line, 1});
                    end({&line, 1});
                    REQUIRE(&line_of(log, 0) == first);
                }
            });
        }
    }
    CHECK(log.relations() == 2'000);
    CHECK(first->sequence == 1 + 4 * 2);
    CHECK(first->pending == 0);
}
