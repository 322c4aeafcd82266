#include "sql/predicate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <unordered_set>
#include <utility>

#include "sql/predicate_level.h"

namespace warmfront::sql {
namespace {

// --- what a query looks at ---

// The names of columns that a statement uses, for a look at each of its tables.
class UsedColumns {
public:
    explicit UsedColumns(const Reach::Part& part) : names_(part.statement->columns) {
        const auto& statement = *part.statement;
        std::unordered_set<std::string_view> rows, known;
        for (const auto& name : statement.reads) {
            rows.insert(name.name);
            for (const auto* relation : part.scope.relations(name)) {
                for (const auto& column : relation->columns) known.insert(column.name);
            }
        }
        for (const auto& level : statement.levels) {
            for (const auto& item : level.items) rows.insert(item.name);
        }
        const std::unordered_set<std::string_view> given(statement.aliases.begin(), statement.aliases.end());
        // A table's name in the place of a column's is its whole row; what is no name that we know may be a
        // function of the row.
        all_ = statement.all_columns || std::ranges::any_of(names_, [&](const std::string& name) {
                   return name == "tableoid" || rows.contains(name) ||
                          (!known.contains(name) && !given.contains(name));
               });
        all_ |= std::ranges::any_of(statement.functions, [&](const FunctionUse& use) {
            return use.form == FunctionUse::Form::Field &&
                   std::ranges::any_of(part.scope.functions(use), &Function::takes_row);
        });
    }

    [[nodiscard]] ColumnSet of(const Relation& relation) const {
        // Policies look at columns too.
        if (all_ || relation.row_security) return ColumnSet::all();
        auto columns = ColumnSet::of_rows();
        for (const auto& column : relation.columns) {
            if (std::ranges::find(names_, column.name) != names_.end()) columns.add(column.number);
        }
        return columns;
    }

private:
    const std::vector<std::string>& names_;
    bool all_ = false;
};

// The keys that tell most rows apart first; then in the order that all readers have.
std::vector<ColumnValues> chosen(std::vector<ColumnValues> keys) {
    std::ranges::stable_sort(keys, {}, [](const ColumnValues& key) {
        return std::pair(key.elements || key.sources.size() > 1, key.column);
    });
    if (keys.size() > Footprint::kKeysMax) keys.resize(Footprint::kKeysMax);
    std::ranges::sort(keys, {}, &ColumnValues::column);
    return keys;
}

// Whether = and the like mean what they mean to PostgreSQL: no operator of the user's has such a name. (Those
// in C are an extension's, for types of its own.)
bool equality_is_builtin(const Catalog& catalog) {
    constexpr std::array kNames{"=", "<", "<=", ">", ">="};
    return std::ranges::all_of(kNames, [&](const char* name) {
        return std::ranges::all_of(catalog.operators_named(name), &Operator::native);
    });
}

void add_footprints(const Reach::Part& part, const ValuePlaces& places, std::vector<Footprint>& out) {
    // In PL/pgSQL a column's name may be a variable's.
    if (part.statement->levels.empty() || part.plpgsql) {
        for (const auto& name : part.statement->reads) {
            for (const auto* relation : part.scope.relations(name))
                out.push_back({relation->oid, ColumnSet::all(), {}, {}});
        }
        return;
    }
    const UsedColumns used(part);
    const bool keyed = equality_is_builtin(*part.scope.catalog);
    for (const auto& level : part.statement->levels) {
        const ResolvedLevel resolved(level, part.scope, places);
        for (std::size_t i = 0; i < resolved.size(); ++i) {
            const auto* relation = resolved.relation(i);
            if (relation == nullptr) {
                for (const auto* meant : part.scope.relations(level.items[i].relation))
                    out.push_back({meant->oid, ColumnSet::all(), {}, {}});
                continue;
            }
            Footprint footprint{relation->oid, used.of(*relation), {}, {}};
            if (!keyed) {
                out.push_back(std::move(footprint));
                continue;
            }
            footprint.keys = chosen(resolved.keys(i));
            // Keys alone are precise enough, and there may be any number of them.
            if (footprint.keys.empty() && !resolved.ranges(i).empty())
                footprint.range = resolved.ranges(i).front();
            out.push_back(std::move(footprint));
        }
    }
}

// --- what a write changes ---

using Image = std::vector<ColumnValues>;

const Column* column_named(const Relation& relation, std::string_view name) {
    const auto found = std::ranges::find(relation.columns, name, &Column::name);
    return found == relation.columns.end() ? nullptr : &*found;
}

void know(Image& image, const Column& column, std::vector<ValueSource> sources, bool elements = false) {
    if (column.value.kind != ValueKind::None)
        image.push_back({column.number, column.value, elements, std::move(sources)});
}

class ChangeReader {
public:
    ChangeReader(const Statement& statement, const Relation& target, const Scope& scope,
                 const ValuePlaces& places)
        : rows_(*statement.target_rows), target_(target), scope_(scope), places_(places) {}

