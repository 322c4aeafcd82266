// proxy/session/value_texts.h: the values of a request and of its answer's first row, as texts that can be
// compared, and the way back: a request's key details with other values.
//
// A value's text is what PostgreSQL would write for it: of a number literal the literal, of a quoted one what
// the quotes hold, of a parameter or column in text format its bytes. In binary format, by the declared type:
// integers and uuids as text, texts as they are. Where the type is not known (columns, undeclared
// parameters), 2, 4 and 8 bytes are taken for an integer and 16 for a uuid: a wrong guess never agrees with
// anything, or agrees for the wrong reason and the same bytes come back. All else is not known (nullopt).
//
// Pure. Reading allocates nothing but for Bind parameters.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "forecast/next_query.h"

namespace warmfront::session {

class ValueTexts {
public:
    ValueTexts() = default;
    ValueTexts(const ValueTexts&) = delete;
    ValueTexts& operator=(const ValueTexts&) = delete;

    // details: as in a key (cache/key.h); row: the answer's first DataRow, whole message, perhaps cut off
    // (then the columns behind the cut are missing); empty: there is none. The texts point into both or into
    // this, valid until the next read. Malformed details give no values.
    void read(char kind, std::string_view details, std::string_view row);
    // Of more than NextQuery::kParameters one more than that.
    [[nodiscard]] std::span<const forecast::OpaqueValue> parameters() const {
        return {parameters_.data(), parameter_count_};
    }
    [[nodiscard]] std::span<const forecast::OpaqueValue> columns() const {
        return {columns_.data(), column_count_};
    }

private:
    static constexpr std::size_t kScratchBytes = 2048;
    void read_literals(std::string_view literals);
    void read_bind(std::string_view details);
    void read_row(std::string_view row);
    void add_parameter(const forecast::OpaqueValue& text);
    [[nodiscard]] forecast::OpaqueValue text_of_literal(std::string_view literal);
    [[nodiscard]] forecast::OpaqueValue text_of_binary(std::string_view bytes, std::uint32_t type);
    // nullopt where scratch_ is full.
    [[nodiscard]] forecast::OpaqueValue kept(std::string_view text);

    std::array<forecast::OpaqueValue, forecast::NextQuery::kParameters + 1> parameters_;
    std::array<forecast::OpaqueValue, forecast::NextQuery::kColumns> columns_;
    std::size_t parameter_count_ = 0, column_count_ = 0, scratch_used_ = 0;
    std::array<char, kScratchBytes> scratch_;
    std::string_view result_formats_;  // of the Bind read last; 2 bytes each
};

// The details of `example` with these values in the place of its own, as its sender would write them. utf8:
// the session's encoding is UTF-8; else only ASCII is written. nullopt where that is not sure: another number
// of values, a value that is no number where one stands, one with a backslash or zero byte, an integer out of
// range.
[[nodiscard]] std::optional<std::string> with_values(char kind, std::string_view example,
                                                     std::span<const std::string_view> values, bool utf8);

}  // namespace warmfront::session
