#include "proxy/session/cancel_registry.h"

namespace warmfront::session {

std::string CancelRegistry::name(std::uint32_t process_id, std::string_view secret_key) {
    std::string name(secret_key);
    name.append(reinterpret_cast<const char*>(&process_id), sizeof process_id);
    return name;
}

void CancelRegistry::put(std::uint32_t process_id, std::string_view secret_key, Place place) {
    const std::lock_guard lock(mutex_);
    places_.insert_or_assign(name(process_id, secret_key), place);
}

void CancelRegistry::remove(std::uint32_t process_id, std::string_view secret_key) {
    const std::lock_guard lock(mutex_);
    places_.erase(name(process_id, secret_key));
}

std::optional<CancelRegistry::Place> CancelRegistry::find(std::uint32_t process_id,
                                                          std::string_view secret_key) const {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(name(process_id, secret_key));
    return found == places_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace warmfront::session
