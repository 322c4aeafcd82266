#include "sql/session_settings.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront::sql;

namespace {

// What PostgreSQL 15 answers to the probe right after installation; tests change single values.
std::string default_value(std::string_view name) {
    struct Row {
        std::string_view name;
        std::string_view value;
    };
    constexpr std::array<Row, 14> values{{{"current_database", "app"},
                                          {"session_user", "alice"},
                                          {"current_user", "alice"},
                                          {"has_temp_objects", "f"},
                                          {"current_schemas", "public, \"B c\""},
                                          {"search_path", "\"$user\", away, public, \"B c\""},
                                          {"client_encoding", "UTF8"},
                                          {"client_min_messages", "notice"},
                                          {"standard_conforming_strings", "on"},
                                          {"default_transaction_isolation", "read committed"},
                                          {"statement_timeout", "0"},
                                          {"idle_session_timeout", "0"},
                                          {"idle_in_transaction_session_timeout", "0"},
                                          {"hnsw.ef_search", std::string_view("\0", 1)}}};
    const auto found = std::ranges::find(values, name, &Row::name);
    return found == values.end() ? "x" : std::string(found->value);
}

using Changes = std::vector<std::pair<std::string_view, std::string>>;

std::vector<std::string> probed(const Changes& changes = {}) {
    std::vector<std::string> values;
    std::size_t changed = 0;
    for (const std::string_view name : probed_settings()) {
        values.push_back(default_value(name));
        for (const auto& [changed_name, value] : changes) {
            if (changed_name != name) continue;
            values.back() = value;
            ++changed;
        }
    }
    REQUIRE(changed == changes.size());
    return values;
}

std::shared_ptr<const SessionSettings> settings_with(const Changes& changes) {
    SettingsInterner interner(10);
    return interner.intern(probed(changes));
}

std::vector<std::string> words(const char* text) {
    std::istringstream in(text);
    std::vector<std::string> all;
    for (std::string word; in >> word;) all.push_back(word);
    return all;
}

bool is_probed(const std::string& name) {
    return std::ranges::find(probed_settings(), name) != probed_settings().end();
}

// Every setting of PostgreSQL 15 with context user or superuser, and the hidden ones that SET takes, by
// decision.
constexpr const char* kProbed15 =
    "DateStyle IntervalStyle TimeZone array_nulls backslash_quote bytea_output client_encoding "
    "client_min_messages "
    "composite_type_mismatch default_text_search_config default_transaction_isolation escape_string_warning "
    "extra_float_digits gin_fuzzy_search_limit idle_in_transaction_session_timeout idle_session_timeout "
    "ignore_checksum_failure lc_messages lc_monetary lc_numeric "
    "lc_time "
    "quote_all_identifiers restrict_nonsystem_relation_kind row_security search_path "
    "session_replication_role "
    "standard_conforming_strings statement_timeout timezone_abbreviations transform_null_equals xmlbinary "
    "xmloption "
    "zero_damaged_pages";
constexpr const char* kProbedByEffect15 =
    "role session_authorization";  // their effect is current_user, session_user
constexpr const char* kNotProbedButNotHarmless15 =
    "transaction_isolation";  // of the transaction, not the session
constexpr const char* kHarmless15 =
    "allow_in_place_tablespaces allow_system_table_mods application_name backend_flush_after "
    "backtrace_functions "
    "check_function_bodies client_connection_check_interval commit_delay commit_siblings compute_query_id "
    "constraint_exclusion cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost cursor_tuple_fraction "
    "deadlock_timeout debug_discard_caches debug_pretty_print debug_print_parse debug_print_plan "
    "debug_print_rewritten default_statistics_target default_table_access_method default_tablespace "
    "default_toast_compression default_transaction_deferrable default_transaction_read_only "
    "dynamic_library_path "
    "effective_cache_size effective_io_concurrency enable_async_append enable_bitmapscan enable_gathermerge "
    "enable_hashagg enable_hashjoin enable_incremental_sort enable_indexonlyscan enable_indexscan "
    "enable_material "
    "enable_memoize enable_mergejoin enable_nestloop enable_parallel_append enable_parallel_hash "
    "enable_partition_pruning enable_partitionwise_aggregate enable_partitionwise_join enable_seqscan "
    "enable_sort "
    "enable_tidscan exit_on_error extension_destdir force_parallel_mode from_collapse_limit geqo geqo_effort "
    "geqo_generations geqo_pool_size geqo_seed geqo_selection_bias geqo_threshold gin_pending_list_limit "
    "hash_mem_multiplier jit jit_above_cost "
    "jit_dump_bitcode jit_expressions jit_inline_above_cost jit_optimize_above_cost jit_tuple_deforming "
    "join_collapse_limit lo_compat_privileges local_preload_libraries lock_timeout log_duration "
    "log_error_verbosity log_executor_stats log_lock_waits log_min_duration_sample "
    "log_min_duration_statement "
    "log_min_error_statement log_min_messages log_parameter_max_length log_parameter_max_length_on_error "
    "log_parser_stats log_planner_stats log_replication_commands log_statement log_statement_sample_rate "
    "log_statement_stats log_temp_files log_transaction_sample_rate logical_decoding_work_mem "
    "maintenance_io_concurrency maintenance_work_mem max_parallel_maintenance_workers max_parallel_workers "
    "max_parallel_workers_per_gather max_stack_depth min_parallel_index_scan_size "
    "min_parallel_table_scan_size "
    "output_plugin_libraries parallel_leader_participation parallel_setup_cost parallel_tuple_cost "
    "password_encryption plan_cache_mode random_page_cost recursive_worktable_factor seed seq_page_cost "
    "session_preload_libraries stats_fetch_consistency synchronize_seqscans synchronous_commit "
    "tcp_keepalives_count tcp_keepalives_idle tcp_keepalives_interval tcp_user_timeout temp_buffers "
    "temp_file_limit temp_tablespaces trace_notify trace_sort track_activities track_counts track_functions "
    "track_io_timing track_wal_io_timing transaction_deferrable transaction_read_only update_process_title "
    "vacuum_cost_delay vacuum_cost_limit vacuum_cost_page_dirty vacuum_cost_page_hit vacuum_cost_page_miss "
    "vacuum_failsafe_age vacuum_freeze_min_age vacuum_freeze_table_age vacuum_multixact_failsafe_age "
    "vacuum_multixact_freeze_min_age vacuum_multixact_freeze_table_age wal_compression "
    "wal_consistency_checking "
    "wal_init_zero wal_recycle wal_sender_timeout wal_skip_threshold work_mem";

}  // namespace

