#include "sql/routine.h"

#include <utility>

#include <fmt/format.h>

#include "sql/routine_plpgsql.h"

namespace warmfront::sql {
namespace {

constexpr Oid kVoid{2278};
constexpr Oid kEventTrigger{3838};

Routine opaque(std::string why) {
    Routine routine;
    routine.opaque = std::move(why);
    return routine;
}

PlpgsqlSignature signature_of(const Function& function) {
    using Kind = PlpgsqlSignature::Kind;
    const auto kind = [&] {
        if (function.kind == 'p') return Kind::Procedure;
        if (function.result == kEventTrigger) return Kind::EventTrigger;
        if (function.is_trigger) return Kind::Trigger;
        if (function.returns_set) return Kind::Set;
        return function.result == kVoid ? Kind::Void : Kind::Value;
    }();
    return {kind, function.arguments};
}

Routine read_sql(const Function& function) {
    auto parsed =
        parse(function.atomic ? fmt::format("CREATE FUNCTION f() RETURNS text LANGUAGE sql {}", function.body)
                              : function.body);
    if (!parsed) return opaque(fmt::format("has a body that is not understood: {}", parsed.error().text));
    if (function.atomic) {
        if (parsed->size() != 1) return opaque("has a body that is not understood");
        parsed = std::move(parsed->front().inner);
    }
    if (parsed->size() > kRoutineStatementsMax) return opaque("is too long");
    Routine routine;
    routine.statements = std::move(*parsed);
    return routine;
}

void read_settings(Routine& out, const Function& function) {
    for (const auto& setting : function.settings) {
        const auto split = setting.find('=');
        const auto name = std::string_view(setting).substr(0, split);
        if (name == "search_path" && split != std::string::npos) {
            out.sets_search_path = true;
            out.search_path = parse_search_path(std::string_view(setting).substr(split + 1));
        } else {
            out.sets_other = true;
            out.sets_role |= name == "role" || name == "session_authorization";
        }
    }
}

}  // namespace

Routine routine_of(const Function& function) {
    auto routine = [&] {
        if (function.language != "sql" && function.language != "plpgsql") {
            return opaque(function.language.empty() ? std::string("has a body that is not known")
                                                    : fmt::format("is written in {}", function.language));
        }
        if (function.body.empty() || function.body.size() > kRoutineBytesMax)
            return opaque("has a body that is too long to be kept");
        return function.language == "sql" ? read_sql(function)
                                          : read_plpgsql(function.body, signature_of(function));
    }();
    read_settings(routine, function);
    if (!function.defaults.empty()) {
        if (auto defaults = defaults_of(function))
            routine.statements.push_back(std::move(*defaults));
        else
            routine.opaque = "has defaults that are not understood";
    }
    return routine;
}

Result<Statement> defaults_of(const Function& function) {
    auto parsed = parse("SELECT " + function.defaults);
    if (!parsed) return tl::unexpected(parsed.error());
    if (parsed->size() != 1) return fail("42601", "no list of expressions");
    return std::move(parsed->front());
}

Routine routine_of_block(std::string_view language, std::string_view body) {
    if (language != "plpgsql") return opaque(fmt::format("is written in {}", language));
    if (body.size() > kRoutineBytesMax) return opaque("is too long");
    return read_plpgsql(body, {PlpgsqlSignature::Kind::Void, {}});
}

std::shared_ptr<const Routine> Routines::of(const Function& function) {
    const auto key = static_cast<std::uint32_t>(function.oid);
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = known_.find(key); found != known_.end()) return found->second;
    }
    const auto made = std::make_shared<const Routine>(routine_of(function));
    const std::lock_guard lock(mutex_);
    if (statements_ + made->statements.size() > kStatementsMax) {
        known_.clear();
        statements_ = 0;
    }
    const auto [place, is_new] = known_.emplace(key, made);
    if (is_new) statements_ += made->statements.size() + 1;
    return place->second;
}

}  // namespace warmfront::sql