    // False where any row may be changed in any way.
    bool read() {
        if (rows_.inserts) return read_insert();
        const ResolvedLevel level(rows_.level, scope_, places_);
        if (level.size() == 0 || level.relation(0) != &target_) return false;
        images_.push_back(level.keys(0));
        if (!rows_.updates) return true;
        columns_ = {};
        for (const auto& assignment : rows_.set) {
            const auto* column = column_named(target_, assignment.column);
            if (column == nullptr) return false;
            columns_.add(column->number);
        }
        for (const auto& column : target_.columns)
            if (column.generated) columns_.add(column.number);
        // A row that moves to another partition comes and goes.
        if (target_.kind == 'p') columns_ = ColumnSet::all();
        images_.push_back(updated(images_.front()));
        return true;
    }

    // As seen by a parent or child, whose columns are matched by name.
    [[nodiscard]] ChangePlan seen_by(const Relation& relative) const {
        ChangePlan plan;
        plan.relation = relative.oid;
        plan.columns = columns_;
        if (&relative == &target_) {
            plan.images = images_;
            return plan;
        }
        if (!(columns_ == ColumnSet::all())) plan.columns = {};
        const auto counterpart = [&](std::int16_t number) -> const Column* {
            const auto own = std::ranges::find(target_.columns, number, &Column::number);
            return own == target_.columns.end() ? nullptr : column_named(relative, own->name);
        };
        for (const auto& column : target_.columns) {
            ColumnSet one;
            one.add(column.number);
            const auto* there = counterpart(column.number);
            if (there != nullptr && columns_.intersects(one)) plan.columns.add(there->number);
        }
        // What a child computes of the columns that are set.
        for (const auto& column : relative.columns)
            if (column.generated) plan.columns.add(column.number);
        for (const auto& image : images_) {
            auto& translated = plan.images.emplace_back();
            for (const auto& known : image) {
                const auto* there = counterpart(known.column);
                if (there != nullptr) know(translated, *there, known.sources, known.elements);
            }
        }
        return plan;
    }

private:
    bool read_insert() {
        if (rows_.rows.size() * (rows_.updates_on_conflict ? 3 : 1) > RowsChange::kImagesMax) return false;
        std::vector<const Column*> columns;
        for (const auto& name : rows_.columns) columns.push_back(column_named(target_, name));
        if (rows_.columns.empty())
            for (const auto& column : target_.columns) columns.push_back(&column);
        if (std::ranges::find(columns, nullptr) != columns.end()) return false;
        for (const auto& row : rows_.rows) {
            if (row.size() > columns.size()) return false;
            images_.push_back(inserted(columns, row));
            if (rows_.updates_on_conflict && !read_conflict(images_.back())) return false;
        }
        return true;
    }

