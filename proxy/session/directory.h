// proxy/session/directory.h: who is connected, for SHOW CONNECTIONS.
//
// Each session hangs a card here for its life and keeps the state on it up to date; readers on any thread see
// a state that was true a moment ago. Thread-safe; a short lock when sessions begin, end or are listed, none
// when states change.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

namespace warmfront::session {

// A row of SHOW CONNECTIONS.
struct ConnectionRow {
    unsigned worker = 0;
    std::uint64_t number = 0;
    std::string client, user, database, application, state, tls;
    std::uint32_t backend_pid = 0;
    std::uint64_t connected_seconds = 0;
};

struct ConnectionCard {
    ConnectionRow row;           // constant once hung up; state and seconds are filled when listed
    std::uint64_t since_us = 0;  // on the server's clock
    std::atomic<const char*> state{"starting"};  // static storage
};

class Directory {
public:
    void hang(const std::shared_ptr<ConnectionCard>& card) {
        const std::lock_guard lock(mutex_);
        cards_.insert(card);
    }
    void take_down(const std::shared_ptr<ConnectionCard>& card) {
        const std::lock_guard lock(mutex_);
        cards_.erase(card);
    }
    // By worker and number.
    [[nodiscard]] std::vector<ConnectionRow> rows(std::uint64_t now_us) const {
        std::vector<ConnectionRow> rows;
        {
            const std::lock_guard lock(mutex_);
            for (const auto& card : cards_) {
                ConnectionRow& row = rows.emplace_back(card->row);
                row.state = card->state.load(std::memory_order_relaxed);
                row.connected_seconds = (now_us - card->since_us) / 1'000'000;
            }
        }
        std::sort(rows.begin(), rows.end(), [](const ConnectionRow& a, const ConnectionRow& b) {
            return a.worker != b.worker ? a.worker < b.worker : a.number < b.number;
        });
        return rows;
    }

private:
    mutable std::mutex mutex_;
    std::unordered_set<std::shared_ptr<ConnectionCard>> cards_;
};

}  // namespace warmfront::session
