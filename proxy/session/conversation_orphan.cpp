// What a conversation answers whose server connection is lost.
//
// Nothing is sent and nothing is kept any more, so there is no exchange: a request is answered as it ends, or
// it is the orphan's last. Whether an answer may still be given is for the store to say (a write, DDL or a
// change of rights that was known before the loss has made it void); here only the time is limited.

#include <utility>

#include <fmt/format.h>

#include "proxy/session/conversation.h"
#include "proxy/session/message_walk.h"
#include "proxy/wire/encode.h"
#include "sql/tokenizer.h"

namespace warmfront::session {

bool Conversation::can_outlive_server() {
    if (!options_.cache || options_.replication || services_.switches.observing() || !idle()) return false;
    if (database_.stale_ms_max() == 0 || holds_in_session_ || orphan_) return false;
    if (!settings_ && settings_first_) use_profile();  // nothing was read here yet
    const auto known = database_.last_known();
    return known.judges.version != 0 && settings_ && settings_generation_ == known.settings_generation &&
           !settings_->has_temp_objects && !maybe_temporary_;
}

void Conversation::outlive_server(std::uint64_t now_us) {
    orphan_ = Orphan{.judges = database_.last_known().judges,
                     .since_us = now_us,
                     .until_us = now_us + std::uint64_t{database_.stale_ms_max()} * 1000};
}

bool Conversation::must_end(std::uint64_t now_us) const {
    return orphan_ && (orphan_->refused || now_us >= orphan_->until_us || database_.in_sight());
}

void Conversation::on_orphaned(const wire::Piece& piece) {
    if (orphan_->refused || terminated_) return;
    bool answered = false;
    switch (piece.type) {
        case 'Q': answered = piece.whole() && request_.empty() && answer_stale_simple(piece.raw); break;
        case 'P':
        case 'B':
        case 'D':
        case 'E':
        case 'S':
            if (!piece.whole() || request_.size() + piece.raw.size() > kRequestBytesMax) break;
            request_.append(piece.raw);
            if (piece.type != 'S') return;
            answered = answer_stale_extended(std::exchange(request_, {}));
            break;
        case 'X': terminated_ = true; return;
        default: break;  // only PostgreSQL could answer
    }
    orphan_->refused = !answered;
}

bool Conversation::answer_stale_simple(std::string_view bytes) {
    const auto query = wire::decode_query(bytes.substr(kHeaderBytes));
    const sql::NormalizeOptions lexis{settings_->standard_conforming_strings, settings_->ascii_safe_encoding};
    std::string& text = services_.scratch_template;
    std::string& literals = services_.scratch_literals;
    if (!query || !sql::normalize(query->sql, lexis, text, literals)) return false;
    const Names names{settings_.get(), false, &orphan_->judges};
    const PlanRef plan = services_.planner.plan(database_, names, text, query->sql, &lexis);
    if (!give_stale(plan, key_of(*plan, literals), {})) return false;
    prepared_.simple_query(false);
    return true;
}

bool Conversation::answer_stale_extended(std::string_view bytes) {
    const auto single = as_single(bytes);
    if (!single) return false;
    PreparedStatement* const statement = single->parse ? nullptr : prepared_.find(single->bind->statement);
    if (!single->parse && (!statement || statement->opaque || statement->by_sql)) return false;
    const std::string_view sql = statement ? std::string_view(statement->sql) : single->parse->sql;
    const std::string_view types =
        statement ? std::string_view(statement->parameter_types) : single->parse->parameter_types;
    const Names names{settings_.get(), false, &orphan_->judges};
    const PlanRef plan = services_.planner.plan(database_, names, sql, sql);
    const SettingsSeen now{{settings_changes_, settings_generation_}, settings_->fingerprint};
    const auto version = orphan_->judges.version;
    if (statement && !statement->settled.holds(now, version, plan->analysis().read_once)) return false;
    const Reply reply{true, single->parse.has_value(), single->describe, single->row_limit != 0};
    if (!give_stale(plan, key_of(*plan, *single, types), reply)) return false;
    if (!statement) prepared_.put_unnamed(sql, types, plan, {now, version});
    return true;
}

bool Conversation::give_stale(const PlanRef& plan, const cache::KeyView& key, Reply reply) {
    if (must_end(now_us_) || !plan->cacheable() || !plan->on() || !block_.reads_committed(*settings_, *plan))
        return false;
    const std::uint64_t now_ms = now_us_ / 1000;
    const cache::EntryRef entry = services_.store.find_stale(key, now_ms);
    if (!entry || entry->is_stub() || (reply.describe && !entry->has_row_description())) return false;
    if (now_us_ - orphan_->since_us >= std::uint64_t{entry->lifetime().stale_ms} * 1000) return false;
    const std::uint64_t age_ms = now_ms > entry->filled_at_ms() ? now_ms - entry->filled_at_ms() : 0;
    services_.to_client.compose([&](std::string& out) {
        wire::append_notice(
            out, "01000",
            fmt::format("answer is up to {} s old: PostgreSQL cannot be reached", (age_ms + 999) / 1000));
    });
    reply_from(entry, *plan, reply);
    meter_.stale();
    return true;
}

}  // namespace warmfront::session
