// proxy/control/catalog_loader_fingerprint.h: short texts that change when the catalog does.
//
// Internal to proxy/control/catalog_loader.
#pragma once

#include <string>

namespace pqxx {
class transaction_base;
}

namespace warmfront::control {

struct Fingerprints {
    std::string catalog;
    std::string settings;
    std::string server;  // without the connection it was asked on
};

// Throws what libpqxx throws.
[[nodiscard]] Fingerprints fingerprints_of(pqxx::transaction_base& transaction);

}  // namespace warmfront::control
