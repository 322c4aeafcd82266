// proxy/session/prepared.h: a session's prepared statements, as the client sees them and as the server has
// them.
//
// The two differ for the unnamed statement only: when an answer comes from the cache its Parse is never sent,
// so the server may lack it, or still hold an older one. needed_before_bind() says what must be sent first to
// bring the server in line. Named statements are always on the server. SQL's PREPARE shares the name space:
// such statements are known by name with the plan of the statement inside. At kStatementsMax names, further
// ones are not remembered; using them is opaque. Plain state of one session, no sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/session/name_map.h"
#include "proxy/session/plan.h"
#include "proxy/session/settled.h"

namespace warmfront::session {

struct PreparedStatement {
    std::string sql;
    std::string parameter_types;  // as in Parse: 4 bytes each
    PlanRef plan;                 // as of the last use; Planner::plan() renews it
    // The catalog when PostgreSQL was given it: the version in force; 0: none was, but the one loaded for
    // this epoch is as good.
    static constexpr std::uint64_t kNoEpoch = UINT64_MAX;
    std::uint64_t parsed_version = 0, parsed_epoch = kNoEpoch;
    PlanRef known;  // the last plan of known names
    Settled settled;
    bool opaque = false;  // too long to be kept: plan is fixed
    bool by_sql = false;  // made by SQL's PREPARE: its parameters' types are not known, it is never served
};

class PreparedStatements {
public:
    static constexpr std::size_t kStatementsMax = 10'000;

    [[nodiscard]] PreparedStatement* find(std::string_view name);
    // A Parse was sent to the server.
    void put(std::string_view name, PreparedStatement statement);
    // The unnamed one was answered here: the server lacks it. Reuses the former one's memory.
    void put_unnamed(std::string_view sql, std::string_view parameter_types, const PlanRef& plan,
                     Settled settled);
    void close(std::string_view name);   // Close, DEALLOCATE: gone on both sides
    void failed(std::string_view name);  // a Parse that was sent did not succeed
    void close_all();                    // DEALLOCATE ALL, DISCARD ALL
    void forget_by_sql();                // what runs unseen may have replaced those
    void simple_query(bool forwarded);   // a simple query destroys the unnamed statement

    enum class Need { Nothing, Parse, Close };
    // What the server needs before a Bind of (or Describe of, or failing reference to) the unnamed statement.
    [[nodiscard]] Need needed_before_use() const;
    void unnamed_lost_on_server();  // a query of our own destroyed it there
    void unnamed_is_on_server() { server_unnamed_ = ServerUnnamed::Same; }
    void unnamed_is_closed_on_server() { server_unnamed_ = ServerUnnamed::None; }

private:
    enum class ServerUnnamed { None, Same, Other };
    PreparedStatement unnamed_;
    bool has_unnamed_ = false;
    ServerUnnamed server_unnamed_ = ServerUnnamed::None;
    NameMap<PreparedStatement> named_;
};

}  // namespace warmfront::session
