// How a session begins: TLS, the startup packet, the way to PostgreSQL, authentication passed through.

#include <algorithm>
#include <utility>

#include "proxy/session/session.h"
#include "proxy/wire/auth_filter.h"
#include "proxy/wire/encode.h"

namespace warmfront::session {
namespace {

constexpr std::string_view kConsoleDatabase = "warmfront";

template <typename... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};

// Sessions whose startup packets agree in this have the same settings at first.
std::string key_of(const wire::StartupMessage& startup) {
    std::vector<std::string> parts;
    for (const auto& [name, value] : startup.parameters) {
        if (name == "application_name") continue;
        parts.push_back(std::string(name) + '\0' + std::string(value) + '\0');
    }
    std::sort(parts.begin(), parts.end());
    std::string key;
    for (const std::string& part : parts) key += part;
    return key;
}

bool asks_for_replication(const wire::StartupMessage& startup) {
    const auto value = startup.parameter("replication");
    return value && *value != "false" && *value != "off" && *value != "no" && *value != "0" && *value != "f";
}

}  // namespace

void Session::on_greeting(std::string_view bytes) {
    act(std::get<Greeting>(phase_).machine.on_bytes(bytes));
}

void Session::act(const wire::startup::Action& action) {
    using namespace wire::startup;
    std::visit(Overloaded{
                   [](const ReadMore&) {},
                   [&](const AnswerNo&) { client_->write("N"); },
                   [&](const StartTls& tls) { start_tls(tls); },
                   [&](const Cancel& cancel) { begin_cancel(cancel.request); },
                   [&](const HandOver& startup) { begin(startup); },
                   [&](const Refuse& refusal) { refuse(refusal.error.sqlstate, refusal.error.text); },
                   [&](const Drop&) { end(); },
               },
               action);
}

void Session::start_tls(const wire::startup::StartTls& tls) {
    const io::TlsContext context = worker_.shared().tls();
    if (!context) return end();  // taken away by a reload since the session began
    if (tls.answer_yes) client_->write("S");
    client_->start_tls_server(context.get(), tls.alpn_required, tls.received, [this](const Error* error) {
        if (error) {
            worker_.shared().log.info("TLS handshake failed",
                                      {{LogKey::Client, peer_.text}, {LogKey::Reason, error->text}});
            return end();
        }
        std::get<Greeting>(phase_).machine.on_tls_established();
    });
}

void Session::begin(const wire::startup::HandOver& startup) {
    Shared& shared = worker_.shared();
    user_ = startup.message.parameter("user").value_or("");
    database_ = startup.message.parameter("database").value_or("");
    if (database_.empty()) database_ = user_;
    application_ = startup.message.parameter("application_name").value_or("");
    replication_ = asks_for_replication(startup.message);
    startup_key_ = key_of(startup.message);
    if (shared.clients.load() > settings_->client_connections_max)
        return refuse("53300", "sorry, too many clients already",
                      "client_connections_max in warmfront's settings");

    from_client_.feed(startup.rest);
    from_client_.keep_rest();
    if (database_ == kConsoleDatabase && !replication_) return begin_console(startup.message);
    dial(std::string(startup.raw));
}

// From this machine everybody is let in; from elsewhere admin_users are, once PostgreSQL has checked who they
// are.
void Session::begin_console(const wire::StartupMessage& startup) {
    if (peer_.is_loopback) return admitted_console();
    const auto& admins = settings_->admin_users;
    if (std::find(admins.begin(), admins.end(), user_) == admins.end())
        return refuse("28000", "user \"" + user_ + "\" is not one of admin_users",
                      "Connect from the machine that warmfront runs on, or add the user to admin_users.");
    console_wanted_ = true;
    const std::string database = worker_.shared().upstream.admin_database();
    std::vector<std::pair<std::string_view, std::string_view>> parameters{{"user", user_},
                                                                          {"database", database}};
    std::string packet;
    wire::append_startup(packet, startup.protocol, parameters);
    dial(std::move(packet));
}

