#include "proxy/session/prepared.h"

#include <utility>

namespace warmfront::session {

PreparedStatement* PreparedStatements::find(std::string_view name) {
    if (name.empty()) return has_unnamed_ ? &unnamed_ : nullptr;
    const auto found = named_.find(name);
    return found == named_.end() ? nullptr : &found->second;
}

void PreparedStatements::put(std::string_view name, PreparedStatement statement) {
    if (name.empty()) {
        unnamed_ = std::move(statement);
        has_unnamed_ = true;
        server_unnamed_ = ServerUnnamed::Same;
        return;
    }
    if (named_.size() >= kStatementsMax) return;
    named_.insert_or_assign(std::string(name), std::move(statement));
}

void PreparedStatements::put_unnamed(std::string_view sql, std::string_view parameter_types,
                                     const PlanRef& plan, Settled settled) {
    unnamed_.sql.assign(sql);
    unnamed_.parameter_types.assign(parameter_types);
    unnamed_.plan = plan;
    unnamed_.known = nullptr;
    unnamed_.parsed_version = plan->made_from->catalog_version;
    unnamed_.settled = settled;
    unnamed_.opaque = false;
    unnamed_.by_sql = false;
    has_unnamed_ = true;
    if (server_unnamed_ == ServerUnnamed::Same) server_unnamed_ = ServerUnnamed::Other;
}

void PreparedStatements::close(std::string_view name) {
    if (name.empty()) {
        has_unnamed_ = false;
        server_unnamed_ = ServerUnnamed::None;
        return;
    }
    if (const auto found = named_.find(name); found != named_.end()) named_.erase(found);
}

void PreparedStatements::failed(std::string_view name) {
    close(name);
}

void PreparedStatements::close_all() {
    close("");
    named_.clear();
}

void PreparedStatements::forget_by_sql() {
    std::erase_if(named_, [](const auto& entry) { return entry.second.by_sql; });
}

void PreparedStatements::simple_query(bool forwarded) {
    has_unnamed_ = false;
    if (forwarded)
        server_unnamed_ = ServerUnnamed::None;
    else if (server_unnamed_ == ServerUnnamed::Same)
        server_unnamed_ = ServerUnnamed::Other;
}

void PreparedStatements::unnamed_lost_on_server() {
    server_unnamed_ = ServerUnnamed::None;
}

PreparedStatements::Need PreparedStatements::needed_before_use() const {
    if (has_unnamed_) return server_unnamed_ == ServerUnnamed::Same ? Need::Nothing : Need::Parse;
    return server_unnamed_ == ServerUnnamed::None ? Need::Nothing : Need::Close;
}

}  // namespace warmfront::session
