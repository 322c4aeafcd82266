// proxy/control/dress.h: what a connection of warmfront's own must be told to answer as a client's session
// would, and whether it does: pure decisions for proxy/control/fetcher.
//
// A session is what sql/session_settings.h probes of it. Settings are set one by one; the role comes last.
// The proof is a probe afterwards: what does not come out exactly as wanted is not fetched under that key.
//
// Who asks. Where the client logged in as warmfront's own account, nothing is to be done. Otherwise:
//   Exact     SET SESSION AUTHORIZATION, which only a superuser may: session_user is the client's as well.
//   Assumed   SET ROLE, where the role was granted to the account: session_user stays ours, so a statement
//             that could see it (Analysis::reads_role) is not fetched.
// Neither keeps code that others wrote (functions, operators) from taking our account back with RESET, so
// statements that run such code are fetched as warmfront's own account only (Analysis::runs_user_code); and a
// superuser becomes somebody else only where the operator says so (RolesAllowed::All).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/result.h"
#include "config/settings.h"
#include "proxy/control/replay.h"

namespace warmfront::control {

enum class Guise { Own, Exact, Assumed };

// Values by name, in the probe's order; NULL as "\0".
using ProbedValues = std::vector<std::pair<std::string, std::string>>;

struct Dress {
    Guise guise = Guise::Own;
    std::string sql;  // simple queries' text, to be sent one after the other; empty: nothing to do
    std::string role_sql;
};

// base: the connection as it is without any. Fails with 42501 where the role may not be taken on.
[[nodiscard]] Result<Dress> dress_for(const Replay& wanted, const ProbedValues& base, bool superuser,
                                      PrewarmRoles roles);

// What a client's session would be probed as: what the replay says, else as the connection is. Fails with
// 55000, naming the setting, where the connection came out otherwise, and where it has temporary objects.
[[nodiscard]] Result<std::vector<std::string>> client_values(const Replay& wanted, const ProbedValues& probed,
                                                             Guise guise);

}  // namespace warmfront::control
