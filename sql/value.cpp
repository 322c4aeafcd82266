// Only the plain spelling of each type is read, the one that drivers and PostgreSQL itself write; any other
// is left unjudged.
#include "sql/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>

#include <xxhash.h>

namespace warmfront::sql {
namespace {

// pg_type.oid. (They never change.)
constexpr Oid kBool{16}, kBytea{17}, kInt8{20}, kInt2{21}, kInt4{23}, kText{25}, kUnknown{705}, kBpchar{1042},
    kVarchar{1043}, kDate{1082}, kTimestamp{1114}, kTimestampTz{1184}, kNumeric{1700}, kUuid{2950};

struct ArrayType {
    Oid array, element;
};
constexpr std::array kArrays{
    ArrayType{Oid{1000}, kBool},    ArrayType{Oid{1001}, kBytea},       ArrayType{Oid{1005}, kInt2},
    ArrayType{Oid{1007}, kInt4},    ArrayType{Oid{1009}, kText},        ArrayType{Oid{1014}, kBpchar},
    ArrayType{Oid{1015}, kVarchar}, ArrayType{Oid{1016}, kInt8},        ArrayType{Oid{1115}, kTimestamp},
    ArrayType{Oid{1182}, kDate},    ArrayType{Oid{1185}, kTimestampTz}, ArrayType{Oid{1231}, kNumeric},
    ArrayType{Oid{2951}, kUuid},
};
constexpr Oid kNotJudged{0xffffffff};  // a type that accepts() knows nothing of

using Canonical = std::optional<CanonicalValue>;

CanonicalValue hashed(ValueKind family, std::string_view canonical_bytes) {
    CanonicalValue value;
    value.hash = XXH3_64bits_withSeed(canonical_bytes.data(), canonical_bytes.size(),
                                      static_cast<XXH64_hash_t>(family));
    return value;
}

CanonicalValue counted(ValueKind family, std::int64_t number) {
    auto value = hashed(family, {reinterpret_cast<const char*>(&number), sizeof number});
    value.ordered = true;
    value.order = number;
    return value;
}

std::optional<std::int64_t> network_order(std::string_view bytes) {
    if (bytes.size() != 2 && bytes.size() != 4 && bytes.size() != 8) return std::nullopt;
    std::uint64_t number = (static_cast<unsigned char>(bytes[0]) & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
    return static_cast<std::int64_t>(number);
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_ascii(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// Reads exactly `count` digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
    if (text.size() < count) return std::nullopt;
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (!is_digit(text[i])) return std::nullopt;
        number = number * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return number;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::int64_t> integer_of(std::string_view text) {
    while (take(text, ' ')) {
    }
    while (text.ends_with(' ')) text.remove_suffix(1);
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// Days since 2000-01-01. Source of the arithmetic: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::int64_t days_of(int year, int month, int day) {
    const int y = month <= 2 ? year - 1 : year;
    const int era = y / 400;
    const int of_era = y - era * 400;
    const int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return std::int64_t{era} * 146097 + days - 730425;
}

std::optional<std::int64_t> take_date(std::string_view& text) {
    const auto year = take_digits(text, 4);
    if (!year || *year == 0 || !take(text, '-')) return std::nullopt;
    const auto month = take_digits(text, 2);
    if (!month || *month < 1 || *month > 12 || !take(text, '-')) return std::nullopt;
    const auto day = take_digits(text, 2);
    if (!day || *day < 1 || *day > 31) return std::nullopt;
    return days_of(*year, *month, *day);
}

constexpr std::int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;

// Microseconds; hours 00 to 23, seconds with at most six decimals.
std::optional<std::int64_t> take_time(std::string_view& text) {
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59) return std::nullopt;
    std::int64_t time = (*hour * 60 + *minute) * 60 * kSecond;
    if (!take(text, ':')) return time;
    const auto second = take_digits(text, 2);
    if (!second || *second > 59) return std::nullopt;
    time += *second * kSecond;
    if (!take(text, '.')) return time;
    std::int64_t unit = kSecond / 10;
    std::size_t decimals = 0;
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), unit /= 10, ++decimals)
        time += unit * (text[0] - '0');
    if (decimals == 0 || decimals > 6) return std::nullopt;
    return time;
}

// Z, +hh, +hh:mm, +hhmm: microseconds east of Greenwich.
std::optional<std::int64_t> take_zone(std::string_view& text) {
    if (take(text, 'Z')) return 0;
    const bool west = text.starts_with('-');
    if (!west && !text.starts_with('+')) return std::nullopt;
    text.remove_prefix(1);
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 14) return std::nullopt;
    int minutes = *hour * 60;
    const bool colon = take(text, ':');
    if (colon || !text.empty()) {
        const auto minute = take_digits(text, 2);
        if (!minute || *minute > 59) return std::nullopt;
        minutes += *minute;
    }
    return (west ? -minutes : minutes) * 60 * kSecond;
}

std::optional<std::int64_t> timestamp_of(std::string_view text, bool zoned) {
    const auto date = take_date(text);
    if (date && text.empty() && !zoned) return *date * kDay;
    if (!date || (!take(text, ' ') && !take(text, 'T'))) return std::nullopt;
    const auto time = take_time(text);
    if (!time) return std::nullopt;
    std::int64_t zone = 0;
    if (zoned) {
        const auto found = take_zone(text);
        if (!found) return std::nullopt;
        zone = *found;
    }
    if (!text.empty()) return std::nullopt;
    return *date * kDay + *time - zone;
}

// "-12.50" to its sign, digits before and after the point without zeros that mean nothing.
struct Decimal {
    bool negative = false;
    std::string_view whole, fraction;
};

std::optional<Decimal> decimal_of(std::string_view text) {
    Decimal number;
    number.negative = text.starts_with('-');
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    const auto point = std::min(text.find('.'), text.size());
    number.whole = text.substr(0, point);
    if (point < text.size()) number.fraction = text.substr(point + 1);
    if (number.whole.empty() && number.fraction.empty()) return std::nullopt;
    if (!std::ranges::all_of(number.whole, is_digit) || !std::ranges::all_of(number.fraction, is_digit))
        return std::nullopt;
    number.whole.remove_prefix(std::min(number.whole.find_first_not_of('0'), number.whole.size()));
    while (number.fraction.ends_with('0')) number.fraction.remove_suffix(1);
    number.negative &= !number.whole.empty() || !number.fraction.empty();
    return number;
}

constexpr std::int64_t kOrderScale = 1'000'000;             // of Numeric's order: a millionth
constexpr std::int64_t kOrderWholeMax = 9'000'000'000'000;  // beyond, all are alike

// Rounded towards zero, which keeps the order.
std::int64_t order_of(const Decimal& number) {
    std::int64_t whole = 0, fraction = 0, unit = kOrderScale / 10;
    for (const char digit : number.whole) whole = std::min(whole * 10 + (digit - '0'), kOrderWholeMax);
    for (const char digit : number.fraction) {
        fraction += unit * (digit - '0');
        unit /= 10;
    }
    const std::int64_t order =
        whole >= kOrderWholeMax ? kOrderWholeMax * kOrderScale : whole * kOrderScale + fraction;
    return number.negative ? -order : order;
}

// numeric(precision, scale): what would be rounded is not judged.
bool fits_scale(const Decimal& number, std::int32_t modifier) {
    if (modifier < 4) return true;
    const auto scale = (modifier - 4) & 0x7ff;
    return scale <= 1000 && number.fraction.size() <= static_cast<std::size_t>(scale);
}

Canonical numeric(const Decimal& number, std::int32_t modifier) {
    if (!fits_scale(number, modifier)) return std::nullopt;
    std::string text = number.negative ? "-" : "";
    text.append(number.whole).append(".").append(number.fraction);
    auto value = hashed(ValueKind::Numeric, text);
    value.ordered = true;
    value.order = order_of(number);
    return value;
}

Canonical numeric_of(const ValueType& type, const RawValue& value) {
    if (!value.binary) {
        auto number = decimal_of(value.bytes);
        if (!number) return std::nullopt;
        const bool is_zero = number->whole.empty() && number->fraction.empty();
        number->negative ^= value.negated && !is_zero;
        return numeric(*number, type.modifier);
    }
    const bool whole = value.type == kInt2 || value.type == kInt4 || value.type == kInt8;
    const auto number = whole ? network_order(value.bytes) : std::nullopt;
    if (!number) return std::nullopt;
    const auto text = std::to_string(*number);
    return numeric(*decimal_of(text), type.modifier);
}

Canonical integer(const RawValue& value) {
    const auto number = value.binary ? network_order(value.bytes) : integer_of(value.bytes);
    if (!number || *number == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
    return counted(ValueKind::Integer, value.negated ? -*number : *number);
}

Canonical boolean(const RawValue& value) {
    if (value.binary) {
        if (value.bytes.size() != 1) return std::nullopt;
        return counted(ValueKind::Bool, value.bytes[0] != 0 ? 1 : 0);
    }
    if (value.bytes == "t" || value.bytes == "true") return counted(ValueKind::Bool, 1);
    if (value.bytes == "f" || value.bytes == "false") return counted(ValueKind::Bool, 0);
    return std::nullopt;
}

std::size_t characters_in(std::string_view utf8) {
    return static_cast<std::size_t>(
        std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// One of varchar(n) that is too long may be cut when it is stored.
bool fits_length(const ValueType& type, std::string_view text) {
    return type.modifier < 4 || characters_in(text) <= static_cast<std::size_t>(type.modifier - 4);
}

Canonical text(const ValueType& type, const RawValue& value) {
    auto bytes = value.bytes;
    if (!value.utf8 && !is_ascii(bytes)) return std::nullopt;
    if (type.kind == ValueKind::PaddedText)
        while (bytes.ends_with(' ')) bytes.remove_suffix(1);
    if (!fits_length(type, bytes)) return std::nullopt;
    return hashed(type.kind, bytes);
}

// Lower case by the database's locale; ASCII letters are folded alike by all but the Turkic ones, where what
// I and i equal is not ASCII.
Canonical citext(const RawValue& value) {
    if (!is_ascii(value.bytes)) return std::nullopt;
    std::string folded(value.bytes);
    for (char& c : folded)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return hashed(ValueKind::Citext, folded);
}

std::optional<int> hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return std::nullopt;
}

std::optional<std::string> bytes_of_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const auto high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
        if (!high || !low) return std::nullopt;
        bytes.push_back(static_cast<char>(*high << 4 | *low));
    }
    return bytes;
}

// PostgreSQL takes hyphens after any group of four digits and braces around the whole.
Canonical uuid(const RawValue& value) {
    if (value.binary) {
        return value.bytes.size() == 16 ? Canonical(hashed(ValueKind::Uuid, value.bytes)) : std::nullopt;
    }
    std::string hex(value.bytes);
    if (hex.starts_with('{') && hex.ends_with('}')) hex = hex.substr(1, hex.size() - 2);
    std::erase(hex, '-');
    const auto bytes = bytes_of_hex(hex);
    return bytes && bytes->size() == 16 ? Canonical(hashed(ValueKind::Uuid, *bytes)) : std::nullopt;
}

Canonical bytea(const RawValue& value) {
    if (value.binary) return hashed(ValueKind::Bytea, value.bytes);
    if (!value.bytes.starts_with("\\x")) return std::nullopt;
    const auto bytes = bytes_of_hex(value.bytes.substr(2));
    return bytes ? Canonical(hashed(ValueKind::Bytea, *bytes)) : std::nullopt;
}

Canonical date(const RawValue& value) {
    if (value.binary) {
        const auto days = value.bytes.size() == 4 ? network_order(value.bytes) : std::nullopt;
        return days ? Canonical(counted(ValueKind::Date, *days)) : std::nullopt;
    }
    auto text = value.bytes;
    const auto days = take_date(text);
    return days && text.empty() ? Canonical(counted(ValueKind::Date, *days)) : std::nullopt;
}

Canonical timestamp(const ValueType& type, const RawValue& value) {
    if (type.modifier >= 0 && type.modifier < 6) return std::nullopt;  // would be rounded
    const bool zoned = type.kind == ValueKind::TimestampTz;
    std::optional<std::int64_t> time;
    if (!value.binary)
        time = timestamp_of(value.bytes, zoned);
    else if (value.bytes.size() == 8)
        time = network_order(value.bytes);
    return time ? Canonical(counted(type.kind, *time)) : std::nullopt;
}

// Whether PostgreSQL compares a value of this type with such a column as the column's type would: then it is
// read as one of the column's.
bool accepts(const ValueType& column, const RawValue& value) {
    const Oid type = value.type;
    if (type == Oid{} || type == kUnknown || type == column.oid) return true;
    switch (column.kind) {
        case ValueKind::Integer: return type == kInt2 || type == kInt4 || type == kInt8;
        case ValueKind::Numeric: return type == kInt2 || type == kInt4 || type == kInt8 || type == kNumeric;
        // Of citext it is text = text then, which is finer: what that takes for equal, citext's does too.
        case ValueKind::Text:
        case ValueKind::Citext: return type == kText || type == kVarchar;
        case ValueKind::PaddedText: return type == kBpchar;
        default: return false;
    }
}

}  // namespace

