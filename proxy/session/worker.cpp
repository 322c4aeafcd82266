#include "proxy/session/worker.h"

#include <utility>

#include "proxy/session/session.h"

namespace warmfront::session {

Worker::Worker(Shared& shared, unsigned number, MakeMeter make_meter)
    : shared_(shared),
      number_(number),
      make_meter_(std::move(make_meter)),
      mailbox_(loop_),
      planner_(shared.templates, shared.ledger, number, shared.settings()->cache.templates_max),
      sampler_(number + 1),
      burial_(loop_, this, [](void* worker) noexcept { static_cast<Worker*>(worker)->bury(); }),
      deadline_(loop_, [this] {
          for (const std::uint64_t number : session_numbers())
              if (Session* session = find(number)) session->terminate();
          end_if_empty();
      }) {}

Worker::~Worker() = default;

Result<void> Worker::listen(io::ListenSocket socket) {
    auto listener = io::Listener::start(
        loop_, std::move(socket),
        [this](io::Fd client, const io::Peer& peer) { accept(std::move(client), peer); },
        [this](const Error& error) {
            shared_.log.warning("cannot accept a client",
                                {{LogKey::Worker, number_}, {LogKey::Reason, error.text}});
        });
    if (!listener) return tl::unexpected(listener.error());
    listeners_.push_back(std::move(*listener));
    return {};
}

void Worker::run() {
    loop_.run();
}

void Worker::accept(io::Fd client, const io::Peer& peer) {
    const std::uint64_t number = next_session_++;
    auto session = std::make_unique<Session>(*this, number, peer);
    Session* started = session.get();
    sessions_.emplace(number, std::move(session));
    shared_.clients.fetch_add(1);
    if (!started->start(std::move(client))) ended(number);
}

Session* Worker::find(std::uint64_t session) {
    const auto found = sessions_.find(session);
    return found == sessions_.end() ? nullptr : found->second.get();
}

// The session may be on the stack: it is freed on the loop's next turn.
void Worker::ended(std::uint64_t session) {
    const auto found = sessions_.find(session);
    if (found == sessions_.end()) return;
    dead_.push_back(std::move(found->second));
    sessions_.erase(found);
    shared_.clients.fetch_sub(1);
    burial_.schedule();
}

void Worker::defer_free(std::unique_ptr<io::Dial> dial) {
    spent_.push_back(std::move(dial));
    burial_.schedule();
}

void Worker::bury() {
    dead_.clear();
    spent_.clear();
    end_if_empty();
}

void Worker::shut_down(std::chrono::milliseconds timeout) {
    shutting_down_ = true;
    listeners_.clear();
    deadline_.start_once(timeout);
    for (const std::uint64_t number : session_numbers())
        if (Session* session = find(number)) session->drain();
    end_if_empty();
}

// To go over while sessions end.
std::vector<std::uint64_t> Worker::session_numbers() const {
    std::vector<std::uint64_t> numbers;
    numbers.reserve(sessions_.size());
    for (const auto& [number, session] : sessions_) numbers.push_back(number);
    return numbers;
}

void Worker::end_if_empty() {
    if (!shutting_down_ || !sessions_.empty() || !dead_.empty()) return;
    deadline_.stop();
    loop_.stop();
}

Meter& Worker::meter(const std::string& database) {
    auto& meter = meters_[database];
    if (!meter) meter = make_meter_(number_, database);
    return *meter;
}

Services Worker::services() {
    return {shared_.store,
            shared_.flights,
            shared_.interner,
            planner_,
            key_,
            to_client_,
            to_server_,
            scratch_template_,
            scratch_literals_,
            shared_.switches,
            sampler_,
            shared_.ledger,
            keys_,
            shared_.disk,
            shared_.foresights == nullptr ? nullptr : &shared_.foresights->of_worker(number_)};
}

}  // namespace warmfront::session
