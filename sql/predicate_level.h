// sql/predicate_level.h: the conditions of one query level with its names looked up. Internal to
// sql/predicate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sql/analysis_reach.h"
#include "sql/predicate.h"

namespace warmfront::sql {

// Of which statement values are taken.
struct ValuePlaces {
    std::span<const std::uint32_t> literals;  // see footprints_of()
    std::span<const std::uint32_t> repeated;  // parameters
    bool clients = true;                      // false: a view's definition, which has only constants
    const Catalog* catalog = nullptr;

    // nullopt where the value cannot be told.
    [[nodiscard]] std::optional<ValueSource> locate(ValueSource source) const;
    [[nodiscard]] std::optional<std::vector<ValueSource>> locate(
        const std::vector<ValueSource>& sources) const;
};

class ResolvedLevel {
public:
    // All outlive it.
    ResolvedLevel(const QueryLevel& level, const Scope& scope, const ValuePlaces& places);

    [[nodiscard]] std::size_t size() const { return relations_.size(); }
    // nullptr: no table, or not one that the name surely means.
    [[nodiscard]] const Relation* relation(std::size_t item) const { return relations_[item]; }
    // What rows of the item must have to matter, by column.
    [[nodiscard]] const std::vector<ColumnValues>& keys(std::size_t item) const { return keys_[item]; }
    [[nodiscard]] const std::vector<ColumnRange>& ranges(std::size_t item) const { return ranges_[item]; }

private:
    struct Place {
        std::size_t item;
        const Column* column;
    };
    [[nodiscard]] std::optional<Place> place_of(const ColumnName& name) const;
    [[nodiscard]] std::optional<std::size_t> item_named(std::string_view name) const;
    void take(const Condition& condition);
    void take_range(const Condition& condition, const Place& place);
    bool propagate(const Condition& condition);
    bool pass_on(const Place& from, const Place& to, std::uint64_t filters);
    [[nodiscard]] const ColumnValues* known(const Place& place) const;

    const QueryLevel& level_;
    const ValuePlaces& places_;
    std::vector<const Relation*> relations_;
    bool all_tables_ = true;  // no item has columns that are not looked up
    std::vector<std::vector<ColumnValues>> keys_;
    std::vector<std::vector<ColumnRange>> ranges_;
};

}  // namespace warmfront::sql