void Session::dial(std::string first_bytes, io::DialOptions::Only only) {
    client_->pause_reading();
    auto dial = worker_.shared().upstream.dial(
        worker_.loop(), settings_->connect_timeout, only,
        [this](Result<std::unique_ptr<io::Stream>> server) { on_dialed(std::move(server)); });
    phase_ = Dialing{std::move(dial), std::move(first_bytes)};
}

void Session::on_dialed(Result<std::unique_ptr<io::Stream>> server) {
    Dialing dialing = std::move(std::get<Dialing>(phase_));
    worker_.defer_free(std::move(dialing.dial));
    if (!server) return refuse(server.error().sqlstate, server.error().text);
    server_ = std::move(*server);
    server_->set_events(&server_side_);
    server_->write(dialing.first_bytes);
    server_->resume_reading();
    if (cancelling_) {
        phase_ = Cancelling{};
        return;
    }
    phase_ = Authenticating{std::move(dialing.first_bytes), false, false};
    client_->resume_reading();
    if (from_client_.kept_bytes() > 0) pump_authentication_of_client({});
}

// As libpq with sslmode=allow: the first answer to the startup packet is an error, so perhaps TLS is asked
// for.
bool Session::retry_with_tls() {
    if (tls_tried_ || server_->is_tls() || !worker_.shared().upstream.retries_with_tls()) return false;
    tls_tried_ = true;
    server_->close();
    server_ = nullptr;
    from_server_.keep_rest();
    from_server_ = wire::Framer(wire::Framer::First::Typed, kServerLimits);
    dial(std::move(std::get<Authenticating>(phase_).startup), io::DialOptions::Only::Tls);
    return true;
}

void Session::pump_authentication_of_client(std::string_view bytes) {
    from_client_.feed(bytes);
    // Only answers to the server's requests come now; what a hasty client sends behind waits for
    // ReadyForQuery.
    while (std::holds_alternative<Authenticating>(phase_)) {
        if (std::get<Authenticating>(phase_).admitted) break;
        const auto piece = from_client_.next();
        if (!piece) return refuse(piece.error().sqlstate, piece.error().text);
        if (!*piece) break;
        if ((*piece)->type == 'p' && (*piece)->whole() && sasl_asked_) {
            sasl_asked_ = false;
            const auto response = wire::decode_sasl_initial_response((*piece)->body);
            if (response)
                if (const auto error = wire::channel_binding_refusal(*response, server_->is_tls()))
                    return refuse(error->sqlstate, error->text);
        }
        server_->write((*piece)->raw);
    }
    from_client_.keep_rest();
    if (from_client_.kept_bytes() > kQueueHigh) client_->pause_reading();
}

void Session::pump_authentication_of_server(std::string_view bytes) {
    from_server_.feed(bytes);
    while (std::holds_alternative<Authenticating>(phase_)) {
        const auto piece = from_server_.next();
        if (!piece) return refuse("08P01", "PostgreSQL sent what is not its protocol: " + piece.error().text);
        if (!*piece) break;
        if (!relay_authentication(**piece)) return;
    }
    flush();
    from_server_.keep_rest();
    if (std::holds_alternative<Talking>(phase_)) pump_client({});
}

// False if the session has ended or gone another way: the piece and all behind it are void.
bool Session::relay_authentication(const wire::Piece& piece) {
    Authenticating& state = std::get<Authenticating>(phase_);
    if (piece.type == 'E' && !std::exchange(state.asked, true) && retry_with_tls()) return false;
    state.asked = true;
    if (piece.type == 'R' && piece.whole()) {
        const auto authentication = wire::decode_authentication(piece.body);
        const auto kind = authentication ? authentication->kind : 0xffffffffU;
        state.admitted = kind == static_cast<std::uint32_t>(wire::AuthenticationKind::Ok);
        sasl_asked_ = kind == static_cast<std::uint32_t>(wire::AuthenticationKind::Sasl);
        if (state.admitted && console_wanted_) {
            std::string goodbye;
            wire::append_terminate(goodbye);
            server_->write(goodbye);
            server_->close_after_writing();
            server_ = nullptr;
            admitted_console();
            return false;
        }
        auto filtered = wire::without_channel_binding(piece.body);
        if (!filtered) {
            refuse(filtered.error().sqlstate, filtered.error().text);
            return false;
        }
        if (*filtered) {
            worker_.to_client().copy(**filtered);
            return true;
        }
    }
    if (piece.type == 'K' && piece.whole())
        if (const auto key = wire::decode_backend_key_data(piece.body)) {
            backend_pid_ = key->process_id;
            secret_key_ = key->secret_key;
            worker_.shared().cancels.put(backend_pid_, secret_key_, {&worker_, number_});
        }
    if (piece.type == 'E' && piece.whole())
        if (const auto error = wire::decode_error_fields(piece.body)) fatal_sqlstate_ = error->field('C');
    worker_.to_client().add(piece.raw);
    if (piece.type == 'Z') begin_conversation();
    return true;
}