    Image inserted(const std::vector<const Column*>& columns,
                   const std::vector<std::optional<ValueSource>>& row) const {
        Image image;
        for (const auto& column : target_.columns) {
            const auto place =
                static_cast<std::size_t>(std::ranges::find(columns, &column) - columns.begin());
            if (place >= row.size()) {
                if (!column.has_default && !column.generated) know(image, column, {ValueSource{}});
                continue;
            }
            auto value = row[place] ? places_.locate(*row[place]) : std::nullopt;
            if (value) know(image, column, {std::move(*value)});
        }
        return image;
    }

    // The row that is in the way has the same values in the columns that conflict.
    bool read_conflict(const Image& inserted) {
        Image before;
        for (const auto& name : rows_.conflict_columns) {
            const auto* column = column_named(target_, name);
            if (column == nullptr) return false;
            // The unique index may have another collation than the column.
            const auto kind = column->value.kind;
            if (kind == ValueKind::Text || kind == ValueKind::PaddedText || kind == ValueKind::Citext)
                continue;
            const auto known = std::ranges::find(inserted, column->number, &ColumnValues::column);
            if (known != inserted.end()) before.push_back(*known);
        }
        auto after = updated(before);
        images_.push_back(std::move(before));
        images_.push_back(std::move(after));
        return true;
    }

    [[nodiscard]] Image updated(const Image& before) const {
        Image after = before;
        for (const auto& assignment : rows_.set) {
            const auto* column = column_named(target_, assignment.column);
            if (column == nullptr) continue;
            std::erase_if(after, [&](const ColumnValues& known) { return known.column == column->number; });
            auto value = assignment.value ? places_.locate(*assignment.value) : std::nullopt;
            if (value) know(after, *column, {std::move(*value)});
        }
        return after;
    }

