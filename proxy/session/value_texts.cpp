#include "proxy/session/value_texts.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "proxy/wire/cursor.h"

namespace warmfront::session {
namespace {

using forecast::OpaqueValue;

// pg_type.oid of what is read in binary format.
enum class Kind : std::uint8_t { Unknown, Integer, Uuid, Text, Other };
Kind kind_of(std::uint32_t type) {
    switch (type) {
        case 0: return Kind::Unknown;
        case 20:
        case 21:
        case 23: return Kind::Integer;
        case 2950: return Kind::Uuid;
        case 19:
        case 25:
        case 1042:
        case 1043: return Kind::Text;
        default: return Kind::Other;
    }
}

// What bytes of an unknown type are taken for.
Kind kind_by_size(std::size_t bytes) {
    switch (bytes) {
        case 2:
        case 4:
        case 8: return Kind::Integer;
        case 16: return Kind::Uuid;
        default: return Kind::Text;
    }
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// What may stand for a number literal without being cut differently: 12, 1.5.
bool is_plain_number(std::string_view text) {
    const auto whole = std::ranges::find_if_not(text, is_digit);
    if (whole == text.begin()) return false;
    if (whole == text.end()) return true;
    return *whole == '.' && whole + 1 != text.end() && std::all_of(whole + 1, text.end(), is_digit);
}

std::optional<std::string_view> take_literal(std::string_view& literals) {
    std::uint32_t size = 0;
    if (literals.size() < sizeof size) return std::nullopt;
    std::memcpy(&size, literals.data(), sizeof size);
    literals.remove_prefix(sizeof size);
    if (literals.size() < size) return std::nullopt;
    const auto literal = literals.substr(0, size);
    literals.remove_prefix(size);
    return literal;
}

void append_literal(std::string& out, std::string_view literal) {
    const auto size = static_cast<std::uint32_t>(literal.size());
    out.append(reinterpret_cast<const char*>(&size), sizeof size);
    out.append(literal);
}

std::int64_t integer_of(std::string_view bytes) {
    std::uint64_t value = (static_cast<unsigned char>(bytes[0]) & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(value);
}

constexpr std::string_view kHex = "0123456789abcdef";

std::array<char, 36> uuid_text(std::string_view bytes) {
    std::array<char, 36> text{};
    std::size_t at = 0;
    for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
        text[at++] = kHex[static_cast<unsigned char>(bytes[i]) >> 4];
        text[at++] = kHex[static_cast<unsigned char>(bytes[i]) & 15];
    }
    return text;
}

std::optional<std::string> uuid_bytes(std::string_view text) {
    std::string bytes;
    int high = -1;
    for (const char c : text) {
        if (c == '-') continue;
        const auto digit = kHex.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        if (high < 0) {
            high = static_cast<int>(digit);
        } else {
            bytes += static_cast<char>(high * 16 + static_cast<int>(digit));
            high = -1;
        }
    }
    if (bytes.size() != 16 || high >= 0 || std::string_view(uuid_text(bytes).data(), 36) != text)
        return std::nullopt;
    return bytes;
}

std::optional<std::string> integer_bytes(std::string_view text, std::size_t size) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (std::to_string(value) != text) return std::nullopt;
    const int bits = static_cast<int>(size) * 8;
    if (bits < 64 && (value < -(std::int64_t{1} << (bits - 1)) || value >= std::int64_t{1} << (bits - 1)))
        return std::nullopt;
    std::string bytes;
    for (int shift = bits - 8; shift >= 0; shift -= 8)
        bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xff);
    return bytes;
}

bool may_be_written(std::string_view value, bool utf8) {
    return std::ranges::all_of(value, [utf8](char c) {
        return c != '\0' && c != '\\' && (utf8 || static_cast<unsigned char>(c) < 0x80);
    });
}

std::optional<std::string> literal_like(std::string_view example, std::string_view value, bool utf8) {
    if (example.empty()) return std::nullopt;
    if (is_digit(example[0])) {
        if (!is_plain_number(value)) return std::nullopt;
        return std::string(value);
    }
    if (example[0] != '\'' || !may_be_written(value, utf8)) return std::nullopt;
    std::string literal = "'";
    for (const char c : value) literal.append(c == '\'' ? 2 : 1, c);
    return literal + "'";
}

std::optional<std::string> with_literals(std::string_view example, std::span<const std::string_view> values,
                                         bool utf8) {
    std::string out;
    for (const std::string_view value : values) {
        const auto literal = take_literal(example);
        if (!literal) return std::nullopt;
        const auto made = literal_like(*literal, value, utf8);
        if (!made) return std::nullopt;
        append_literal(out, *made);
    }
    if (!example.empty()) return std::nullopt;
    return out;
}

// The parts of an extended request's details.
struct BindParts {
    std::string_view types, formats, before_values, result_formats, from_result_formats;
    std::size_t count = 0;
    wire::Cursor values{"Bind", {}};  // at the first value

