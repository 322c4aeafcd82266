#include "proxy/io/dial.h"

#include <fmt/format.h>

#include "config/ensure.h"
#include "proxy/io/loop.h"
#include "proxy/io/socket.h"
#include "proxy/io/timer.h"

namespace warmfront::io {

using std::chrono::milliseconds;
using Only = DialOptions::Only;

// Length 8, code 80877103. Written out here because io knows no other message.
static constexpr std::string_view kSslRequest{"\x00\x00\x00\x08\x04\xd2\x16\x2f", 8};

namespace {

class Dialing final : public Dial, private StreamEvents {
public:
    Dialing(Loop& loop, DialOptions options, Done done)
        : loop_(loop),
          options_(std::move(options)),
          done_(std::move(done)),
          limit_(loop, [this] { on_limit(); }) {
        ensure(!options_.servers.empty(), "there is a server to dial");
        try_server();
    }

private:
    [[nodiscard]] const Server& server() const { return options_.servers[server_]; }
    [[nodiscard]] std::string where() const { return text_of(server().address); }

    [[nodiscard]] bool wants_tls() const {
        if (!server().address.unix_path.empty()) return false;
        if (options_.only != Only::AsSslmode) return options_.only == Only::Tls;
        return options_.sslmode != SslMode::Disable && options_.sslmode != SslMode::Allow;
    }

    // Plain is good enough where TLS cannot be had.
    [[nodiscard]] bool prefers_only() const {
        return options_.only == Only::AsSslmode && options_.sslmode == SslMode::Prefer;
    }

    void try_server() {
        deadline_ms_ = loop_.now_ms() + static_cast<std::uint64_t>(options_.timeout.count());
        connect(wants_tls());
    }

    [[nodiscard]] milliseconds time_left() const {
        const std::uint64_t now = loop_.now_ms();
        return milliseconds(deadline_ms_ > now ? deadline_ms_ - now : 0);
    }

    void connect(bool with_tls) {
        connecting_ =
            Connecting::start(loop_.raw(), server().address, static_cast<std::uint64_t>(time_left().count()),
                              [this, with_tls](Result<std::unique_ptr<Stream>> stream) {
                                  on_connected(std::move(stream), with_tls);
                              });
    }

    void on_connected(Result<std::unique_ptr<Stream>> stream, bool with_tls) {
        if (!stream) return server_failed(stream.error().text);
        stream_ = std::move(*stream);
        if (!with_tls) return finish();
        limit_.start_once(time_left());
        stream_->set_events(this);
        stream_->write(kSslRequest);
        stream_->resume_reading();
    }

    void on_bytes(std::string_view bytes) noexcept override {
        stream_->pause_reading();
        // Whatever follows the answer in the clear may come from somebody between us and the server, who
        // would have it taken for the server's encrypted words (CVE-2021-23222).
        if (bytes.size() != 1)
            return server_failed(failure("sent unencrypted data after its answer to the TLS request"));
        switch (bytes.front()) {
            case 'S': return start_tls();
            case 'N':
                if (prefers_only()) return finish();
                return server_failed(failure("does not support TLS, but TLS was required"));
            case 'E':
                // Its text is not shown: it is not authenticated (CVE-2024-10977).
                return server_failed(failure("answered the TLS request with an error"));
            default: return server_failed(failure("does not speak PostgreSQL's protocol"));
        }
    }

    void on_closed(const Error& why) noexcept override {
        server_failed(failure("closed the connection during the TLS request: " + why.text));
    }

    void on_drained() noexcept override {}

    void start_tls() {
        ensure(options_.tls != nullptr, "a TLS context is there unless sslmode is disable");
        const std::string& name = server().tls_name.empty() ? server().address.host : server().tls_name;
        stream_->start_tls_client(options_.tls.get(), name, options_.sslmode == SslMode::VerifyFull,
                                  [this](const Error* error) { on_handshake(error); });
    }

    void on_handshake(const Error* error) {
        if (error == nullptr) return finish();
        if (!prefers_only())
            return server_failed(fmt::format("connection to {} failed: {}", where(), error->text));
        limit_.stop();
        stream_.reset();
        connect(false);
    }

    void on_limit() {
        server_failed(fmt::format("connection to {} timed out during the TLS handshake ({} ms)", where(),
                                  options_.timeout.count()));
    }

    [[nodiscard]] std::string failure(std::string_view what) const {
        return fmt::format("connection to {} failed: the server {}", where(), what);
    }

    void server_failed(const std::string& text) {
        limit_.stop();
        stream_.reset();
        failures_ += (failures_.empty() ? "" : "; ") + text;
        if (++server_ < options_.servers.size()) return try_server();
        call_done(fail("08006", failures_));
    }

    void finish() {
        limit_.stop();
        stream_->set_events(nullptr);
        call_done(std::move(stream_));
    }

    // The last thing done: `done` may destroy this object.
    void call_done(Result<std::unique_ptr<Stream>> result) {
        const auto done = std::move(done_);
        done(std::move(result));
    }

    Loop& loop_;
    const DialOptions options_;
    Done done_;
    Timer limit_;  // once connected; Connecting keeps its own time
    std::size_t server_ = 0;
    std::uint64_t deadline_ms_ = 0;
    std::string failures_;
    std::unique_ptr<Connecting> connecting_;
    std::unique_ptr<Stream> stream_;
};

}  // namespace

std::unique_ptr<Dial> Dial::start(uv_loop_t* loop, DialOptions options, Done done) {
    return std::make_unique<Dialing>(Loop::of(loop), std::move(options), std::move(done));
}

}  // namespace warmfront::io