void Session::begin_conversation() {
    timer_ = nullptr;
    fatal_sqlstate_.clear();
    meter_ = &worker_.meter(database_);
    meter_->connected();
    ConversationOptions options;
    options.cache = settings_->cache.enabled && !replication_;
    options.replication = replication_;
    options.max_result = settings_->cache.max_result;
    conversation_ = std::make_unique<Conversation>(
        worker_.services(), worker_.shared().databases.get(database_), *meter_, this, startup_key_, options);
    phase_ = Talking{};
    hang_card();
    show_state();
}

void Session::admitted_console() {
    timer_ = nullptr;
    phase_ = Console{};
    card_->state = "console";
    hang_card();
    std::string greeting;
    wire::append_authentication_ok(greeting);
    constexpr std::pair<std::string_view, std::string_view> kStatus[] = {
        {"server_version", "15.0 (warmfront console)"},
        {"server_encoding", "UTF8"},
        {"client_encoding", "UTF8"},
        {"DateStyle", "ISO, MDY"},
        {"integer_datetimes", "on"},
        {"standard_conforming_strings", "on"},
        {"TimeZone", "UTC"}};
    for (const auto& [name, value] : kStatus) wire::append_parameter_status(greeting, name, value);
    wire::append_backend_key_data(greeting, 0, std::string_view("\0\0\0\0", 4));
    wire::append_ready_for_query(greeting, 'I');
    client_->write(greeting);
    client_->resume_reading();
    if (from_client_.kept_bytes() > 0) pump_console({});
}

// The console speaks the simple protocol; an extended request is refused once, at its Sync.
void Session::pump_console(std::string_view bytes) {
    from_client_.feed(bytes);
    std::string reply;
    for (;;) {
        const auto piece = from_client_.next();
        if (!piece) return refuse(piece.error().sqlstate, piece.error().text);
        if (!*piece) break;
        const auto query = wire::decode_query(
            (*piece)->type == 'Q' && (*piece)->whole() ? (*piece)->body : std::string_view{});
        if ((*piece)->type == 'X') return end();
        if (query) {
            reply += worker_.shared().console.answer(query->sql);
        } else if ((*piece)->type == 'S') {
            wire::append_error(reply, "0A000", "the admin console knows the simple query protocol only");
            wire::append_ready_for_query(reply, 'I');
        }
    }
    from_client_.keep_rest();
    client_->write(reply);
}

// A session that waits here for another's answer is cancelled here; every other request is for PostgreSQL.
void Session::begin_cancel(const wire::CancelRequest& request) {
    cancelling_ = true;
    client_->pause_reading();
    std::string packet;
    wire::append_cancel_request(packet, request.process_id, request.secret_key);
    const auto place = worker_.shared().cancels.find(request.process_id, request.secret_key);
    if (!place) return dial(std::move(packet));
    phase_ = Cancelling{};
    Worker& here = worker_;
    const bool posted = place->worker->post([&here, place = *place, own = number_, packet] {
        Session* named = place.worker->find(place.session);
        const bool done = named && named->cancel();
        (void)here.post([&here, own, done, packet] {
            Session* self = here.find(own);
            if (self) done ? self->end() : self->dial(packet);
        });
    });
    if (!posted) dial(std::move(packet));
}

}  // namespace warmfront::session
