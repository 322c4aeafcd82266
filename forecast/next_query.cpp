// Statements lie in sets of kWays places, found by their number; in a set the coldest gives way, and each
// time the others cool by one, so that a flood of statements that come once does not drive out those that
// come often. A pair's sources are found by looking where a parameter's value stands in what went before; one
// that agreed by chance falls behind with the next examples and gives its place to another.
#include "forecast/next_query.h"

#include <algorithm>
#include <cmath>

namespace warmfront::forecast {
namespace {

constexpr double kCountMax = 256;    // of a statement, before it fades
constexpr double kExamplesMax = 32;  // of a mapping, before it fades
constexpr double kExamplesWanted = 24;
constexpr std::uint32_t kExamplesAnew = 64;  // after a prediction was wrong
constexpr std::uint64_t kSampleEvery = 8;    // afterwards
constexpr std::uint64_t kPairSeenMin = 2;    // before its mapping is looked for
constexpr double kHopeless = 0.2;            // P of a pair whose mapping is not looked for
// A pair is off once it has lost as much as so many fetches wasted, or late, since it last had brought more
// than it cost; after so many used ones it is trusted again.
constexpr double kWastedMax = 8, kLateMax = 32;
constexpr std::uint32_t kUsedToTrust = 8;
constexpr std::uint8_t kHeatMax = 255;

}  // namespace

double wilson_lower_bound(double successes, double trials) {
    if (trials <= 0) return 0;
    constexpr double kZ = 1.6448536269514722;  // the normal distribution's quantile of 95 %
    const double share = std::min(1.0, successes / trials), z2 = kZ * kZ;
    const double centre = share + z2 / (2 * trials);
    const double margin = kZ * std::sqrt((share * (1 - share) + z2 / (4 * trials)) / trials);
    return std::max(0.0, (centre - margin) / (1 + z2 / trials));
}

void NextQueryCounts::add(const NextQueryCounts& other) {
    predicted += other.predicted;
    there += other.there;
    prefetched += other.prefetched;
    used += other.used;
    late += other.late;
    wasted += other.wasted;
    saved_us += other.saved_us;
    wasted_us += other.wasted_us;
}

NextQuery::NextQuery(Options options) : options_(options), statements_(kStatements) {}

std::span<NextQuery::Statement, NextQuery::kWays> NextQuery::set_of(std::uint64_t id) {
    const std::size_t set = (id * 0x9e3779b97f4a7c15U >> 32) % (kStatements / kWays);
    return std::span<Statement, kWays>(&statements_[set * kWays], kWays);
}

NextQuery::Statement* NextQuery::find(std::uint64_t id) {
    if (id == 0) return nullptr;
    for (Statement& statement : set_of(id))
        if (statement.id == id) return &statement;
    return nullptr;
}

const NextQuery::Statement* NextQuery::find(std::uint64_t id) const {
    return const_cast<NextQuery*>(this)->find(id);
}

NextQuery::Pair* NextQuery::find(QueryPair pair) {
    Statement* const from = find(pair.from);
    if (from == nullptr || pair.to == 0) return nullptr;
    const auto found = std::ranges::find(from->pairs, pair.to, &Pair::to);
    return found == from->pairs.end() ? nullptr : &*found;
}

const NextQuery::Pair* NextQuery::find(QueryPair pair) const {
    return const_cast<NextQuery*>(this)->find(pair);
}

// A place for a statement that is not there.
NextQuery::Statement& NextQuery::take(std::uint64_t id) {
    const auto set = set_of(id);
    Statement& place = *std::ranges::min_element(
        set, {}, [](const Statement& each) { return each.id == 0 ? -1 : static_cast<int>(each.heat); });
    if (place.id != 0)
        for (Statement& each : set)
            if (each.heat > 0) --each.heat;
    place = Statement{};
    place.id = id;
    return place;
}

// The least seen gives way, of several the one not seen for longest.
NextQuery::Pair& NextQuery::take_pair(Statement& statement, std::uint64_t to) {
    Pair& place = *std::ranges::min_element(statement.pairs, [](const Pair& a, const Pair& b) {
        return a.count != b.count ? a.count < b.count : a.last < b.last;
    });
    place = Pair{};
    place.to = to;
    count_mapped(statement);
    return place;
}

void NextQuery::count_mapped(Statement& statement) {
    statement.mapped = static_cast<std::uint8_t>(std::ranges::count_if(
        statement.pairs, [](const Pair& pair) { return pair.mapping && pair.mapping->bound > 0; }));
}

void NextQuery::fade(Statement& statement) {
    if (statement.count < kCountMax) return;
    statement.count /= 2;
    for (Pair& pair : statement.pairs) pair.count /= 2;
}

NextQuery::Noted NextQuery::asked(std::uint64_t from, std::uint64_t to) {
    Noted noted;
    ++tick_;
    if (to == 0) return noted;
    Statement* const before = find(from);
    if (before != nullptr) {
        const auto found = std::ranges::find(before->pairs, to, &Pair::to);
        Pair& pair = found == before->pairs.end() ? take_pair(*before, to) : *found;
        ++pair.seen;
        pair.count += 1;
        pair.last = tick_;
        const bool hopeful = pair.seen >= kPairSeenMin && pair.count >= kHopeless * before->count;
        const bool young = !pair.mapping || pair.mapping->examples < kExamplesWanted || pair.eager > 0;
        noted.wants_example = hopeful && (young || pair.seen % kSampleEvery == 0);
    }
    Statement* statement = find(to);
    noted.new_statement = statement == nullptr;
    if (statement == nullptr) statement = &take(to);
    statement->count += 1;
    if (statement->heat < kHeatMax) ++statement->heat;
    fade(*statement);
    return noted;
}

void NextQuery::learn(QueryPair of, std::span<const AnsweredRequest> history,
                      std::span<const OpaqueValue> parameters) {
    Statement* const from = find(of.from);
    Pair* const pair = find(of);
    if (pair == nullptr || parameters.size() > kParameters) return;
    for (const OpaqueValue& value : parameters)
        if (!value || value->size() > kValueBytes) return;
    if (pair->eager > 0) --pair->eager;
    if (!pair->mapping || pair->mapping->parameters.size() != parameters.size()) {
        pair->mapping = std::make_unique<Mapping>();
        pair->mapping->parameters.resize(parameters.size());
    }
    Mapping& mapping = *pair->mapping;
    if (mapping.examples >= kExamplesMax) {
        mapping.examples /= 2;
        for (ParameterSources& known : mapping.parameters)
            for (Source& source : known.sources) source.agreed /= 2;
    }
    mapping.examples += 1;
    mapping.bound = parameters.empty() ? 1 : wilson_lower_bound(mapping.examples, mapping.examples);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        ParameterSources& known = mapping.parameters[i];
        add_example(known, history.first(std::min(history.size(), kHistory)), *parameters[i],
                    mapping.examples);
        const Source* const source = best(known);
        mapping.bound =
            std::min(mapping.bound, wilson_lower_bound(source ? source->agreed : 0, mapping.examples));
    }
    count_mapped(*from);
}

