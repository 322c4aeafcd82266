#include "config/calendar_types.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/holidays.h"

namespace warmfront {
namespace {

constexpr std::size_t kWhole = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kTablesMax = 1'000;
constexpr std::string_view kMoment = "a day or a time (UTC), such as 2026-11-11 or 2026-11-11T16:00";
const std::vector<std::string_view> kFields{"name", "from", "to", "tables"};

tl::unexpected<Mismatch> mismatch(std::size_t field, std::string expected, std::string found) {
    return tl::unexpected(Mismatch{0, field, std::move(expected), std::move(found), {}});
}

Parsed<std::vector<std::string>> parse_tables(const RawValue::Field& field, std::size_t place) {
    const std::vector<std::string> tables = field.items.empty() ? std::vector{field.value} : field.items;
    if (tables.size() > kTablesMax)
        return mismatch(place, fmt::format("at most {} tables", kTablesMax), std::to_string(tables.size()));
    for (const std::string& table : tables)
        if (table.empty() || table.find('\0') != std::string::npos)
            return mismatch(place, "tables, as name or schema.name", table.empty() ? "nothing" : table);
    return tables;
}

Parsed<KnownEvent> parse_event(const std::vector<RawValue::Field>& record) {
    KnownEvent event;
    std::optional<Moment> from, to;
    std::size_t to_field = kWhole;
    for (std::size_t i = 0; i < record.size(); ++i) {
        const RawValue::Field& field = record[i];
        const auto same = [&](const RawValue::Field& other) { return other.name == field.name; };
        if (std::ranges::count_if(record, same) > 1)
            return mismatch(i, field.name + " only once", field.name);
        if (!field.items.empty() && field.name != "tables")
            return mismatch(i, field.name + " as a single value", "a list");
        if (field.name == "name") {
            if (field.value.empty()) return mismatch(i, "a name", "nothing");
            event.name = field.value;
        } else if (field.name == "from" || field.name == "to") {
            auto& moment = field.name == "from" ? from : to;
            moment = parse_moment(field.value);
            if (!moment)
                return mismatch(i, std::string(kMoment), field.value.empty() ? "nothing" : field.value);
            if (field.name == "to") to_field = i;
        } else if (field.name == "tables") {
            auto tables = parse_tables(field, i);
            if (!tables) return tl::unexpected(tables.error());
            event.tables = *std::move(tables);
        } else {
            return tl::unexpected(
                Mismatch{0, i, fmt::format("one of {}", fmt::join(kFields, ", ")), field.name, kFields});
        }
    }
    if (event.name.empty() || !from) return mismatch(kWhole, "name and from too", "not both of them");
    event.from_s = from->at_s;
    event.to_s = end_of(to ? *to : *from);
    if (event.to_s <= event.from_s)
        return mismatch(to_field, "an end after the begin", to ? print_end(event.to_s) : "no to");
    return event;
}

}  // namespace

std::string HolidaysType::describe() {
    return "a list of days or ranges (UTC), each with a name after it or without, such as 2026-11-11, "
           "\"2026-12-24..2026-12-26 christmas\", 2026-11-10T16:00..2026-11-11T16:00";
}

Parsed<std::vector<Holiday>> HolidaysType::parse(const RawValue& raw) {
    if (raw.shape == RawValue::Shape::Records || raw.items.size() > kHolidaysMax)
        return tl::unexpected(Mismatch{kWhole});
    Value holidays;
    for (const std::string& item : raw.items) {
        auto holiday = parse_holiday(item);
        if (!holiday) return tl::unexpected(Mismatch{holidays.size()});
        holidays.push_back(*std::move(holiday));
    }
    std::ranges::stable_sort(holidays, {}, &Holiday::from_s);
    return holidays;
}

std::string HolidaysType::print(const Value& holidays) {
    std::vector<std::string> texts;
    for (const Holiday& holiday : holidays) texts.push_back(print_holiday(holiday));
    return fmt::format("{}", fmt::join(texts, ", "));
}

std::string EventsType::describe() {
    return "a list of {name: ..., from: a day or a time (UTC), to: the same, tables: names}, of which to and "
           "tables may be left out";
}

Parsed<std::vector<KnownEvent>> EventsType::parse(const RawValue& raw) {
    Value events;
    if (raw.shape == RawValue::Shape::Nothing || (raw.shape == RawValue::Shape::List && raw.items.empty()))
        return events;
    if (raw.shape != RawValue::Shape::Records || raw.records.size() > kEventsMax)
        return tl::unexpected(Mismatch{kWhole});
    for (const auto& record : raw.records) {
        auto event = parse_event(record);
        if (!event) {
            event.error().item = events.size();
            return tl::unexpected(event.error());
        }
        events.push_back(*std::move(event));
    }
    std::ranges::stable_sort(events, {}, &KnownEvent::from_s);
    return events;
}

std::string EventsType::print(const Value& events) {
    std::vector<std::string> texts;
    for (const KnownEvent& event : events) {
        std::string text =
            fmt::format("{{name: {}, from: {}, to: {}", yaml_text(event.name),
                        yaml_text(print_begin(event.from_s)), yaml_text(print_end(event.to_s)));
        std::vector<std::string> tables;
        for (const std::string& table : event.tables) tables.push_back(yaml_text(table));
        if (!tables.empty()) text += fmt::format(", tables: [{}]", fmt::join(tables, ", "));
        texts.push_back(text + "}");
    }
    if (texts.size() == 1) return texts.front();
    return texts.empty() ? std::string() : fmt::format("[{}]", fmt::join(texts, ", "));
}

}  // namespace warmfront
