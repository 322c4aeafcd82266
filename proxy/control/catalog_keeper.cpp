#include "proxy/control/catalog_keeper.h"

#include <utility>

namespace warmfront::control {

CatalogKeeper::CatalogKeeper(io::Loop& loop, std::string conninfo, std::function<void()> lost)
    : loop_(loop), loader_(std::move(conninfo)), lost_(std::move(lost)) {}

Result<LoadedCatalog> CatalogKeeper::load(const std::shared_ptr<const sql::Catalog>& previous) {
    watch_ = nullptr;
    auto loaded = loader_.load(previous);
    if (const int socket = loader_.socket(); socket >= 0) {
        auto watch = io::Watch::open(loop_.raw(), socket, this, &on_readable);
        if (!watch) return tl::unexpected(watch.error());
        watch_ = std::move(*watch);
        watch_->start(UV_READABLE);
    }
    return loaded;
}

void CatalogKeeper::on_readable(void* keeper, int /*status*/, int /*events*/) noexcept {
    auto* self = static_cast<CatalogKeeper*>(keeper);
    self->watch_->stop();
    self->lost_();
}

}  // namespace warmfront::control