// Every place where the value stands agrees; one not remembered takes the place of one that seldom did.
void NextQuery::add_example(ParameterSources& known, std::span<const AnsweredRequest> history,
                            std::string_view value, double examples) {
    const auto agree = [&](const Source& source) {
        const auto end = known.sources.begin() + static_cast<std::ptrdiff_t>(known.count);
        const auto found = std::find_if(known.sources.begin(), end,
                                        [&](const Source& each) { return each.same_place(source); });
        if (found != end) {
            found->agreed += 1;
            return;
        }
        const auto weakest = std::min_element(
            known.sources.begin(), end, [](const Source& a, const Source& b) { return a.agreed < b.agreed; });
        if (known.count < kSources)
            known.sources[known.count++] = source;
        else if (weakest->agreed < examples / 2)
            *weakest = source;
    };
    for (std::size_t back = 0; back < history.size(); ++back) {
        const auto look = [&](Source::Kind kind, std::span<const OpaqueValue> values,
                              std::size_t values_max) {
            for (std::size_t i = 0; i < std::min(values.size(), values_max); ++i)
                if (values[i] && *values[i] == value)
                    agree({kind, static_cast<std::uint8_t>(back), static_cast<std::uint8_t>(i), 1});
        };
        look(Source::Kind::Column, history[back].columns, kColumns);
        look(Source::Kind::Parameter, history[back].parameters, kParameters);
    }
    const bool same = known.constant == value && examples > 1;
    known.constant = value;
    if (!same) {  // a constant begins anew
        for (std::size_t i = 0; i < known.count; ++i)
            if (known.sources[i].kind == Source::Kind::Constant) known.sources[i].agreed = 0;
    }
    agree({Source::Kind::Constant, 0, 0, 1});
}

