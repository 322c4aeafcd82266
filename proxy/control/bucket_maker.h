// proxy/control/bucket_maker.h: what was counted in a bucket of the history: differences of the counts that
// only grow, and the keys of the workers' tallies that matter. Pure but for what it remembers; one thread.
//
// A database's requests and hits are those of its counters, its rows, bytes and PostgreSQL's time the sums of
// its statements. A table is read and written by each request of a statement that reads it, or may change it
// (triggers, cascades, partitions, children), as the analysis says; what it may change it is not said to
// read; views count as the tables behind them. A string that may change anything is no table's write. What is
// counted of statements are those whose meaning is known, one a message (proxy/session/ledger.h): several
// Binds before one Sync are in the database's requests only.
//
// Bounds: kTemplatesMax statements with heavy hitters of their own, forecast.keys keys each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "forecast/heavy_hitters.h"
#include "forecast/history.h"
#include "proxy/session/key_tally.h"
#include "proxy/session/template_row.h"
#include "sql/catalog.h"

namespace warmfront::control {

// Counts since the process began, at one moment.
struct LoadSnapshot {
    struct Database {
        std::uint64_t requests = 0, hits = 0;
    };
    std::map<std::string, Database> databases;
    std::vector<session::TemplateLoad> templates;
};

class BucketMaker {
public:
    static constexpr std::size_t kTemplatesMax = 1'000;
    // After that long a request counts half of what it did when it is judged which keys are asked for most.
    static constexpr double kHalfLife_s = 86'400;
    // A key is recorded once it was asked for so often lately: what comes once is no heavy hitter.
    static constexpr double kRequestsMin = 2;

    struct Options {
        std::function<std::shared_ptr<const sql::Catalog>(const std::string& database)> catalog;
        // What asks a key's question again (proxy/control); empty: nothing does. Called for keys that are
        // recorded for the first time.
        std::function<std::string(const session::KeyTally::Seen& seen)> replay =
            [](const session::KeyTally::Seen&) { return std::string(); };
        // Told of each statement with requests in the bucket: the tables it reads, "schema.name". May be
        // empty.
        std::function<void(const forecast::SeriesName& statement, const std::vector<std::string>& tables)>
            reads{};
    };
    explicit BucketMaker(Options options);

    // The subjects' loads since the snapshot before; the first one is counted from nothing.
    [[nodiscard]] std::vector<forecast::SubjectLoad> loads(LoadSnapshot snapshot);
    // tallies: of one bucket of step_s. keys_max: forecast.keys.
    [[nodiscard]] std::vector<forecast::KeyLoad> keys(const std::vector<session::KeyTallySlot>& tallies,
                                                      std::int64_t step_s, std::size_t keys_max);

private:
    using TemplateName = std::pair<std::string, std::uint64_t>;  // database, digest
    struct Template {
        explicit Template(std::size_t keys_max) : hitters(keys_max) {}
        forecast::HeavyHitters hitters;
        std::unordered_set<std::string> recorded;  // whose replay was given
        bool asked = false;                        // in this bucket
    };
    struct Asked {
        std::uint64_t requests = 0;
        session::KeyTally::Seen seen;
    };
    using AskedKeys = std::map<TemplateName, std::map<std::string, Asked>>;

    [[nodiscard]] static AskedKeys merge(const std::vector<session::KeyTallySlot>& tallies);
    void add_keys(const TemplateName& name, Template& of, const std::map<std::string, Asked>& asked,
                  std::vector<forecast::KeyLoad>& loads) const;
    void forget_templates();

    const Options options_;
    LoadSnapshot before_;
    std::map<TemplateName, forecast::LoadCounts> templates_before_;
    std::map<TemplateName, std::unique_ptr<Template>> templates_;
    std::size_t keys_max_ = 0;
};

}  // namespace warmfront::control
