#include "sql/statement.h"

#include <cstdint>
#include <memory>
#include <string>

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include "sql/statement_kind.h"
#include "sql/statement_scan.h"

namespace warmfront::sql {
namespace {

struct FreeTree {
    void operator()(PgQuery__ParseResult* tree) const {
        pg_query__parse_result__free_unpacked(tree, nullptr);
    }
};
using Tree = std::unique_ptr<PgQuery__ParseResult, FreeTree>;

Result<Tree> tree_of(const std::string& sql) {
    const PgQueryProtobufParseResult packed = pg_query_parse_protobuf(sql.c_str());
    if (packed.error != nullptr) {
        auto failed = fail("42601", packed.error->message);
        pg_query_free_protobuf_parse_result(packed);
        return failed;
    }
    Tree tree(pg_query__parse_result__unpack(nullptr, packed.parse_tree.len,
                                             reinterpret_cast<const std::uint8_t*>(packed.parse_tree.data)));
    pg_query_free_protobuf_parse_result(packed);
    if (!tree) return fail("42601", "the parser's tree cannot be read");
    return tree;
}

}  // namespace

Result<std::vector<Statement>> parse(std::string_view sql) {
    if (sql.size() > kStatementBytesMax) return fail("54001", "the statement is longer than 1 MiB");
    if (sql.find('\0') != std::string_view::npos) return fail("42601", "the statement holds a zero byte");
    if (may_nest_too_deeply(sql)) return fail("54001", "the statement is nested too deeply");
    const std::string text(sql);
    const auto tree = tree_of(text);
    if (!tree) return tl::unexpected(tree.error());
    std::vector<Statement> statements;
    statements.reserve((*tree)->n_stmts);
    for (std::size_t i = 0; i < (*tree)->n_stmts; ++i)
        statements.push_back(statement_of((*tree)->stmts[i]->stmt, text));
    return statements;
}

}  // namespace warmfront::sql