    [[nodiscard]] std::uint32_t type_of(std::size_t i) const {
        return types.size() < (i + 1) * 4 ? 0 : wire::load_uint32(types.data() + i * 4);
    }
    [[nodiscard]] bool is_binary(std::size_t i) const {
        if (formats.empty()) return false;
        const std::size_t at = formats.size() == 2 ? 0 : i * 2;
        return at + 2 <= formats.size() && wire::load_uint16(formats.data() + at) != 0;
    }
};

std::optional<BindParts> parts_of(std::string_view details) {
    std::uint64_t types_size = 0;
    if (details.size() < sizeof types_size) return std::nullopt;
    std::memcpy(&types_size, details.data(), sizeof types_size);
    details.remove_prefix(sizeof types_size);
    if (details.size() < types_size) return std::nullopt;
    BindParts parts;
    parts.types = details.substr(0, types_size);
    const std::string_view bind = details.substr(types_size);
    wire::Cursor cursor("Bind", bind);
    const std::size_t format_count = cursor.count(2);
    parts.formats = cursor.bytes(format_count * 2);
    parts.count = cursor.count(4);
    parts.before_values = bind.substr(0, bind.size() - cursor.rest().size());
    parts.values = cursor;
    for (std::size_t i = 0; i < parts.count; ++i) (void)cursor.nullable();
    parts.from_result_formats = cursor.rest();
    parts.result_formats = cursor.bytes(std::size_t{cursor.count(2)} * 2);
    if (cursor.failed() || !cursor.at_end()) return std::nullopt;
    return parts;
}

std::optional<std::string> parameter_like(std::string_view example, bool binary, std::uint32_t type,
                                          std::string_view value, bool utf8) {
    if (!binary) {
        if (!may_be_written(value, utf8)) return std::nullopt;
        return std::string(value);
    }
    Kind kind = kind_of(type);
    if (kind == Kind::Unknown) kind = kind_by_size(example.size());
    switch (kind) {
        case Kind::Integer: return integer_bytes(value, example.size());
        case Kind::Uuid: return uuid_bytes(value);
        case Kind::Text:
            if (!may_be_written(value, utf8)) return std::nullopt;
            if (type == 0 && kind_by_size(value.size()) != Kind::Text) return std::nullopt;
            return std::string(value);
        case Kind::Unknown:
        case Kind::Other: return std::nullopt;
    }
    return std::nullopt;
}

std::optional<std::string> with_parameters(std::string_view example, std::span<const std::string_view> values,
                                           bool utf8) {
    auto parts = parts_of(example);
    if (!parts || parts->count != values.size()) return std::nullopt;
    const std::uint64_t types_size = parts->types.size();
    std::string out(reinterpret_cast<const char*>(&types_size), sizeof types_size);
    out.append(parts->types).append(parts->before_values);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto former = parts->values.nullable();
        if (!former) return std::nullopt;
        const auto made = parameter_like(*former, parts->is_binary(i), parts->type_of(i), values[i], utf8);
        if (!made) return std::nullopt;
        for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(made->size() >> shift & 0xff);
        out += *made;
    }
    return out.append(parts->from_result_formats);
}

}  // namespace

void ValueTexts::read(char kind, std::string_view details, std::string_view row) {
    parameter_count_ = column_count_ = scratch_used_ = 0;
    result_formats_ = {};
    if (kind == 'Q')
        read_literals(details);
    else
        read_bind(details);
    read_row(row);
}

