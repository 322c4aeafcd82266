#include "tests/live/twin/delivery.h"

#include "proxy/wire/encode.h"

namespace warmfront::test {

using Mode = Style::Mode;

Style draw_style(Random& random) {
    struct Choice {
        unsigned weight;
        Mode mode;
    };
    static constexpr Choice kModes[] = {{34, Mode::Simple},  {22, Mode::Unnamed}, {24, Mode::Named},
                                        {6, Mode::RowLimit}, {6, Mode::Flush},    {8, Mode::SqlPrepare}};
    return {.mode = random.pick_weighted<Choice>(kModes).mode,
            .declare_types = random.chance(50),
            .describe_statement = random.chance(20),
            .describe_portal = random.chance(80),
            .binary_parameters = random.chance(30),
            .result_formats = static_cast<int>(random.below(3)) - 1,
            .wait_for_copy = random.chance(50)};
}

static std::vector<std::uint32_t> types_of(const Statement& statement) {
    std::vector<std::uint32_t> types;
    for (const auto& parameter : statement.parameters) types.push_back(parameter.domain->type);
    return types;
}

static void append_bind(std::string& out, std::string_view portal, std::string_view name,
                        const Statement& statement, const Style& style) {
    std::vector<std::uint16_t> formats;
    std::vector<std::optional<std::string>> kept;  // owns the binary values that the views point into
    std::vector<std::optional<std::string_view>> values;
    kept.reserve(statement.parameters.size());
    for (const auto& parameter : statement.parameters) {
        kept.push_back(style.binary_parameters && style.declare_types ? binary(parameter) : std::nullopt);
        formats.push_back(kept.back() ? 1 : 0);
        const auto& shown = kept.back() ? kept.back() : parameter.value;
        values.push_back(shown ? std::optional<std::string_view>(*shown) : std::nullopt);
    }
    std::vector<std::uint16_t> result_formats;
    if (style.result_formats >= 0) result_formats.push_back(static_cast<std::uint16_t>(style.result_formats));
    wire::append_bind(out, portal, name, formats, values, result_formats);
}

Step Delivery::deliver(const Statement& statement, const Style& style) {
    if (statement.simple_only || style.mode == Mode::Simple) return simple(statement, style);
    const bool can_be_prepared = statement.sql.starts_with("SELECT") || statement.sql.starts_with("UPDATE") ||
                                 statement.sql.starts_with("INSERT") || statement.sql.starts_with("DELETE");
    if (style.mode == Mode::SqlPrepare && can_be_prepared) return sql_prepared(statement);
    return extended(statement, style);
}

Step Delivery::simple(const Statement& statement, const Style& style) const {
    Step step{statement.kind, with_literals(statement), {}};
    std::string bytes;
    wire::append_query(bytes, step.text);
    if (statement.copy_in) {
        std::string data;
        wire::append_copy_data(data, *statement.copy_in);
        wire::append_copy_done(data);
        if (style.wait_for_copy) {
            step.exchanges.push_back(
                {.bytes = std::exchange(bytes, {}), .until = Exchange::Until::CopyOrReady});
        }
        bytes += data;  // sent at once otherwise: PostgreSQL drops the data of a COPY that fails
        step.text += " <<< " + *statement.copy_in;
    }
    step.exchanges.push_back({.bytes = bytes});
    return step;
}

static std::string name_for(const Statement& statement) {
    std::uint32_t hash = 2166136261;  // FNV-1a: the same everywhere
    for (const char c : statement.sql) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
    return "st" + std::to_string(hash % 12);
}

// Appends what makes the statement known under the name that comes back.
std::string Delivery::prepare(const Statement& statement, const Style& style, std::string& bytes,
                              std::string& replies) {
    const bool named = style.mode == Mode::Named || style.mode == Mode::RowLimit;
    const std::string name = named ? name_for(statement) : std::string();
    const std::string known_as = statement.sql + (style.declare_types ? " typed" : "");
    if (named) {
        const auto known = prepared_.find(name);
        if (known != prepared_.end() && known->second == known_as) return name;
        if (known != prepared_.end()) {
            wire::append_close(bytes, 'S', name);
            replies += 'C';
        }
        prepared_[name] = known_as;
    }
    const auto types = types_of(statement);
    wire::append_parse(bytes, name, statement.sql,
                       style.declare_types ? std::span(types) : std::span<const std::uint32_t>());
    replies += 'P';
    return name;
}

Step Delivery::extended(const Statement& statement, const Style& style) {
    std::string bytes;
    std::string replies;
    const std::string name = prepare(statement, style, bytes, replies);
    if (style.describe_statement) {
        wire::append_describe(bytes, 'S', name);
        replies += 'D';
    }
    const std::string portal = style.mode == Mode::RowLimit ? "portal" : "";
    append_bind(bytes, portal, name, statement, style);
    if (style.describe_portal) wire::append_describe(bytes, 'P', portal);
    wire::append_execute(bytes, portal, style.mode == Mode::RowLimit ? 2 : 0);
    replies += style.describe_portal ? "BDE" : "BE";
    if (style.mode == Mode::RowLimit) {
        wire::append_execute(bytes, portal, 1);
        wire::append_execute(bytes, portal, 0);
        wire::append_close(bytes, 'P', portal);
    }
    Step step{statement.kind, statement.sql + " [" + with_literals(statement) + "] as '" + name + "'", {}};
    if (style.mode == Mode::Flush) {
        wire::append_flush(bytes);
        step.exchanges.push_back(
            {.bytes = std::exchange(bytes, {}), .until = Exchange::Until::Replies, .replies = replies});
    }
    wire::append_sync(bytes);
    step.exchanges.push_back({.bytes = bytes});
    return step;
}

// PREPARE and EXECUTE as SQL; in one string the first time.
Step Delivery::sql_prepared(const Statement& statement) {
    const std::string name = "sql_" + name_for(statement);
    Step step{statement.kind, {}, {}};
    const auto say = [&step](const std::string& text) {
        std::string bytes;
        wire::append_query(bytes, text);
        step.exchanges.push_back({.bytes = bytes});
        step.text += (step.text.empty() ? "" : "; ") + text;
    };
    if (const auto known = prepared_.find(name); known == prepared_.end() || known->second != statement.sql) {
        if (known != prepared_.end()) say("DEALLOCATE " + name);
        say("PREPARE " + name + " AS " + statement.sql);
        prepared_[name] = statement.sql;
    }
    std::string execute = "EXECUTE " + name;
    for (std::size_t i = 0; i < statement.parameters.size(); ++i)
        execute += (i == 0 ? "(" : ", ") + literal(statement.parameters[i]);
    if (!statement.parameters.empty()) execute += ')';
    say(execute);
    return step;
}

Step Delivery::pipeline(std::span<const Statement> statements, Random& random, bool syncs) {
    Step step{Kind::Read, syncs ? "pipeline with syncs:" : "pipeline:", {}};
    std::string bytes;
    std::string replies;
    for (const auto& statement : statements) {
        if (statement.kind != Kind::Read) step.kind = statement.kind;
        step.text += " | " + with_literals(statement);
        Style style = draw_style(random);
        if (style.mode == Mode::Simple && syncs) {
            wire::append_query(bytes, with_literals(statement));
            continue;
        }
        style.mode = random.chance(50) ? Mode::Named : Mode::Unnamed;
        const std::string name = prepare(statement, style, bytes, replies);
        append_bind(bytes, "", name, statement, style);
        if (style.describe_portal) wire::append_describe(bytes, 'P', "");
        wire::append_execute(bytes, "", 0);
        if (syncs) wire::append_sync(bytes);
    }
    if (!syncs) wire::append_sync(bytes);
    step.exchanges.push_back({.bytes = bytes, .ready = syncs ? static_cast<unsigned>(statements.size()) : 1});
    return step;
}

Step Delivery::oddity(Random& random) {
    using namespace std::string_literals;
    std::string bytes;
    std::string text;
    switch (random.below(9)) {
        case 0: text = "a lone Sync"; break;
        case 1:
            text = "Execute of an unknown portal";
            wire::append_execute(bytes, "nowhere", 0);
            break;
        case 2:
            text = "Describe of an unknown statement";
            wire::append_describe(bytes, 'S', "nowhere");
            break;
        case 3:
            text = "Close of unknown names";
            wire::append_close(bytes, 'S', "nowhere");
            wire::append_close(bytes, 'P', "nowhere");
            break;
        case 4:
            text = "Bind of an unknown statement";
            wire::append_bind(bytes, "", "nowhere", {}, {}, {});
            break;
        case 5:
            text = "Bind with too few parameters";
            wire::append_parse(bytes, "", "SELECT $1::int", {});
            wire::append_bind(bytes, "", "", {}, {}, {});
            break;
        case 6:
            text = "Parse of two commands";
            wire::append_parse(bytes, "", "SELECT 1; SELECT 2", {});
            break;
        case 7:
            text = "messages after an error are skipped";
            wire::append_parse(bytes, "", "SELECT nonsense", {});
            wire::append_bind(bytes, "", "", {}, {}, {});
            wire::append_execute(bytes, "", 0);
            wire::append_flush(bytes);
            break;
        default:  // int4pl(2, 3), both in binary; answered with its own ReadyForQuery
            return {Kind::Session,
                    "FunctionCall",
                    {{.bytes = "F\0\0\0\x20\0\0\0\xb1\0\1\0\1\0\2\0\0\0\4\0\0\0\2\0\0\0\4\0\0\0\3\0\1"s}}};
    }
    wire::append_sync(bytes);
    return {Kind::Session, text, {{.bytes = bytes}}};
}

void Delivery::observe(const Messages& answer) {
    const auto state = sqlstate_of(answer);
    if (state != "26000" && state != "42P05") return;
    // Some name is unknown to the server or taken. Which, the answer tells a person only: prepare each anew,
    // after a Close, which is no error for an unknown name, while DEALLOCATE is.
    if (state == "26000")
        std::erase_if(prepared_, [](const auto& entry) { return entry.first.starts_with("sql_"); });
    for (auto& [name, sql] : prepared_) sql.clear();
}

}  // namespace warmfront::test
