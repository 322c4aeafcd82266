#include "tests/live/support/postgres_server.h"

#include <filesystem>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <libpq-fe.h>
#include <sys/file.h>
#include <unistd.h>

namespace warmfront::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

static std::string program(std::string_view name) {
    return environment("PG_BIN_DIR").value_or(WARMFRONT_PG_BIN_DIR) + "/" + std::string(name);
}

// A data directory as initdb makes it, kept in the build directory. Test programs that start together wait
// for the one that makes it.
static std::string pristine_data() {
    const std::string kept = WARMFRONT_LIVE_BUILD_DIR "/pristine_postgres";
    const int lock = open((kept + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    flock(lock, LOCK_EX);
    if (!fs::exists(kept)) {
        const auto account = unprivileged_account();
        const TemporaryDirectory workplace("initdb", account ? &*account : nullptr);
        const std::string made = workplace.path() + "/data";
        run_or_throw({.command = {program("initdb"), "-D", made, "-U", "postgres", "-A", "trust", "-E",
                                  "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"},
                      .account = account},
                     120s);
        run_or_throw({.command = {"cp", "-a", made, kept + ".part"}}, 60s);
        fs::rename(kept + ".part", kept);
    }
    close(lock);
    return kept;
}

PostgresServer::PostgresServer(Options options) : options_(std::move(options)), port_(free_port()) {
    lay_data_directory();
    start();
}

PostgresServer::~PostgresServer() {
    if (!postmaster_ || !postmaster_->running()) return;
    postmaster_->send_signal(SIGQUIT);  // nothing of it is needed any more
    if (!postmaster_->wait(20s)) kill9();
}

void PostgresServer::lay_data_directory() const {
    run_or_throw({.command = {"cp", "-a", pristine_data(), data_directory()}}, 60s);
    if (options_.ssl) make_certificate(data_directory(), account_ ? &*account_ : nullptr);
    std::string hba;
    for (const auto& line : options_.hba) hba += line + '\n';
    hba += "local all all trust\nhost all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n";
    write_file(data_directory() + "/pg_hba.conf", hba);
}

void PostgresServer::start() {
    std::vector<std::string> command = {
        program("postgres"),          "-D", data_directory(), "-p", std::to_string(port_), "-c",
        "listen_addresses=127.0.0.1", "-k", directory_.path()};
    std::vector<std::string> settings = {"wal_level=logical", "max_prepared_transactions=20",
                                         "max_connections=200", "shared_buffers=64MB", "max_wal_size=4GB"};
    settings.push_back(options_.fsync ? "fsync=on" : "fsync=off");
    if (options_.ssl) settings.push_back("ssl=on");
    settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
    for (auto& setting : settings) {
        command.push_back("-c");
        command.push_back(std::move(setting));
    }
    postmaster_ = std::make_unique<ChildProcess>(ChildProcess::Options{
        .command = command, .log_file = log_file(), .account = account_, .signal_at_parent_end = SIGQUIT});
    wait_until_ready();
}

void PostgresServer::wait_until_ready() {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (PQping(conninfo().c_str()) != PQPING_OK) {
        if (!postmaster_->running())
            throw std::runtime_error("PostgreSQL ended at its start:\n" + log_tail());
        if (std::chrono::steady_clock::now() > until)
            throw std::runtime_error("PostgreSQL is not ready after a minute:\n" + log_tail());
        std::this_thread::sleep_for(20ms);
    }
}

std::string PostgresServer::conninfo(std::string_view database) const {
    return "host=127.0.0.1 port=" + std::to_string(port_) + " user=postgres dbname=" + std::string(database) +
           " sslmode=disable";
}

std::string PostgresServer::value(std::string_view query, std::string_view database) const {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(conninfo(database).c_str()),
                                                                  PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection.get(), std::string(query).c_str()), PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
        throw std::runtime_error(PQerrorMessage(connection.get()) + ("in: " + std::string(query)));
    if (PQntuples(result.get()) == 0 || PQnfields(result.get()) == 0) return {};
    return PQgetvalue(result.get(), 0, 0);
}

void PostgresServer::sql(std::string_view statements, std::string_view database) const {
    (void)value(statements, database);
}

void PostgresServer::stop() {
    postmaster_->send_signal(SIGINT);
    if (!postmaster_->wait(60s)) throw std::runtime_error("PostgreSQL does not stop:\n" + log_tail());
}

void PostgresServer::kill9() {
    auto everybody = children_of(postmaster_->pid());
    everybody.push_back(postmaster_->pid());
    for (const pid_t process : everybody) kill(process, SIGKILL);
    (void)postmaster_->wait(20s);
    for (const pid_t process : everybody) {
        for (int tries = 0; tries < 1000 && !has_ended(process); ++tries) std::this_thread::sleep_for(10ms);
    }
}

std::string PostgresServer::log_tail() const {
    const std::string log = read_file(log_file());
    return log.size() <= 4000 ? log : log.substr(log.size() - 4000);
}

}  // namespace warmfront::test
