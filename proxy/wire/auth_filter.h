// proxy/wire/auth_filter.h: keeps channel binding out of an authentication that passes through a proxy which
// ends TLS.
//
// SCRAM-SHA-256-PLUS binds the exchange to the server certificate of the TLS connection (RFC 5802, section 6,
// and tls-server-end-point of RFC 5929). Client and PostgreSQL see different certificates here, so it cannot
// succeed: the mechanism is taken out of the server's offer, and clients choose SCRAM-SHA-256, which passes
// through unchanged.
//
// What cannot be mended is a client's flag in its GS2 header: 'y' ("I could bind, but you do not offer it")
// makes a PostgreSQL that offered it refuse, because it looks like a downgrade attack, and the flag is under
// the client's proof. libpq sends it whenever its own connection is encrypted, unless told
// channel_binding=disable. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"
#include "proxy/wire/messages.h"

namespace warmfront::wire {

// body: of an Authentication message. Gives the whole message (type and length included) to send to the
// client instead, without the mechanisms whose names end in -PLUS; nullopt if it is to be passed on as it
// came, because it is another request or offers none of them. Fails with 08P01 on a malformed body, with
// 28000 if no mechanism would be left.
[[nodiscard]] Result<std::optional<std::string>> without_channel_binding(std::string_view body);

// The error (28000, naming the remedy) to refuse the client with when it claims channel binding ('y' or 'p')
// and upstream_tls says that PostgreSQL, reached over TLS, would hold it to that. nullopt: pass the response
// on.
[[nodiscard]] std::optional<Error> channel_binding_refusal(const SaslInitialResponse& response,
                                                           bool upstream_tls);

}  // namespace warmfront::wire
