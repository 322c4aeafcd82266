// One random statement stream, told to PostgreSQL directly and to another through warmfront: every answer
// must be equal, message by message, byte for byte (twin/masks.h says what may differ).
//
// Two servers, so that database names, roles and prepared transactions are alike as well. Again with
// WARMFRONT_SEED=n; another length with WARMFRONT_STEPS=n.
#include <deque>
#include <iostream>
#include <random>
#include <thread>

#include <doctest/doctest.h>

#include "proxy/wire/encode.h"
#include "tests/live/support/raw_client.h"
#include "tests/live/support/warmfront_process.h"
#include "tests/live/twin/masks.h"
#include "tests/live/twin/patterns.h"
#include "tests/live/twin/statement_generator.h"

using namespace warmfront;
using namespace warmfront::test;
using namespace std::chrono_literals;

namespace {

constexpr unsigned kSessions = 4;

// One of the two: its sessions, by number.
class Side {
public:
    explicit Side(std::uint16_t port) : port_(port) {
        for (unsigned session = 0; session < kSessions; ++session)
            clients_.push_back(must(RawClient::connect({.port = port_})));
    }

    Messages log_in(unsigned session, const Login& login) {
        std::string bye;
        wire::append_terminate(bye);
        (void)clients_[session].send(bye);
        RawClient::Options options{.port = port_, .user = login.user, .parameters = login.parameters};
        auto client = RawClient::connect(options);
        Messages answer;
        if (!client) {  // refused: that is the answer
            answer.push_back({'E', client.error().sqlstate + " " + client.error().text});
            client = RawClient::connect({.port = port_});
        }
        clients_[session] = must(std::move(client));
        const auto& greeting = clients_[session].greeting();
        answer.insert(answer.end(), greeting.begin(), greeting.end());
        return answer;
    }

    void send(unsigned session, const Exchange& exchange) { must(clients_[session].send(exchange.bytes)); }

    Messages receive(unsigned session, const Exchange& exchange) {
        RawClient& client = clients_[session];
        switch (exchange.until) {
            case Exchange::Until::Ready: return must(client.receive_until_ready(exchange.ready));
            case Exchange::Until::CopyOrReady: return receive_until(client, "GZ");
            case Exchange::Until::Replies: return receive_replies(client, exchange.replies);
        }
        return {};
    }

private:
    static Messages receive_until(RawClient& client, std::string_view types) {
        Messages messages;
        do {
            messages.push_back(must(client.receive()));
        } while (types.find(messages.back().type) == std::string_view::npos);
        return messages;
    }

    static Messages receive_replies(RawClient& client, std::string_view requests) {
        Messages messages;
        for (const char request : requests) {
            const std::string_view last = request == 'P'   ? "1E"
                                          : request == 'B' ? "2E"
                                          : request == 'D' ? "TnE"
                                          : request == 'C' ? "3E"
                                                           : "CsIE";
            const auto reply = receive_until(client, last);
            messages.insert(messages.end(), reply.begin(), reply.end());
            if (messages.back().type == 'E') break;
        }
        return messages;
    }