TEST_CASE("session settings: every setting that PostgreSQL 15 lets a session change is decided") {
    for (const std::string& name : words(kProbed15)) {
        CAPTURE(name);
        CHECK(is_probed(name));
        CHECK(alters_answers(name));
    }
    for (const std::string& name : words(kProbedByEffect15)) CHECK(alters_answers(name));
    for (const std::string& name : words(kNotProbedButNotHarmless15)) CHECK(alters_answers(name));
    for (const std::string& name : words(kHarmless15)) {
        CAPTURE(name);
        CHECK_FALSE(is_probed(name));
        CHECK_FALSE(alters_answers(name));
    }
}

TEST_CASE("session settings: every GUC that is probed counts as altering answers") {
    const auto& names = probed_settings();
    for (std::size_t i = 6; i < names.size(); ++i) {
        CAPTURE(names[i]);
        CHECK(alters_answers(names[i]));
    }
}

TEST_CASE("session settings: a name counts in any case, and unknown names count as altering answers") {
    struct Row {
        std::string_view name;
        bool alters;
    };
    for (const auto& [name, alters] : std::vector<Row>{{"timezone", true},
                                                       {"TIMEZONE", true},
                                                       {"TimeZone", true},
                                                       {"APPLICATION_NAME", false},
                                                       {"Work_Mem", false},
                                                       {"work_me", true},
                                                       {"work_mem ", true},
                                                       {"", true},
                                                       {"all", true},
                                                       {" ", true},
                                                       {"no_such_setting", true},
                                                       {"in_hot_standby", true},
                                                       {"SESSION CHARACTERISTICS", true},
                                                       {"geqo seed", true},
                                                       {"app.tenant", false},
                                                       {"request.jwt.claims", false},
                                                       {"pg_stat_statements.track", false},
                                                       {"hnsw.ef_search", true},
                                                       {"HNSW.EF_Search", true},
                                                       {"ivfflat.probes", true}}) {
        CAPTURE(name);
        CHECK(alters_answers(name) == alters);
    }
}