// Of equals the one that is not the constant: it says more.
const NextQuery::Source* NextQuery::best(const ParameterSources& known) {
    const Source* found = nullptr;
    for (std::size_t i = 0; i < known.count; ++i) {
        const Source& source = known.sources[i];
        const bool better = found == nullptr || source.agreed > found->agreed ||
                            (source.agreed == found->agreed && found->kind == Source::Kind::Constant);
        if (better) found = &source;
    }
    return found;
}

// What follows this time is not known yet: it does not count.
double NextQuery::probability(const Statement& statement, const Pair& pair) {
    const auto successors =
        std::ranges::count_if(statement.pairs, [](const Pair& each) { return each.to != 0; });
    const double followed = std::max(statement.count - 1, pair.count);
    return (pair.count + kPrior) / (followed + kPrior * static_cast<double>(successors + 1));
}

bool NextQuery::leads(std::uint64_t statement) const {
    const Statement* const found = find(statement);
    return found != nullptr && found->mapped > 0;
}

std::size_t NextQuery::candidates(std::uint64_t id, std::uint64_t now_us, Candidates& found) {
    std::size_t count = 0;
    Statement* const statement = find(id);
    if (statement == nullptr || statement->mapped == 0) return 0;
    for (Pair& pair : statement->pairs) {
        if (pair.to == 0 || !pair.mapping) continue;
        const double confidence = probability(*statement, pair) * pair.mapping->bound;
        pair.in_force = confidence >= options_.confidence * (pair.in_force ? kStay : 1);
        if (pair.there_run >= kThereRun && tick_ % kSampleEvery != 0) continue;
        if (pair.in_force && now_us >= pair.off_until_us) found[count++] = {pair.to, confidence};
    }
    return count;
}

double NextQuery::row_confidence(QueryPair of, std::size_t rank) const {
    const Statement* const from = find(of.from);
    const Pair* const pair = find(of);
    if (pair == nullptr || !pair->fan_out) return 0;
    // That the row's value was the parameter is part of the chance: the mapping's bound does not count again.
    return probability(*from, *pair) * pair->fan_out->chance(rank);
}

bool NextQuery::wants_fan_out(QueryPair of) const {
    const Pair* const pair = find(of);
    if (pair == nullptr || !pair->mapping || pair->mapping->bound <= 0) return false;
    const auto by_row = [](const ParameterSources& known) {
        const Source* const source = best(known);
        return source != nullptr && source->kind == Source::Kind::Column && source->back == 0;
    };
    if (std::ranges::none_of(pair->mapping->parameters, by_row)) return false;
    return !pair->fan_out || pair->fan_out->is_young() || pair->eager > 0 || pair->seen % kSampleEvery == 0;
}

void NextQuery::fanned_out(QueryPair of, std::size_t there, std::size_t asked) {
    Pair* const pair = find(of);
    if (pair == nullptr || there < 2 || (!pair->fan_out && asked < 2)) return;
    if (!pair->fan_out) pair->fan_out = std::make_unique<FanOut>();
    pair->fan_out->add(there, asked);
}

bool NextQuery::pays(double confidence, std::uint64_t origin_us) const {
    const auto origin = static_cast<double>(origin_us);
    return confidence * origin > (1 - confidence) * origin + static_cast<double>(options_.overhead_us);
}

std::optional<NextQuery::Parameters> NextQuery::parameters(QueryPair of,
                                                           std::span<const AnsweredRequest> history) const {
    const Pair* const pair = find(of);
    if (pair == nullptr || !pair->mapping) return std::nullopt;
    Parameters found;
    for (const ParameterSources& known : pair->mapping->parameters) {
        const Source* const source = best(known);
        if (source == nullptr) return std::nullopt;
        if (source->kind == Source::Kind::Constant) {
            found.emplace_back(known.constant);
            continue;
        }
        if (source->back >= history.size()) return std::nullopt;
        const AnsweredRequest& from = history[source->back];
        const auto values = source->kind == Source::Kind::Column ? from.columns : from.parameters;
        if (source->index >= values.size() || !values[source->index]) return std::nullopt;
        if (values[source->index]->size() > kValueBytes) return std::nullopt;
        found.push_back(*values[source->index]);
    }
    return found;
}

