# A throwaway PostgreSQL for scripts/run: in a directory of its own, on a free port of 127.0.0.1, run by an unprivileged
# user. Sourced. Its superuser logs in over a socket in that directory only; over TCP there is the role warmfront, which
# needs no password and owns nothing but the sample database.
# shellcheck shell=bash disable=SC2154  # $programs: where PostgreSQL's programs are, set by who sources this

# Where the programs of version 15 are, else those of the newest version.
postgres_programs() {
    local directory
    for directory in /usr/lib/postgresql/15/bin $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV); do
        [[ -x $directory/postgres ]] && echo "$directory" && return
    done
    dirname "$(command -v postgres)"
}

# PostgreSQL refuses to run as root.
as_server_user() {
    if ((EUID != 0)); then
        "$@"
    elif id postgres >/dev/null 2>&1; then
        runuser -u postgres -- "$@"
    else
        runuser -u nobody -- "$@"
    fi
}

# free_port FIRST: the first port from there that nobody listens on.
free_port() {
    local port=$1
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        port=$((port + 1))
    done
    echo "$port"
}

# server_program DIRECTORY PROGRAM ARGUMENTS...: run by the server's user, from a place which that user may enter.
server_program() {
    local directory=$1 program=$2
    shift 2
    (cd "$directory" && as_server_user "$programs/$program" "$@") </dev/null
}

write_hba() {
    as_server_user tee "$1/data/pg_hba.conf" >/dev/null <<'HBA'
local all all       trust
host  all warmfront 127.0.0.1/32 trust
HBA
}

create_sample_database() {
    server_program "$1" psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host="$1" --port="$2" --username=postgres \
        --dbname=postgres --command="CREATE ROLE warmfront LOGIN" --command="GRANT pg_monitor TO warmfront" \
        --command="CREATE DATABASE pgbench OWNER warmfront"
}

# start_postgres DIRECTORY PORT: DIRECTORY exists, is empty, and belongs to the server's user.
start_postgres() {
    local directory=$1 port=$2
    server_program "$directory" initdb --pgdata="$directory/data" --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync &&
        write_hba "$directory" &&
        server_program "$directory" pg_ctl start --pgdata="$directory/data" --log="$directory/server.log" --wait \
            --options="-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$directory" &&
        create_sample_database "$directory" "$port"
}

# Ends the server; harmless if it never started.
stop_postgres() {
    local directory=$1 mode
    for mode in fast immediate; do
        [[ -f $directory/data/postmaster.pid ]] || return 0
        server_program "$directory" pg_ctl stop --pgdata="$directory/data" --mode="$mode" --wait >/dev/null 2>&1 || true
    done
}
