// config/setting_types.h: the types that a setting can have: each reads what was written and prints what it
// read.
//
// A type T has: T::Value; describe() (what is expected, for error texts and the documentation, as in "a size
// from 1MiB to 1GiB, such as 256MiB"); choices() (the words it knows, for the nearest one to a mistyped word;
// mostly none); parse(RawValue) and print(Value). parse(print(v)) == v, except for passwords, which print
// hides. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "config/settings.h"

namespace warmfront {

// A value as it was written, before it has a type.
struct RawValue {
    // Nothing: the key stands there without a value. Records: a list of small maps, such as {name: t, ttl:
    // 5s}.
    enum class Shape { Nothing, Scalar, List, Records };
    struct Field {
        std::string name, value;
        std::vector<std::string> items{};  // of a list; value is then empty
    };
    Shape shape = Shape::Nothing;
    std::vector<std::string> items;  // one for a scalar
    std::vector<std::vector<Field>> records;
};

struct Mismatch {
    // Which of RawValue::items or records is not as expected; beyond the last: the value as a whole.
    std::size_t item = 0;
    // Of a record: which field (beyond the last: the record as a whole), what was expected there and found.
    std::size_t field = 0;
    std::string expected{}, found{};
    std::vector<std::string_view> choices{};  // what may have been meant instead of `found`
};

template <typename T>
using Parsed = tl::expected<T, Mismatch>;

struct SettingType {  // what most types have in common
    static std::vector<std::string_view> choices() { return {}; }
};

struct BooleanType : SettingType {
    using Value = bool;
    static std::string describe();
    static Parsed<bool> parse(const RawValue& raw);
    static std::string print(bool value);
};

struct SizeType : SettingType {
    using Value = std::size_t;
    std::size_t min, max;  // bytes
    SizeType(std::size_t min_bytes, std::size_t max_bytes) : min(min_bytes), max(max_bytes) {}
    [[nodiscard]] std::string describe() const;
    [[nodiscard]] Parsed<std::size_t> parse(const RawValue& raw) const;
    static std::string print(std::size_t bytes);
};

struct DurationType : SettingType {
    using Value = std::chrono::milliseconds;
    Value min, max;
    DurationType(Value min_duration, Value max_duration) : min(min_duration), max(max_duration) {}
    [[nodiscard]] std::string describe() const;
    [[nodiscard]] Parsed<Value> parse(const RawValue& raw) const;
    static std::string print(Value duration);
};

// Durations, as a list, a single one, or one text with commas; none is fine.
struct DurationsType : SettingType {
    using Value = std::vector<std::chrono::milliseconds>;
    DurationType each;
    std::size_t count_max;
    DurationsType(DurationType each_within, std::size_t at_most) : each(each_within), count_max(at_most) {}
    [[nodiscard]] std::string describe() const;
    [[nodiscard]] Parsed<Value> parse(const RawValue& raw) const;
    static std::string print(const Value& durations);
};

// Whole seconds that divide an hour.
struct BucketType : SettingType {
    using Value = std::chrono::milliseconds;
    static std::string describe();
    static Parsed<Value> parse(const RawValue& raw);
    static std::string print(Value duration);
};

struct CountRange {
    std::uint64_t min, max;
    [[nodiscard]] std::string describe() const;
    [[nodiscard]] Parsed<std::uint64_t> parse(const RawValue& raw) const;
};

template <typename Integer>
struct CountType : SettingType {
    using Value = Integer;
    CountRange range;
    CountType(Integer min, Integer max) : range{min, max} {}
    [[nodiscard]] std::string describe() const { return range.describe(); }
    [[nodiscard]] Parsed<Integer> parse(const RawValue& raw) const {
        return range.parse(raw).map([](std::uint64_t number) { return static_cast<Integer>(number); });
    }
    static std::string print(Integer number) { return std::to_string(number); }
};

// A text that is taken as it is, without NUL bytes.
struct TextType : SettingType {
    using Value = std::string;
    std::string_view what;  // "a path"
    bool may_be_empty;
    TextType(std::string_view text_is, bool empty_allowed) : what(text_is), may_be_empty(empty_allowed) {}
    [[nodiscard]] std::string describe() const;
    [[nodiscard]] Parsed<std::string> parse(const RawValue& raw) const;
    static std::string print(const std::string& text) { return text; }
};

// Prints without passwords. What the keywords mean is libpq's to judge, not known here.
struct ConninfoType : SettingType {
    using Value = std::string;
    static std::string describe();
    static Parsed<std::string> parse(const RawValue& raw);
    static std::string print(const std::string& conninfo);
};

// Names, as a list or a single one; none is fine.
struct NamesType : SettingType {
    using Value = std::vector<std::string>;
    std::string_view what;  // "names of roles"
    explicit NamesType(std::string_view names_are) : what(names_are) {}
    [[nodiscard]] std::string describe() const;
    static Parsed<Value> parse(const RawValue& raw);
    static std::string print(const Value& names);
};

// One address or a list of them, at least one.
struct AddressesType : SettingType {
    using Value = std::vector<Address>;
    static std::string describe();
    static Parsed<Value> parse(const RawValue& raw);
    static std::string print(const Value& addresses);
};

// A host and port, or nothing.
struct OptionalTcpAddressType : SettingType {
    using Value = std::optional<Address>;
    static std::string describe();
    static Parsed<Value> parse(const RawValue& raw);
    static std::string print(const Value& address);
};

// A number from 0 to 1.
struct ShareType : SettingType {
    using Value = double;
    static std::string describe();
    static Parsed<double> parse(const RawValue& raw);
    static std::string print(double share);
};

// A list of records: what is chosen of (under `key`, each once), then cache, ttl and stale_if_error, of which
// one is given at least.
struct ChoicesType : SettingType {
    using Value = std::vector<Choice>;
    std::string_view key;   // "name"
    std::string_view what;  // "a table, as name or schema.name"
    DurationType ttl, stale_if_error;
    ChoicesType(std::string_view key_is, std::string_view of_what, DurationType ttl_within,
                DurationType stale_within)
        : key(key_is), what(of_what), ttl(ttl_within), stale_if_error(stale_within) {}
    [[nodiscard]] std::string describe() const;
    [[nodiscard]] Parsed<Value> parse(const RawValue& raw) const;
    // As YAML.
    [[nodiscard]] std::string print(const Value& choices) const;

private:
    [[nodiscard]] std::vector<std::string_view> fields() const {
        return {key, "cache", "ttl", "stale_if_error"};
    }
    [[nodiscard]] Parsed<Choice> parse_one(const std::vector<RawValue::Field>& record) const;
};

// As YAML reads it back: plain where it can be, else in double quotes.
[[nodiscard]] std::string yaml_text(std::string_view text);
// The item of a scalar; nullptr for nothing and for lists.
[[nodiscard]] const std::string* only_item(const RawValue& raw);
// "one of a, b, c"
[[nodiscard]] std::string describe_choices(const std::vector<std::string_view>& words);

template <typename Enum>
struct ChoiceType : SettingType {
    using Value = Enum;
    struct Choice {
        std::string_view word;
        Enum means;
    };
    std::vector<Choice> known;
    ChoiceType(std::initializer_list<Choice> words) : known(words) {}

    [[nodiscard]] std::vector<std::string_view> choices() const {
        std::vector<std::string_view> words;
        for (const Choice& choice : known) words.push_back(choice.word);
        return words;
    }
    [[nodiscard]] std::string describe() const { return describe_choices(choices()); }
    [[nodiscard]] Parsed<Enum> parse(const RawValue& raw) const {
        const std::string* written = only_item(raw);
        for (const Choice& choice : known)
            if (written && *written == choice.word) return choice.means;
        return tl::unexpected(Mismatch{});
    }
    [[nodiscard]] std::string print(Enum value) const {
        for (const Choice& choice : known)
            if (choice.means == value) return std::string(choice.word);
        return {};
    }
};

}  // namespace warmfront
