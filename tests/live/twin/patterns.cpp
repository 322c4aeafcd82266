#include "tests/live/twin/patterns.h"

#include <vector>

namespace warmfront::test {

template <typename T>
static std::vector<T> joined(std::span<const T> Subject::*member) {
    std::vector<T> all;
    for (const auto* subject : {&shop(), &effects(), &types(), &families(), &rights()})
        all.insert(all.end(), (subject->*member).begin(), (subject->*member).end());
    return all;
}

std::span<const std::string_view> schemas() {
    static const std::vector<std::string_view> kAll = {shop().schema, effects().schema, types().schema,
                                                       families().schema, rights().schema};
    return kAll;
}

std::span<const std::string_view> content_queries() {
    static const auto kAll = joined(&Subject::contents);
    return kAll;
}

std::span<const Pattern> read_patterns() {
    static const auto kAll = joined(&Subject::reads);
    return kAll;
}

std::span<const Pattern> write_patterns() {
    static const auto kAll = joined(&Subject::writes);
    return kAll;
}

std::span<const Pattern> definition_patterns() {
    static const auto kAll = joined(&Subject::definitions);
    return kAll;
}

std::span<const Pattern> session_patterns() {
    static const auto kAll = joined(&Subject::sessions);
    return kAll;
}

}  // namespace warmfront::test
