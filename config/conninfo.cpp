// Two grammars (PostgreSQL manual, "Connection Strings"):
//   keyword = value ...   blanks around = allowed; a value is 'quoted' or ends at a blank; \ escapes in both
//   postgresql://user:password@host:port/dbname?keyword=value&keyword=value
#include "config/conninfo.h"

#include <algorithm>

namespace warmfront {
namespace {

constexpr std::string_view kMask = "***";
constexpr std::string_view kBlanks = " \t\n\r\f\v";

bool is_secret(std::string_view keyword) {
    return keyword.ends_with("password");
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
    return std::min(text.find_first_not_of(kBlanks, at), text.size());
}

// Where the value that starts at `at` ends; npos if a quote is left open.
std::size_t end_of_value(std::string_view text, std::size_t at) {
    const bool quoted = at < text.size() && text[at] == '\'';
    for (std::size_t i = at + (quoted ? 1 : 0); i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (quoted && text[i] == '\'')
            return i + 1;
        else if (!quoted && kBlanks.find(text[i]) != std::string_view::npos)
            return i;
    }
    return quoted ? std::string_view::npos : text.size();
}

std::string mask_keywords(std::string_view text) {
    std::string masked;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t word = skip_blanks(text, at);
        const std::size_t word_end = std::min(text.find_first_of(" \t\n\r\f\v=", word), text.size());
        const std::size_t equals = skip_blanks(text, word_end);
        if (word == text.size()) return masked.append(text.substr(at));
        if (equals == text.size() || text[equals] != '=') return std::string(kMask);
        const std::size_t value = skip_blanks(text, equals + 1);
        const std::size_t value_end = end_of_value(text, value);
        if (value_end == std::string_view::npos) return std::string(kMask);
        const bool secret = is_secret(text.substr(word, word_end - word));
        masked.append(text.substr(at, value - at));
        masked.append(secret ? kMask : text.substr(value, value_end - value));
        at = value_end;
    }
    return masked;
}

// user:password@hosts becomes user:***@hosts. The last @ counts: of a malformed URI rather too much is
// hidden.
std::string mask_authority(std::string_view authority) {
    const std::size_t at = authority.rfind('@');
    const std::size_t colon = authority.find(':');
    if (at == std::string_view::npos || colon > at) return std::string(authority);
    return std::string(authority.substr(0, colon + 1)).append(kMask).append(authority.substr(at));
}

std::string mask_query(std::string_view query) {
    std::string masked;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size() - 1) + 1;
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = std::min(pair.find('='), pair.size());
        // A keyword may be percent-encoded; hiding its value then is the safe side.
        const std::string_view keyword = pair.substr(0, equals);
        const bool secret = is_secret(keyword) || keyword.find('%') != std::string_view::npos;
        masked.append(secret ? std::string(keyword).append("=").append(kMask) : std::string(pair));
        if (secret && pair.ends_with('&')) masked.push_back('&');
        query.remove_prefix(end);
    }
    return masked;
}

// As libpq: what stands before the first @ is user and password if no / comes earlier; a ? in there starts no
// query.
std::string mask_uri(std::string_view uri, std::size_t scheme_bytes) {
    const std::string_view rest = uri.substr(scheme_bytes);
    const std::size_t stop = rest.find_first_of("@/");
    const std::size_t hosts = stop != std::string_view::npos && rest[stop] == '@' ? stop : 0;
    const std::size_t question = std::min(rest.find('?', hosts), rest.size());
    std::string masked(uri.substr(0, scheme_bytes));
    masked += mask_authority(rest.substr(0, question));
    return masked + mask_query(rest.substr(question));
}

}  // namespace

std::string mask_passwords(std::string_view conninfo) {
    for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
        if (conninfo.starts_with(scheme)) return mask_uri(conninfo, scheme.size());
    }
    if (conninfo.find("password") == std::string_view::npos) return std::string(conninfo);
    return mask_keywords(conninfo);
}

}  // namespace warmfront