TEST_CASE("session settings: the probe has one column for each name, in order, and nothing to shadow") {
    const std::string& sql = probe_sql();
    const auto& names = probed_settings();
    CHECK(names[0] == "current_database");
    CHECK(names[1] == "session_user");
    CHECK(names[2] == "current_user");
    CHECK(names[3] == "has_temp_objects");
    CHECK(names[4] == "database_files");
    CHECK(names[5] == "current_schemas");
    CHECK(std::set(names.begin(), names.end()).size() == names.size());

    std::size_t at = 0;
    for (std::size_t i = 6; i < names.size(); ++i) {
        CAPTURE(names[i]);
        at = sql.find("pg_catalog.current_setting('" + std::string(names[i]) + "', true)", at);
        REQUIRE(at != std::string::npos);
    }
    // Whatever is called or named as a type is qualified.
    for (std::size_t open = sql.find('('); open != std::string::npos; open = sql.find('(', open + 1)) {
        std::size_t begin = open;
        while (begin > 0 && (std::isalnum(static_cast<unsigned char>(sql[begin - 1])) ||
                             sql[begin - 1] == '_' || sql[begin - 1] == '.'))
            --begin;
        const std::string name = sql.substr(begin, open - begin);
        CAPTURE(name);
        CHECK((name.starts_with("pg_catalog.") || name == "OPERATOR" || name == "EXISTS" || name == "ARRAY"));
    }
    CHECK(sql.find(';') == std::string::npos);
    CHECK(sql.find('\\') == std::string::npos);
}

TEST_CASE("session settings: what the session needs is read off the values") {
    const auto settings = settings_with({{"current_user", "bob"}});
    REQUIRE(settings);
    CHECK(settings->database == "app");
    CHECK(settings->user == "bob");
    CHECK(settings->search_path == std::vector<std::string>{"public", "B c"});
    CHECK(settings->read_committed);
    CHECK(settings->standard_conforming_strings);
    CHECK(settings->ascii_safe_encoding);
    CHECK_FALSE(settings->has_temp_objects);
    CHECK(settings->statement_timeout_ms == 0);
    CHECK(settings->fingerprint != 0);
    CHECK(settings->values == probed({{"current_user", "bob"}}));

    CHECK_FALSE(settings_with({{"standard_conforming_strings", "off"}})->standard_conforming_strings);
    CHECK(settings_with({{"has_temp_objects", "t"}})->has_temp_objects);
    CHECK(settings_with({{"has_temp_objects", "?"}})->has_temp_objects);
    CHECK(settings_with({{"default_transaction_isolation", "read uncommitted"}})->read_committed);
    for (const char* isolation : {"repeatable read", "serializable", ""})
        CHECK_FALSE(settings_with({{"default_transaction_isolation", isolation}})->read_committed);
}

TEST_CASE("session settings: encodings whose characters may hold ASCII bytes are not safe") {
    for (const char* encoding : {"UTF8", "SQL_ASCII", "LATIN1", "LATIN10", "ISO_8859_5", "WIN1252", "WIN866",
                                 "KOI8R", "KOI8U", "EUC_JP", "EUC_CN", "EUC_JIS_2004", "MULE_INTERNAL"}) {
        CAPTURE(encoding);
        CHECK(settings_with({{"client_encoding", encoding}})->ascii_safe_encoding);
    }
    for (const char* encoding :
         {"SJIS", "SHIFT_JIS_2004", "BIG5", "GBK", "GB18030", "UHC", "JOHAB", "", "NEW"}) {
        CAPTURE(encoding);
        CHECK_FALSE(settings_with({{"client_encoding", encoding}})->ascii_safe_encoding);
    }
}

