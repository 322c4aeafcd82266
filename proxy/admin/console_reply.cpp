#include "proxy/admin/console_reply.h"

#include "proxy/wire/encode.h"

namespace warmfront::admin {

static constexpr std::string_view kBlanks = " \t\r\n\f\v";

static bool is_blank(char c) {
    return kBlanks.find(c) != std::string_view::npos;
}
// ASCII only: a locale must not decide what a command is.
static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void ConsoleReply::table(std::span<const std::string_view> columns,
                         const std::vector<std::vector<std::string>>& rows, std::string_view tag) {
    wire::append_text_row_description(bytes_, columns);
    std::vector<std::optional<std::string_view>> values;
    for (const auto& row : rows) {
        values.assign(row.begin(), row.end());
        wire::append_text_row(bytes_, values);
    }
    wire::append_command_complete(bytes_, tag);
}

void ConsoleReply::done(std::string_view tag) {
    wire::append_command_complete(bytes_, tag);
}

void ConsoleReply::empty() {
    wire::append_empty_query(bytes_);
}

void ConsoleReply::fail(const Error& error, std::string_view hint) {
    wire::append_error(bytes_, error.sqlstate, error.text, {.hint = hint});
}

std::string ConsoleReply::finish() && {
    wire::append_ready_for_query(bytes_, 'I');
    return std::move(bytes_);
}

std::string_view trimmed(std::string_view command) {
    while (!command.empty() && is_blank(command.front())) command.remove_prefix(1);
    while (!command.empty() && (is_blank(command.back()) || command.back() == ';')) command.remove_suffix(1);
    return command;
}

std::optional<std::string_view> after_words(std::string_view command, std::string_view words) {
    std::size_t at = 0;
    for (const char expected : words) {
        if (expected == ' ') {
            if (at == command.size() || !is_blank(command[at])) return std::nullopt;
            while (at < command.size() && is_blank(command[at])) ++at;
        } else if (at == command.size() || lower(command[at++]) != lower(expected)) {
            return std::nullopt;
        }
    }
    if (at < command.size() && !is_blank(command[at])) return std::nullopt;  // STATS is not STATSX
    return trimmed(command.substr(at));
}

static std::optional<NameAndRest> read_quoted_name(std::string_view text) {
    std::string name;
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] != '"')
            name += text[at];
        else if (at + 1 < text.size() && text[at + 1] == '"')
            name += text[at++];
        else if (name.empty())
            return std::nullopt;
        else
            return NameAndRest{std::move(name), trimmed(text.substr(at + 1))};
    }
    return std::nullopt;
}

std::optional<NameAndRest> read_name(std::string_view text) {
    if (text.empty()) return std::nullopt;
    if (text.front() == '"') return read_quoted_name(text);
    std::string name;
    for (; !text.empty() && !is_blank(text.front()) && text.front() != '"'; text.remove_prefix(1))
        name += lower(text.front());
    return NameAndRest{std::move(name), trimmed(text)};
}

}  // namespace warmfront::admin
