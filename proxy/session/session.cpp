#include "proxy/session/session.h"

#include <array>
#include <atomic>
#include <utility>

#include "config/ensure.h"
#include "proxy/wire/encode.h"

namespace warmfront::session {
namespace {

constexpr wire::Framer::Limits kClientLimits{Conversation::kRequestBytesMax, 0x7fffffff - 4};

// The server ended this one connection, for a reason that says nothing about the server (PostgreSQL manual,
// appendix "Error Codes"): idle timeouts, refused log-ins, a client that broke the protocol.
bool concerns_this_connection_only(std::string_view sqlstate) {
    constexpr std::array<std::string_view, 7> kCodes{"25P03", "57P05", "25P04", "08P01",
                                                     "53300", "3D000", "42501"};
    for (const std::string_view code : kCodes)
        if (sqlstate == code) return true;
    return sqlstate.substr(0, 2) == "28" || sqlstate.substr(0, 2) == "0A";
}

}  // namespace

Session::Session(Worker& worker, std::uint64_t number, io::Peer peer)
    : worker_(worker),
      number_(number),
      peer_(std::move(peer)),
      settings_(worker.shared().settings()),
      started_us_(worker.shared().clock.now_us()),
      phase_(Greeting{wire::StartupMachine(
          {worker.shared().tls() != nullptr, settings_->tls.mode == ClientTls::Require && !peer_.is_unix})}),
      from_client_(wire::Framer::First::Typed, kClientLimits),
      from_server_(wire::Framer::First::Typed, kServerLimits) {
    client_side_.session = server_side_.session = this;
    client_side_.bytes = &Session::on_client_bytes;
    client_side_.closed = &Session::on_client_closed;
    client_side_.drained = &Session::on_client_drained;
    server_side_.bytes = &Session::on_server_bytes;
    server_side_.closed = &Session::on_server_closed;
    server_side_.drained = &Session::on_server_drained;
}

Session::~Session() {
    ensure(std::holds_alternative<Ended>(phase_), "a session ends before it is freed");
}

std::uint64_t Session::now_us() const {
    return worker_.shared().clock.now_us();
}

bool Session::start(io::Fd client) {
    auto stream = io::Stream::adopt(worker_.loop().raw(), client.get(), peer_.is_unix, &client_side_);
    if (!stream) {
        phase_ = Ended{};
        return false;
    }
    (void)client.release();
    client_ = std::move(*stream);
    timer_ = std::make_unique<io::Timer>(worker_.loop(), [this] {
        refuse("57014", "the client did not authenticate within connect_timeout");
    });
    timer_->start_once(settings_->connect_timeout);
    client_->resume_reading();
    return true;
}

void Session::on_client_bytes(std::string_view bytes) {
    if (meter_) meter_->client_bytes(bytes.size(), 0);
    if (std::holds_alternative<Greeting>(phase_)) return on_greeting(bytes);
    if (std::holds_alternative<Authenticating>(phase_)) return pump_authentication_of_client(bytes);
    if (std::holds_alternative<Talking>(phase_)) return pump_client(bytes);
    if (std::holds_alternative<Console>(phase_)) return pump_console(bytes);
    // Dialing: reading is paused. Cancelling, Ended: nothing more is expected.
}

void Session::on_server_bytes(std::string_view bytes) {
    if (std::holds_alternative<Authenticating>(phase_)) return pump_authentication_of_server(bytes);
    if (std::holds_alternative<Talking>(phase_)) return pump_server(bytes);
}

void Session::pump_client(std::string_view bytes) {
    from_client_.feed(bytes);
    while (!conversation_->blocked() && !conversation_->terminated() && !client_full() && !server_full()) {
        const auto piece = from_client_.next();
        if (!piece) return refuse(piece.error().sqlstate, piece.error().text);
        if (!*piece) break;
        conversation_->on_frontend(**piece, now_us());
        if (worker_.to_client().bytes() > kQueueHigh) flush();
        if (!client_) return;
    }
    flush();
    from_client_.keep_rest();
    after_event();
}

void Session::pump_server(std::string_view bytes) {
    from_server_.feed(bytes);
    for (;;) {
        const auto piece = from_server_.next();
        if (!piece) return refuse("08P01", "PostgreSQL sent what is not its protocol: " + piece.error().text);
        if (!*piece) break;
        if ((*piece)->type == 'E' && (*piece)->whole()) {
            const auto error = wire::decode_error_fields((*piece)->body);
            if (error && error->field('V') != "ERROR") {
                fatal_sqlstate_ = error->field('C');
                if (!concerns_this_connection_only(fatal_sqlstate_) && conversation_->can_outlive_server()) {
                    farewell_ = (*piece)->raw;
                    flush();
                    server_->close();
                    return on_server_closed({fatal_sqlstate_, std::string(error->field('M'))});
                }
            }
        }
        conversation_->on_backend(**piece, now_us());
    }
    const bool was_held = from_client_.kept_bytes() > 0;
    flush();
    from_server_.keep_rest();
    if (was_held && conversation_ && !conversation_->blocked()) return pump_client({});
    after_event();
}

// What every event ends with, once its bytes are out.
void Session::after_event() {
    if (!conversation_) return;
    if (conversation_->orphaned()) {
        if (conversation_->terminated()) return end();
        if (conversation_->must_end(now_us())) return tell_of_loss();
    }
    if (conversation_->terminated() && client_) {  // the server closes when it has read Terminate
        client_->close();
        client_ = nullptr;
    }
    if (draining_ && conversation_->idle() && from_client_.kept_bytes() == 0) return terminate();
    watch_flight();
    update_reading();
    show_state();
}

void Session::flush() {
    Outbox& to_server = worker_.to_server();
    Outbox& to_client = worker_.to_client();
    // Closing by a failed write is reported later, from the loop: nothing here is destroyed under our feet.
    if (!to_server.empty() && server_) server_->write(to_server.take());
    to_server.clear();
    if (!to_client.empty() && client_) {
        if (meter_) meter_->client_bytes(0, to_client.bytes());
        client_->write(to_client.take());
    }
    to_client.clear();
}

// While following another session's miss, or waiting for the disk: a limit in time.
void Session::watch_flight() {
    if (conversation_->following() == following_timed_) return;
    following_timed_ = conversation_->following();
    if (!following_timed_) {
        timer_ = nullptr;
        return;
    }
    auto wait = conversation_->reading_disk() ? kDiskWaitMax : settings_->cache.single_flight_wait;
    const std::chrono::milliseconds limit{conversation_->statement_timeout_ms()};
    if (limit.count() > 0 && limit < wait) wait = limit;
    timer_ = std::make_unique<io::Timer>(worker_.loop(), [this] {
        if (!conversation_) return;
        conversation_->stop_following(now_us());
        flush();
        pump_client({});
    });
    timer_->start_once(wait);
}

void Session::landed(std::uint64_t ticket, cache::EntryRef result) noexcept {
    const bool posted =
        worker_.post([&worker = worker_, number = number_, ticket, result = std::move(result)] {
            Session* session = worker.find(number);
            if (!session || !session->conversation_) return;
            session->conversation_->on_landed(ticket, result, session->now_us());
            session->flush();
            if (session->conversation_ && !session->conversation_->blocked()) session->pump_client({});
        });
    (void)posted;  // a worker that is stuck takes no result: the timer sends the request to PostgreSQL
}

void Session::update_reading() {
    if (client_) {
        const bool wait = (conversation_ && conversation_->blocked()) || server_full() || client_full();
        wait ? client_->pause_reading() : client_->resume_reading();
    }
    if (server_) client_full() ? server_->pause_reading() : server_->resume_reading();
}

void Session::on_client_drained() {
    if (std::holds_alternative<Talking>(phase_) && from_client_.kept_bytes() > 0 && !conversation_->blocked())
        return pump_client({});
    update_reading();
}

void Session::on_server_drained() {
    on_client_drained();
}

void Session::on_client_closed(const Error&) {
    client_ = nullptr;
    end();
}

void Session::on_server_closed(const Error& why) {
    const bool expected = conversation_ && conversation_->terminated();
    const bool in_doubt = std::holds_alternative<Talking>(phase_) && !expected &&
                          !concerns_this_connection_only(fatal_sqlstate_);
    if (in_doubt) worker_.shared().aftermath.continuity_in_doubt();
    server_ = nullptr;
    const bool cancelled = std::holds_alternative<Cancelling>(phase_);
    if (!client_ || expected || cancelled || (!fatal_sqlstate_.empty() && farewell_.empty())) return end();
    loss_ = "connection to PostgreSQL at " + worker_.shared().upstream.text() + " was lost: " + why.text;
    if (in_doubt && !draining_ && conversation_->can_outlive_server()) return outlive_server();
    tell_of_loss();
}

void Session::outlive_server() {
    conversation_->outlive_server(now_us());
    watch_flight();  // over, if there was one: the timer is free
    timer_ = std::make_unique<io::Timer>(worker_.loop(), [this] { after_event(); });
    timer_->start_every(kOrphanLook);
    pump_client({});
}

void Session::tell_of_loss() {
    if (farewell_.empty()) return refuse("08006", loss_);
    flush();
    if (client_) client_->write(farewell_);
    end();
}

void Session::refuse(std::string_view sqlstate, std::string_view text, std::string_view hint) {
    flush();
    worker_.shared().log.info("session refused", {{LogKey::Client, peer_.text},
                                                  {LogKey::Database, database_},
                                                  {LogKey::User, user_},
                                                  {LogKey::Sqlstate, sqlstate},
                                                  {LogKey::Reason, text}});
    if (client_) {
        std::string message;
        wire::append_error(message, sqlstate, text, {.severity = "FATAL", .detail = {}, .hint = hint});
        client_->write(message);
    }
    end();
}

void Session::drain() {
    draining_ = true;
    if (!std::holds_alternative<Talking>(phase_)) return terminate();
    if (conversation_->idle() && from_client_.kept_bytes() == 0) terminate();
}

void Session::terminate() {
    if (std::holds_alternative<Ended>(phase_)) return;
    if (client_ && !std::holds_alternative<Greeting>(phase_)) {
        std::string message;
        wire::append_error(message, "57P01", "terminating connection due to administrator command",
                           {.severity = "FATAL", .detail = {}, .hint = {}});
        client_->write(message);
    }
    if (server_ && conversation_ && conversation_->idle()) {
        std::string message;
        wire::append_terminate(message);
        server_->write(message);
    }
    end();
}

bool Session::cancel() {
    if (!conversation_ || !conversation_->cancel()) {
        flush();
        return false;
    }
    flush();
    pump_client({});
    return true;
}

void Session::end() {
    if (std::holds_alternative<Ended>(phase_)) return;
    if (conversation_) {
        auto unsettled = conversation_->abandon();
        conversation_ = nullptr;
        if (!unsettled.empty()) worker_.shared().aftermath.settle(backend_pid_, std::move(unsettled));
    }
    if (backend_pid_ != 0) worker_.shared().cancels.remove(backend_pid_, secret_key_);
    if (meter_) meter_->disconnected();
    worker_.shared().directory.take_down(card_);
    phase_ = Ended{};
    timer_ = nullptr;
    worker_.to_client().clear();
    worker_.to_server().clear();
    if (client_) client_->close_after_writing();
    if (server_) server_->close_after_writing();
    client_ = nullptr;
    server_ = nullptr;
    worker_.ended(number_);
}

void Session::hang_card() {
    card_->row.worker = worker_.number();
    card_->row.number = number_;
    card_->row.client = peer_.text;
    card_->row.user = user_;
    card_->row.database = database_;
    card_->row.application = application_;
    card_->row.tls = client_->tls_version();
    card_->row.backend_pid = backend_pid_;
    card_->since_us = started_us_;
    worker_.shared().directory.hang(card_);
}

void Session::show_state() {
    const char* state = "idle";
    if (conversation_->orphaned())
        state = "PostgreSQL lost";
    else if (conversation_->blocked())
        state = "waiting";
    else if (conversation_->transaction_status() != 'I')
        state = "in transaction";
    else if (!conversation_->idle())
        state = "active";
    card_->state.store(state, std::memory_order_relaxed);
}

}  // namespace warmfront::session
