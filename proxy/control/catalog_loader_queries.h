// proxy/control/catalog_loader_queries.h: the queries that fill a Catalog. Internal to
// proxy/control/catalog_loader.
#pragma once

#include <cstddef>

#include "sql/catalog.h"

namespace pqxx {
class transaction_base;
}

namespace warmfront::control {

// Fills and indexes the catalog; version and fingerprint are the caller's. False if there are more than
// relations_max relations; it is then of no use. search_path must be pg_catalog. Throws what libpqxx throws.
[[nodiscard]] bool fill(sql::Catalog& catalog, pqxx::transaction_base& transaction,
                        std::size_t relations_max);

}  // namespace warmfront::control
