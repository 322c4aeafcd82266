#include "sql/statement_walk.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "sql/statement_names.h"
#include "sql/statement_rows_reader.h"
#include "sql/statement_time.h"

namespace warmfront::sql {
namespace {

template <typename T>
const T& at(const ProtobufCMessage* message, unsigned offset) {
    return *reinterpret_cast<const T*>(reinterpret_cast<const char*>(message) + offset);
}

constexpr std::array<std::string_view, 5> kSystemColumns{"cmax", "cmin", "ctid", "xmax", "xmin"};

bool is_between(PgQuery__AExprKind kind) {
    return kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN ||
           kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN ||
           kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM ||
           kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
}

}  // namespace

Walker::Handler Walker::handler_of(const ProtobufCMessageDescriptor* descriptor) {
    using W = Walker;
    static const std::unordered_map<const ProtobufCMessageDescriptor*, Handler> handlers{
        {&pg_query__select_stmt__descriptor, &W::dispatch<PgQuery__SelectStmt, &W::select>},
        {&pg_query__insert_stmt__descriptor, &W::dispatch<PgQuery__InsertStmt, &W::insert>},
        {&pg_query__update_stmt__descriptor, &W::dispatch<PgQuery__UpdateStmt, &W::update>},
        {&pg_query__delete_stmt__descriptor, &W::dispatch<PgQuery__DeleteStmt, &W::erase>},
        {&pg_query__merge_stmt__descriptor, &W::dispatch<PgQuery__MergeStmt, &W::merge>},
        {&pg_query__with_clause__descriptor, &W::dispatch<PgQuery__WithClause, &W::skip>},
        {&pg_query__into_clause__descriptor, &W::dispatch<PgQuery__IntoClause, &W::into_clause>},
        {&pg_query__locking_clause__descriptor, &W::dispatch<PgQuery__LockingClause, &W::lock>},
        {&pg_query__range_var__descriptor, &W::dispatch<PgQuery__RangeVar, &W::relation>},
        {&pg_query__range_table_sample__descriptor, &W::dispatch<PgQuery__RangeTableSample, &W::sample>},
        {&pg_query__func_call__descriptor, &W::dispatch<PgQuery__FuncCall, &W::call>},
        {&pg_query__a__expr__descriptor, &W::dispatch<PgQuery__AExpr, &W::operation>},
        {&pg_query__sub_link__descriptor, &W::dispatch<PgQuery__SubLink, &W::sublink>},
        {&pg_query__sort_by__descriptor, &W::dispatch<PgQuery__SortBy, &W::sort>},
        {&pg_query__join_expr__descriptor, &W::dispatch<PgQuery__JoinExpr, &W::join>},
        {&pg_query__case_expr__descriptor, &W::dispatch<PgQuery__CaseExpr, &W::case_expression>},
        {&pg_query__sqlvalue_function__descriptor,
         &W::dispatch<PgQuery__SQLValueFunction, &W::value_function>},
        {&pg_query__range_table_func__descriptor, &W::dispatch<PgQuery__RangeTableFunc, &W::xml_table>},
        {&pg_query__column_ref__descriptor, &W::dispatch<PgQuery__ColumnRef, &W::column>},
        {&pg_query__param_ref__descriptor, &W::dispatch<PgQuery__ParamRef, &W::parameter>},
        {&pg_query__a__indirection__descriptor, &W::dispatch<PgQuery__AIndirection, &W::field>},
        {&pg_query__type_cast__descriptor, &W::dispatch<PgQuery__TypeCast, &W::cast>},
        {&pg_query__type_name__descriptor, &W::dispatch<PgQuery__TypeName, &W::type>},
        {&pg_query__alias__descriptor, &W::dispatch<PgQuery__Alias, &W::alias>},
        {&pg_query__res_target__descriptor, &W::dispatch<PgQuery__ResTarget, &W::result>},
    };
    const auto found = handlers.find(descriptor);
    return found == handlers.end() ? nullptr : found->second;
}

void Walker::visit(const ProtobufCMessage* message) {
    if (message == nullptr) return;
    if (const Handler handler = handler_of(message->descriptor))
        (this->*handler)(message);
    else
        visit_fields(message);
}

void Walker::visit_fields(const ProtobufCMessage* message, const void* except) {
    const auto* descriptor = message->descriptor;
    for (unsigned i = 0; i < descriptor->n_fields; ++i) {
        const auto& field = descriptor->fields[i];
        if (field.type == PROTOBUF_C_TYPE_MESSAGE) visit_field(message, field, except);
    }
}

void Walker::visit_field(const ProtobufCMessage* message, const ProtobufCFieldDescriptor& field,
                         const void* except) {
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
        const auto count = at<std::size_t>(message, field.quantifier_offset);
        const auto* items = at<const ProtobufCMessage* const*>(message, field.offset);
        for (std::size_t i = 0; i < count; ++i) visit(items[i]);
        return;
    }
    const bool one_of = (field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
    if (one_of && at<std::uint32_t>(message, field.quantifier_offset) != field.id) return;
    const auto* child = at<const ProtobufCMessage*>(message, field.offset);
    if (child != except) visit(child);
}

// --- statements and their scopes ---

void Walker::select(const PgQuery__SelectStmt* statement) {
    at_root_ = false;
    const auto outer = ctes_.size();
    bind(statement->with_clause);
    if (statement->n_from_clause > 0) add_level(level_of(*statement, ctes_, sql_));
    visit_fields(&statement->base);
    ctes_.resize(outer);
}

void Walker::add_level(QueryLevel level) {
    for (const auto& item : level.items) tables_in_levels_ += item.relation.name.empty() ? 0 : 1;
    out_.levels.push_back(std::move(level));
}

void Walker::finish() {
    if (tables_read_ != tables_in_levels_) out_.levels.clear();
}

void Walker::insert(const PgQuery__InsertStmt* statement) {
    if (at_root_) out_.target_rows = rows_of(*statement, sql_);
    const auto* conflict = statement->on_conflict_clause;
    const bool updates =
        conflict != nullptr && conflict->action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE;
    dml(statement, {.updates = updates, .inserts = true});
}
void Walker::update(const PgQuery__UpdateStmt* statement) {
    if (at_root_) out_.target_rows = rows_of(*statement, ctes_, sql_);
    dml(statement, {.updates = true});
}
void Walker::erase(const PgQuery__DeleteStmt* statement) {
    if (at_root_) out_.target_rows = rows_of(*statement, ctes_, sql_);
    dml(statement, {.deletes = true});
}
void Walker::merge(const PgQuery__MergeStmt* statement) {
    dml(statement, {.updates = true, .deletes = true, .inserts = true});
}

template <typename Message>
void Walker::dml(const Message* statement, Acts acts) {
    if (!at_root_) out_.writes_in_cte = true;
    at_root_ = false;
    const auto outer = ctes_.size();
    bind(statement->with_clause);
    add_write(statement->relation, acts);
    if (statement->relation != nullptr) visit(statement->relation->alias);
    visit_fields(&statement->base, statement->relation);
    ctes_.resize(outer);
}

// A CTE's name hides a table from the CTE after it on; with RECURSIVE from the whole list.
void Walker::bind(const PgQuery__WithClause* with) {
    if (with == nullptr) return;
    at_root_ = false;
    for (std::size_t i = 0; with->recursive && i < with->n_ctes; ++i)
        ctes_.emplace_back(with->ctes[i]->common_table_expr->ctename);
    for (std::size_t i = 0; i < with->n_ctes; ++i) {
        const auto* cte = with->ctes[i]->common_table_expr;
        add_alias(cte->ctename);
        for (std::size_t c = 0; c < cte->n_aliascolnames; ++c) add_alias(text_of(cte->aliascolnames[c]));
        visit_fields(&cte->base);
        if (!with->recursive) ctes_.emplace_back(cte->ctename);
    }
}

void Walker::add_write(const PgQuery__RangeVar* relation, Acts acts) {
    if (relation == nullptr) return;
    const int kind = (acts.updates ? 1 : 0) + (acts.deletes ? 2 : 0) + (acts.inserts ? 4 : 0);
    if (first_time('w', relation->schemaname, relation->relname, kind))
        out_.writes.push_back(
            {{relation->schemaname, relation->relname}, acts.updates, acts.deletes, acts.inserts});
}

void Walker::relation(const PgQuery__RangeVar* name) {
    visit(name->alias);
    const bool is_cte = name->schemaname[0] == '\0' && std::ranges::find(ctes_, name->relname) != ctes_.end();
    tables_read_ += is_cte ? 0 : 1;
    if (!is_cte && first_time('r', name->schemaname, name->relname))
        out_.reads.push_back({name->schemaname, name->relname});
}

void Walker::sample(const PgQuery__RangeTableSample* sample) {
    out_.samples = true;
    visit_fields(&sample->base);
}

// --- functions and operators ---

void Walker::call(const PgQuery__FuncCall* call) {
    const auto [schema, name] = qualified(call->n_funcname, call->funcname);
    const int arguments = call->func_variadic != 0 ? -1 : static_cast<int>(call->n_args);
    add_function({FunctionUse::Form::Call, std::string(schema), std::string(name), arguments});
    if (name == "current_setting") setting_read(call);
    if (arguments == 1 &&
        is_time_type(name)) {  // date(x) is a cast if there is no such function for x's type
        add_type({"", std::string(name)});
        cast_to_time(call->args[0]);
    }
    visit_fields(&call->base);
}

void Walker::setting_read(const PgQuery__FuncCall* call) {
    const auto* name = call->n_args > 0 ? call->args[0] : nullptr;
    if (name != nullptr && name->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) name = name->type_cast->arg;
    if (name == nullptr || name->node_case != PG_QUERY__NODE__NODE_A_CONST ||
        name->a_const->val_case != PG_QUERY__A__CONST__VAL_SVAL) {
        out_.reads_any_setting = true;
        return;
    }
    std::string text = name->a_const->sval->sval;
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (first_time('s', text)) out_.settings_read.push_back(std::move(text));
}

void Walker::operation(const PgQuery__AExpr* expression) {
    if (is_between(expression->kind)) {
        for (const auto* name : {"<", "<=", ">", ">="}) add_operator(name);
    } else {
        add_operator(expression->n_name, expression->name);
    }
    visit_fields(&expression->base);
}

void Walker::sublink(const PgQuery__SubLink* link) {
    if (link->n_oper_name > 0)
        add_operator(link->n_oper_name, link->oper_name);
    else if (link->testexpr != nullptr)  // IN (SELECT ...)
        add_operator("=");
    visit_fields(&link->base);
}

void Walker::sort(const PgQuery__SortBy* sort) {
    if (sort->n_use_op > 0) add_operator(sort->n_use_op, sort->use_op);
    visit_fields(&sort->base);
}

void Walker::join(const PgQuery__JoinExpr* join) {
    if (join->is_natural != 0 || join->n_using_clause > 0) add_operator("=");
    out_.all_columns |= join->is_natural != 0;
    for (std::size_t i = 0; i < join->n_using_clause; ++i) add_column(text_of(join->using_clause[i]));
    visit_fields(&join->base);
}

void Walker::case_expression(const PgQuery__CaseExpr* expression) {
    if (expression->arg != nullptr) add_operator("=");
    visit_fields(&expression->base);
}

void Walker::value_function(const PgQuery__SQLValueFunction* function) {
    switch (function->op) {
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_ROLE:
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_USER:
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_USER:
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_SESSION_USER:
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_CATALOG: out_.reads_role = true; return;
        case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_SCHEMA:
            add_function({FunctionUse::Form::Call, "pg_catalog", "current_schema", 0});
            return;
        default: out_.reads_clock = true;
    }
}

void Walker::xml_table(const PgQuery__RangeTableFunc* function) {
    for (std::size_t i = 0; i < function->n_columns; ++i) {  // the columns are made out of text
        const auto* type = function->columns[i]->range_table_func_col->type_name;
        if (type != nullptr && is_time_type(qualified(type->n_names, type->names).second))
            out_.casts_other_to_time = true;
    }
    visit_fields(&function->base);
}

void Walker::add_function(FunctionUse use) {
    const auto kind = static_cast<char>('0' + static_cast<int>(use.form));
    if (first_time(kind, use.schema, use.name, use.arguments)) out_.functions.push_back(std::move(use));
}

void Walker::add_operator(std::size_t count, PgQuery__Node* const* name) {
    const auto [schema, symbol] = qualified(count, name);
    add_function({FunctionUse::Form::Operator, std::string(schema), std::string(symbol), 2});
}

// --- columns, types, names ---

void Walker::column(const PgQuery__ColumnRef* column) {
    for (std::size_t i = 0; i < column->n_fields; ++i) {
        if (std::ranges::binary_search(kSystemColumns, text_of(column->fields[i])))
            out_.system_columns = true;
    }
    if (column->n_fields > 0) add_column(text_of(column->fields[column->n_fields - 1]));
    if (column->n_fields < 2) return;
    const auto name = text_of(column->fields[column->n_fields - 1]);
    if (!name.empty()) add_function({FunctionUse::Form::Field, {}, std::string(name), 1});
}

// No text: it is a star.
void Walker::add_column(std::string_view name) {
    if (name.empty())
        out_.all_columns = true;
    else if (first_time('c', name))
        out_.columns.emplace_back(name);
}

void Walker::parameter(const PgQuery__ParamRef* parameter) {
    const auto number = static_cast<std::uint32_t>(parameter->number);
    if (first_time('p', {}, {}, parameter->number)) return;
    if (std::ranges::find(out_.repeated_parameters, number) == out_.repeated_parameters.end())
        out_.repeated_parameters.push_back(number);
}

void Walker::field(const PgQuery__AIndirection* indirection) {
    for (std::size_t i = 0; i < indirection->n_indirection; ++i) {
        const auto name = text_of(indirection->indirection[i]);
        if (name.empty()) continue;
        if (std::ranges::binary_search(kSystemColumns, name)) out_.system_columns = true;
        add_function({FunctionUse::Form::Field, {}, std::string(name), 1});
        add_alias(name);  // the name that the column gets
    }
    visit_fields(&indirection->base);
}

void Walker::cast(const PgQuery__TypeCast* cast) {
    const auto [schema, name] = qualified(cast->type_name->n_names, cast->type_name->names);
    if (is_time_type(name)) cast_to_time(cast->arg);
    visit_fields(&cast->base);
}

void Walker::type(const PgQuery__TypeName* type) {
    const auto [schema, name] = qualified(type->n_names, type->names);
    add_type({std::string(schema), std::string(name)});
    visit_fields(&type->base);
}

void Walker::add_type(RelationName name) {
    if (first_time('y', name.schema, name.name)) out_.types.push_back(std::move(name));
}

void Walker::alias(const PgQuery__Alias* alias) {
    add_alias(alias->aliasname);
    for (std::size_t i = 0; i < alias->n_colnames; ++i) add_alias(text_of(alias->colnames[i]));
}

void Walker::result(const PgQuery__ResTarget* target) {
    add_alias(target->name);
    visit_fields(&target->base);
}

void Walker::add_alias(std::string_view name) {
    if (!name.empty() && first_time('a', name)) out_.aliases.emplace_back(name);
}

bool Walker::first_time(char kind, std::string_view a, std::string_view b, int number) {
    std::string key(1, kind);
    key.append(a).push_back('\0');
    key.append(b).push_back('\0');
    return seen_.insert(key.append(std::to_string(number))).second;
}

}  // namespace warmfront::sql
