// proxy/session/session.h: one client connection and its way to PostgreSQL: the driver around the pure
// machines.
//
// Phases: Greeting (TLS, startup packet), Dialing, Authenticating (relayed message by message), Talking (a
// Conversation), Console (admin), Cancelling, Ended. Every phase holds only what it needs. All of it on one
// worker.
//
// A session may outlive its connection to PostgreSQL for a while (see Conversation on orphans): the client is
// told of the loss as late as that.
//
// Bounds: a peer whose queue holds more than kQueueHigh bytes stops the reading from the other; so does a
// blocked conversation. Before authentication a client has connect_timeout.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "cache/flights.h"
#include "proxy/io/listener.h"
#include "proxy/io/stream.h"
#include "proxy/io/timer.h"
#include "proxy/session/conversation.h"
#include "proxy/session/worker.h"
#include "proxy/wire/framer.h"
#include "proxy/wire/startup_machine.h"

namespace warmfront::session {

class Session final : public cache::Waiter {
public:
    static constexpr std::size_t kQueueHigh = 256 * 1024;
    static constexpr std::chrono::milliseconds kOrphanLook{500};    // whether PostgreSQL is there again
    static constexpr std::chrono::milliseconds kDiskWaitMax{1000};  // for a read of the disk tier
    static constexpr wire::Framer::Limits kServerLimits{16 * 1024,
                                                        0x7fffffff - 4};  // longer ones pass in fragments

    Session(Worker& worker, std::uint64_t number, io::Peer peer);
    ~Session() override;

    // Takes the connected socket; false: it is unusable.
    bool start(io::Fd client);
    // Ends now if nothing is under way, else as soon as that is so.
    void drain();
    // Ends now: 57P01.
    void terminate();
    // A CancelRequest named this session. True if that is all there is to do.
    bool cancel();

    void landed(std::uint64_t ticket, cache::EntryRef result) noexcept override;

private:
    struct Greeting {
        wire::StartupMachine machine;
    };
    struct Dialing {
        std::unique_ptr<io::Dial> dial;
        std::string first_bytes;  // what the server is sent first: startup packet or CancelRequest
    };
    struct Authenticating {
        std::string startup;    // for one more try
        bool asked = false;     // the server has sent something
        bool admitted = false;  // AuthenticationOk came
    };
    struct Talking {};
    struct Console {};
    struct Cancelling {};
    struct Ended {};
    using Phase = std::variant<Greeting, Dialing, Authenticating, Talking, Console, Cancelling, Ended>;

    // Which peer an event comes from.
    struct Side final : io::StreamEvents {
        Session* session = nullptr;
        void (Session::*bytes)(std::string_view) = nullptr;
        void (Session::*closed)(const Error&) = nullptr;
        void (Session::*drained)() = nullptr;
        void on_bytes(std::string_view received) noexcept override { (session->*bytes)(received); }
        void on_closed(const Error& why) noexcept override { (session->*closed)(why); }
        void on_drained() noexcept override { (session->*drained)(); }
    };

    // session_start.cpp
    void on_greeting(std::string_view bytes);
    void act(const wire::startup::Action& action);
    void start_tls(const wire::startup::StartTls& tls);
    void begin(const wire::startup::HandOver& startup);
    void begin_console(const wire::StartupMessage& startup);
    void begin_cancel(const wire::CancelRequest& request);
    void forward_cancel(const std::string& packet);
    void dial(std::string first_bytes, io::DialOptions::Only only = io::DialOptions::Only::AsSslmode);
    [[nodiscard]] bool retry_with_tls();
    void on_dialed(Result<std::unique_ptr<io::Stream>> server);
    void pump_authentication_of_client(std::string_view bytes);
    void pump_authentication_of_server(std::string_view bytes);
    bool relay_authentication(const wire::Piece& piece);
    void admitted_console();
    void begin_conversation();

    // session.cpp
    void on_client_bytes(std::string_view bytes);
    void on_server_bytes(std::string_view bytes);
    void on_client_closed(const Error& why);
    void on_server_closed(const Error& why);
    void on_client_drained();
    void on_server_drained();
    void pump_client(std::string_view bytes);
    void pump_server(std::string_view bytes);
    void pump_console(std::string_view bytes);
    void after_event();
    void flush();
    void watch_flight();
    void outlive_server();
    void tell_of_loss();
    void update_reading();
    void hang_card();
    void show_state();
    void refuse(std::string_view sqlstate, std::string_view text, std::string_view hint = {});
    void end();
    [[nodiscard]] std::uint64_t now_us() const;
    [[nodiscard]] bool client_full() const { return client_ && client_->queued_bytes() > kQueueHigh; }
    [[nodiscard]] bool server_full() const { return server_ && server_->queued_bytes() > kQueueHigh; }

    Worker& worker_;
    const std::uint64_t number_;
    const io::Peer peer_;
    const std::shared_ptr<const Settings> settings_;
    const std::uint64_t started_us_;
    const std::shared_ptr<ConnectionCard> card_ = std::make_shared<ConnectionCard>();
    Side client_side_, server_side_;
    std::unique_ptr<io::Stream> client_, server_;
    Phase phase_;
    wire::Framer from_client_, from_server_;
    std::unique_ptr<Conversation> conversation_;
    std::unique_ptr<io::Timer> timer_;  // of the phase: authentication, following a flight
    Meter* meter_ = nullptr;

    std::string user_, database_, application_, startup_key_;
    bool replication_ = false;     // walsender: replication=database or true
    bool console_wanted_ = false;  // authenticating for the admin console
    bool cancelling_ = false;      // this connection carries a CancelRequest
    bool tls_tried_ = false;
    bool sasl_asked_ = false;  // the client's next answer chooses a SASL mechanism
    bool draining_ = false;
    bool following_timed_ = false;
    std::uint32_t backend_pid_ = 0;
    std::string secret_key_;
    std::string fatal_sqlstate_;  // of the last FATAL from the server
    std::string farewell_;        // that FATAL, while the client is not told
    std::string loss_;            // else what it is told
};

}  // namespace warmfront::session
