// Which operands of a cast to a date or time type could be the text 'now'. A literal or parameter could, and
// is looked at when an answer is stored (may_mean_now); so what counts here is text that comes out of the
// tables.
#include "sql/statement_time.h"

#include <algorithm>
#include <array>

#include "sql/statement_names.h"
#include "sql/statement_walk.h"

namespace warmfront::sql {
namespace {

bool holds(std::span<const std::string_view> sorted, std::string_view name) {
    return std::binary_search(sorted.begin(), sorted.end(), name);
}

// Built-in functions whose result is a date, time, number or interval, whatever their arguments are.
constexpr std::array<std::string_view, 17> kNeverText{"age",
                                                      "clock_timestamp",
                                                      "count",
                                                      "date_bin",
                                                      "date_part",
                                                      "date_trunc",
                                                      "extract",
                                                      "justify_days",
                                                      "justify_hours",
                                                      "make_date",
                                                      "make_time",
                                                      "make_timestamp",
                                                      "make_timestamptz",
                                                      "now",
                                                      "statement_timestamp",
                                                      "timezone",
                                                      "to_timestamp"};

// Functions that hand one of their arguments through.
constexpr std::array<std::string_view, 2> kPassThrough{"max", "min"};

}  // namespace

bool is_time_type(std::string_view name) {
    constexpr std::array<std::string_view, 11> kTimeTypes{
        "date",   "datemultirange", "daterange", "time",           "timestamp", "timestamptz",
        "timetz", "tsmultirange",   "tsrange",   "tstzmultirange", "tstzrange"};
    return holds(kTimeTypes, name);
}

void Walker::cast_to_time(const PgQuery__Node* operand) {
    if (operand == nullptr) return;
    const auto all = [this](std::size_t count, PgQuery__Node* const* nodes) {
        for (std::size_t i = 0; i < count; ++i) cast_to_time(nodes[i]);
    };
    switch (operand->node_case) {
        case PG_QUERY__NODE__NODE_A_CONST:
        case PG_QUERY__NODE__NODE_PARAM_REF:
        case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION: return;
        case PG_QUERY__NODE__NODE_COLUMN_REF: {
            const auto* column = operand->column_ref;
            const auto name = text_of(column->n_fields > 0 ? column->fields[column->n_fields - 1] : nullptr);
            if (name.empty()) break;
            if (first_time('t', name)) out_.columns_cast_to_time.emplace_back(name);
            return;
        }
        case PG_QUERY__NODE__NODE_TYPE_CAST: {
            const auto* inner = operand->type_cast;
            const auto [schema, name] = qualified(inner->type_name->n_names, inner->type_name->names);
            if (is_time_type(name)) return;  // judged where it is visited itself
            if (inner->arg != nullptr && (inner->arg->node_case == PG_QUERY__NODE__NODE_A_CONST ||
                                          inner->arg->node_case == PG_QUERY__NODE__NODE_PARAM_REF))
                return;
            break;
        }
        case PG_QUERY__NODE__NODE_A_EXPR: {  // no built-in + or - gives text; || does
            const auto name = qualified(operand->a_expr->n_name, operand->a_expr->name).second;
            if (name == "+" || name == "-") return;
            break;
        }
        case PG_QUERY__NODE__NODE_FUNC_CALL: {
            const auto* call = operand->func_call;
            const auto name = qualified(call->n_funcname, call->funcname).second;
            if (is_time_type(name) || holds(kNeverText, name)) return;
            if (holds(kPassThrough, name)) return all(call->n_args, call->args);
            break;
        }
        case PG_QUERY__NODE__NODE_COALESCE_EXPR:
            return all(operand->coalesce_expr->n_args, operand->coalesce_expr->args);
        case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
            return all(operand->min_max_expr->n_args, operand->min_max_expr->args);
        case PG_QUERY__NODE__NODE_CASE_EXPR:
            for (std::size_t i = 0; i < operand->case_expr->n_args; ++i)
                cast_to_time(operand->case_expr->args[i]->case_when->result);
            return cast_to_time(operand->case_expr->defresult);
        default: break;
    }
    out_.casts_other_to_time = true;
}

}  // namespace warmfront::sql
