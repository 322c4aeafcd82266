#include "tests/live/traps/asking.h"

#include <algorithm>
#include <cctype>

#include "proxy/wire/encode.h"

namespace warmfront::test {

std::string_view name_of(Delivery delivery) {
    switch (delivery) {
        case Delivery::Simple: return "simple";
        case Delivery::Unnamed: return "unnamed";
        case Delivery::Named: return "named";
    }
    return {};
}

Asker::Asker(const Options& options)
    : client_(must(RawClient::connect({.port = options.port,
                                       .user = options.user,
                                       .database = options.database,
                                       .parameters = {{"search_path", options.search_path}},
                                       .timeout = std::chrono::seconds(20)}))) {}

Messages Asker::exchange(const std::string& bytes, std::string_view copy_data) {
    must(client_.send(bytes));
    Messages answer;
    do {
        answer.push_back(must(client_.receive()));
        if (answer.back().type != 'G') continue;
        std::string data;
        wire::append_copy_data(data, copy_data);
        wire::append_copy_done(data);
        must(client_.send(data));
    } while (answer.back().type != 'Z');
    return answer;
}

Messages Asker::say(const std::string& sql) {
    return ask({sql}, Delivery::Simple);
}

static void append_bind(std::string& bytes, const std::string& name, const Question& question,
                        std::span<const std::uint16_t> result_formats) {
    std::vector<std::optional<std::string_view>> values;
    for (const auto& value : question.values)
        values.push_back(value.text ? std::optional<std::string_view>(*value.text) : std::nullopt);
    wire::append_bind(bytes, "", name, {}, values, result_formats);
}

Messages Asker::ask(const Question& question, Delivery delivery) {
    std::string bytes;
    switch (delivery) {
        case Delivery::Simple: wire::append_query(bytes, with_literals(question)); break;
        case Delivery::Unnamed:
            wire::append_parse(bytes, "", question.sql, {});
            append_bind(bytes, "", question, {});
            wire::append_describe(bytes, 'P', "");
            wire::append_execute(bytes, "", 0);
            wire::append_sync(bytes);
            break;
        case Delivery::Named: return ask_named(question);
    }
    return exchange(bytes);
}

Messages Asker::ask_named(const Question& question) {
    const std::string name =
        question.sql.substr(0, 60) + std::to_string(std::hash<std::string>{}(question.sql));
    std::string bytes;
    if (!prepared_.contains(name)) {
        wire::append_parse(bytes, name, question.sql, {});
        wire::append_describe(bytes, 'S', name);
        wire::append_sync(bytes);
        auto refused = exchange(bytes);
        if (!sqlstate_of(refused).empty()) return refused;
        prepared_.insert(name);
        bytes.clear();
    }
    const std::uint16_t binary[] = {1};
    append_bind(bytes, name, question, binary);
    wire::append_execute(bytes, "", 0);
    wire::append_sync(bytes);
    auto answer = exchange(bytes);
    if (sqlstate_of(answer) == "26000") prepared_.erase(name);  // by DISCARD, or a rolled back PREPARE
    return answer;
}

Messages Asker::run(const TrapStep& step, Delivery delivery) {
    if (step.copy_data) {
        std::string bytes;
        wire::append_query(bytes, step.question.sql);
        return exchange(bytes, *step.copy_data);
    }
    return ask(step.question, has_semicolon(step.question.sql) ? Delivery::Simple : delivery);
}

static bool is_ordered(std::string sql) {
    std::ranges::transform(sql, sql.begin(), [](unsigned char byte) { return std::toupper(byte); });
    return sql.find("ORDER BY") != std::string::npos;
}

static Messages comparable(const Question& question, Messages messages) {
    if (is_ordered(question.sql)) return messages;
    const auto is_row = [](const Message& message) { return message.type == 'D'; };
    const auto first = std::ranges::find_if(messages, is_row);
    const auto last = std::ranges::find_if_not(first, messages.end(), is_row);
    std::ranges::sort(first, last, {}, &Message::body);
    return messages;
}

void Asker::close_statements() {
    std::string bytes;
    for (const auto& name : prepared_) wire::append_close(bytes, 'S', name);
    prepared_.clear();
    wire::append_sync(bytes);
    (void)exchange(bytes);
}

std::string difference(const Question& question, const Messages& expected, const Messages& got) {
    if (comparable(question, expected) == comparable(question, got)) return {};
    return with_literals(question) + "\n  PostgreSQL:\n" + show(expected) + "  warmfront:\n" + show(got);
}

}  // namespace warmfront::test
