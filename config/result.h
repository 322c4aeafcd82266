// config/result.h: how a function that reads bytes, files, SQL or the network says that it failed.
//
// Result<T> is tl::expected (the shape of C++23's std::expected, which g++ 12 lacks). An Error carries the
// SQLSTATE that a client would see, so that any failure can be answered in PostgreSQL's own terms.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace warmfront {

struct Error {
    std::string sqlstate;  // five characters, PostgreSQL manual, appendix "Error Codes"
    std::string text;      // one line for a person: what failed, where, and the remedy if there is one
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string_view sqlstate, std::string text) {
    return tl::unexpected<Error>(Error{std::string(sqlstate), std::move(text)});
}

}  // namespace warmfront
