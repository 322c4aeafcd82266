// Which rows a condition lets go of. A row that fails a condition of WHERE, or of an inner join's ON, is in
// no row of the result, so it does not matter; neither does its partner matter for its sake. The ON of a LEFT
// JOIN lets go of rows of the right side only: a left row that fails it stays, with nulls. A FULL JOIN's lets
// go of none. Below an outer join the same holds for the rows that the inner one makes. WHERE also lets go of
// rows on the nullable side: a condition that is not true of nulls (all that are read here) removes what the
// missing row would have been replaced with, too.
#include "sql/statement_rows_reader.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "sql/statement_names.h"

namespace warmfront::sql {
namespace {

using Node = PgQuery__Node;

std::span<Node* const> list(std::size_t count, Node* const* nodes) {
    return {nodes, count};
}

bool is_builtin_operator(std::size_t count, Node* const* name, std::string_view symbol) {
    const auto [schema, text] = qualified(count, name);
    return text == symbol && (schema.empty() || schema == "pg_catalog");
}

// --- values ---

class Values {
public:
    explicit Values(std::string_view sql) : sql_(sql) {}

    // nullopt where the node is more than a constant or parameter, perhaps in a cast.
    std::optional<ValueSource> value(const Node* node) const {
        if (node == nullptr) return std::nullopt;
        switch (node->node_case) {
            case PG_QUERY__NODE__NODE_A_CONST: return constant(*node->a_const);
            case PG_QUERY__NODE__NODE_PARAM_REF: return parameter(*node->param_ref);
            case PG_QUERY__NODE__NODE_TYPE_CAST: return cast(*node->type_cast);
            default: return std::nullopt;
        }
    }

    std::optional<std::vector<ValueSource>> values(std::span<Node* const> nodes) const {
        std::vector<ValueSource> found;
        for (const auto* node : nodes) {
            auto one = value(node);
            if (!one) return std::nullopt;
            found.push_back(std::move(*one));
        }
        return found;
    }

private:
    static std::optional<ValueSource> parameter(const PgQuery__ParamRef& reference) {
        if (reference.number < 1) return std::nullopt;
        ValueSource source;
        source.from = ValueSource::From::Parameter;
        source.number = static_cast<std::uint32_t>(reference.number);
        return source;
    }

    std::optional<ValueSource> constant(const PgQuery__AConst& node) const {
        ValueSource source;
        if (node.isnull != 0) return source;
        if (node.location < 0) return std::nullopt;
        source.from = ValueSource::From::Constant;
        source.place = static_cast<std::size_t>(node.location);
        switch (node.val_case) {
            case PG_QUERY__A__CONST__VAL_IVAL:
                source.form = ValueSource::Form::Integer;
                source.text = std::to_string(node.ival->ival);
                break;
            case PG_QUERY__A__CONST__VAL_FVAL:
                source.form = ValueSource::Form::Decimal;
                source.text = node.fval->fval;
                break;
            case PG_QUERY__A__CONST__VAL_BOOLVAL:
                source.form = ValueSource::Form::Bool;
                source.text = node.boolval->boolval != 0 ? "true" : "false";
                break;
            case PG_QUERY__A__CONST__VAL_SVAL: source.text = node.sval->sval; break;
            default: return std::nullopt;
        }
        // The sign of a number is part of its constant; the literal is what follows it.
        if (source.place < sql_.size() && sql_[source.place] == '-') {
            const auto digits = sql_.find_first_not_of(" \t\r\n", source.place + 1);
            if (digits == std::string_view::npos) return std::nullopt;
            source.negative = true;
            source.place = digits;
        }
        return source;
    }

    std::optional<ValueSource> cast(const PgQuery__TypeCast& node) const {
        auto source = value(node.arg);
        const auto* type = node.type_name;
        if (!source || !source->cast.empty() || type == nullptr || type->setof != 0 || type->n_typmods > 0 ||
            type->pct_type != 0 || type->n_array_bounds > 1)
            return std::nullopt;
        // Neither a schema of the user's nor "x"[]: the name must mean PostgreSQL's own.
        const auto [schema, name] = qualified(type->n_names, type->names);
        if (!schema.empty() && schema != "pg_catalog") return std::nullopt;
        source->cast = name;
        source->array = type->n_array_bounds == 1;
        return source;
    }

