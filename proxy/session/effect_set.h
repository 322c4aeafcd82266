// proxy/session/effect_set.h: what statements may have changed, relation by relation, down to rows.
//
// Values, not lines of the write log: which lines stand for them is found out when they take effect, since
// readers with new interests may have come up in between. Plain data of one session.
#pragma once

#include <cstddef>
#include <vector>

#include "cache/relation_log.h"
#include "sql/change.h"

namespace warmfront::session {

class EffectSet {
public:
    // Of row images; with more, any row of their relations may have changed.
    static constexpr std::size_t kImagesMax = 4096;

    struct Change {
        cache::RelationLog* relation;
        sql::RowsChange rows;
    };

    [[nodiscard]] bool everything() const { return database_ != nullptr; }
    [[nodiscard]] bool none() const { return !everything() && changes_.empty(); }
    [[nodiscard]] bool touches(const cache::RelationLog* relation) const;
    void add_everything(cache::Line& database);
    void add(cache::RelationLog& relation, sql::RowsChange rows);
    void add(const EffectSet& other);
    void clear() { *this = {}; }
    // Marks them as about to take effect.
    void begin(cache::PendingWrite& write) const;

private:
    void forget_rows();

    cache::Line* database_ = nullptr;  // its own line stands for everything
    std::vector<Change> changes_;      // a relation has one at most of any row, and any number of images
    std::size_t images_ = 0;
};

}  // namespace warmfront::session
