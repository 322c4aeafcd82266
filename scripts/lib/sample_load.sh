# The sample load of scripts/run and what it says. Sourced; needs $programs, $work, $postgres_port, $listen_port, and
# metric() from scripts/run.
# shellcheck shell=bash disable=SC2154

load_clients=8

# pgbench's own select-only reads, but with keys as the web asks for them (Zipf's law) instead of evenly spread ones.
write_read_script() {
    cat >"$work/reads.sql" <<'SQL'
\set aid random_zipfian(1, 1000000, 1.2)
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
SQL
}

# run_load NAME PORT SECONDS ARGUMENTS...: pgbench; its log of every transaction goes to $work/load/NAME.*
run_load() {
    local name=$1 port=$2 seconds=$3
    shift 3
    # -n: no VACUUM first, which would be traffic of another kind.
    "$programs/pgbench" -h 127.0.0.1 -p "$port" -U warmfront -n -c "$load_clients" -T "$seconds" \
        -l --log-prefix="$work/load/$name" "$@" pgbench >"$work/load/$name.out" 2>&1 && return
    cat "$work/load/$name.out" >&2
    echo "the sample load \"$name\" failed" >&2
    return 1
}

# latency NAME PERCENT: that percentile in microseconds (third column of pgbench's log).
latency() {
    cut -d ' ' -f 3 "$work/load/$1".[0-9]* | sort -n |
        awk -v percent="$2" '{ all[NR] = $1 } END { at = int(NR * percent / 100); print all[at < 1 ? 1 : at] }'
}

transactions_per_second() { awk '/^tps/ { printf "%d", $3 }' "$work/load/$1.out"; }

percent_of() { awk -v part="$1" -v whole="$2" 'BEGIN { printf "%.1f", (whole > 0 ? 100 * part / whole : 0) }'; }

# run_sample_load SECONDS: that long through warmfront, a sixth of it directly.
run_sample_load() {
    local seconds=$1 short=$(($1 / 6)) reads=(-M prepared -f "$work/reads.sql")
    ((short > 0)) || short=1
    write_read_script
    echo "Sample load: $short s of reads directly ..."
    run_load direct "$postgres_port" "$short" "${reads[@]}"
    echo "Sample load: $((short * 4)) s of reads through warmfront, the first $short s to warm up ..."
    run_load warm-up "$listen_port" "$short" "${reads[@]}"
    hits_before=$(metric warmfront_hits_total)
    run_load reads "$listen_port" "$((short * 3))" "${reads[@]}"
    hits=$(($(metric warmfront_hits_total) - hits_before))
    echo "Sample load: $((short * 2)) s of 9 reads to 1 write through warmfront ..."
    run_load mix "$listen_port" "$((short * 2))" -M simple -f "$work/reads.sql@9" -b simple-update@1
}

report_sample_load() {
    local answered
    answered=$(cat "$work/load/reads".[0-9]* | wc -l)
    printf '\n%-22s %12s %18s\n' "" "direct" "through warmfront"
    printf '%-22s %9s us %15s us\n' "a read, p50" "$(latency direct 50)" "$(latency reads 50)"
    printf '%-22s %9s us %15s us\n' "a read, p99" "$(latency direct 99)" "$(latency reads 99)"
    printf '%-22s %12s %18s\n' "reads a second" "$(transactions_per_second direct)" "$(transactions_per_second reads)"
    printf '%-22s %31s\n' "9 reads : 1 write, tps" "$(transactions_per_second mix)"
    printf 'Hits: %s of %s reads (%s %%) were answered from memory.\n' \
        "$hits" "$answered" "$(percent_of "$hits" "$answered")"
}
