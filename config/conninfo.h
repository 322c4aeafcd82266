// config/conninfo.h: a connection string without its secrets, for logs and the console.
#pragma once

#include <string>
#include <string_view>

namespace warmfront {

// The libpq conninfo or URI with every password in it replaced by ***. What names a password but does not
// parse is hidden whole; a text that names none comes back as it is. Pure.
[[nodiscard]] std::string mask_passwords(std::string_view conninfo);

}  // namespace warmfront