ValueKind kind_of_type(Oid type, char typtype, std::string_view name, bool deterministic_collation) {
    if (typtype == 'e') return ValueKind::Enum;
    if (type == kInt2 || type == kInt4 || type == kInt8) return ValueKind::Integer;
    if (type == kBool) return ValueKind::Bool;
    if (type == kText || type == kVarchar) return deterministic_collation ? ValueKind::Text : ValueKind::None;
    if (type == kBpchar) return deterministic_collation ? ValueKind::PaddedText : ValueKind::None;
    if (type == kUuid) return ValueKind::Uuid;
    if (type == kDate) return ValueKind::Date;
    if (type == kTimestamp) return ValueKind::Timestamp;
    if (type == kTimestampTz) return ValueKind::TimestampTz;
    if (type == kNumeric) return ValueKind::Numeric;
    if (type == kBytea) return ValueKind::Bytea;
    if (!is_builtin(type) && typtype == 'b' && name == "citext")
        return deterministic_collation ? ValueKind::Citext : ValueKind::None;
    return ValueKind::None;
}

std::optional<CanonicalValue> canonical(const ValueType& type, const RawValue& value) {
    if (type.kind == ValueKind::None || !accepts(type, value)) return std::nullopt;
    if (value.negated && type.kind != ValueKind::Integer && type.kind != ValueKind::Numeric)
        return std::nullopt;
    if (value.null) {
        CanonicalValue null;
        null.null = true;
        return null;
    }
    switch (type.kind) {
        case ValueKind::None: return std::nullopt;
        case ValueKind::Integer: return integer(value);
        case ValueKind::Bool: return boolean(value);
        case ValueKind::Text:
        case ValueKind::PaddedText: return text(type, value);
        case ValueKind::Citext: return citext(value);
        case ValueKind::Uuid: return uuid(value);
        case ValueKind::Date: return date(value);
        case ValueKind::Timestamp:
        case ValueKind::TimestampTz: return timestamp(type, value);
        case ValueKind::Numeric: return numeric_of(type, value);
        case ValueKind::Enum:
            return value.utf8 || is_ascii(value.bytes) ? Canonical(hashed(ValueKind::Enum, value.bytes))
                                                       : std::nullopt;
        case ValueKind::Bytea: return bytea(value);
    }
    return std::nullopt;
}

