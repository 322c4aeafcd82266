// sql/statement_walk.h: collects the facts of a statement from its parse tree, whatever nodes it is made of.
//
// Descends through protobuf-c's descriptors, so that no kind of node, also one that nobody thought of, hides
// a relation or a function call. Internal to sql/statement*.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <pg_query/pg_query.pb-c.h>

#include "sql/statement.h"

namespace warmfront::sql {

class Walker {
public:
    // Facts are added to `out`. It outlives the walker, and so does sql, the text that the tree was made
    // from.
    Walker(Statement& out, std::string_view sql) : out_(out), sql_(sql) {}

    // The message and all below it. The first DML statement visited is the statement itself, others are in
    // its CTEs.
    void visit(const ProtobufCMessage* message);
    template <typename Message>
    void visit(const Message* message) {
        if (message != nullptr) visit(&message->base);
    }
    // After the last visit: drops what turned out to be incomplete.
    void finish();

    struct Acts {
        bool updates = false, deletes = false, inserts = false;
    };
    void add_write(const PgQuery__RangeVar* relation, Acts acts);

    // SELECT ... INTO was seen; its target, nullptr without one.
    [[nodiscard]] const PgQuery__RangeVar* into() const { return into_; }

private:
    using Handler = void (Walker::*)(const ProtobufCMessage*);
    static Handler handler_of(const ProtobufCMessageDescriptor* descriptor);
    template <typename Message, void (Walker::*handler)(const Message*)>
    void dispatch(const ProtobufCMessage* message) {
        (this->*handler)(reinterpret_cast<const Message*>(message));
    }

    void visit_fields(const ProtobufCMessage* message, const void* except = nullptr);
    void visit_field(const ProtobufCMessage* message, const ProtobufCFieldDescriptor& field,
                     const void* except);

    void select(const PgQuery__SelectStmt* statement);
    void insert(const PgQuery__InsertStmt* statement);
    void update(const PgQuery__UpdateStmt* statement);
    void erase(const PgQuery__DeleteStmt* statement);
    void merge(const PgQuery__MergeStmt* statement);
    template <typename Message>
    void dml(const Message* statement, Acts acts);
    void bind(const PgQuery__WithClause* with);
    void skip(const PgQuery__WithClause*) {}  // bound by the statement that it belongs to
    void into_clause(const PgQuery__IntoClause* into) { into_ = into->rel; }
    void lock(const PgQuery__LockingClause*) { out_.locks_rows = true; }  // names aliases, not relations
    void relation(const PgQuery__RangeVar* name);
    void sample(const PgQuery__RangeTableSample* sample);
    void call(const PgQuery__FuncCall* call);
    void setting_read(const PgQuery__FuncCall* call);
    void operation(const PgQuery__AExpr* expression);
    void sublink(const PgQuery__SubLink* link);
    void sort(const PgQuery__SortBy* sort);
    void join(const PgQuery__JoinExpr* join);
    void case_expression(const PgQuery__CaseExpr* expression);
    void value_function(const PgQuery__SQLValueFunction* function);
    void xml_table(const PgQuery__RangeTableFunc* function);
    void column(const PgQuery__ColumnRef* column);
    void parameter(const PgQuery__ParamRef* parameter);
    void add_column(std::string_view name);
    void add_level(QueryLevel level);
    void field(const PgQuery__AIndirection* indirection);
    void cast(const PgQuery__TypeCast* cast);
    void type(const PgQuery__TypeName* name);
    void alias(const PgQuery__Alias* alias);
    void result(const PgQuery__ResTarget* target);

    void add_function(FunctionUse use);
    void add_operator(std::string_view name) {
        add_function({FunctionUse::Form::Operator, {}, std::string(name), 2});
    }
    void add_operator(std::size_t count, PgQuery__Node* const* name);
    void add_type(RelationName name);
    void add_alias(std::string_view name);
    // An operand of a cast to a date or time type; see Statement::columns_cast_to_time.
    void cast_to_time(const PgQuery__Node* operand);
    bool first_time(char kind, std::string_view a, std::string_view b = {}, int number = 0);

    Statement& out_;
    const std::string_view sql_;
    bool at_root_ = true;
    std::size_t tables_read_ = 0, tables_in_levels_ = 0;
    const PgQuery__RangeVar* into_ = nullptr;
    std::vector<std::string_view> ctes_;  // in scope
    std::unordered_set<std::string> seen_;
};

}  // namespace warmfront::sql