TEST_CASE("session settings: statement_timeout is read in every unit that PostgreSQL shows") {
    struct Row {
        const char* shown;
        std::uint64_t ms;
    };
    for (const auto& [shown, ms] : std::vector<Row>{{"0", 0},
                                                    {"1", 1},
                                                    {"1ms", 1},
                                                    {"1500ms", 1'500},
                                                    {"5s", 5'000},
                                                    {"90s", 90'000},
                                                    {"1min", 60'000},
                                                    {"2h", 7'200'000},
                                                    {"1d", 86'400'000},
                                                    {"2147483647ms", 2'147'483'647},
                                                    {"24d", 2'073'600'000},
                                                    {"", 0},
                                                    {"s", 0},
                                                    {"5 s", 0},
                                                    {"5us", 0},
                                                    {"-1", 0},
                                                    {"99999999999999999999ms", 0}}) {
        CAPTURE(shown);
        CHECK(settings_with({{"statement_timeout", shown}})->statement_timeout_ms == ms);
    }
}

TEST_CASE("session settings: equal values are one object, and any other value is another fingerprint") {
    SettingsInterner interner(1'000);
    const auto first = interner.intern(probed());
    REQUIRE(first);
    CHECK(interner.intern(probed()) == first);

    std::set<std::uint32_t> fingerprints{first->fingerprint};
    std::size_t others = 0;
    for (const std::string_view name : probed_settings()) {
        if (name == "statement_timeout" || name.starts_with("idle_")) continue;
        for (const std::string& value : {std::string("other"), std::string(), std::string(1, '\0')}) {
            if (value == default_value(name)) continue;
            const auto other = interner.intern(probed({{name, value}}));
            REQUIRE(other);
            fingerprints.insert(other->fingerprint);
            ++others;
        }
    }
    CHECK(fingerprints.size() == others + 1);
    CHECK(fingerprints.count(0) == 0);
}

TEST_CASE("session settings: where one value ends and the next begins counts") {
    SettingsInterner interner(10);
    const auto one = interner.intern(probed({{"session_user", "a1:b"}, {"current_user", ""}}));
    const auto other = interner.intern(probed({{"session_user", "a"}, {"current_user", "b"}}));
    CHECK(one->fingerprint != other->fingerprint);
}

TEST_CASE("session settings: sessions that differ in time limits alone share answers") {
    SettingsInterner interner(10);
    const auto none = interner.intern(probed());
    const auto short_one = interner.intern(probed({{"statement_timeout", "5s"}}));
    CHECK(none != short_one);
    CHECK(none->fingerprint == short_one->fingerprint);
    CHECK(none->statement_timeout_ms == 0);
    CHECK(short_one->statement_timeout_ms == 5'000);
    CHECK(interner.intern(probed({{"statement_timeout", "5s"}})) == short_one);
    const auto idle = interner.intern(
        probed({{"idle_session_timeout", "1min"}, {"idle_in_transaction_session_timeout", "2s"}}));
    CHECK(idle->fingerprint == none->fingerprint);
    CHECK(idle->idle_timeout_ms == 60'000);
    CHECK(idle->idle_in_block_timeout_ms == 2'000);
}

TEST_CASE("session settings: a session that sees the log's messages, or a broken answer, is not cached") {
    SettingsInterner interner(10);
    for (const char* level : {"debug5", "debug4", "debug3", "debug2", "debug1", "log"}) {
        CAPTURE(level);
        CHECK(interner.intern(probed({{"client_min_messages", level}})) == nullptr);
    }
    for (const char* level : {"notice", "warning", "error"}) {
        CAPTURE(level);
        CHECK(interner.intern(probed({{"client_min_messages", level}})) != nullptr);
    }
    std::vector<std::string> too_few = probed();
    too_few.pop_back();
    CHECK(interner.intern(too_few) == nullptr);
    std::vector<std::string> too_many = probed();
    too_many.emplace_back();
    CHECK(interner.intern(too_many) == nullptr);
    CHECK(interner.intern({}) == nullptr);
}

TEST_CASE("session settings: when full, those in no use make room, and fingerprints are never reused") {
    SettingsInterner interner(3);
    std::vector<std::shared_ptr<const SessionSettings>> held;
    for (const char* user : {"a", "b"}) held.push_back(interner.intern(probed({{"current_user", user}})));
    held.push_back(interner.intern(probed({{"current_user", "b"}, {"statement_timeout", "1s"}})));
    CHECK(interner.intern(probed({{"current_user", "c"}})) == nullptr);
    CHECK(interner.intern(probed({{"current_user", "b"}, {"statement_timeout", "2s"}})) == nullptr);
    CHECK(interner.intern(probed({{"current_user", "a"}})) == held[0]);

    const std::uint32_t former = held[0]->fingerprint;
    held[0].reset();
    const auto third = interner.intern(probed({{"current_user", "c"}}));
    REQUIRE(third);
    CHECK(third->fingerprint > held[1]->fingerprint);
    held[2].reset();  // b lives on in held[1]: its fingerprint stays
    CHECK(interner.intern(probed({{"current_user", "b"}, {"statement_timeout", "2s"}}))->fingerprint ==
          held[1]->fingerprint);
    const auto again = interner.intern(probed({{"current_user", "a"}}));
    REQUIRE(again);
    CHECK(again->fingerprint != former);
    CHECK(again->fingerprint > third->fingerprint);
}

TEST_CASE("session settings: an interner of nothing caches no session") {
    SettingsInterner interner(0);
    CHECK(interner.intern(probed()) == nullptr);
}

TEST_CASE("session settings: threads that intern equal values get one fingerprint") {
    SettingsInterner interner(64);
    const std::vector<std::string> values = probed();
    const auto kept = interner.intern(values);
    std::atomic<int> wrong{0};
    const auto work = [&](int seed) {
        for (int round = 0; round < 500; ++round) {
            if (interner.intern(values) != kept) ++wrong;
            std::vector<std::string> others = values;
            others[2] = std::to_string((seed * 31 + round) % 100);
            const auto other = interner.intern(others);
            if (other && (other->user != others[2] || other->fingerprint == kept->fingerprint)) ++wrong;
        }
    };
    std::vector<std::thread> threads;
    for (int seed = 0; seed < 4; ++seed) threads.emplace_back(work, seed);
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}