    std::string_view sql_;
};

// --- the FROM clause and what it is filtered by ---

class LevelReader {
public:
    LevelReader(QueryLevel& out, const std::vector<std::string_view>& ctes, std::string_view sql)
        : out_(out), ctes_(ctes), values_(sql) {}

    // All rows that it adds matter to nobody if WHERE does not hold.
    void from(std::span<Node* const> nodes) {
        for (const auto* node : nodes) item(node);
    }
    void target(const PgQuery__RangeVar& relation) { table(relation, true); }
    void where(const Node* condition) {
        if (!giving_up_) conjunct(condition, ~std::uint64_t{0});
    }
    // Drops the conditions if something made names uncertain.
    void finish() {
        if (giving_up_ || out_.items.size() > QueryLevel::kItemsMax) out_.conditions.clear();
    }

private:
    // Bits of the items that a node adds.
    std::uint64_t item(const Node* node) {
        const auto first = out_.items.size();
        if (node == nullptr) return 0;
        switch (node->node_case) {
            case PG_QUERY__NODE__NODE_RANGE_VAR: table(*node->range_var, false); break;
            case PG_QUERY__NODE__NODE_JOIN_EXPR: join(*node->join_expr); break;
            default: out_.items.emplace_back(); break;  // a subquery or function: columns of its own
        }
        return bits(first, out_.items.size());
    }

    static std::uint64_t bits(std::size_t first, std::size_t last) {
        std::uint64_t found = 0;
        for (auto i = first; i < std::min(last, QueryLevel::kItemsMax); ++i) found |= std::uint64_t{1} << i;
        return found;
    }

    void table(const PgQuery__RangeVar& relation, bool is_target) {
        auto& item = out_.items.emplace_back();
        const bool is_cte = !is_target && relation.schemaname[0] == '\0' &&
                            std::ranges::find(ctes_, relation.relname) != ctes_.end();
        if (is_cte) return;
        item.relation = {relation.schemaname, relation.relname};
        item.name = relation.alias != nullptr ? relation.alias->aliasname : relation.relname;
        item.table = relation.alias == nullptr || relation.alias->n_colnames == 0;
    }

    void join(const PgQuery__JoinExpr& join) {
        const auto first = out_.items.size();
        const auto left = item(join.larg);
        const auto right = item(join.rarg);
        // These give columns other names or merge them.
        if (join.alias != nullptr || join.join_using_alias != nullptr || join.is_natural != 0 ||
            join.n_using_clause > 0)
            giving_up_ = true;
        // Columns of other names: what is used of the tables below cannot be told by theirs.
        if (join.alias != nullptr && join.alias->n_colnames > 0)
            for (auto i = first; i < out_.items.size(); ++i) out_.items[i].table = false;
        switch (join.jointype) {
            case PG_QUERY__JOIN_TYPE__JOIN_INNER: return conjunct(join.quals, left | right);
            case PG_QUERY__JOIN_TYPE__JOIN_LEFT: return conjunct(join.quals, right);
            case PG_QUERY__JOIN_TYPE__JOIN_RIGHT: return conjunct(join.quals, left);
            default: return;
        }
    }

    void conjunct(const Node* node, std::uint64_t filters) {
        if (node == nullptr) return;
        if (node->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR) return connective(*node->bool_expr, filters);
        if (node->node_case == PG_QUERY__NODE__NODE_A_EXPR) return comparison(*node->a_expr, filters);
    }

    void connective(const PgQuery__BoolExpr& node, std::uint64_t filters) {
        const auto arms = list(node.n_args, node.args);
        if (node.boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
            for (const auto* arm : arms) conjunct(arm, filters);
        } else if (node.boolop == PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR) {
            alternatives(arms, filters);
        }
    }

    // a = 1 OR a = 2 is a IN (1, 2).
    void alternatives(std::span<Node* const> arms, std::uint64_t filters) {
        std::optional<Condition> joined;
        for (const auto* arm : arms) {
            if (arm->node_case != PG_QUERY__NODE__NODE_A_EXPR) return;
            const auto before = out_.conditions.size();
            comparison(*arm->a_expr, filters);
            const bool fits = out_.conditions.size() == before + 1 &&
                              out_.conditions.back().kind == Condition::Kind::AnyOf &&
                              (!joined || joined->column == out_.conditions.back().column);
            if (fits && joined)
                std::ranges::move(out_.conditions.back().values, std::back_inserter(joined->values));
            else if (fits)
                joined = std::move(out_.conditions.back());
            out_.conditions.resize(before);
            if (!fits) return;
        }
        if (joined) out_.conditions.push_back(std::move(*joined));
    }

