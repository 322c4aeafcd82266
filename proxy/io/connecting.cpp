// Connecting of stream.h: resolve, then one non-blocking connect() after the other.
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <netdb.h>

#include "proxy/io/loop.h"
#include "proxy/io/socket.h"
#include "proxy/io/stream.h"
#include "proxy/io/timer.h"
#include "proxy/io/watch.h"

namespace warmfront::io {

using std::chrono::milliseconds;

// A unix socket whose queue is full refuses at once (EAGAIN) and tells nobody when there is room.
static constexpr milliseconds kUnixRetry{20};

namespace {

struct FreeAddresses {  // libuv's list is getaddrinfo's own
    void operator()(addrinfo* first) const { freeaddrinfo(first); }
};
using AddressList = std::unique_ptr<addrinfo, FreeAddresses>;

std::vector<SocketAddress> addresses_of(const addrinfo* first) {
    std::vector<SocketAddress> all;
    for (const addrinfo* info = first; info != nullptr; info = info->ai_next)
        all.push_back(SocketAddress::from(info->ai_addr, info->ai_addrlen));
    return all;
}

// A name look-up on libuv's pool; the request lives until its callback, `data` null when nobody waits any
// more.
class Lookup {
public:
    using Found = std::function<void(int error, std::vector<SocketAddress>)>;
    explicit Lookup(Found found) : found_(std::move(found)) {}
    ~Lookup() {
        if (request_ == nullptr) return;
        request_->data = nullptr;
        uv_cancel(reinterpret_cast<uv_req_t*>(request_));  // succeeds only if no thread has taken it yet
    }
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

    void start(uv_loop_t* loop, const std::string& host, std::uint16_t port) {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_NUMERICSERV;
        request_ = new uv_getaddrinfo_t{};
        request_->data = this;
        const int error =
            uv_getaddrinfo(loop, request_, on_found, host.c_str(), std::to_string(port).c_str(), &hints);
        if (error != 0) {
            delete std::exchange(request_, nullptr);
            found_(error, {});
        }
    }

private:
    static void on_found(uv_getaddrinfo_t* request, int error, addrinfo* info) {
        const AddressList list(info);
        const std::unique_ptr<uv_getaddrinfo_t> owner(request);
        if (request->data == nullptr) return;
        auto* self = static_cast<Lookup*>(request->data);
        self->request_ = nullptr;
        const auto found = std::move(self->found_);
        found(error, addresses_of(list.get()));
    }

    Found found_;
    uv_getaddrinfo_t* request_ = nullptr;
};

std::string reason_of(int error) {
    if (error == ECONNREFUSED) return "refused";
    return "failed: " + errno_text(error);
}

class Attempts final : public Connecting {
public:
    Attempts(Loop& loop, Address address, milliseconds timeout, Done done)
        : loop_(loop),
          address_(std::move(address)),
          deadline_ms_(loop.now_ms() + static_cast<std::uint64_t>(timeout.count())),
          timeout_(timeout),
          done_(std::move(done)),
          begin_(loop, this, [](void* self) noexcept { static_cast<Attempts*>(self)->begin(); }),
          limit_(loop, [this] { on_limit(); }),
          retry_(loop, [this] { connect(); }),
          lookup_(
              [this](int error, std::vector<SocketAddress> found) { on_found(error, std::move(found)); }) {
        begin_.schedule();
    }

private:
    void begin() {
        limit_.start_once(timeout_);
        if (!address_.unix_path.empty()) {
            auto where = SocketAddress::of_unix_path(address_.unix_path);
            if (!where) return finish(tl::unexpected(where.error()));
            targets_.push_back(*where);
            return next_target();
        }
        // Numeric addresses need no thread of the pool.
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
        addrinfo* numeric = nullptr;
        if (getaddrinfo(address_.host.c_str(), std::to_string(address_.port).c_str(), &hints, &numeric) != 0)
            return lookup_.start(loop_.raw(), address_.host, address_.port);
        const AddressList list(numeric);
        on_found(0, addresses_of(list.get()));
    }

