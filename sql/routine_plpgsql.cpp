// The door to libpg_query's PL/pgSQL parser and to nlohmann-json, in which it answers. PL/pgSQL hands every
// expression and every statement of SQL to SQL's parser as text; all these texts are collected, wherever in
// the tree they are, so that no kind of statement hides one.
//
// What is peculiar about libpg_query 15 here:
// - A text comes without saying what it is: a statement, an expression ("x + 1") or an assignment ("x := 1").
//   It is taken for each of these that it parses as.
// - It knows no types, so every variable but NEW and OLD is a scalar to it. Hence it refuses "r.field := x",
//   a bare RETURN NEXT and most uses of cursors. A body that it refuses is simplified; see simpler_plpgsql().
#include "sql/routine_plpgsql.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>
#include <pg_query.h>

#include "sql/statement_scan.h"

namespace warmfront::sql {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kQuote = "$warmfront_body$";
constexpr std::size_t kDepthMax = 500;  // of the tree that is walked here
constexpr int kError = 21;              // elog.h: ERROR

std::string declared(const std::vector<std::string>& arguments) {
    std::string list;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (!list.empty()) list += ", ";
        // One without a name would not be known as $2 either.
        const auto name = arguments[i].empty() ? fmt::format("warmfront_{}", i + 1) : arguments[i];
        list += '"';
        for (const char c : name) list.append(c == '"' ? 2 : 1, c);
        list += "\" text";
    }
    return list;
}

std::string definition(std::string_view body, const PlpgsqlSignature& signature) {
    using Kind = PlpgsqlSignature::Kind;
    const auto returns = [&]() -> std::string_view {
        switch (signature.kind) {
            case Kind::Value: return "RETURNS text";
            case Kind::Set: return "RETURNS SETOF text";
            case Kind::Void: return "RETURNS void";
            case Kind::Trigger: return "RETURNS trigger";
            case Kind::EventTrigger: return "RETURNS event_trigger";
            case Kind::Procedure: return "";
        }
        return "";
    }();
    return fmt::format("CREATE {} f({}) {} LANGUAGE plpgsql AS {}{}{}",
                       signature.kind == Kind::Procedure ? "PROCEDURE" : "FUNCTION",
                       declared(signature.arguments), returns, kQuote, body, kQuote);
}

// libpg_query's answer, or its error.
Result<Json> tree_of(const std::string& create_function) {
    // Its SQL parser keeps its state per thread; of PL/pgSQL's that is nowhere promised.
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    const PgQueryPlpgsqlParseResult parsed = pg_query_parse_plpgsql(create_function.c_str());
    Result<Json> tree = fail("42601", parsed.error != nullptr ? parsed.error->message : "no answer");
    if (parsed.error == nullptr && parsed.plpgsql_funcs != nullptr) {
        auto json = Json::parse(parsed.plpgsql_funcs, nullptr, false);
        if (json.is_array() && json.size() == 1 && json[0].contains("PLpgSQL_function"))
            tree = std::move(json[0]["PLpgSQL_function"]);
    }
    pg_query_free_plpgsql_parse_result(parsed);
    return tree;
}

bool blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

