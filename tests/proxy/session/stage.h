// tests/proxy/session/stage.h: conversations on a stage: real store, write log, templates and flights, a
// small catalog, and the test in the part of PostgreSQL.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cache/disk_tier.h"
#include "cache/flights.h"
#include "cache/store.h"
#include "cache/write_log.h"
#include "proxy/session/conversation.h"
#include "proxy/session/ledger.h"
#include "proxy/session/switches.h"
#include "proxy/wire/encode.h"
#include "sql/catalog.h"
#include "sql/session_settings.h"
#include "sql/template.h"

namespace warmfront::session::test {

// What a Meter was told, countable.
struct Tally final : Meter {
    int hits = 0, stales = 0, missed = 0, forwards = 0, stored = 0, not_stored = 0;
    std::vector<std::string> refusals;
    std::uint64_t hit(std::uint64_t) noexcept override {
        ++hits;
        return 0;
    }
    void stale() noexcept override { ++stales; }
    [[nodiscard]] std::uint64_t now_us() const noexcept override { return 0; }
    void forwarded(sql::QueryClass, bool miss, std::uint64_t) noexcept override {
        ++forwards, missed += miss;
    }
    void refused(std::string_view label) noexcept override { refusals.emplace_back(label); }
    void filled(bool was_stored) noexcept override { ++(was_stored ? stored : not_stored); }
    void dropped(DropCause) noexcept override {}
    void client_bytes(std::size_t, std::size_t) noexcept override {}
    void connected() noexcept override {}
    void disconnected() noexcept override {}
};

// Messages as a PostgreSQL would send them.
std::string row_description();  // one column "v" of type text
std::string data_row(std::string_view value);
std::string command_complete(std::string_view tag);
std::string ready(char status = 'I');
std::string rows(std::string_view value, char status = 'I');  // RowDescription, one row, SELECT 1, ready
std::string parse_complete();
std::string bind_complete();
std::string error(std::string_view sqlstate = "22012");

std::string query(std::string_view sql);
std::string sync();
// Parse, Bind, Describe, Execute, Sync with one text parameter; statement name, sql empty: no Parse.
std::string extended(std::string_view statement, std::string_view sql, std::string_view parameter,
                     std::uint32_t limit = 0);

class Stage {
public:
    Stage();
    // The catalog: public.t(oid 20001), public.u(20002), other.t(20003); f() volatile and not built in.
    static std::shared_ptr<sql::Catalog> catalog(std::uint64_t version = 1);

    Ledger ledger{{}};
    Switches switches;
    Sampler sampler{1};
    cache::WriteLog log;
    cache::Store store;
    cache::Flights flights;
    cache::DiskTier* disk = nullptr;
    sql::TemplateTable templates;
    sql::SettingsInterner interner;
    Planner planner;
    cache::KeyBuilder key;
    KeyTallySlot keys = std::make_unique<KeyTally>();
    Outbox to_client, to_server;
    std::string scratch_template, scratch_literals;
    Database database;
    int catalogs_wanted = 0;
    Tally tally;
    Foresight* foresight = nullptr;  // of actors made from now on
    std::uint64_t now_us = 1'000'000;
};

// One client and the server connection behind it.
class Actor final : public cache::Waiter {
public:
    explicit Actor(Stage& stage, std::string startup_key = "user=alice", ConversationOptions options = {});
    ~Actor() override;

    // Both return all bytes for the client and the server that came of it, as types: see `client` and
    // `server`.
    void client_sends(std::string_view bytes);
    void server_sends(std::string_view bytes);
    // Answers the probe that is expected to be in `server`, with these settings over the defaults.
    void answer_probe(std::string_view isolation = "read committed", std::string_view search_path = "public",
                      bool temp = false, std::string_view idle_timeout = "0");
    // Sends a query and lets PostgreSQL answer; the settings are asked for on the way if they must be.
    void run(std::string_view sql, std::string_view tag, char status = 'I');
    void landed(std::uint64_t ticket, cache::EntryRef result) noexcept override;
    void deliver();  // what landed
    [[nodiscard]] bool has_landed() const {
        const std::lock_guard lock(landed_mutex_);
        return !landed_.empty();
    }
    bool cancel();

    std::string client, server;  // bytes since the last take
    std::string take_client() { return std::exchange(client, {}); }
    std::string take_server() { return std::exchange(server, {}); }
    Conversation& conversation() { return *conversation_; }
    std::vector<Unsettled> hang_up();

private:
    void flush();
    void pump();
    Stage& stage_;
    wire::Framer from_client_, from_server_;
    std::unique_ptr<Conversation> conversation_;
    mutable std::mutex landed_mutex_;  // a disk tier tells on a thread of its own
    std::vector<std::pair<std::uint64_t, cache::EntryRef>> landed_;
};

// "PBDES" of a byte string of whole messages.
std::string types(std::string_view bytes);

// Brings "SELECT v FROM t WHERE id = 1" = value into the cache through an actor of its own.
void warm(Stage& stage, std::string_view value = "one");

}  // namespace warmfront::session::test
