#include "config/setting_types.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/conninfo.h"
#include "config/values.h"

namespace warmfront {
namespace {

constexpr std::size_t kAddressesMax = 64;
constexpr std::size_t kNamesMax = 10'000;
constexpr std::size_t kWhole = std::numeric_limits<std::size_t>::max();

tl::unexpected<Mismatch> item_mismatch(std::size_t item) {
    return tl::unexpected(Mismatch{item});
}
tl::unexpected<Mismatch> whole_mismatch() {
    return tl::unexpected(Mismatch{kWhole});
}

// The scalar as `read` understands it, if it lies within the bounds.
template <typename T, typename Read>
Parsed<T> parse_within(const RawValue& raw, T min, T max, Read read) {
    const std::string* written = only_item(raw);
    const std::optional<T> value = written ? read(*written) : std::nullopt;
    if (!value || *value < min || *value > max) return whole_mismatch();
    return *value;
}

RawValue scalar(const std::string& text) {
    return {RawValue::Shape::Scalar, {text}, {}};
}

bool is_name(const std::string& text) {
    return !text.empty() && text.find_first_of(std::string_view("\0\n", 2)) == std::string::npos;
}

}  // namespace

std::string yaml_text(std::string_view text) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '.';
    };
    if (!text.empty() && std::ranges::all_of(text, plain)) return std::string(text);
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n')
            out += "\\n";
        else if (static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out + '"';
}

const std::string* only_item(const RawValue& raw) {
    return raw.shape == RawValue::Shape::Scalar ? &raw.items.front() : nullptr;
}

std::string describe_choices(const std::vector<std::string_view>& words) {
    return fmt::format("one of {}", fmt::join(words, ", "));
}

std::string BooleanType::describe() {
    return "true or false";
}
Parsed<bool> BooleanType::parse(const RawValue& raw) {
    return parse_within<bool>(raw, false, true, parse_boolean);
}
std::string BooleanType::print(bool value) {
    return value ? "true" : "false";
}

std::string SizeType::describe() const {
    return fmt::format("a size from {} to {}, such as 256MiB", print_size(min), print_size(max));
}
Parsed<std::size_t> SizeType::parse(const RawValue& raw) const {
    return parse_within(raw, min, max, parse_size);
}
std::string SizeType::print(std::size_t bytes) {
    return print_size(bytes);
}

std::string DurationType::describe() const {
    return fmt::format("a duration from {} to {} with its unit (ms, s, m, h, d), such as 10s",
                       print_duration(min), print_duration(max));
}
Parsed<std::chrono::milliseconds> DurationType::parse(const RawValue& raw) const {
    return parse_within(raw, min, max, parse_duration);
}
std::string DurationType::print(Value duration) {
    return print_duration(duration);
}

std::string DurationsType::describe() const {
    return fmt::format("up to {} durations, each {}", count_max, each.describe());
}
Parsed<DurationsType::Value> DurationsType::parse(const RawValue& raw) const {
    if (raw.shape == RawValue::Shape::Nothing) return Value{};
    if (raw.shape == RawValue::Shape::Records || raw.items.size() > count_max) return whole_mismatch();
    Value durations;
    for (std::size_t item = 0; item < raw.items.size(); ++item) {
        std::istringstream parts(raw.items[item]);
        for (std::string part; std::getline(parts, part, ',');) {
            const std::size_t from = std::min(part.find_first_not_of(' '), part.size());
            const auto duration =
                each.parse(scalar(part.substr(from, part.find_last_not_of(' ') + 1 - from)));
            if (!duration) return tl::unexpected(Mismatch{item});
            durations.push_back(*duration);
        }
    }
    if (durations.size() > count_max) return whole_mismatch();
    return durations;
}
std::string DurationsType::print(const Value& durations) {
    std::vector<std::string> texts;
    for (const auto duration : durations) texts.push_back(print_duration(duration));
    return fmt::format("{}", fmt::join(texts, ", "));
}

std::string BucketType::describe() {
    return "a duration from 1s to 1h, of whole seconds that divide an hour, such as 10s or 1m";
}
Parsed<std::chrono::milliseconds> BucketType::parse(const RawValue& raw) {
    using namespace std::chrono_literals;
    auto bucket = DurationType{1s, 1h}.parse(raw);
    if (bucket && (*bucket % 1s != 0s || 1h % *bucket != 0s)) return tl::unexpected(Mismatch{});
    return bucket;
}
std::string BucketType::print(Value duration) {
    return print_duration(duration);
}

std::string CountRange::describe() const {
    return fmt::format("a whole number from {} to {}", min, max);
}
Parsed<std::uint64_t> CountRange::parse(const RawValue& raw) const {
    return parse_within(raw, min, max, parse_count);
}

std::string TextType::describe() const {
    return fmt::format("{}{}", what, may_be_empty ? " or nothing" : "");
}
Parsed<std::string> TextType::parse(const RawValue& raw) const {
    const std::string nothing;
    const std::string* written = raw.shape == RawValue::Shape::Nothing ? &nothing : only_item(raw);
    if (!written || written->find('\0') != std::string::npos) return whole_mismatch();
    if (written->empty() && !may_be_empty) return whole_mismatch();
    return *written;
}

std::string ConninfoType::describe() {
    return R"(a libpq connection string or URI, such as "host=127.0.0.1 user=postgres")";
}
Parsed<std::string> ConninfoType::parse(const RawValue& raw) {
    return TextType("a connection string", false).parse(raw);
}
std::string ConninfoType::print(const std::string& conninfo) {
    return mask_passwords(conninfo);
}

