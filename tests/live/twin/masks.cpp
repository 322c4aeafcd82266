#include "tests/live/twin/masks.h"

#include <cstring>
#include <regex>

namespace warmfront::test {

static void mask_oid(std::string& body, std::size_t at) {
    constexpr unsigned char kFirstNormal[] = {0, 0, 0x40, 0};  // FirstNormalObjectId, 16384
    if (std::memcmp(body.data() + at, kFirstNormal, 4) >= 0) body.replace(at, 4, "user");
}

static void mask_row_description(std::string& body) {
    // field: name, zero, table OID 4, column 2, type OID 4, size 2, modifier 4, format 2
    for (std::size_t at = 2; at < body.size();) {
        const auto after_name = body.find('\0', at) + 1;
        if (after_name == 0 || after_name + 18 > body.size()) return;
        mask_oid(body, after_name);
        mask_oid(body, after_name + 6);
        at = after_name + 18;
    }
}

static void mask_error(std::string& body) {
    static const std::regex place("tuple \\([0-9]+,[0-9]+\\)");
    static const std::regex process("(P|p)rocess [0-9]+");
    static const std::regex slot("pg_temp_[0-9]+");  // of the backend
    body = std::regex_replace(body, place, "tuple (there)");
    body = std::regex_replace(body, process, "$1rocess N");
    body = std::regex_replace(body, slot, "pg_temp_N");
}

void mask(Messages& messages) {
    for (auto& [type, body] : messages) {
        switch (type) {
            case 'T': mask_row_description(body); break;
            case 't':
                for (std::size_t at = 2; at + 4 <= body.size(); at += 4) mask_oid(body, at);
                break;
            case 'E':
            case 'N': mask_error(body); break;
            case 'A': body.replace(0, 4, "pid "); break;
            case 'K': body = "pid, key"; break;
            default: break;
        }
    }
}

}  // namespace warmfront::test
