#include "proxy/session/effect_set.h"

#include <algorithm>
#include <utility>

namespace warmfront::session {

bool EffectSet::touches(const cache::RelationLog* relation) const {
    return everything() || std::ranges::find(changes_, relation, &Change::relation) != changes_.end();
}

void EffectSet::add_everything(cache::Line& database) {
    changes_.clear();
    images_ = 0;
    database_ = &database;
}

void EffectSet::add(cache::RelationLog& relation, sql::RowsChange rows) {
    if (everything()) return;
    const auto coarse = std::ranges::find_if(
        changes_, [&](const Change& change) { return change.relation == &relation && change.rows.any_row; });
    const bool covered = coarse != changes_.end() && coarse->rows.columns.covers(rows.columns);
    if (covered) return;
    if (rows.any_row && coarse != changes_.end()) {
        coarse->rows.columns.add(rows.columns);
        return;
    }
    images_ += rows.images.size();
    changes_.push_back({&relation, std::move(rows)});
    if (images_ > kImagesMax) forget_rows();
}

void EffectSet::forget_rows() {
    auto changes = std::exchange(changes_, {});
    images_ = 0;
    for (auto& change : changes) {
        change.rows.any_row = true;
        change.rows.images.clear();
        add(*change.relation, std::move(change.rows));
    }
}

void EffectSet::add(const EffectSet& other) {
    if (everything() || other.none()) return;
    if (other.everything()) return add_everything(*other.database_);
    for (const auto& change : other.changes_) add(*change.relation, change.rows);
}

void EffectSet::begin(cache::PendingWrite& write) const {
    if (everything()) return write.begin(*database_);
    for (const auto& change : changes_) write.begin(*change.relation, change.rows);
}

}  // namespace warmfront::session
