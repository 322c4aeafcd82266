#include "proxy/admin/json.h"

#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace warmfront::admin::json {

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out + "\"";
}

std::string number(double value) {
    return std::isfinite(value) ? fmt::format("{:.6g}", value) : "null";
}

std::string numbers(const std::vector<double>& values) {
    std::string out;
    for (const double value : values) out += (out.empty() ? "" : ",") + number(value);
    return "[" + out + "]";
}

std::string object(std::initializer_list<std::pair<std::string_view, std::string>> members) {
    std::string out;
    for (const auto& [name, value] : members)
        out += fmt::format("{}\"{}\":{}", out.empty() ? "{" : ",", name, value);
    return out + "}";
}

std::string array(const std::vector<std::string>& items) {
    return fmt::format("[{}]", fmt::join(items, ","));
}

}  // namespace warmfront::admin::json