std::string NamesType::describe() const {
    return fmt::format("a list of {}", what);
}
Parsed<std::vector<std::string>> NamesType::parse(const RawValue& raw) {
    if (raw.items.size() > kNamesMax) return whole_mismatch();
    for (std::size_t i = 0; i < raw.items.size(); ++i)
        if (!is_name(raw.items[i])) return item_mismatch(i);
    return raw.items;
}
std::string NamesType::print(const Value& names) {
    return fmt::format("{}", fmt::join(names, ", "));
}

std::string AddressesType::describe() {
    return fmt::format(
        "1 to {} addresses: host:port, *:port, [::1]:port with brackets for IPv6, or the path of a unix "
        "socket",
        kAddressesMax);
}
Parsed<std::vector<Address>> AddressesType::parse(const RawValue& raw) {
    if (raw.items.empty() || raw.items.size() > kAddressesMax) return whole_mismatch();
    std::vector<Address> addresses;
    for (const std::string& item : raw.items) {
        auto address = parse_address(item);
        if (!address) return item_mismatch(addresses.size());
        addresses.push_back(*std::move(address));
    }
    return addresses;
}
std::string AddressesType::print(const Value& addresses) {
    std::vector<std::string> texts;
    for (const Address& address : addresses) texts.push_back(print_address(address));
    return fmt::format("{}", fmt::join(texts, ", "));
}

std::string OptionalTcpAddressType::describe() {
    return "host:port, *:port, [::1]:port with brackets for IPv6, or nothing";
}
Parsed<std::optional<Address>> OptionalTcpAddressType::parse(const RawValue& raw) {
    if (raw.shape == RawValue::Shape::Nothing) return std::nullopt;
    const std::string* written = only_item(raw);
    if (written && written->empty()) return std::nullopt;
    auto address = written ? parse_address(*written) : std::nullopt;
    if (!address || !address->unix_path.empty()) return whole_mismatch();
    return address;
}
std::string OptionalTcpAddressType::print(const Value& address) {
    return address ? print_address(*address) : std::string();
}

std::string ShareType::describe() {
    return "a number from 0 to 1, such as 0.01";
}
Parsed<double> ShareType::parse(const RawValue& raw) {
    return parse_within<double>(raw, 0, 1, [](const std::string& text) -> std::optional<double> {
        double number = 0;
        const char* end = text.data() + text.size();
        const auto [stopped, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
        if (error != std::errc{} || stopped != end) return std::nullopt;
        return number;
    });
}
std::string ShareType::print(double share) {
    return fmt::format("{}", share);
}

std::string ChoicesType::describe() const {
    return fmt::format(
        "a list of {{{}: ..., cache: on or off, ttl: a duration, stale_if_error: a duration}}, where {} is "
        "{}",
        key, key, what);
}

Parsed<Choice> ChoicesType::parse_one(const std::vector<RawValue::Field>& record) const {
    Choice choice;
    const auto mismatch = [](std::size_t field, std::string expected, std::string found,
                             std::vector<std::string_view> known = {}) {
        return tl::unexpected(Mismatch{0, field, std::move(expected), std::move(found), std::move(known)});
    };
    for (std::size_t i = 0; i < record.size(); ++i) {
        const auto& [name, value, items] = record[i];
        const auto same = [&name = name](const RawValue::Field& field) { return field.name == name; };
        if (std::ranges::count_if(record, same) > 1) return mismatch(i, name + " only once", name);
        if (name == key) {
            if (!TextType(what, false).parse(scalar(value))) return mismatch(i, std::string(what), value);
            choice.of = value;
        } else if (name == "cache") {
            choice.cache = parse_boolean(value);
            if (!choice.cache) return mismatch(i, "on or off", value);
        } else if (name == "ttl" || name == "stale_if_error") {
            const DurationType& type = name == "ttl" ? ttl : stale_if_error;
            const auto parsed = type.parse(scalar(value));
            if (!parsed) return mismatch(i, type.describe(), value);
            (name == "ttl" ? choice.ttl : choice.stale_if_error) = *parsed;
        } else {
            return mismatch(i, describe_choices(fields()), name, fields());
        }
    }
    if (choice.of.empty()) return mismatch(kWhole, fmt::format("{} too: {}", key, what), "none");
    if (!choice.cache && !choice.ttl && !choice.stale_if_error)
        return mismatch(kWhole, "cache, ttl or stale_if_error too", "none of them");
    return choice;
}

Parsed<std::vector<Choice>> ChoicesType::parse(const RawValue& raw) const {
    Value choices;
    if (raw.shape == RawValue::Shape::Nothing || (raw.shape == RawValue::Shape::List && raw.items.empty()))
        return choices;
    if (raw.shape != RawValue::Shape::Records || raw.records.size() > kNamesMax) return whole_mismatch();
    for (const auto& record : raw.records) {
        auto choice = parse_one(record);
        if (choice && std::ranges::find(choices, choice->of, &Choice::of) != choices.end())
            choice = tl::unexpected(
                Mismatch{0, kWhole, fmt::format("each {} once", key), choice->of + " again", {}});
        if (!choice) {
            choice.error().item = choices.size();
            return tl::unexpected(choice.error());
        }
        choices.push_back(*std::move(choice));
    }
    return choices;
}

std::string ChoicesType::print(const Value& choices) const {
    std::vector<std::string> texts;
    for (const Choice& choice : choices) {
        std::string text = fmt::format("{{{}: {}", key, yaml_text(choice.of));
        if (choice.cache) text += *choice.cache ? ", cache: on" : ", cache: off";
        if (choice.ttl) text += ", ttl: " + print_duration(*choice.ttl);
        if (choice.stale_if_error) text += ", stale_if_error: " + print_duration(*choice.stale_if_error);
        texts.push_back(text + "}");
    }
    if (texts.size() == 1) return texts.front();
    return texts.empty() ? std::string() : fmt::format("[{}]", fmt::join(texts, ", "));
}

}  // namespace warmfront
