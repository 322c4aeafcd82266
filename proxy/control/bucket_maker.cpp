#include "proxy/control/bucket_maker.h"

#include <algorithm>
#include <cmath>

#include "proxy/control/lasting_key.h"
#include "sql/choices.h"

namespace warmfront::control {
namespace {

using forecast::LoadCounts;
using forecast::SeriesName;
using forecast::Subject;
using forecast::SubjectLoad;

// An account that was given up and made anew counts from nothing again.
std::uint64_t grown(std::uint64_t now, std::uint64_t before) {
    return now >= before ? now - before : now;
}

LoadCounts counts_of(const session::TemplateLoad& load) {
    return {.requests = load.requests,
            .hits = load.hits,
            .rows = load.rows,
            .bytes = load.bytes,
            .origin_us = load.origin_us};
}

LoadCounts difference(const LoadCounts& now, const LoadCounts& before) {
    if (now.requests < before.requests) return now;
    return {.requests = now.requests - before.requests,
            .hits = grown(now.hits, before.hits),
            .rows = grown(now.rows, before.rows),
            .bytes = grown(now.bytes, before.bytes),
            .origin_us = grown(now.origin_us, before.origin_us)};
}

bool is_table(const sql::Relation& relation) {
    return relation.kind == 'r' || relation.kind == 'p' || relation.kind == 'm' || relation.kind == 'f';
}

std::string full_name(const sql::Relation& relation) {
    return relation.schema + "." + relation.name;
}

std::vector<std::string> tables_read(const sql::Catalog& catalog, const session::TemplateLoad& load) {
    std::vector<std::string> tables;
    for (const sql::Oid oid : load.reads)
        if (const sql::Relation* relation = catalog.find(oid); relation && is_table(*relation))
            tables.push_back(full_name(*relation));
    return tables;
}

// The loads of a bucket, while they are summed.
class Sums {
public:
    void add(Subject subject, const LoadCounts& counts) { sums_[std::move(subject)].add(counts); }
    void add_tables(const sql::Catalog& catalog, const session::TemplateLoad& load, std::uint64_t requests) {
        const auto add_each = [&](const std::vector<sql::Oid>& relations, const LoadCounts& counts) {
            for (const sql::Oid oid : relations) {
                if (counts.reads > 0 && std::ranges::binary_search(load.writes, oid)) continue;
                const sql::Relation* relation = catalog.find(oid);
                if (relation && is_table(*relation))
                    add({SeriesName::Kind::Table, load.database, full_name(*relation)}, counts);
            }
        };
        add_each(load.reads, {.reads = requests});
        add_each(load.writes, {.writes = requests});
    }
    void move_to(std::vector<SubjectLoad>& loads) {
        for (auto& [subject, counts] : sums_) loads.push_back({subject, {}, counts});
    }

private:
    std::map<Subject, LoadCounts> sums_;
};

}  // namespace

BucketMaker::BucketMaker(Options options) : options_(std::move(options)) {}

std::vector<SubjectLoad> BucketMaker::loads(LoadSnapshot snapshot) {
    std::vector<SubjectLoad> statements;
    Sums sums;
    std::map<TemplateName, LoadCounts> templates_now;
    std::map<std::string, std::shared_ptr<const sql::Catalog>> catalogs;
    for (const session::TemplateLoad& load : snapshot.templates) {
        const TemplateName name{load.database, load.digest};
        const LoadCounts now = counts_of(load);
        const auto before = templates_before_.find(name);
        const LoadCounts since =
            difference(now, before == templates_before_.end() ? LoadCounts{} : before->second);
        templates_now.emplace(name, now);
        if (since.requests == 0) continue;
        statements.push_back(
            {{SeriesName::Kind::Template, load.database, sql::digest_text(load.digest)}, load.text, since});
        LoadCounts of_database = since;
        of_database.requests = of_database.hits = 0;
        sums.add({SeriesName::Kind::Database, load.database, {}}, of_database);
        auto& catalog = catalogs[load.database];
        if (!catalog) catalog = options_.catalog(load.database);
        if (!catalog) continue;
        sums.add_tables(*catalog, load, since.requests);
        if (options_.reads) {
            const forecast::Subject& subject = statements.back().subject;
            options_.reads({subject.kind, subject.database, subject.name}, tables_read(*catalog, load));
        }
    }
    for (const auto& [database, now] : snapshot.databases) {
        const LoadSnapshot::Database before = before_.databases[database];
        sums.add({SeriesName::Kind::Database, database, {}},
                 {.requests = grown(now.requests, before.requests), .hits = grown(now.hits, before.hits)});
    }
    templates_before_ = std::move(templates_now);
    before_.databases = std::move(snapshot.databases);
    std::vector<SubjectLoad> loads;  // databases and tables first: they stay where there are too many
    sums.move_to(loads);
    std::ranges::sort(statements, std::greater(),
                      [](const SubjectLoad& load) { return load.counts.requests; });
    std::ranges::move(statements, std::back_inserter(loads));
    return loads;
}

BucketMaker::AskedKeys BucketMaker::merge(const std::vector<session::KeyTallySlot>& tallies) {
    AskedKeys asked;
    for (const auto& tally : tallies) {
        if (!tally) continue;
        for (const session::KeyTally::Seen& seen : tally->seen()) {
            const TemplateName name{seen.settings->database, seen.statement->analysis.digest};
            Asked& key = asked[name][lasting_key(*seen.settings, *seen.statement, seen.key)];
            key.requests += seen.count - seen.error;
            key.seen = seen;
        }
    }
    return asked;
}

void BucketMaker::add_keys(const TemplateName& name, Template& of, const std::map<std::string, Asked>& asked,
                           std::vector<forecast::KeyLoad>& loads) const {
    for (const auto& [key, how] : asked) {
        const auto offered = of.hitters.add(key, static_cast<double>(how.requests));
        if (!offered.evicted.empty()) of.recorded.erase(offered.evicted);
    }
    const std::string digest = sql::digest_text(name.second);
    for (const auto& counted : of.hitters.top(of.hitters.size())) {
        const auto how = asked.find(counted.key);
        if (how == asked.end() || counted.count - counted.error < kRequestsMin) continue;
        std::string replay;
        if (of.recorded.insert(counted.key).second) replay = options_.replay(how->second.seen);
        loads.push_back({name.first, digest, counted.key, std::move(replay), how->second.requests});
    }
}

// At kTemplatesMax those go that were not asked for in this bucket.
void BucketMaker::forget_templates() {
    if (templates_.size() < kTemplatesMax) return;
    std::erase_if(templates_, [](const auto& each) { return !each.second->asked; });
}

std::vector<forecast::KeyLoad> BucketMaker::keys(const std::vector<session::KeyTallySlot>& tallies,
                                                 std::int64_t step_s, std::size_t keys_max) {
    if (keys_max != keys_max_) templates_.clear();
    keys_max_ = keys_max;
    for (auto& [name, each] : templates_) {
        each->hitters.decay(std::exp2(-static_cast<double>(step_s) / kHalfLife_s));
        each->asked = false;
    }
    std::vector<forecast::KeyLoad> loads;
    for (const auto& [name, asked] : merge(tallies)) {
        auto found = templates_.find(name);
        if (found == templates_.end()) {
            forget_templates();
            if (templates_.size() >= kTemplatesMax) continue;
            found = templates_.emplace(name, std::make_unique<Template>(keys_max)).first;
        }
        found->second->asked = true;
        add_keys(name, *found->second, asked, loads);
    }
    std::ranges::stable_sort(loads, std::greater(), &forecast::KeyLoad::requests);
    return loads;
}

}  // namespace warmfront::control
