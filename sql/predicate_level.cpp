#include "sql/predicate_level.h"

#include <algorithm>

namespace warmfront::sql {
namespace {

bool is_filtered(std::uint64_t filters, std::size_t item) {
    return item < QueryLevel::kItemsMax && (filters >> item & 1) != 0;
}

const Column* column_named(const Relation& relation, std::string_view name) {
    const auto found = std::ranges::find(relation.columns, name, &Column::name);
    return found == relation.columns.end() ? nullptr : &*found;
}

}  // namespace

std::optional<ValueSource> ValuePlaces::locate(ValueSource source) const {
    // A type of the user's may have the name of one of PostgreSQL's.
    if (!source.cast.empty() && catalog->type_named(source.cast) != nullptr) return std::nullopt;
    switch (source.from) {
        case ValueSource::From::Null:
        case ValueSource::From::Literal: return source;
        case ValueSource::From::Constant: {
            if (!clients) return source;
            const auto found = std::ranges::lower_bound(literals, source.place);
            if (found == literals.end() || *found != source.place) return source;
            source.from = ValueSource::From::Literal;
            source.number = static_cast<std::uint32_t>(found - literals.begin());
            source.text.clear();
            return source;
        }
        case ValueSource::From::Parameter:
            if (!clients) return std::nullopt;
            source.repeated = std::ranges::find(repeated, source.number) != repeated.end();
            return source;
    }
    return std::nullopt;
}

std::optional<std::vector<ValueSource>> ValuePlaces::locate(const std::vector<ValueSource>& sources) const {
    std::vector<ValueSource> located;
    for (const auto& source : sources) {
        auto one = locate(source);
        if (!one) return std::nullopt;
        located.push_back(std::move(*one));
    }
    return located;
}

ResolvedLevel::ResolvedLevel(const QueryLevel& level, const Scope& scope, const ValuePlaces& places)
    : level_(level), places_(places), keys_(level.items.size()), ranges_(level.items.size()) {
    for (const auto& item : level.items) {
        const auto meant = item.table && scope.search_path != nullptr ? scope.relations(item.relation)
                                                                      : std::vector<const Relation*>{};
        relations_.push_back(meant.size() == 1 ? meant.front() : nullptr);
        all_tables_ &= relations_.back() != nullptr;
    }
    for (const auto& condition : level.conditions) take(condition);
    // Each round tells at least one more column, or is the last.
    for (bool more = true; more;) {
        more = false;
        for (const auto& condition : level.conditions)
            more |= condition.kind == Condition::Kind::Same && propagate(condition);
    }
}

std::optional<std::size_t> ResolvedLevel::item_named(std::string_view name) const {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < relations_.size(); ++i) {
        if (level_.items[i].name != name) continue;
        if (found) return std::nullopt;  // in two schemas: told apart by a schema that we do not read
        found = i;
    }
    return found;
}

// Were the name of two items, PostgreSQL would refuse the statement; so the only one that has it is meant.
std::optional<ResolvedLevel::Place> ResolvedLevel::place_of(const ColumnName& name) const {
    if (!name.table.empty()) {
        const auto item = item_named(name.table);
        if (!item || relations_[*item] == nullptr) return std::nullopt;
        const auto* column = column_named(*relations_[*item], name.column);
        return column != nullptr ? std::optional(Place{*item, column}) : std::nullopt;
    }
    if (!all_tables_) return std::nullopt;
    std::optional<Place> found;
    for (std::size_t i = 0; i < relations_.size(); ++i) {
        const auto* column = column_named(*relations_[i], name.column);
        if (column == nullptr) continue;
        if (found) return std::nullopt;
        found = Place{i, column};
    }
    return found;
}

const ColumnValues* ResolvedLevel::known(const Place& place) const {
    const auto& keys = keys_[place.item];
    const auto found = std::ranges::find(keys, place.column->number, &ColumnValues::column);
    return found == keys.end() ? nullptr : &*found;
}

void ResolvedLevel::take(const Condition& condition) {
    if (condition.kind == Condition::Kind::Same) return;
    const auto place = place_of(condition.column);
    if (!place || !is_filtered(condition.filters, place->item)) return;
    if (place->column->value.kind == ValueKind::None) return;
    if (condition.kind == Condition::Kind::AtLeast || condition.kind == Condition::Kind::AtMost)
        return take_range(condition, *place);
    auto sources = places_.locate(condition.values);
    if (!sources || known(*place) != nullptr) return;
    keys_[place->item].push_back({place->column->number, place->column->value,
                                  condition.kind == Condition::Kind::AnyElement, std::move(*sources)});
}

void ResolvedLevel::take_range(const Condition& condition, const Place& place) {
    if (!is_ordered(place.column->value.kind)) return;
    auto bound = places_.locate(condition.values.front());
    if (!bound) return;
    auto& ranges = ranges_[place.item];
    auto found = std::ranges::find(ranges, place.column->number, &ColumnRange::column);
    if (found == ranges.end())
        found = ranges.insert(ranges.end(), {place.column->number, place.column->value, {}, {}});
    auto& side = condition.kind == Condition::Kind::AtLeast ? found->low : found->high;
    if (!side) side = std::move(*bound);
}

bool ResolvedLevel::propagate(const Condition& condition) {
    const auto a = place_of(condition.column), b = place_of(condition.other);
    if (!a || !b || !same_family(a->column->value, b->column->value)) return false;
    const bool forth = pass_on(*a, *b, condition.filters);
    const bool back = pass_on(*b, *a, condition.filters);
    return forth || back;
}

bool ResolvedLevel::pass_on(const Place& from, const Place& to, std::uint64_t filters) {
    const auto* values = known(from);
    if (values == nullptr || known(to) != nullptr || !is_filtered(filters, to.item)) return false;
    ColumnValues passed = *values;
    passed.column = to.column->number;
    passed.type = to.column->value;
    keys_[to.item].push_back(std::move(passed));
    return true;
}

}  // namespace warmfront::sql
