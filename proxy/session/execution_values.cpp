#include "proxy/session/execution_values.h"

#include <cstddef>
#include <cstdint>

namespace warmfront::session {
namespace {

sql::Oid type_at(std::string_view types, std::size_t number) {
    if (types.size() < (number + 1) * 4) return sql::Oid{};
    std::uint32_t type = 0;
    for (std::size_t byte = 0; byte < 4; ++byte)
        type = type << 8 | static_cast<unsigned char>(types[number * 4 + byte]);
    return sql::Oid{type};
}

}  // namespace

ExecutionValues::ExecutionValues(std::string_view literals, bool utf8)
    : values_(sql::StatementValues::of_literals(literals, utf8)) {}

ExecutionValues::ExecutionValues(std::string_view parameter_types, const wire::Bind& bind, bool utf8) {
    const auto given = wire::decode_bind_parameters(bind);
    if (!given) return;
    parameters_.reserve(given->size());
    for (std::size_t i = 0; i < given->size(); ++i) {
        sql::RawValue value;
        value.null = !(*given)[i].value;
        value.binary = (*given)[i].format != 0;
        value.type = type_at(parameter_types, i);
        if (!value.null) value.bytes = *(*given)[i].value;
        parameters_.push_back(value);
    }
    values_ = sql::StatementValues::of_parameters(parameters_, utf8);
}

}  // namespace warmfront::session
