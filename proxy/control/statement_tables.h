// proxy/control/statement_tables.h: which tables statements read, as far as they were counted since the
// start.
//
// Told by the historian's thread, bucket by bucket; asked from any. A call takes one short lock. Bound:
// kStatementsMax statements; of further ones nothing is known.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "forecast/board.h"

namespace warmfront::control {

class StatementTables {
public:
    static constexpr std::size_t kStatementsMax = 10'000;

    // tables: "schema.name".
    void on_reads(const forecast::SeriesName& statement, const std::vector<std::string>& tables) {
        const std::lock_guard lock(mutex_);
        const std::pair key{statement.database, statement.name};
        const auto known = tables_.find(key);
        if (known != tables_.end())
            known->second = tables;
        else if (tables_.size() < kStatementsMax)
            tables_.emplace(key, tables);
    }
    // Empty: none, or not known. digest: 16 hex digits.
    [[nodiscard]] std::vector<std::string> of(const std::string& database, const std::string& digest) const {
        const std::lock_guard lock(mutex_);
        const auto known = tables_.find({database, digest});
        return known == tables_.end() ? std::vector<std::string>{} : known->second;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> tables_;
};

}  // namespace warmfront::control
