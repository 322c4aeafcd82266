// What a client may write as a statement: what is cut comes back as a statement that is cut alike, and no
// longer. The first byte of the input chooses the options.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "config/ensure.h"
#include "sql/tokenizer.h"

using namespace warmfront;

namespace {

std::string put_back(const std::string& text, const std::string& literals) {
    std::string sql;
    std::size_t at = 0;
    for (const char c : text) {
        if (c != sql::kNumberPlaceholder && c != sql::kStringPlaceholder) {
            sql += c;
            continue;
        }
        std::uint32_t length = 0;
        ensure(literals.size() - at >= sizeof length, "a placeholder has its literal");
        std::memcpy(&length, literals.data() + at, sizeof length);
        at += sizeof length;
        ensure(literals.size() - at >= length, "a literal is whole");
        sql.append(literals, at, length);
        at += length;
    }
    ensure(at == literals.size(), "a literal has its placeholder");
    return sql;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const sql::NormalizeOptions options{(data[0] & 1) != 0, (data[0] & 2) != 0};
    const std::string_view statement(reinterpret_cast<const char*>(data) + 1, size - 1);
    (void)sql::may_mean_now(statement);
    std::string text, literals, again_text, again_literals;
    if (!sql::normalize(statement, options, text, literals)) return 0;
    const std::string back = put_back(text, literals);
    ensure(back.size() <= statement.size(), "nothing is added");
    ensure(sql::normalize(back, options, again_text, again_literals), "what came back can be cut");
    ensure(again_text == text && again_literals == literals, "what came back is the same statement");
    return 0;
}