void NextQuery::there(QueryPair of, bool first) {
    Pair* const pair = find(of);
    if (pair != nullptr && first) ++pair->there_run;
    for (NextQueryCounts* counts : {&totals_, pair ? &pair->counts : nullptr})
        if (counts != nullptr) ++counts->predicted, ++counts->there;
}

void NextQuery::prefetched(QueryPair of) {
    Pair* const pair = find(of);
    if (pair != nullptr) pair->there_run = 0;
    for (NextQueryCounts* counts : {&totals_, pair ? &pair->counts : nullptr})
        if (counts != nullptr) ++counts->predicted, ++counts->prefetched;
}

void NextQuery::used(QueryPair of, std::uint64_t saved_us, std::uint64_t now_us) {
    ++totals_.used;
    totals_.saved_us += saved_us;
    Pair* const pair = find(of);
    if (pair == nullptr) return;
    ++pair->counts.used;
    pair->counts.saved_us += saved_us;
    judge(*pair, static_cast<double>(saved_us), static_cast<double>(options_.overhead_us), now_us);
}

void NextQuery::late(QueryPair of, std::uint64_t now_us) {
    ++totals_.late;
    Pair* const pair = find(of);
    if (pair == nullptr) return;
    ++pair->counts.late;
    judge(*pair, 0, static_cast<double>(options_.overhead_us), now_us);
}

void NextQuery::wasted(QueryPair of, std::uint64_t cost_us, std::uint64_t now_us) {
    ++totals_.wasted;
    totals_.wasted_us += cost_us;
    Pair* const pair = find(of);
    if (pair == nullptr) return;
    ++pair->counts.wasted;
    pair->counts.wasted_us += cost_us;
    pair->eager = kExamplesAnew;
    judge(*pair, 0, static_cast<double>(cost_us + options_.overhead_us), now_us);
}

// A cumulative sum (Page 1954) that begins anew whenever it is positive: a pair that pays on the whole is not
// off for a few that were wasted in a row.
void NextQuery::judge(Pair& pair, double brought_us, double cost_us, std::uint64_t now_us) {
    const auto overhead_us = static_cast<double>(options_.overhead_us);
    if (brought_us > 0 && ++pair.outcomes >= kUsedToTrust) pair.off_times = 1;
    pair.brought_us += brought_us;
    pair.cost_us += cost_us;
    const double lost_us = pair.cost_us - pair.brought_us;
    const bool pays = lost_us <= 0;
    if (!pays && lost_us < std::max(kWastedMax * cost_us, kLateMax * overhead_us)) return;
    pair.brought_us = pair.cost_us = 0;
    if (pays) return;
    pair.outcomes = 0;
    // Who asks too fast may be gone soon, and being late costs little: off for a moment only.
    const bool late = cost_us <= overhead_us;
    pair.off_until_us = now_us + (late ? options_.off_us / kOffMax : options_.off_us * pair.off_times);
    if (!late) pair.off_times = std::min(pair.off_times * 2, kOffMax);
}

std::vector<NextQueryRow> NextQuery::rows(std::uint64_t now_us) const {
    std::vector<NextQueryRow> rows;
    for (const Statement& statement : statements_) {
        if (statement.id == 0) continue;
        for (const Pair& pair : statement.pairs) {
            if (pair.to == 0) continue;
            NextQueryRow row;
            row.pair = {statement.id, pair.to};
            row.seen = pair.seen;
            row.probability = probability(statement, pair);
            row.in_force = pair.in_force;
            row.off = now_us < pair.off_until_us;
            row.counts = pair.counts;
            if (pair.mapping) {
                row.mapping = pair.mapping->bound;
                for (const ParameterSources& known : pair.mapping->parameters) {
                    const Source* const source = best(known);
                    if (!row.sources.empty()) row.sources += ", ";
                    if (source == nullptr || source->kind == Source::Kind::Constant) {
                        row.sources += "constant";
                        continue;
                    }
                    row.sources += source->kind == Source::Kind::Column ? "column " : "parameter ";
                    row.sources += std::to_string(source->index + 1);
                    if (source->back > 0) row.sources += ", " + std::to_string(source->back) + " before";
                }
            }
            row.confidence = row.probability * row.mapping;
            while (row_confidence(row.pair, row.rows) >= options_.confidence) ++row.rows;
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

}  // namespace warmfront::forecast
