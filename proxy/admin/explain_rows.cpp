#include "proxy/admin/explain_rows.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace warmfront::admin {
namespace {

constexpr std::size_t kRowsShownMax = 8;

std::string_view name_of(std::int16_t column, const sql::Relation& relation) {
    const auto found = std::ranges::find(relation.columns, column, &sql::Column::number);
    return found == relation.columns.end() ? "?" : std::string_view(found->name);
}

std::string text_of(const sql::ValueSource& source) {
    switch (source.from) {
        case sql::ValueSource::From::Null: return "NULL";
        case sql::ValueSource::From::Parameter: return fmt::format("${}", source.number);
        case sql::ValueSource::From::Literal: return "a literal";
        case sql::ValueSource::From::Constant:
            return source.form == sql::ValueSource::Form::String ? "'" + source.text + "'" : source.text;
    }
    return "?";
}

std::string text_of(const sql::ColumnValues& key, const sql::Relation& relation) {
    std::vector<std::string> values;
    for (const auto& source : key.sources) values.push_back(text_of(source));
    const auto name = name_of(key.column, relation);
    if (key.elements) return fmt::format("{} = any of {}", name, values.front());
    if (values.size() == 1) return fmt::format("{} = {}", name, values.front());
    return fmt::format("{} in ({})", name, fmt::join(values, ", "));
}

std::string text_of(const sql::ColumnRange& range, const sql::Relation& relation) {
    return fmt::format("{}{}{}", range.low ? text_of(*range.low) + " <= " : "",
                       name_of(range.column, relation), range.high ? " <= " + text_of(*range.high) : "");
}

std::string row_of(std::span<const sql::ColumnValues> keys, const sql::Relation& relation,
                   std::string_view between) {
    std::vector<std::string> parts;
    for (const auto& key : keys) parts.push_back(text_of(key, relation));
    return parts.empty() ? "any row" : fmt::format("{}", fmt::join(parts, between));
}

std::string text_of(sql::ColumnSet columns, const sql::Relation& relation) {
    std::vector<std::string_view> names;
    for (const auto& column : relation.columns) {
        sql::ColumnSet one;
        one.add(column.number);
        if (columns.intersects(one)) names.push_back(column.name);
    }
    if (columns == sql::ColumnSet::all()) return "all columns";
    if (names.empty()) return "no column";
    return fmt::format("{} {}", names.size() == 1 ? "column" : "columns", fmt::join(names, ", "));
}

}  // namespace

std::string rows_looked_at(const sql::Footprint& footprint, const sql::Relation& relation) {
    const auto rows =
        footprint.range ? text_of(*footprint.range, relation) : row_of(footprint.keys, relation, " and ");
    return fmt::format("{} ({})", rows, text_of(footprint.columns, relation));
}

std::string rows_changed(const sql::ChangePlan& change, const sql::Relation& relation) {
    std::vector<std::string> rows;
    for (const auto& image : change.images) {
        if (rows.size() == kRowsShownMax) {
            rows.emplace_back("...");
            break;
        }
        auto row = row_of(image, relation, ", ");
        if (std::ranges::find(rows, row) == rows.end()) rows.push_back(std::move(row));
    }
    if (rows.empty()) rows.emplace_back("any row");
    return fmt::format("{} ({})", fmt::join(rows, "; "), text_of(change.columns, relation));
}

}  // namespace warmfront::admin