    std::uint16_t port_;
    std::vector<RawClient> clients_;
};

struct Answers {
    Messages direct, through;
};

Answers take(Side& direct, Side& through, const Turn& turn) {
    Answers answers;
    if (turn.login)
        return {direct.log_in(turn.session, *turn.login), through.log_in(turn.session, *turn.login)};
    for (const auto& exchange : turn.step.exchanges) {
        direct.send(turn.session, exchange);
        through.send(turn.session, exchange);
        for (auto [side, answer] :
             {std::pair{&direct, &answers.direct}, std::pair{&through, &answers.through}}) {
            auto messages = side->receive(turn.session, exchange);
            answer->insert(answer->end(), messages.begin(), messages.end());
        }
        if (answers.direct.size() != answers.through.size())
            break;  // out of step: what follows would only wait
        if (exchange.until == Exchange::Until::CopyOrReady && answers.direct.back().type == 'Z') break;
    }
    return answers;
}

// The last turns, to find out how it came to a difference.
class Story {
public:
    void add(std::uint64_t step, const Turn& turn) {
        turns_.push_back(std::to_string(step) + " session " + std::to_string(turn.session) + ": " +
                         turn.step.text.substr(0, 300));
        if (turns_.size() > 60) turns_.pop_front();
    }
    [[nodiscard]] std::string text() const {
        std::string text;
        for (const auto& turn : turns_) text += turn + '\n';
        return text;
    }

private:
    std::deque<std::string> turns_;
};

std::string contents(const PostgresServer& server) {
    auto client = must(RawClient::connect({.port = server.port()}));
    std::string text;
    for (const auto query : content_queries()) {
        const auto answer =
            must(client.query(query));  // the stream may have dropped a table: an error counts too
        text += std::string(query) + '\n' + sqlstate_of(answer) + rows_of(answer);
    }
    return text;
}

// A backend's first temporary table makes the schema pg_temp_N of its slot, and a new schema makes every
// session plan anew, also what functions do. Slots are counted apart on each server, so that the sides would
// differ in when a function sees that a new view hides its table.
void make_temporary_schemas(const PostgresServer& server) {
    std::vector<RawClient> clients;
    for (int slot = 0; slot < 40; ++slot) {
        clients.push_back(must(RawClient::connect({.port = server.port()})));
        REQUIRE(sqlstate_of(must(clients.back().query("CREATE TEMP TABLE first (id int)"))).empty());
    }
}

struct Tally {
    std::uint64_t steps = 0, reads = 0, errors = 0;
};

void compare(std::string_view settings, std::uint64_t steps_usual, std::string_view hits_metric,
             double hits_share_min) {
    const PostgresServer::Options options{.settings = {"autovacuum=off", "lock_timeout=25ms"}};
    const PostgresServer server_a(options);
    const PostgresServer server_b(options);
    for (const auto* server : {&server_a, &server_b})
        for (const auto schema : schemas()) server->sql(schema);
    for (const auto* server : {&server_a, &server_b}) make_temporary_schemas(*server);
    const WarmfrontProcess warmfront(server_b, {.settings = std::string(settings)});

    const auto seed = number_from("WARMFRONT_SEED", std::random_device{}());
    const auto steps = number_from("WARMFRONT_STEPS", steps_usual);
    std::cout << "twin: WARMFRONT_SEED=" << seed << " WARMFRONT_STEPS=" << steps << std::endl;
    StatementGenerator generator(seed, kSessions);
    Side direct(server_a.port());
    Side through(warmfront.port());
    Story story;
    Tally tally;
    for (; tally.steps < steps; ++tally.steps) {
        const bool was_calm = generator.calm();
        const Turn turn = generator.next();
        // The stream has no pauses as people make them, in which the catalog is read after a definition.
        if (generator.calm() && !was_calm) std::this_thread::sleep_for(300ms);
        story.add(tally.steps, turn);
        INFO("seed ", seed, " step ", tally.steps, "\n", story.text());
        auto answers = take(direct, through, turn);
        if (turn.step.kind == Kind::Read) ++tally.reads;
        if (!sqlstate_of(answers.direct).empty()) ++tally.errors;
        mask(answers.direct);
        mask(answers.through);
        if (answers.direct != answers.through)
            FAIL("direct:\n", show(answers.direct), "through warmfront:\n", show(answers.through));
        generator.observe(turn, answers.direct);
        if (generator.calm() && turn.step.kind == Kind::Definition) std::this_thread::sleep_for(100ms);
    }
    CHECK(contents(server_a) == contents(server_b));
    std::cout << "twin: " << tally.steps << " steps, " << tally.reads << " reads, " << tally.errors
              << " errors" << std::endl;
    if (!direct_mode()) {
        const auto hits = warmfront.metrics().sum(hits_metric);
        std::cout << "twin: " << hits << " hits" << std::endl;
        CHECK(hits > hits_share_min * static_cast<double>(tally.reads));
    }
}

}  // namespace

TEST_CASE("twin: directly and through warmfront every answer is the same") {
    compare("", long_form() ? 1'200'000 : 60'000, kHitsMetric, 0.12);
}

TEST_CASE("twin: the same where the answers lie on disk") {
    compare(kOnDisk, long_form() ? 200'000 : 2'000, kDiskHitsMetric, 0.04);
}