    const TargetRows& rows_;
    const Relation& target_;
    const Scope& scope_;
    const ValuePlaces& places_;
    ColumnSet columns_ = ColumnSet::all();
    std::vector<Image> images_;
};

std::vector<const Relation*> family_of(const Relation& relation, const Catalog& catalog) {
    std::vector<const Relation*> family;
    for (const auto* descendant : with_descendants(relation, catalog)) {
        for (const auto* relative : with_ancestors(*descendant, catalog)) {
            if (std::ranges::find(family, relative) == family.end()) family.push_back(relative);
        }
    }
    return family;
}

// --- values ---

// Types that a cast may name, by the name that the grammar gives them.
struct NamedType {
    std::string_view name;
    Oid type, array;
};
constexpr std::array kNamedTypes{
    NamedType{"bool", Oid{16}, Oid{1000}},        NamedType{"bytea", Oid{17}, Oid{1001}},
    NamedType{"int8", Oid{20}, Oid{1016}},        NamedType{"int2", Oid{21}, Oid{1005}},
    NamedType{"int4", Oid{23}, Oid{1007}},        NamedType{"text", Oid{25}, Oid{1009}},
    NamedType{"varchar", Oid{1043}, Oid{1015}},   NamedType{"date", Oid{1082}, Oid{1182}},
    NamedType{"timestamp", Oid{1114}, Oid{1115}}, NamedType{"timestamptz", Oid{1184}, Oid{1185}},
    NamedType{"numeric", Oid{1700}, Oid{1231}},   NamedType{"uuid", Oid{2950}, Oid{2951}},
};

std::optional<Oid> type_of_cast(const ValueSource& source) {
    const auto* const found = std::ranges::find(kNamedTypes, source.cast, &NamedType::name);
    if (found == kNamedTypes.end()) return std::nullopt;
    return source.array ? found->array : found->type;
}

bool is_number_type(Oid type) {
    return type == Oid{20} || type == Oid{21} || type == Oid{23} || type == Oid{1700};
}

// The type that PostgreSQL gives a constant; none for a string, which takes the one of what it meets. A cast
// of a number to another kind of type writes it anew (007::text is '7'): not followed.
bool set_type(RawValue& value, ValueSource::Form form, bool has_cast) {
    constexpr Oid kBool{16}, kInt4{23}, kNumeric{1700};
    if (form == ValueSource::Form::String) return true;
    if (has_cast) return form != ValueSource::Form::Bool && is_number_type(value.type);
    value.type = form == ValueSource::Form::Bool      ? kBool
                 : form == ValueSource::Form::Integer ? kInt4
                                                      : kNumeric;
    return true;
}

bool is_digits(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// 'it''s' to it's, in place where nothing is doubled; nullopt for other kinds of quotes.
std::optional<std::string_view> unquoted(std::string_view literal) {
    if (literal.size() < 2 || !literal.starts_with('\'') || !literal.ends_with('\'')) return std::nullopt;
    const auto inner = literal.substr(1, literal.size() - 2);
    if (inner.find('\'') != std::string_view::npos) return std::nullopt;
    return inner;
}

}  // namespace

std::optional<std::vector<Footprint>> footprints_of(const Reach& reach,
                                                    std::span<const std::uint32_t> literal_places) {
    if (reach.truncated || !reach.unknown.empty() || !reach.unreadable_view.empty()) return std::nullopt;
    std::vector<Footprint> footprints;
    for (std::size_t i = 0; i < reach.parts.size(); ++i) {
        const auto& part = reach.parts[i];
        const ValuePlaces places{literal_places, part.statement->repeated_parameters, i == 0,
                                 part.scope.catalog};
        add_footprints(part, places, footprints);
    }
    return footprints;
}

std::vector<ChangePlan> changes_of(const Statement& statement, const Scope& scope,
                                   std::span<const std::uint32_t> literal_places) {
    std::vector<ChangePlan> plans;
    if (!statement.target_rows || statement.writes.size() != 1 || scope.search_path == nullptr) return plans;
    const auto meant = scope.relations(statement.writes.front().relation);
    if (meant.size() != 1 || (meant.front()->kind != 'r' && meant.front()->kind != 'p')) return plans;
    if (!equality_is_builtin(*scope.catalog)) return plans;
    const ValuePlaces places{literal_places, statement.repeated_parameters, true, scope.catalog};
    ChangeReader reader(statement, *meant.front(), scope, places);
    if (!reader.read()) return plans;
    for (const auto* relative : family_of(*meant.front(), *scope.catalog))
        plans.push_back(reader.seen_by(*relative));
    return plans;
}

// Rows that refer to a row as it was, or will be: their columns have its values.
static void add_referring(ChangePlan& plan, const ChangePlan& parent, const Relation::ActingKey& key,
                          const Relation& referring) {
    for (const auto& image : parent.images) {
        auto& rows = plan.images.emplace_back();
        for (const auto& [own, other] : key.columns) {
            const auto known = std::ranges::find(image, own, &ColumnValues::column);
            const auto column = std::ranges::find(referring.columns, other, &Column::number);
            if (known == image.end() || column == referring.columns.end()) continue;
            if (same_family(known->type, column->value)) know(rows, *column, known->sources, known->elements);
        }
    }
    if (key.sets_default) plan.images.emplace_back();
}

std::vector<ChangePlan> cascades_of(std::span<const ChangePlan> changes, std::span<const Oid> cascaded,
                                    const Catalog& catalog) {
    std::vector<ChangePlan> plans;
    for (const auto& parent : changes) {
        for (const auto& key : catalog.find(parent.relation)->acting_keys) {
            const auto* referring = catalog.find(key.referring);
            if (referring == nullptr || !std::ranges::binary_search(cascaded, key.referring)) continue;
            auto plan = std::ranges::find(plans, key.referring, &ChangePlan::relation);
            if (plan == plans.end()) {
                plan = plans.emplace(plans.end());
                plan->relation = key.referring;
            }
            add_referring(*plan, parent, key, *referring);
        }
    }
    return plans;
}

std::vector<CopyPlan> copies_of(const Statement& statement, const Scope& scope) {
    std::vector<CopyPlan> plans;
    if (!statement.copied_rows || statement.writes.size() != 1 || scope.search_path == nullptr) return plans;
    const auto meant = scope.relations(statement.writes.front().relation);
    if (meant.size() != 1 || (meant.front()->kind != 'r' && meant.front()->kind != 'p')) return plans;
    std::vector<std::string> names = statement.copied_rows->columns;
    if (names.empty()) {
        for (const auto& column : meant.front()->columns)
            if (!column.generated) names.push_back(column.name);
    }
    for (const auto* relative : family_of(*meant.front(), *scope.catalog)) {
        CopyPlan& plan = plans.emplace_back();
        plan.relation = relative->oid;
        for (const auto& name : names) {
            const auto* column = column_named(*relative, name);
            const bool judged = column != nullptr && column->value.kind != ValueKind::None;
            plan.fields.push_back(judged ? CopyPlan::Field{column->number, column->value}
                                         : CopyPlan::Field{});
        }
        if (relative != meant.front()) continue;
        for (const auto& column : relative->columns) {
            if (std::ranges::find(names, column.name) == names.end() && !column.has_default &&
                !column.generated)
                plan.nulls.push_back(column.number);
        }
    }
    return plans;
}

RowImage image_of_line(const CopyPlan& plan, std::string_view line, bool utf8) {
    RowImage image;
    std::size_t field = 0;
    for (bool more = true; more; ++field) {
        const auto end = line.find('\t');
        more = end != std::string_view::npos;
        const auto text = line.substr(0, end);
        if (more) line.remove_prefix(end + 1);
        if (field >= plan.fields.size()) return {};
        const auto& [column, type] = plan.fields[field];
        if (column == 0) continue;
        RawValue raw;
        raw.null = text == "\\N";
        raw.bytes = text;
        raw.utf8 = utf8;
        if (!raw.null && text.find('\\') != std::string_view::npos) continue;  // an escape
        if (const auto value = canonical(type, raw))
            image.push_back({column, value->null, value->ordered, value->hash, value->order});
    }
    if (field != plan.fields.size()) return {};
    for (const auto column : plan.nulls) image.push_back({column, true, false, 0, 0});
    std::ranges::sort(image, {}, &KnownValue::column);
    return image;
}

StatementValues StatementValues::of_literals(std::string_view literals, bool utf8) {
    StatementValues values;
    values.utf8_ = utf8;
    while (literals.size() >= sizeof(std::uint32_t)) {
        std::uint32_t length = 0;
        std::memcpy(&length, literals.data(), sizeof length);
        literals.remove_prefix(sizeof length);
        values.literals_.push_back(literals.substr(0, length));
        literals.remove_prefix(std::min<std::size_t>(length, literals.size()));
    }
    return values;
}

StatementValues StatementValues::of_parameters(std::span<const RawValue> parameters, bool utf8) {
    StatementValues values;
    values.utf8_ = utf8;
    values.parameters_ = parameters;
    return values;
}

std::optional<RawValue> StatementValues::literal(const ValueSource& source, RawValue value) const {
    if (source.number >= literals_.size() || literals_[source.number].empty()) return std::nullopt;
    const auto written = literals_[source.number];
    if (written[0] == '\'' && !source.negative) {
        const auto inner = unquoted(written);
        if (!inner) return std::nullopt;
        value.bytes = *inner;
        return value;
    }
    if (written[0] != '.' && !is_digits(written.substr(0, 1))) return std::nullopt;
    const auto form = is_digits(written) ? ValueSource::Form::Integer : ValueSource::Form::Decimal;
    if (!set_type(value, form, !source.cast.empty())) return std::nullopt;
    value.bytes = written;
    value.negated = source.negative;
    return value;
}

std::optional<RawValue> StatementValues::find(const ValueSource& source) const {
    RawValue value;
    value.utf8 = utf8_;
    if (!source.cast.empty()) {
        const auto type = type_of_cast(source);
        if (!type) return std::nullopt;
        value.type = *type;
    }
    switch (source.from) {
        case ValueSource::From::Null: value.null = true; return value;
        case ValueSource::From::Constant:
            value.bytes = source.text;
            if (!set_type(value, source.form, !source.cast.empty())) return std::nullopt;
            return value;
        case ValueSource::From::Literal: return literal(source, value);
        case ValueSource::From::Parameter: {
            if (source.number == 0 || source.number > parameters_.size()) return std::nullopt;
            const auto& given = parameters_[source.number - 1];
            if (given.type == Oid{} && source.repeated) return std::nullopt;
            if (!source.cast.empty() && given.type != Oid{} && given.type != value.type) return std::nullopt;
            const auto type = source.cast.empty() ? given.type : value.type;
            value = given;
            value.type = type;
            value.utf8 = utf8_;
            return value;
        }
    }
    return std::nullopt;
}

namespace {

// The values that a column may have; nullopt where one is not judged.
std::optional<std::vector<CanonicalValue>> judged(const ColumnValues& key, const StatementValues& values,
                                                  std::size_t count_max) {
    std::vector<CanonicalValue> found;
    const auto add = [&](const RawValue& raw) {
        const auto value = found.size() < count_max ? canonical(key.type, raw) : std::nullopt;
        if (value) found.push_back(*value);
        return value.has_value();
    };
    for (const auto& source : key.sources) {
        const auto raw = values.find(source);
        if (!raw) return std::nullopt;
        if (!key.elements) {
            if (!add(*raw)) return std::nullopt;
            continue;
        }
        const auto elements = elements_of(*raw, count_max);
        if (!elements || !std::ranges::all_of(*elements, add)) return std::nullopt;
    }
    return found;
}

}  // namespace

std::optional<std::vector<RowImage>> images_of(std::span<const ColumnValues> keys,
                                               const StatementValues& values, std::size_t images_max) {
    std::vector<RowImage> images{RowImage{}};
    for (const auto& key : keys) {
        const auto found = judged(key, values, images_max);
        if (!found || images.size() * found->size() > images_max) return std::nullopt;
        std::vector<RowImage> longer;
        for (const auto& image : images) {
            for (const auto& value : *found) {
                auto& one = longer.emplace_back(image);
                one.push_back({key.column, value.null, value.ordered, value.hash, value.order});
            }
        }
        images = std::move(longer);
    }
    return images;
}

RowsChange change_of(const ChangePlan& plan, const StatementValues& values) {
    RowsChange change;
    change.columns = plan.columns;
    change.any_row = false;
    for (const auto& image : plan.images) {
        // What is not judged is not known; the rest still tells rows apart.
        std::vector<ColumnValues> known;
        for (const auto& key : image)
            if (judged(key, values, RowsChange::kImagesMax)) known.push_back(key);
        auto images = images_of(known, values, RowsChange::kImagesMax - change.images.size());
        if (!images) {
            change.any_row = true;
            change.images.clear();
            return change;
        }
        for (auto& one : *images) {
            std::ranges::sort(one, {}, &KnownValue::column);
            change.images.push_back(std::move(one));
        }
    }
    return change;
}

std::optional<Interval> interval_of(const ColumnRange& range, const StatementValues& values) {
    Interval interval{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
    const auto bound = [&](const std::optional<ValueSource>& source, std::int64_t& side) {
        if (!source) return true;
        const auto raw = values.find(*source);
        const auto value = raw ? canonical(range.type, *raw) : std::nullopt;
        if (!value || value->null || !value->ordered) return false;
        side = value->order;
        return true;
    };
    if (!bound(range.low, interval.low) || !bound(range.high, interval.high)) return std::nullopt;
    return interval;
}

}  // namespace warmfront::sql