    void on_found(int error, std::vector<SocketAddress> found) {
        if (error != 0 || found.empty())
            return finish(fail("08006", fmt::format("could not resolve host name \"{}\": {}", address_.host,
                                                    error != 0 ? uv_strerror(error) : "no address")));
        targets_ = std::move(found);
        next_target();
    }

    // Each address gets an equal part of the time that is left, so that one that swallows packets does not
    // use it up.
    void next_target() {
        stop_attempt();
        if (target_ == targets_.size()) return finish(fail("08006", failures_));
        const std::uint64_t now = loop_.now_ms();
        const std::uint64_t left = deadline_ms_ > now ? deadline_ms_ - now : 0;
        limit_.start_once(milliseconds(left / (targets_.size() - target_)));
        connect();
    }

    void connect() {
        const SocketAddress& target = targets_[target_];
        socket_ = Fd(::socket(target.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!socket_) return target_failed(reason_of(errno));
        if (::connect(socket_.get(), target.raw(), target.length) == 0) return connected();
        if (errno == EAGAIN && target.family() == AF_UNIX) return retry_.start_once(kUnixRetry);
        if (errno != EINPROGRESS) return target_failed(reason_of(errno));
        auto watch = Watch::open(loop_.raw(), socket_.get(), this, [](void* self, int, int) noexcept {
            static_cast<Attempts*>(self)->on_answer();
        });
        if (!watch) return finish(tl::unexpected(watch.error()));
        watch_ = std::move(*watch);
        watch_->start(UV_WRITABLE);
    }

    void on_answer() {
        int error = 0;
        socklen_t length = sizeof error;
        getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
        if (error != 0) return target_failed(reason_of(error));
        connected();
    }

    void on_limit() {
        if (targets_.empty())
            return finish(fail("08006", fmt::format("could not resolve host name \"{}\" within {} ms",
                                                    address_.host, timeout_.count())));
        target_failed(fmt::format("timed out ({} ms for all addresses)", timeout_.count()));
    }

    void target_failed(const std::string& how) {
        const SocketAddress& target = targets_[target_];
        std::string where = target.text();
        // The name helps to find the line in a configuration; the address tells which machine it was.
        if (!address_.host.empty() && where != text_of(address_))
            where = fmt::format("{} ({})", text_of(address_), where);
        failures_ += fmt::format("{}connection to {} {}", failures_.empty() ? "" : "; ", where, how);
        ++target_;
        next_target();
    }

    void connected() {
        const bool is_unix = targets_[target_].family() == AF_UNIX;
        watch_.reset();
        finish(Stream::adopt(loop_.raw(), socket_.release(), is_unix, nullptr));
    }

    void stop_attempt() {
        watch_.reset();
        retry_.stop();
        socket_.reset();
    }

    // The last thing done: `done` may destroy this object.
    void finish(Result<std::unique_ptr<Stream>> result) {
        stop_attempt();
        limit_.stop();
        const auto done = std::move(done_);
        done(std::move(result));
    }

    Loop& loop_;
    const Address address_;
    const std::uint64_t deadline_ms_;
    const milliseconds timeout_;
    Done done_;
    Deferred begin_;  // so that `done` is never called inside start()
    Timer limit_;
    Timer retry_;
    Lookup lookup_;
    std::vector<SocketAddress> targets_;
    std::size_t target_ = 0;  // the one being tried
    std::string failures_;
    Fd socket_;
    std::unique_ptr<Watch> watch_;
};

}  // namespace

std::unique_ptr<Connecting> Connecting::start(uv_loop_t* loop, const Address& address,
                                              std::uint64_t timeout_ms, Done done) {
    return std::make_unique<Attempts>(Loop::of(loop), address, milliseconds(timeout_ms), std::move(done));
}

}  // namespace warmfront::io
