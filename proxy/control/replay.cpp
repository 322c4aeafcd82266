// A template's literals are put back where their placeholders stand. Whether that gave the statement that was
// meant is not judged here: whoever fetches it makes a key of it again, and compares.
#include "proxy/control/replay.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "sql/tokenizer.h"

namespace warmfront::control {
namespace {

using Json = nlohmann::json;
const std::string kNull(1, '\0');

// Size: as long as it is written, 4 bytes in literals, 8 in a key.
template <typename Size>
std::optional<std::string_view> take_sized(std::string_view& bytes) {
    Size size = 0;
    if (bytes.size() < sizeof size) return std::nullopt;
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes.remove_prefix(sizeof size);
    if (bytes.size() < size) return std::nullopt;
    const auto taken = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return taken;
}

std::optional<std::string> put_back(std::string_view template_text, std::string_view literals) {
    std::string text;
    bool quoted = false;  // an identifier, which may hold any byte
    for (const char c : template_text) {
        if (c == '"') quoted = !quoted;
        if (quoted || (c != sql::kNumberPlaceholder && c != sql::kStringPlaceholder)) {
            text += c;
            continue;
        }
        const auto literal = take_sized<std::uint32_t>(literals);
        if (!literal) return std::nullopt;
        text += *literal;
    }
    if (!literals.empty()) return std::nullopt;
    return text;
}

std::string hex_of(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        hex += kDigits[static_cast<unsigned char>(c) >> 4];
        hex += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return hex;
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

std::optional<std::string> bytes_of(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = digit_of(hex[i]), low = digit_of(hex[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

tl::unexpected<Error> bad(const std::string& what) {
    return fail("22023", "this is no replay: " + what);
}

Result<Replay> read(const Json& json) {
    if (!json.is_object() || json.value("v", 0) != 1) return bad("it is not an object with v = 1");
    Replay replay;
    replay.database = json.value("database", "");
    replay.statement = json.value("statement", "");
    if (replay.database.empty() || replay.statement.empty()) return bad("it has no database or statement");
    if (replay.statement.find('\0') != std::string::npos) return bad("its statement holds a zero byte");
    const std::string kind = json.value("kind", "simple");
    if (kind != "simple" && kind != "extended") return bad("kind is simple or extended");
    replay.kind = kind == "simple" ? 'Q' : 'E';
    replay.row_limit = json.value("row_limit", std::uint32_t{0});
    const Json settings = json.value("settings", Json::object());
    if (!settings.is_object()) return bad("settings is not an object");
    for (const auto& [name, value] : settings.items()) {
        if (!value.is_string() && !value.is_null()) return bad("a setting is neither text nor null");
        replay.settings.emplace_back(name, value.is_null() ? kNull : value.get<std::string>());
    }
    if (replay.kind == 'Q') return replay;
    const auto types = bytes_of(json.value("types", "")), bind = bytes_of(json.value("bind", ""));
    if (!types || types->size() % 4 != 0) return bad("types are not bytes of four each");
    if (!bind || !bind_of(*bind)) return bad("bind is not the rest of a Bind message");
    replay.parameter_types = *types;
    replay.bind = *bind;
    return replay;
}

}  // namespace

const std::string* Replay::setting(std::string_view name) const {
    const auto found = std::ranges::find(settings, name, &std::pair<std::string, std::string>::first);
    return found == settings.end() ? nullptr : &found->second;
}

std::optional<wire::Bind> bind_of(std::string_view after_names) {
    std::string body("\0\0", 2);
    body += after_names;
    const auto checked = wire::decode_bind(body);
    if (!checked) return std::nullopt;
    wire::Bind bind = *checked;
    bind.portal = bind.statement = {};
    bind.after_names = after_names;
    return bind;
}

std::optional<Replay> replay_of(const sql::SessionSettings& settings, std::string_view template_text,
                                char kind, std::uint32_t row_limit, std::string_view details) {
    if (template_text.size() + details.size() > kReplayBytesMax / 2) return std::nullopt;
    Replay replay;
    replay.database = settings.database;
    const auto& names = sql::probed_settings();
    for (std::size_t i = 0; i < settings.values.size(); ++i)
        replay.settings.emplace_back(
            i < names.size() ? std::string(names[i]) : settings.watched[i - names.size()],
            settings.values[i]);
    replay.kind = kind;
    replay.row_limit = row_limit;
    if (kind == 'Q') {
        auto statement = put_back(template_text, details);
        if (!statement) return std::nullopt;
        replay.statement = std::move(*statement);
        return replay;
    }
    const auto types = take_sized<std::uint64_t>(details);
    if (!types) return std::nullopt;
    replay.statement = template_text;
    replay.parameter_types = *types;
    replay.bind = details;
    return replay;
}

std::optional<std::string> text_of(const Replay& replay) {
    Json json{{"v", 1},
              {"database", replay.database},
              {"kind", replay.kind == 'Q' ? "simple" : "extended"},
              {"statement", replay.statement}};
    Json& settings = json["settings"] = Json::object();
    for (const auto& [name, value] : replay.settings)
        settings[name] = value == kNull ? Json(nullptr) : Json(value);
    if (replay.row_limit != 0) json["row_limit"] = replay.row_limit;
    if (replay.kind != 'Q') {
        json["types"] = hex_of(replay.parameter_types);
        json["bind"] = hex_of(replay.bind);
    }
    try {
        std::string text = json.dump();
        if (text.size() > kReplayBytesMax) return std::nullopt;
        return text;
    } catch (const Json::exception&) {  // a text is not UTF-8
        return std::nullopt;
    }
}

Result<Replay> parse_replay(std::string_view text) {
    if (text.size() > kReplayBytesMax) return bad("it is too long");
    try {
        return read(Json::parse(text));
    } catch (const Json::exception& failed) {
        return bad(failed.what());
    }
}

}  // namespace warmfront::control
