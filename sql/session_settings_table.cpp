// Every setting that a session may change (contexts user and superuser) is in one of the lists below, from
// pg_settings of PostgreSQL 12 to 17 and the settings it hides (role, seed, ...). Settings of the server as a
// whole (sighup, postmaster) are the same for all sessions and change no row.
//
// What the decisions rest on:
// - Rows without ORDER BY may come in any order, rows under a LIMIT without ORDER BY may be any, and sums of
// floating
//   point numbers may be added up in any order: an answer got under one plan is right under every other.
// - An answer that came with a notice, a warning or an error is not kept, so nothing kept depends on limits
// that
//   turn answers into errors. Which notices a session sees is in the fingerprint (client_min_messages).
// - Statements that call volatile functions or current_setting(), that read system catalogs, EXPLAIN, SHOW
//   and everything that writes are not kept. What policies, views and functions read with current_setting()
//   is asked of each session as well (Catalog::watched_settings).
#include "sql/session_settings_table.h"

#include <algorithm>
#include <array>

namespace warmfront::sql {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kFingerprinted{
    // How text is read and values are written.
    "client_encoding"sv, "DateStyle"sv, "IntervalStyle"sv, "TimeZone"sv, "timezone_abbreviations"sv,
    "extra_float_digits"sv, "bytea_output"sv, "xmlbinary"sv, "xmloption"sv, "array_nulls"sv,
    "quote_all_identifiers"sv,  // regclass and its kin, quote_ident()
    "lc_messages"sv, "lc_monetary"sv, "lc_numeric"sv, "lc_time"sv,
    // How statements are read.
    "search_path"sv, "standard_conforming_strings"sv, "backslash_quote"sv, "transform_null_equals"sv,
    "default_text_search_config"sv,
    // Which rows and errors there are.
    "row_security"sv, "session_replication_role"sv, "gin_fuzzy_search_limit"sv, "zero_damaged_pages"sv,
    "ignore_checksum_failure"sv, "restrict_nonsystem_relation_kind"sv, "composite_type_mismatch"sv,
    // Which notices come along.
    "client_min_messages"sv, "escape_string_warning"sv, "operator_precedence_warning"sv,
    // Decide whether the session may be served at all.
    "default_transaction_isolation"sv,
    // How thoroughly pgvector's indexes are searched: its operators are immutable, its answers approximate.
    "hnsw.ef_search"sv, "hnsw.iterative_scan"sv, "hnsw.max_scan_tuples"sv, "hnsw.scan_mem_multiplier"sv,
    "ivfflat.probes"sv, "ivfflat.iterative_scan"sv, "ivfflat.max_probes"sv};

// Which plan is chosen and how it runs: the same rows in another order, or at another speed.
constexpr std::string_view kPlans =
    "backend_flush_after constraint_exclusion cpu_index_tuple_cost cpu_operator_cost cpu_tuple_cost "
    "cursor_tuple_fraction debug_discard_caches debug_parallel_query default_statistics_target "
    "effective_cache_size effective_io_concurrency enable_async_append enable_bitmapscan "
    "enable_gathermerge enable_group_by_reordering enable_hashagg enable_hashjoin enable_incremental_sort "
    "enable_indexonlyscan enable_indexscan enable_material enable_memoize enable_mergejoin "
    "enable_nestloop enable_parallel_append enable_parallel_hash enable_partition_pruning "
    "enable_partitionwise_aggregate enable_partitionwise_join enable_presorted_aggregate enable_seqscan "
    "enable_sort enable_tidscan force_parallel_mode from_collapse_limit geqo geqo_effort geqo_generations "
    "geqo_pool_size geqo_seed geqo_selection_bias geqo_threshold hash_mem_multiplier io_combine_limit jit "
    "jit_above_cost jit_dump_bitcode jit_expressions jit_inline_above_cost jit_optimize_above_cost "
    "jit_tuple_deforming join_collapse_limit maintenance_io_concurrency max_parallel_workers "
    "max_parallel_workers_per_gather min_parallel_index_scan_size min_parallel_table_scan_size "
    "parallel_leader_participation parallel_setup_cost parallel_tuple_cost plan_cache_mode "
    "random_page_cost recursive_worktable_factor seq_page_cost sort_mem synchronize_seqscans temp_buffers "
    "work_mem";

// Limits and time-outs: they turn answers into errors or end the session. A kept answer took no time and no
// room. (statement_timeout is not among them: the session waits no longer than it for an answer that is under
// way. Nor are the idle time-outs: the server must hear of a busy session now and then.)
constexpr std::string_view kLimits =
    "client_connection_check_interval deadlock_timeout exit_on_error "
    "lock_timeout max_stack_depth tcp_keepalives_count tcp_keepalives_idle "
    "tcp_keepalives_interval tcp_user_timeout temp_file_limit transaction_timeout wal_sender_timeout";

// What goes to the server's log and statistics. (To the client as well, if its client_min_messages is log or
// lower: such sessions are not cached, see SettingsInterner.)
constexpr std::string_view kLogs =
    "application_name backtrace_functions compute_query_id debug_pretty_print debug_print_parse "
    "debug_print_plan debug_print_rewritten log_duration log_error_verbosity log_executor_stats "
    "log_lock_waits log_min_duration_sample log_min_duration_statement log_min_error_statement "
    "log_min_messages log_parameter_max_length log_parameter_max_length_on_error log_parser_stats "
    "log_planner_stats log_replication_commands log_statement log_statement_sample_rate "
    "log_statement_stats log_temp_files log_transaction_sample_rate stats_fetch_consistency "
    "trace_connection_negotiation trace_notify trace_sort track_activities track_counts track_functions "
    "track_io_timing track_wal_io_timing update_process_title";

// How writes, DDL, maintenance and replication go about their work; where files and libraries are looked for.
constexpr std::string_view kWrites =
    "allow_in_place_tablespaces allow_system_table_mods check_function_bodies commit_delay "
    "commit_siblings createrole_self_grant debug_logical_replication_streaming "
    "default_table_access_method default_tablespace default_toast_compression "
    "default_transaction_deferrable default_transaction_read_only default_with_oids dynamic_library_path "
    "event_triggers extension_destdir gin_pending_list_limit icu_validation_level lo_compat_privileges "
    "local_preload_libraries logical_decoding_mode logical_decoding_work_mem maintenance_work_mem "
    "max_parallel_maintenance_workers output_plugin_libraries password_encryption scram_iterations "
    "session_preload_libraries synchronous_commit temp_tablespaces transaction_deferrable "
    "transaction_read_only vacuum_buffer_usage_limit vacuum_cleanup_index_scale_factor vacuum_cost_delay "
    "vacuum_cost_limit vacuum_cost_page_dirty vacuum_cost_page_hit vacuum_cost_page_miss "
    "vacuum_failsafe_age vacuum_freeze_min_age vacuum_freeze_table_age vacuum_mem "
    "vacuum_multixact_failsafe_age vacuum_multixact_freeze_min_age vacuum_multixact_freeze_table_age "
    "wal_compression wal_consistency_checking wal_init_zero wal_recycle wal_skip_threshold";

// Of random(), which is volatile.
constexpr std::string_view kRandom = "seed";

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c;
}

bool equal_names(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool holds(std::string_view words, std::string_view name) {
    for (std::size_t at = 0; at < words.size();) {
        const std::size_t end = std::min(words.find(' ', at), words.size());
        if (equal_names(words.substr(at, end - at), name)) return true;
        at = end + 1;
    }
    return false;
}

}  // namespace

bool same_setting(std::string_view a, std::string_view b) {
    return equal_names(a, b);
}

std::span<const std::string_view> fingerprinted_settings() {
    return kFingerprinted;
}

// A name with a dot is an application's own variable, which is read by current_setting() only, or an
// extension's, read by its functions: nothing of that is kept, but for what policies, views and functions
// read by name (Catalog::watched_settings, which whoever asks here looks at as well).
bool is_harmless_setting(std::string_view name) {
    if (std::ranges::any_of(kFingerprinted, [&](auto each) { return equal_names(each, name); })) return false;
    if (name.find('.') != std::string_view::npos) return true;
    constexpr std::array harmless{kPlans, kLimits, kLogs, kWrites, kRandom};
    return std::ranges::any_of(harmless, [&](auto words) { return holds(words, name); });
}

}  // namespace warmfront::sql