void ValueTexts::read_literals(std::string_view literals) {
    while (!literals.empty() && parameter_count_ < parameters_.size()) {
        const auto literal = take_literal(literals);
        if (!literal) return;
        add_parameter(text_of_literal(*literal));
    }
}

void ValueTexts::read_bind(std::string_view details) {
    auto parts = parts_of(details);
    if (!parts) return;
    result_formats_ = parts->result_formats;
    for (std::size_t i = 0; i < std::min(parts->count, parameters_.size()); ++i) {
        const auto value = parts->values.nullable();
        if (!value || !parts->is_binary(i))
            add_parameter(value);
        else
            add_parameter(text_of_binary(*value, parts->type_of(i)));
    }
}

// DataRow: a count of 2 bytes, then each column as a length and its bytes.
void ValueTexts::read_row(std::string_view row) {
    constexpr std::size_t kHeaderBytes = 5;
    if (row.size() < kHeaderBytes) return;
    wire::Cursor cursor("DataRow", row.substr(kHeaderBytes));
    const std::size_t count = std::min<std::size_t>(cursor.uint16(), columns_.size());
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = cursor.nullable();
        if (cursor.failed()) return;
        const std::size_t at = result_formats_.size() == 2 ? 0 : i * 2;
        const bool binary =
            at + 2 <= result_formats_.size() && wire::load_uint16(result_formats_.data() + at) != 0;
        columns_[column_count_++] = value && binary ? text_of_binary(*value, 0) : value;
    }
}

void ValueTexts::add_parameter(const OpaqueValue& text) {
    if (parameter_count_ < parameters_.size()) parameters_[parameter_count_++] = text;
}

OpaqueValue ValueTexts::kept(std::string_view text) {
    if (text.size() > scratch_.size() - scratch_used_) return std::nullopt;
    char* const place = scratch_.data() + scratch_used_;
    std::memcpy(place, text.data(), text.size());
    scratch_used_ += text.size();
    return std::string_view(place, text.size());
}

OpaqueValue ValueTexts::text_of_literal(std::string_view literal) {
    if (literal.empty()) return std::nullopt;
    if (is_digit(literal[0])) return literal;
    if (literal.size() < 2 || literal[0] != '\'' || literal.back() != '\'') return std::nullopt;
    const std::string_view inside = literal.substr(1, literal.size() - 2);
    if (inside.find('\'') == std::string_view::npos) return inside;
    if (inside.size() > scratch_.size() - scratch_used_) return std::nullopt;
    char* const place = scratch_.data() + scratch_used_;
    std::size_t size = 0;
    for (std::size_t i = 0; i < inside.size(); ++i) {
        if (inside[i] == '\'' && (i + 1 == inside.size() || inside[++i] != '\'')) return std::nullopt;
        place[size++] = inside[i];
    }
    scratch_used_ += size;
    return std::string_view(place, size);
}

OpaqueValue ValueTexts::text_of_binary(std::string_view bytes, std::uint32_t type) {
    Kind kind = kind_of(type);
    if (kind == Kind::Unknown) kind = kind_by_size(bytes.size());
    switch (kind) {
        case Kind::Integer: {
            if (bytes.empty() || bytes.size() > 8) return std::nullopt;
            std::array<char, 24> digits{};
            const auto end =
                std::to_chars(digits.data(), digits.data() + digits.size(), integer_of(bytes)).ptr;
            return kept({digits.data(), static_cast<std::size_t>(end - digits.data())});
        }
        case Kind::Uuid: {
            if (bytes.size() != 16) return std::nullopt;
            const auto text = uuid_text(bytes);
            return kept({text.data(), text.size()});
        }
        case Kind::Text: return bytes;
        case Kind::Unknown:
        case Kind::Other: return std::nullopt;
    }
    return std::nullopt;
}

std::optional<std::string> with_values(char kind, std::string_view example,
                                       std::span<const std::string_view> values, bool utf8) {
    return kind == 'Q' ? with_literals(example, values, utf8) : with_parameters(example, values, utf8);
}

}  // namespace warmfront::session
