// proxy/control/catalog_keeper.h: a catalog loader whose connection is watched while it is idle.
//
// Lives on the control thread's loop; load() blocks it (see catalog_loader.h).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/control/catalog_loader.h"
#include "proxy/io/loop.h"
#include "proxy/io/watch.h"

namespace warmfront::control {

class CatalogKeeper {
public:
    // lost: PostgreSQL has ended the connection, or said something unasked, while nothing was under way.
    // Called at most once per load().
    CatalogKeeper(io::Loop& loop, std::string conninfo, std::function<void()> lost);

    [[nodiscard]] Result<LoadedCatalog> load(const std::shared_ptr<const sql::Catalog>& previous);

private:
    static void on_readable(void* keeper, int status, int events) noexcept;
    io::Loop& loop_;
    CatalogLoader loader_;
    std::function<void()> lost_;
    std::unique_ptr<io::Watch> watch_;
};

}  // namespace warmfront::control