    void comparison(const PgQuery__AExpr& node, std::uint64_t filters) {
        const auto is = [&](std::string_view symbol) {
            return is_builtin_operator(node.n_name, node.name, symbol);
        };
        switch (node.kind) {
            case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
                if (is("=")) return equality(node.lexpr, node.rexpr, filters);
                if (is("<") || is("<=")) return order(node.lexpr, node.rexpr, filters);
                if (is(">") || is(">=")) return order(node.rexpr, node.lexpr, filters);
                return;
            case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
                if (is("=") && node.rexpr->node_case == PG_QUERY__NODE__NODE_LIST)
                    any_of(node.lexpr, list(node.rexpr->list->n_items, node.rexpr->list->items), filters);
                return;
            case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
                if (is("=")) any_element(node.lexpr, node.rexpr, filters);
                return;
            case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
                if (node.rexpr->node_case == PG_QUERY__NODE__NODE_LIST && node.rexpr->list->n_items == 2) {
                    order(node.rexpr->list->items[0], node.lexpr, filters);
                    order(node.lexpr, node.rexpr->list->items[1], filters);
                }
                return;
            default: return;
        }
    }

    // a = b, also of rows: (a, c) = (b, d).
    void equality(const Node* left, const Node* right, std::uint64_t filters) {
        if (left == nullptr || right == nullptr) return;
        if (left->node_case == PG_QUERY__NODE__NODE_ROW_EXPR &&
            right->node_case == PG_QUERY__NODE__NODE_ROW_EXPR &&
            left->row_expr->n_args == right->row_expr->n_args) {
            for (std::size_t i = 0; i < left->row_expr->n_args; ++i)
                equality(left->row_expr->args[i], right->row_expr->args[i], filters);
            return;
        }
        const auto a = column(left), b = column(right);
        if (a && b) return add({Condition::Kind::Same, *a, {}, *b, filters});
        auto value = values_.value(a ? right : left);
        if ((a || b) && value) add({Condition::Kind::AnyOf, a ? *a : *b, {std::move(*value)}, {}, filters});
    }

    // low <= high
    void order(const Node* low, const Node* high, std::uint64_t filters) {
        if (const auto least = column(low)) {
            if (auto bound = values_.value(high))
                add({Condition::Kind::AtMost, *least, {std::move(*bound)}, {}, filters});
        } else if (const auto most = column(high)) {
            if (auto bound = values_.value(low))
                add({Condition::Kind::AtLeast, *most, {std::move(*bound)}, {}, filters});
        }
    }

    void any_of(const Node* left, std::span<Node* const> right, std::uint64_t filters) {
        const auto name = column(left);
        auto values = values_.values(right);
        if (name && values) add({Condition::Kind::AnyOf, *name, std::move(*values), {}, filters});
    }

    void any_element(const Node* left, const Node* right, std::uint64_t filters) {
        const auto name = column(left);
        if (!name || right == nullptr) return;
        const auto* inner = right;
        if (inner->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) inner = inner->type_cast->arg;
        if (inner->node_case == PG_QUERY__NODE__NODE_A_ARRAY_EXPR) {
            if (inner != right) return;
            return any_of(left, list(inner->a_array_expr->n_elements, inner->a_array_expr->elements),
                          filters);
        }
        if (auto array = values_.value(right))
            add({Condition::Kind::AnyElement, *name, {std::move(*array)}, {}, filters});
    }

    static std::optional<ColumnName> column(const Node* node) {
        if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return std::nullopt;
        const auto fields = list(node->column_ref->n_fields, node->column_ref->fields);
        if (fields.empty() || fields.size() > 2 || text_of(fields.back()).empty()) return std::nullopt;
        ColumnName name;
        name.column = text_of(fields.back());
        if (fields.size() == 2) name.table = text_of(fields.front());
        return name;
    }

    void add(Condition condition) { out_.conditions.push_back(std::move(condition)); }

