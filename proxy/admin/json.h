// proxy/admin/json.h: the little that is needed to write JSON. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace warmfront::admin::json {

[[nodiscard]] std::string quoted(std::string_view text);
// Six significant digits; null for what is not finite.
[[nodiscard]] std::string number(double value);
[[nodiscard]] std::string numbers(const std::vector<double>& values);
// The values are JSON already.
[[nodiscard]] std::string object(std::initializer_list<std::pair<std::string_view, std::string>> members);
[[nodiscard]] std::string array(const std::vector<std::string>& items);

}  // namespace warmfront::admin::json
