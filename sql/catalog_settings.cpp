#include "sql/catalog_settings.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "sql/routine.h"
#include "sql/session_settings.h"
#include "sql/statement.h"

namespace warmfront::sql {
namespace {

class Collector {
public:
    void text(const std::string& sql) {
        if (!may_read(sql)) return;
        const auto parsed = parse(sql);
        if (!parsed) return;
        for (const auto& statement : *parsed) take(statement);
    }
    void body(const Function& function, const Catalog& catalog) {
        if (!may_read(function.body)) return;
        const auto routine = catalog.routine(function);
        for (const auto& statement : routine->statements) take(statement);
    }
    [[nodiscard]] std::vector<std::string> found() const { return {names_.begin(), names_.end()}; }

private:
    // Most definitions read none: they are not parsed for it.
    static bool may_read(std::string_view text) {
        constexpr std::string_view kName = "current_setting";
        const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
        return std::search(text.begin(), text.end(), kName.begin(), kName.end(), same) != text.end();
    }
    static bool is_plain(std::string_view name) {
        return !name.empty() && name.size() < 64 && std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
        });
    }
    void take(const Statement& statement) {
        for (const auto& name : statement.settings_read)
            if (is_plain(name) && !is_probed(name)) names_.insert(name);
        for (const auto& inner : statement.inner) take(inner);
    }

    std::set<std::string> names_;
};

}  // namespace

std::vector<std::string> settings_read_by(const Catalog& catalog) {
    Collector collector;
    for (const auto& relation : catalog.relations) {
        for (const auto& policy : relation.policies) collector.text("SELECT " + policy);
        collector.text(relation.view_definition);
    }
    for (const auto& function : catalog.functions) collector.body(function, catalog);
    return collector.found();
}

}  // namespace warmfront::sql