std::string folded(std::string_view text) {
    std::string word;
    for (const char c : text) {
        if (!blank({&c, 1})) word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return word;
}

class Reader {
public:
    Reader(Routine& out, std::size_t parameters) : out_(out), parameters_(static_cast<int>(parameters)) {}

    void read(const Json& function) {
        const auto datums = function.value("datums", Json::array());
        read_new_row(function, datums);
        for (const auto& datum : datums) {
            if (!datum.contains("PLpgSQL_var")) continue;
            const auto& variable = datum["PLpgSQL_var"];
            if (variable.contains("datatype"))
                add_type(variable["datatype"].value("/PLpgSQL_type/typname"_json_pointer, "UNKNOWN"));
        }
        walk(datums, 0);
        keeps_new_row_ = function.contains("new_varno");
        if (!function.contains("action")) return opaque("has a body that is not understood");
        in_action_ = true;
        walk(function["action"], 0);
        out_.keeps_new_row = keeps_new_row_ && out_.opaque.empty();
    }

private:
    void opaque(std::string why) {
        if (out_.opaque.empty()) out_.opaque = std::move(why);
    }

    void add_type(std::string type) {
        while (!type.empty() && type.back() == ' ') type.pop_back();
        if (std::ranges::find(out_.variable_types, type) == out_.variable_types.end())
            out_.variable_types.push_back(std::move(type));
    }

    // The places among the datums of NEW and of its fields.
    void read_new_row(const Json& function, const Json& datums) {
        if (!function.contains("new_varno")) return;
        const int row = function["new_varno"].get<int>();
        new_row_.insert(row);
        for (std::size_t i = 0; i < datums.size(); ++i) {
            if (datums[i].contains("PLpgSQL_recfield") &&
                datums[i]["PLpgSQL_recfield"].value("recparentno", 0) == row)
                new_row_.insert(static_cast<int>(i));
        }
    }

    void walk(const Json& node, std::size_t depth) {
        if (depth > kDepthMax) return opaque("is nested too deeply");
        if (node.is_array()) {
            for (const auto& item : node) walk(item, depth + 1);
            return;
        }
        if (!node.is_object()) return;
        for (const auto& [name, value] : node.items()) {
            if (name == "PLpgSQL_expr") {
                add_text(value.value("query", ""));
                continue;
            }
            if (in_action_) look_at(name, value);
            walk(value, depth + 1);
        }
    }

    // What a kind of statement, or a field of one, tells besides the texts in it.
    void look_at(std::string_view name, const Json& value) {
        static constexpr std::array<std::string_view, 2> kDynamic{"PLpgSQL_stmt_dynexecute",
                                                                  "PLpgSQL_stmt_dynfors"};
        if (std::ranges::find(kDynamic, name) != kDynamic.end() || name == "dynquery")
            return opaque("puts SQL text together at run time (EXECUTE)");
        if (name == "PLpgSQL_stmt_open" || name == "PLpgSQL_stmt_fetch" || name == "PLpgSQL_stmt_forc")
            out_.uses_cursors = true;
        if (name == "PLpgSQL_stmt_commit" || name == "PLpgSQL_stmt_rollback") out_.ends_transactions = true;
        if (name == "PLpgSQL_stmt_raise" && value.value("elog_level", 0) < kError) out_.tells_client = true;
        if (name == "PLpgSQL_stmt_call") keeps_new_row_ = false;  // an INOUT argument may be NEW's
        // A number that is missing is 0.
        if (name == "PLpgSQL_stmt_assign" || name == "PLpgSQL_stmt_foreach_a")
            assigned(value.value("varno", 0));
        if (name == "PLpgSQL_diag_item") assigned(value.value("target", 0));
        if (name == "PLpgSQL_rec") assigned(value.value("dno", 0));
        if (name == "PLpgSQL_row") {
            for (const auto& field : value.value("fields", Json::array())) assigned(field.value("varno", 0));
        }
        if (name == "PLpgSQL_stmt_return") {
            const auto given =
                value.is_object() ? folded(value.value("/expr/PLpgSQL_expr/query"_json_pointer, "null")) : "";
            if (given != "new" && given != "old" && given != "null" && given != "coalesce(new,old)")
                keeps_new_row_ = false;
        }
    }

    void assigned(int datum) {
        if (new_row_.contains(datum)) keeps_new_row_ = false;
        out_.assigns_parameters |= datum < parameters_;
    }

    void add_text(const std::string& text) {
        if (blank(text)) return;
        bool understood = add(parse(text));
        understood |= add(parse("SELECT " + text));
        const auto sides = sides_of_assignment(text);
        if (!sides.second.empty()) {
            const bool value = add(parse("SELECT " + std::string(sides.second)));
            // What is assigned to may compute a subscript.
            const bool target = sides.first.find('[') == std::string_view::npos ||
                                add(parse("SELECT " + std::string(sides.first)));
            understood |= value && target;
        }
        if (!understood) opaque("holds SQL that is not understood");
    }

    bool add(Result<std::vector<Statement>> parsed) {
        if (!parsed) return false;
        for (auto& statement : *parsed) {
            if (says_nothing(statement)) continue;
            if (out_.statements.size() >= kRoutineStatementsMax) {
                opaque("is too long");
                return true;
            }
            out_.statements.push_back(std::move(statement));
        }
        return true;
    }

    // A variable or a constant.
    static bool says_nothing(const Statement& statement) {
        return statement.kind == StatementKind::Select && statement.reads.empty() &&
               statement.writes.empty() && statement.functions.empty() && statement.types.empty() &&
               !statement.reads_clock && !statement.reads_role && !statement.system_columns;
    }

    Routine& out_;
    const int parameters_;  // they are the first datums
    bool in_action_ = false;
    std::unordered_set<int> new_row_;
    bool keeps_new_row_ = false;
};

}  // namespace

Routine read_plpgsql(std::string_view body, const PlpgsqlSignature& signature) {
    Routine routine;
    if (body.find(kQuote) != std::string_view::npos || body.find('\0') != std::string_view::npos ||
        may_nest_too_deeply(body)) {
        routine.opaque = "has a body that is not understood";
        return routine;
    }
    auto tree = tree_of(definition(body, signature));
    const bool as_written = tree.has_value();
    if (!as_written) {
        const auto simpler = simpler_plpgsql(body);
        routine.assigns_fields = simpler.assigns_fields;
        routine.uses_cursors = simpler.uses_cursors;
        tree = tree_of(definition(simpler.text, signature));
    }
    if (!tree) {
        routine.opaque = fmt::format("has a body that is not understood: {}", tree.error().text);
        return routine;
    }
    try {
        Reader(routine, signature.arguments.size()).read(*tree);
    } catch (const Json::exception&) {  // a field of another type than it has been so far
        routine.opaque = "has a body that is not understood";
    }
    routine.keeps_new_row &= as_written;
    return routine;
}

}  // namespace warmfront::sql
