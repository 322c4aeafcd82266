// proxy/admin/console_reply.h: tables of text as wire messages, and small readers of a command's words.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"

namespace warmfront::admin {

class ConsoleReply {
public:
    // RowDescription, rows (each as long as columns), CommandComplete.
    void table(std::span<const std::string_view> columns, const std::vector<std::vector<std::string>>& rows,
               std::string_view tag = "SHOW");
    void done(std::string_view tag);
    void empty();
    void fail(const Error& error, std::string_view hint = {});
    // With ReadyForQuery.
    [[nodiscard]] std::string finish() &&;

private:
    std::string bytes_;
};

// Without blanks around it and semicolons at its end.
[[nodiscard]] std::string_view trimmed(std::string_view command);

// What follows if the command begins with these words ("SHOW STATS"; any case, any blanks between), trimmed.
[[nodiscard]] std::optional<std::string_view> after_words(std::string_view command, std::string_view words);

struct NameAndRest {
    std::string name;  // folded to lower case unless it was quoted
    std::string_view rest;
};
// The identifier that the text begins with; nullopt if it does not.
[[nodiscard]] std::optional<NameAndRest> read_name(std::string_view text);

}  // namespace warmfront::admin
