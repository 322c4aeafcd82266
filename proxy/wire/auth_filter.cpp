#include "proxy/wire/auth_filter.h"

#include <algorithm>
#include <vector>

#include "proxy/wire/encode.h"

namespace warmfront::wire {
namespace {

bool binds_to_channel(std::string_view mechanism) {
    return mechanism.ends_with("-PLUS");
}

}  // namespace

Result<std::optional<std::string>> without_channel_binding(std::string_view body) {
    const auto authentication = decode_authentication(body);
    if (!authentication) return tl::unexpected<Error>(authentication.error());
    if (authentication->kind != static_cast<std::uint32_t>(AuthenticationKind::Sasl)) return std::nullopt;
    auto mechanisms = decode_sasl_mechanisms(authentication->data);
    if (!mechanisms) return tl::unexpected<Error>(mechanisms.error());
    if (std::erase_if(*mechanisms, binds_to_channel) == 0) return std::nullopt;
    if (mechanisms->empty())
        return fail("28000",
                    "PostgreSQL offers only authentication with channel binding, which cannot pass a proxy");
    std::string message;
    append_authentication_sasl(message, *mechanisms);
    return message;
}

std::optional<Error> channel_binding_refusal(const SaslInitialResponse& response, bool upstream_tls) {
    if (!upstream_tls || !response.data || !response.mechanism.starts_with("SCRAM-")) return std::nullopt;
    if (!response.data->starts_with('y') && !response.data->starts_with("p=")) return std::nullopt;
    return Error{
        "28000",
        "the client asks for SCRAM channel binding, which cannot pass a proxy that ends TLS; connect with "
        "channel_binding=disable"};
}

}  // namespace warmfront::wire