bool is_ordered(ValueKind kind) {
    return kind == ValueKind::Integer || kind == ValueKind::Date || kind == ValueKind::Timestamp ||
           kind == ValueKind::TimestampTz || kind == ValueKind::Numeric;
}

bool same_family(const ValueType& a, const ValueType& b) {
    return a.kind == b.kind && a.kind != ValueKind::None && (a.kind != ValueKind::Enum || a.oid == b.oid);
}

// --- arrays ---

namespace {

Oid element_type(Oid array) {
    if (array == Oid{} || array == kUnknown) return Oid{};
    const auto* const found = std::ranges::find(kArrays, array, &ArrayType::array);
    return found == kArrays.end() ? kNotJudged : found->element;
}

// NULL, or with array_nulls off the text of it.
bool is_null_word(std::string_view element) {
    return std::ranges::equal(element, std::string_view("null"), {}, [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
}

using Elements = std::optional<std::vector<RawValue>>;

Elements elements_of_text(const RawValue& array, std::size_t elements_max) {
    auto text = array.bytes;
    if (!take(text, '{') || !text.ends_with('}')) return std::nullopt;
    text.remove_suffix(1);
    std::vector<RawValue> elements;
    while (!text.empty()) {
        if (elements.size() == elements_max) return std::nullopt;
        RawValue element = array;
        element.type = element_type(array.type);
        std::size_t end = 0;
        if (take(text, '"')) {
            end = text.find('"');
            if (end == std::string_view::npos) return std::nullopt;
            element.bytes = text.substr(0, end);
            text.remove_prefix(end + 1);
            if (!text.empty() && text[0] != ',') return std::nullopt;
        } else {
            end = std::min(text.find(','), text.size());
            element.bytes = text.substr(0, end);
            text.remove_prefix(end);
            if (element.bytes.empty() ||
                element.bytes.find_first_of("{}\"\\ \t\n\r\f\v") != std::string_view::npos)
                return std::nullopt;
            if (is_null_word(element.bytes)) return std::nullopt;
        }
        if (element.bytes.find('\\') != std::string_view::npos) return std::nullopt;
        elements.push_back(element);
        if (take(text, ',') && text.empty()) return std::nullopt;
    }
    return elements;
}

std::optional<std::int32_t> take_int32(std::string_view& bytes) {
    if (bytes.size() < 4) return std::nullopt;
    const auto number = network_order(bytes.substr(0, 4));
    bytes.remove_prefix(4);
    return static_cast<std::int32_t>(*number);
}

Elements elements_of_binary(const RawValue& array, std::size_t elements_max) {
    auto bytes = array.bytes;
    const auto dimensions = take_int32(bytes), has_null = take_int32(bytes), type = take_int32(bytes);
    if (!dimensions || !has_null || !type) return std::nullopt;
    if (*dimensions == 0) return Elements(std::in_place);
    const auto count = take_int32(bytes), first = take_int32(bytes);
    if (*dimensions != 1 || !count || !first || *count < 0 || static_cast<std::size_t>(*count) > elements_max)
        return std::nullopt;
    std::vector<RawValue> elements;
    for (std::int32_t i = 0; i < *count; ++i) {
        const auto length = take_int32(bytes);
        if (!length || (*length >= 0 && bytes.size() < static_cast<std::size_t>(*length)))
            return std::nullopt;
        RawValue element = array;
        element.type = Oid{static_cast<std::uint32_t>(*type)};
        element.null = *length < 0;
        if (!element.null) {
            element.bytes = bytes.substr(0, static_cast<std::size_t>(*length));
            bytes.remove_prefix(element.bytes.size());
        }
        elements.push_back(element);
    }
    return elements;
}

}  // namespace

std::optional<std::vector<RawValue>> elements_of(const RawValue& array, std::size_t elements_max) {
    if (array.null) return Elements(std::in_place);  // = ANY (NULL) is true of no row
    return array.binary ? elements_of_binary(array, elements_max) : elements_of_text(array, elements_max);
}

}  // namespace warmfront::sql
