// proxy/session/cancel_registry.h: which session a CancelRequest names, for sessions that wait here instead
// of in PostgreSQL. Requests for all others go on to PostgreSQL, which knows its backends itself.
//
// Thread-safe; one short lock. As many entries as there are sessions.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace warmfront::session {

class Worker;

class CancelRegistry {
public:
    struct Place {
        Worker* worker = nullptr;
        std::uint64_t session = 0;  // its number on that worker
    };
    void put(std::uint32_t process_id, std::string_view secret_key, Place place);
    void remove(std::uint32_t process_id, std::string_view secret_key);
    [[nodiscard]] std::optional<Place> find(std::uint32_t process_id, std::string_view secret_key) const;

private:
    static std::string name(std::uint32_t process_id, std::string_view secret_key);
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Place> places_;
};

}  // namespace warmfront::session