    QueryLevel& out_;
    const std::vector<std::string_view>& ctes_;
    const Values values_;
    bool giving_up_ = false;
};

QueryLevel target_level(const PgQuery__RangeVar& target, std::span<Node* const> from, const Node* where,
                        const std::vector<std::string_view>& ctes, std::string_view sql) {
    QueryLevel level;
    LevelReader reader(level, ctes, sql);
    reader.target(target);
    reader.from(from);
    reader.where(where);
    reader.finish();
    return level;
}

// False where more than plain columns is set: (a, b) = (SELECT ...), a[1] = ..., a.b = ...
bool read_assignments(std::span<Node* const> targets, const Values& values,
                      std::vector<TargetRows::Assignment>& out) {
    for (const auto* node : targets) {
        const auto* target = node->res_target;
        const bool several =
            target->val != nullptr && target->val->node_case == PG_QUERY__NODE__NODE_MULTI_ASSIGN_REF;
        TargetRows::Assignment assignment{target->name, std::nullopt};
        if (!several && target->n_indirection == 0) assignment.value = values.value(target->val);
        out.push_back(std::move(assignment));
    }
    return true;
}

bool read_conflict(const PgQuery__OnConflictClause* conflict, const Values& values, TargetRows& out) {
    if (conflict == nullptr || conflict->action != PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE)
        return true;
    out.updates_on_conflict = true;
    if (conflict->infer == nullptr) return false;
    for (const auto* node : list(conflict->infer->n_index_elems, conflict->infer->index_elems)) {
        const std::string_view name = node->index_elem->name;
        if (name.empty()) return false;
        out.conflict_columns.emplace_back(name);
    }
    return !out.conflict_columns.empty() &&
           read_assignments(list(conflict->n_target_list, conflict->target_list), values, out.set);
}

}  // namespace

QueryLevel level_of(const PgQuery__SelectStmt& select, const std::vector<std::string_view>& ctes,
                    std::string_view sql) {
    QueryLevel level;
    LevelReader reader(level, ctes, sql);
    reader.from(list(select.n_from_clause, select.from_clause));
    reader.where(select.where_clause);
    reader.finish();
    return level;
}

std::optional<TargetRows> rows_of(const PgQuery__InsertStmt& insert, std::string_view sql) {
    const auto* source = insert.select_stmt;
    if (source == nullptr || source->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) return std::nullopt;
    const auto* select = source->select_stmt;
    if (select->n_values_lists == 0 || insert.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE)
        return std::nullopt;
    const Values values(sql);
    TargetRows out;
    out.inserts = true;
    for (const auto* node : list(insert.n_cols, insert.cols)) {
        if (node->res_target->n_indirection > 0) return std::nullopt;
        out.columns.emplace_back(node->res_target->name);
    }
    for (const auto* row : list(select->n_values_lists, select->values_lists)) {
        auto& written = out.rows.emplace_back();
        for (const auto* node : list(row->list->n_items, row->list->items))
            written.push_back(values.value(node));
    }
    if (!read_conflict(insert.on_conflict_clause, values, out)) return std::nullopt;
    return out;
}

std::optional<CopiedRows> rows_of(const PgQuery__CopyStmt& copy) {
    if (copy.is_program != 0 || copy.filename[0] != '\0') return std::nullopt;
    for (const auto* node : list(copy.n_options, copy.options)) {
        const auto* option = node->def_elem;
        if (std::string_view(option->defname) != "format" || text_of(option->arg) != "text")
            return std::nullopt;
    }
    CopiedRows rows;
    for (const auto* node : list(copy.n_attlist, copy.attlist)) rows.columns.emplace_back(text_of(node));
    return rows;
}

std::optional<TargetRows> rows_of(const PgQuery__UpdateStmt& update,
                                  const std::vector<std::string_view>& ctes, std::string_view sql) {
    TargetRows out;
    out.updates = true;
    if (!read_assignments(list(update.n_target_list, update.target_list), Values(sql), out.set))
        return std::nullopt;
    out.level = target_level(*update.relation, list(update.n_from_clause, update.from_clause),
                             update.where_clause, ctes, sql);
    return out;
}

std::optional<TargetRows> rows_of(const PgQuery__DeleteStmt& erase, const std::vector<std::string_view>& ctes,
                                  std::string_view sql) {
    TargetRows out;
    out.level = target_level(*erase.relation, list(erase.n_using_clause, erase.using_clause),
                             erase.where_clause, ctes, sql);
    return out;
}

}  // namespace warmfront::sql
