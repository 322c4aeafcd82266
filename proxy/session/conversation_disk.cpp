// A miss whose answer lies on disk: the session waits for the read as it would for an equal miss of another.
//
// It leads the flight of its key meanwhile, so that equal misses wait for the same read. What the read brings
// lands the flight; if it brings nothing, the flight is still led, now by the query that goes to PostgreSQL.

#include <utility>

#include "proxy/session/conversation.h"

namespace warmfront::session {

// True: it is being read, on another thread, and will be told to on_landed(). The flight was just joined.
bool Conversation::ask_disk(const Plan& plan, const cache::KeyView& key) {
    if (services_.disk == nullptr || disk_tried_ || !plan.ledger.account) return false;
    const auto& account = plan.ledger.account;
    cache::DiskTier::Asked asked{.waiter = waiter_, .ticket = flight_number_};
    asked.origin_us = account->origin_mean_us();
    asked.residence = std::shared_ptr<cache::Residence>(account, account->residence());
    if (!services_.disk->ask(key, asked)) return false;
    leads_ = pending_role_ == cache::FlightRole::Lead;
    reading_disk_ = true;
    disk_since_us_ = now_us_;
    return true;
}

void Conversation::on_read(const cache::EntryRef& result, bool usable) {
    reading_disk_ = false;
    disk_tried_ = true;
    if (usable) {
        if (std::exchange(leads_, false))
            services_.flights.land({flight_key_, flight_hash_}, waiter_, flight_number_, result);
        followed_ = result;
    } else {
        disk_since_us_ = 0;
    }
    resume();
}

void Conversation::leave_flight() {
    if (std::exchange(reading_disk_, false))
        services_.disk->leave(waiter_, flight_number_);
    else
        services_.flights.leave({flight_key_, flight_hash_}, waiter_, flight_number_);
    if (leads_) give_up_lead();
    disk_since_us_ = 0;
}

// Whoever followed goes on alone.
void Conversation::give_up_lead() {
    leads_ = false;
    pending_role_ = cache::FlightRole::Alone;
    services_.flights.land({flight_key_, flight_hash_}, waiter_, flight_number_, {});
}

}  // namespace warmfront::session
