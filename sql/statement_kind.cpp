#include "sql/statement_kind.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "sql/statement_names.h"
#include "sql/statement_rows_reader.h"
#include "sql/statement_walk.h"

namespace warmfront::sql {
namespace {

using Node = PgQuery__Node;

Isolation isolation_named(std::string_view name) {
    if (name == "serializable") return Isolation::Serializable;
    if (name == "repeatable read") return Isolation::RepeatableRead;
    if (name == "read committed") return Isolation::ReadCommitted;
    if (name == "read uncommitted") return Isolation::ReadUncommitted;
    return Isolation::Default;
}

// The modes of BEGIN and SET TRANSACTION are keywords; the grammar makes constants of them.
void read_transaction_modes(Statement& out, std::size_t count, Node* const* options) {
    for (std::size_t i = 0; i < count; ++i) {
        if (options[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM) continue;
        const auto* option = options[i]->def_elem;
        if (option->arg == nullptr || option->arg->node_case != PG_QUERY__NODE__NODE_A_CONST) continue;
        const auto* value = option->arg->a_const;
        const std::string_view name = option->defname;
        if (name == "transaction_isolation" && value->val_case == PG_QUERY__A__CONST__VAL_SVAL)
            out.isolation = isolation_named(value->sval->sval);
        if (name == "transaction_read_only" && value->val_case == PG_QUERY__A__CONST__VAL_IVAL)
            out.read_only = value->ival->ival != 0;
    }
}

void read_transaction(Statement& out, const PgQuery__TransactionStmt* statement) {
    out.chain = statement->chain != 0;
    out.name = statement->savepoint_name;
    switch (statement->kind) {
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START:
            out.kind = StatementKind::Begin;
            read_transaction_modes(out, statement->n_options, statement->options);
            return;
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT: out.kind = StatementKind::Commit; return;
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK: out.kind = StatementKind::Rollback; return;
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT:
            out.kind = StatementKind::Savepoint;
            return;
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE:
            out.kind = StatementKind::ReleaseSavepoint;
            return;
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
            out.kind = StatementKind::RollbackToSavepoint;
            return;
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
            out.kind = StatementKind::PrepareTransaction;
            return;
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED:
            out.kind = StatementKind::CommitPrepared;
            return;
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED:
            out.kind = StatementKind::RollbackPrepared;
            return;
        default: out.kind = StatementKind::Other;
    }
}

void read_set(Statement& out, const PgQuery__VariableSetStmt* statement) {
    out.kind = StatementKind::Set;
    out.name = statement->name;
    out.is_local = statement->is_local != 0;
    if (statement->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI) {
        out.kind = StatementKind::SetTransaction;
        read_transaction_modes(out, statement->n_args, statement->args);
        // An imported snapshot is as old as the one it came from.
        if (out.name == "TRANSACTION SNAPSHOT") out.isolation = Isolation::RepeatableRead;
    } else if (out.name == "transaction_isolation") {
        out.isolation = Isolation::Serializable;  // the value is a literal, which a template does not hold
    }
}

bool same_word(std::string_view text, std::string_view lower_case) {
    return std::ranges::equal(
        text, lower_case, [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
}

// Takes the identifier (or keyword) at the front of the text, and blanks after it, off the text.
std::string_view take_word(std::string_view& text) {
    const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    const auto end = std::ranges::find_if_not(text, is_word);
    const auto word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(word.size());
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    return word;
}

// EXPLAIN (ANALYZE off): only the bare words count, since of a literal a template does not know the value.
bool is_switched_off(const PgQuery__DefElem* option, std::string_view sql) {
    if (option->arg == nullptr || option->location < 0) return false;
    auto text = sql.substr(std::min(static_cast<std::size_t>(option->location), sql.size()));
    (void)take_word(text);
    const auto value = take_word(text);
    return (same_word(value, "off") || same_word(value, "false")) &&
           (text.starts_with(',') || text.starts_with(')'));
}

void read_explain(Statement& out, const PgQuery__ExplainStmt* statement, std::string_view sql) {
    out.kind = StatementKind::Explain;
    for (std::size_t i = 0; i < statement->n_options; ++i) {
        const auto* option = statement->options[i]->def_elem;
        if (std::string_view(option->defname) == "analyze" && !is_switched_off(option, sql))
            out.kind = StatementKind::ExplainAnalyze;
    }
    out.inner.push_back(statement_of(statement->query, sql));
}

void read_copy(Statement& out, const PgQuery__CopyStmt* statement, std::string_view sql) {
    Walker walker(out, sql);
    if (statement->is_from != 0) {
        out.kind = StatementKind::CopyFrom;
        walker.add_write(statement->relation, {.inserts = true});
        walker.visit(statement->where_clause);
        out.copied_rows = rows_of(*statement);
        return;
    }
    out.kind = StatementKind::CopyTo;
    walker.visit(statement->relation);
    if (statement->query != nullptr) out.inner.push_back(statement_of(statement->query, sql));
}

void read_truncate(Statement& out, const PgQuery__TruncateStmt* statement, std::string_view sql) {
    out.kind = StatementKind::Truncate;
    out.cascade = statement->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
    Walker walker(out, sql);
    for (std::size_t i = 0; i < statement->n_relations; ++i)
        walker.add_write(statement->relations[i]->range_var, {});
}

void read_create_as(Statement& out, const PgQuery__CreateTableAsStmt* statement, std::string_view sql) {
    const bool temporary = statement->into != nullptr && is_temporary(statement->into->rel);
    out.kind = temporary ? StatementKind::CreateTemp : StatementKind::Ddl;
    out.inner.push_back(statement_of(statement->query, sql));
}

void read_discard(Statement& out, const PgQuery__DiscardStmt* statement) {
    out.kind = StatementKind::Discard;
    out.discards_all = statement->target == PG_QUERY__DISCARD_MODE__DISCARD_ALL;
}

StatementKind kind_of_query(const Node* node) {
    switch (node->node_case) {
        case PG_QUERY__NODE__NODE_INSERT_STMT: return StatementKind::Insert;
        case PG_QUERY__NODE__NODE_UPDATE_STMT: return StatementKind::Update;
        case PG_QUERY__NODE__NODE_DELETE_STMT: return StatementKind::Delete;
        case PG_QUERY__NODE__NODE_MERGE_STMT: return StatementKind::Merge;
        default: return StatementKind::Select;
    }
}

void read_query(Statement& out, const Node* node, std::string_view sql) {
    out.kind = kind_of_query(node);
    Walker walker(out, sql);
    walker.visit(node);
    walker.finish();
    if (walker.into() != nullptr)
        out.kind = is_temporary(walker.into()) ? StatementKind::CreateTemp : StatementKind::Ddl;
}

void read_do(Statement& out, const PgQuery__DoStmt* statement) {
    out.kind = StatementKind::Do;
    out.name = "plpgsql";
    for (std::size_t i = 0; i < statement->n_args; ++i) {
        const auto* option = statement->args[i]->def_elem;
        (std::string_view(option->defname) == "language" ? out.name : out.body) = text_of(option->arg);
    }
}

void read_rule(Statement& out, const PgQuery__RuleStmt* statement, std::string_view sql) {
    out.kind = StatementKind::Ddl;
    Walker(out, sql).visit(statement->where_clause);
    for (std::size_t i = 0; i < statement->n_actions; ++i)
        out.inner.push_back(statement_of(statement->actions[i], sql));
}

// BEGIN ATOMIC holds lists of statements, RETURN is one.
void read_atomic_body(Statement& out, const Node* body, std::string_view sql) {
    if (body == nullptr) return;
    if (body->node_case != PG_QUERY__NODE__NODE_LIST) {
        out.inner.push_back(statement_of(body, sql));
        return;
    }
    for (std::size_t i = 0; i < body->list->n_items; ++i) read_atomic_body(out, body->list->items[i], sql);
}

void read_return(Statement& out, const PgQuery__ReturnStmt* statement, std::string_view sql) {
    out.kind = StatementKind::Select;
    Walker walker(out, sql);
    walker.visit(statement->returnval);
    walker.finish();
}

StatementKind created(const PgQuery__RangeVar* name) {
    return is_temporary(name) ? StatementKind::CreateTemp : StatementKind::Ddl;
}

bool is_of_cluster(PgQuery__ObjectType type) {
    return type == PG_QUERY__OBJECT_TYPE__OBJECT_ROLE || type == PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE;
}

// The kinds that have nothing to read but their name. What is not named here is DDL if the grammar calls it a
// statement of its own: a new node kind is taken for a change of everything.
StatementKind kind_of_utility(const Node* node) {
    switch (node->node_case) {
        case PG_QUERY__NODE__NODE_LISTEN_STMT:
        case PG_QUERY__NODE__NODE_UNLISTEN_STMT: return StatementKind::Listen;
        case PG_QUERY__NODE__NODE_NOTIFY_STMT: return StatementKind::Notify;
        case PG_QUERY__NODE__NODE_LOCK_STMT: return StatementKind::Lock;
        case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT: return StatementKind::SetConstraints;
        case PG_QUERY__NODE__NODE_VACUUM_STMT:
        case PG_QUERY__NODE__NODE_REINDEX_STMT:
        case PG_QUERY__NODE__NODE_CLUSTER_STMT:
        case PG_QUERY__NODE__NODE_CHECK_POINT_STMT:
        case PG_QUERY__NODE__NODE_LOAD_STMT: return StatementKind::Maintenance;
        case PG_QUERY__NODE__NODE_CREATE_STMT: return created(node->create_stmt->relation);
        case PG_QUERY__NODE__NODE_VIEW_STMT: return created(node->view_stmt->view);
        case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT: return created(node->create_seq_stmt->sequence);
        case PG_QUERY__NODE__NODE_CREATE_ROLE_STMT:
        case PG_QUERY__NODE__NODE_ALTER_ROLE_STMT:
        case PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT:
        case PG_QUERY__NODE__NODE_DROP_ROLE_STMT:
        case PG_QUERY__NODE__NODE_GRANT_STMT:
        case PG_QUERY__NODE__NODE_GRANT_ROLE_STMT:
        case PG_QUERY__NODE__NODE_ALTER_DEFAULT_PRIVILEGES_STMT:
        case PG_QUERY__NODE__NODE_CREATEDB_STMT:
        case PG_QUERY__NODE__NODE_DROPDB_STMT:
        case PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT:
        case PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT:
        case PG_QUERY__NODE__NODE_ALTER_DATABASE_REFRESH_COLL_STMT:
        case PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT:
        case PG_QUERY__NODE__NODE_REASSIGN_OWNED_STMT:
        case PG_QUERY__NODE__NODE_DROP_OWNED_STMT: return StatementKind::RoleChange;
        case PG_QUERY__NODE__NODE_RENAME_STMT:
            return is_of_cluster(node->rename_stmt->rename_type) ? StatementKind::RoleChange
                                                                 : StatementKind::Ddl;
        case PG_QUERY__NODE__NODE_ALTER_OWNER_STMT:
            return is_of_cluster(node->alter_owner_stmt->object_type) ? StatementKind::RoleChange
                                                                      : StatementKind::Ddl;
        default: return StatementKind::Ddl;
    }
}

}  // namespace

Statement statement_of(const PgQuery__Node* node, std::string_view sql) {
    Statement out;
    if (node == nullptr) return out;
    switch (node->node_case) {
        case PG_QUERY__NODE__NODE_SELECT_STMT:
        case PG_QUERY__NODE__NODE_INSERT_STMT:
        case PG_QUERY__NODE__NODE_UPDATE_STMT:
        case PG_QUERY__NODE__NODE_DELETE_STMT:
        case PG_QUERY__NODE__NODE_MERGE_STMT: read_query(out, node, sql); break;
        case PG_QUERY__NODE__NODE_TRANSACTION_STMT: read_transaction(out, node->transaction_stmt); break;
        case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT: read_set(out, node->variable_set_stmt); break;
        case PG_QUERY__NODE__NODE_EXPLAIN_STMT: read_explain(out, node->explain_stmt, sql); break;
        case PG_QUERY__NODE__NODE_COPY_STMT: read_copy(out, node->copy_stmt, sql); break;
        case PG_QUERY__NODE__NODE_TRUNCATE_STMT: read_truncate(out, node->truncate_stmt, sql); break;
        case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
            read_create_as(out, node->create_table_as_stmt, sql);
            break;
        case PG_QUERY__NODE__NODE_DISCARD_STMT: read_discard(out, node->discard_stmt); break;
        case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
            out.kind = StatementKind::Show;
            out.name = node->variable_show_stmt->name;
            break;
        case PG_QUERY__NODE__NODE_PREPARE_STMT:
            out.kind = StatementKind::PrepareStatement;
            out.name = node->prepare_stmt->name;
            out.inner.push_back(statement_of(node->prepare_stmt->query, sql));
            break;
        case PG_QUERY__NODE__NODE_EXECUTE_STMT:
            out.kind = StatementKind::ExecuteStatement;
            out.name = node->execute_stmt->name;
            for (std::size_t i = 0; i < node->execute_stmt->n_params; ++i)
                Walker(out, sql).visit(node->execute_stmt->params[i]);
            break;
        case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
            out.kind = StatementKind::Deallocate;
            out.name = node->deallocate_stmt->name;
            out.discards_all = out.name.empty();
            break;
        case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
            out.kind = StatementKind::DeclareCursor;
            out.name = node->declare_cursor_stmt->portalname;
            out.inner.push_back(statement_of(node->declare_cursor_stmt->query, sql));
            break;
        case PG_QUERY__NODE__NODE_FETCH_STMT:
            out.kind = StatementKind::Fetch;
            out.name = node->fetch_stmt->portalname;
            break;
        case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
            out.kind = StatementKind::CloseCursor;
            out.name = node->close_portal_stmt->portalname;
            break;
        case PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT:
            out.kind = StatementKind::Refresh;
            Walker(out, sql).add_write(node->refresh_mat_view_stmt->relation, {});
            break;
        case PG_QUERY__NODE__NODE_DO_STMT: read_do(out, node->do_stmt); break;
        case PG_QUERY__NODE__NODE_CALL_STMT:
            out.kind = StatementKind::Call;
            Walker(out, sql).visit(node->call_stmt->funccall);
            break;
        case PG_QUERY__NODE__NODE_RULE_STMT: read_rule(out, node->rule_stmt, sql); break;
        case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT:
            out.kind = StatementKind::Ddl;
            read_atomic_body(out, node->create_function_stmt->sql_body, sql);
            break;
        case PG_QUERY__NODE__NODE_RETURN_STMT: read_return(out, node->return_stmt, sql); break;
        case PG_QUERY__NODE__NODE_PLASSIGN_STMT: break;  // of PL/pgSQL only
        default: out.kind = kind_of_utility(node);
    }
    return out;
}

}  // namespace warmfront::sql
