// On the way of every request only bytes are copied (the values' and the first row's) and the model counts;
// values are read apart where the model asks for an example, or expects something of this statement.
#include "proxy/session/foresight.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "sql/choices.h"

namespace warmfront::session {
namespace {

// In front of the details, see cache/key.h.
constexpr std::size_t kKindAt = 4 + 8, kRowLimitAt = kKindAt + 1, kDetailsAt = kRowLimitAt + 4;

// Of the first message as its header says, perhaps more than there is; 0 where it is no DataRow.
std::size_t row_bytes(std::string_view rows) {
    if (rows.size() < 5 || rows[0] != 'D') return 0;
    const auto at = [&](std::size_t i) {
        return static_cast<std::size_t>(static_cast<unsigned char>(rows[i]));
    };
    return 1 + (at(1) << 24 | at(2) << 16 | at(3) << 8 | at(4));
}

// Of kept_rows(). Row `rank`, from 0; empty: it is not there.
std::string_view row_of(std::string_view rows, std::size_t rank) {
    for (; rank > 0 && !rows.empty(); --rank) rows.remove_prefix(std::min(row_bytes(rows), rows.size()));
    return rows.substr(0, row_bytes(rows));
}

std::size_t count_rows(std::string_view rows) {
    std::size_t count = 0;
    for (; !rows.empty(); ++count) rows.remove_prefix(std::min(row_bytes(rows), rows.size()));
    return count;
}

bool counts_as_request(sql::QueryClass query_class) {
    return query_class != sql::QueryClass::Transaction && query_class != sql::QueryClass::Session;
}

}  // namespace

std::string_view Trail::kept_rows(std::string_view rows) {
    const std::size_t first = row_bytes(rows);
    if (first > std::min(kPartBytesMax, rows.size())) return rows.substr(0, kPartBytesMax);
    std::size_t end = first;
    for (std::size_t count = 1; count < forecast::FanOut::kRows; ++count) {
        const std::size_t next = row_bytes(rows.substr(end));
        if (next == 0 || next > rows.size() - end || end + next > kRowsBytesMax) break;
        end += next;
    }
    return rows.substr(0, end);
}

Foresight::Foresight(const cache::Store& store, PrefetchSink* sink, const NextQuerySettings& settings)
    : store_(store), sink_(sink) {
    set(settings);
}

void Foresight::set(const NextQuerySettings& settings) {
    const std::lock_guard lock(mutex_);
    model_.set_confidence(settings.confidence);
    window_us_ = static_cast<std::uint64_t>(settings.window.count()) * 1000;
    enabled_.store(settings.enabled, std::memory_order_relaxed);
}

Foresight::Request Foresight::request_of(const PlanRef& plan, std::string_view database,
                                         std::shared_ptr<const sql::SessionSettings> settings,
                                         const cache::KeyView& key) {
    Request request{.plan = plan, .database = database, .settings = std::move(settings)};
    request.cacheable = true;
    request.key_hash = key.hash;
    if (key.bytes.size() < kDetailsAt) return request;
    request.kind = key.bytes[kKindAt];
    std::memcpy(&request.row_limit, key.bytes.data() + kRowLimitAt, sizeof request.row_limit);
    request.details = key.bytes.substr(kDetailsAt);
    return request;
}

void Foresight::ended(Trail& trail, std::uint64_t now_us) {
    for (Trail::Step& step : trail.steps_) step.statement = 0;
    if (trail.awaited_count_ == 0 && trail.run_.pair.from == 0) return;
    const std::lock_guard lock(mutex_);
    end_run(trail);
    for (std::size_t i = 0; i < trail.awaited_count_; ++i)
        model_.wasted(trail.awaited_[i].pair, trail.awaited_[i].origin_us, now_us);
    trail.awaited_count_ = 0;
}

void Foresight::answered(Trail& trail, const Request& request, std::uint64_t now_us) {
    if (!enabled() || !counts_as_request(request.plan->analysis().query_class)) return;
    const std::lock_guard lock(mutex_);
    if (trail.awaited_count_ > 0) settle_awaited(trail, request, now_us);
    const Trail::Step& before = trail.steps_[trail.last_];
    const bool follows = before.statement != 0 && now_us - before.at_us <= window_us_;
    const forecast::QueryPair pair{follows ? before.statement : 0, request.plan->identity};
    const auto noted = model_.asked(pair.from, pair.to);
    if (noted.new_statement && pair.to != 0) name(pair.to, *request.plan, request.database);
    if (noted.wants_example && request.cacheable && request.settings) learn(trail, pair, request, now_us);
    follow_run(trail, pair, request);

    trail.last_ = (trail.last_ + 1) % trail.steps_.size();
    Trail::Step& step = trail.steps_[trail.last_];
    step.statement = pair.to;
    step.at_us = now_us;
    step.kind = request.kind;
    // Cut details would be malformed.
    step.details.assign(request.details.size() <= Trail::kPartBytesMax ? request.details
                                                                       : std::string_view{});
    step.rows.assign(Trail::kept_rows(request.rows));
    if (sink_ != nullptr && request.settings && model_.leads(pair.to)) predict(trail, request, now_us);
}

// Of what the session waits for: this is it, or it asked for something else. Of several rows of a list each
// may come as long as the session asks for nothing but such rows.
void Foresight::settle_awaited(Trail& trail, const Request& request, std::uint64_t now_us) {
    std::size_t left = 0;
    for (std::size_t i = 0; i < trail.awaited_count_; ++i) {
        const Trail::Awaited awaited = trail.awaited_[i];
        const bool came = request.cacheable && awaited.key_hash == request.key_hash;
        if (came && now_us <= awaited.until_us && request.from_memory)
            model_.used(awaited.pair, awaited.origin_us, now_us);
        else if (came)
            model_.late(awaited.pair, now_us);
        else if (awaited.of_rows && request.plan->identity == awaited.pair.to && now_us <= awaited.until_us)
            trail.awaited_[left++] = awaited;
        else
            model_.wasted(awaited.pair, awaited.origin_us, now_us);
    }
    trail.awaited_count_ = left;
}

void Foresight::end_run(Trail& trail) {
    Trail::Run& run = trail.run_;
    if (run.pair.from != 0) model_.fanned_out(run.pair, run.there, run.asked);
    run.pair = {};
}

// A run begins with the query for a list's first row, and ends with one that is not for the next row.
void Foresight::follow_run(Trail& trail, forecast::QueryPair pair, const Request& request) {
    Trail::Run& run = trail.run_;
    if (run.pair.from != 0) {
        const bool goes_on =
            pair.from == run.pair.to && pair.to == run.pair.to && asks_for_row(run, run.asked, request);
        if (goes_on) ++run.asked;
        if (!goes_on || run.asked == run.there) end_run(trail);
        if (goes_on) return;
    }
    if (pair.from == 0 || pair.from == pair.to || !model_.wants_fan_out(pair)) return;
    const Trail::Step& list = trail.steps_[trail.last_];
    const std::size_t there = count_rows(list.rows);
    if (there < 2) return;
    run.list = list;
    run.pair = pair;
    run.there = there;
    run.asked = 1;
    if (!asks_for_row(run, 0, request)) run.pair = {};
}

bool Foresight::asks_for_row(const Trail::Run& run, std::size_t row, const Request& request) {
    if (!request.cacheable || request.details.size() > Trail::kPartBytesMax) return false;
    list_.read(run.list.kind, run.list.details, row_of(run.list.rows, row));
    const forecast::AnsweredRequest list{list_.parameters(), list_.columns()};
    const auto expected = model_.parameters(run.pair, std::span(&list, 1));
    if (!expected) return false;
    given_.read(request.kind, request.details, {});
    return std::ranges::equal(
        given_.parameters(), *expected,
        [](const forecast::OpaqueValue& given, std::string_view value) { return given && *given == value; });
}

std::span<const forecast::AnsweredRequest> Foresight::history(const Trail& trail, std::uint64_t now_us) {
    std::size_t count = 0;
    for (; count < history_.size(); ++count) {
        const std::size_t size = trail.steps_.size();
        const Trail::Step& step = trail.steps_[(trail.last_ + size - count) % size];
        if (step.statement == 0 || now_us - step.at_us > window_us_) break;
        texts_[count].read(step.kind, step.details, row_of(step.rows, 0));
        history_[count] = {texts_[count].parameters(), texts_[count].columns()};
    }
    return {history_.data(), count};
}

void Foresight::learn(const Trail& trail, forecast::QueryPair pair, const Request& request,
                      std::uint64_t now_us) {
    if (request.details.size() > Trail::kPartBytesMax) return;
    given_.read(request.kind, request.details, {});
    model_.learn(pair, history(trail, now_us), given_.parameters());
    if (exemplars_.size() >= kExemplarsMax) exemplars_.clear();
    Exemplar& exemplar = exemplars_[{pair.to, request.settings->fingerprint}];
    exemplar.plan = request.plan;
    exemplar.kind = request.kind;
    exemplar.row_limit = request.row_limit;
    exemplar.details = request.details;
}

void Foresight::predict(Trail& trail, const Request& request, std::uint64_t now_us) {
    const std::uint64_t statement = request.plan->identity;
    forecast::NextQuery::Candidates found;
    const std::size_t count = model_.candidates(statement, now_us, found);
    for (std::size_t i = 0; i < count; ++i) {
        const auto known = exemplars_.find({found[i].to, request.settings->fingerprint});
        if (known == exemplars_.end()) continue;
        const Plan& plan = *known->second.plan;
        if (!plan.cacheable() || !plan.on() || !plan.ledger.account) continue;
        const std::uint64_t origin_us = plan.ledger.account->origin_mean_us();
        if (!model_.pays(found[i].confidence, origin_us)) continue;
        const forecast::QueryPair pair{statement, found[i].to};
        const std::size_t rows = rows_worth(trail.steps_[trail.last_], pair, origin_us);
        for (std::size_t row = 0; row < rows; ++row)
            want(trail, request, {pair, known->second, origin_us, row, rows}, now_us);
    }
}

// How many rows of the list are fetched for.
std::size_t Foresight::rows_worth(const Trail::Step& list, forecast::QueryPair pair,
                                  std::uint64_t origin_us) const {
    const std::size_t there = count_rows(list.rows);
    std::size_t rows = 1;
    for (; rows < there; ++rows) {
        const double confidence = model_.row_confidence(pair, rows);
        if (confidence < model_.confidence() || !model_.pays(confidence, origin_us)) break;
    }
    return rows;
}

void Foresight::want(Trail& trail, const Request& request, const Wish& wish, std::uint64_t now_us) {
    const auto& [pair, exemplar, origin_us, row, rows] = wish;
    const auto past = history(trail, now_us);
    if (row > 0) {
        const Trail::Step& list = trail.steps_[trail.last_];
        texts_[0].read(list.kind, list.details, row_of(list.rows, row));
        history_[0] = {texts_[0].parameters(), texts_[0].columns()};
    }
    const auto values = model_.parameters(pair, past);
    if (!values) return;
    auto details = with_values(exemplar.kind, exemplar.details, *values, request.settings->utf8);
    if (!details) return;
    key_.start(request.settings->fingerprint, exemplar.plan->made_from->id, exemplar.kind,
               exemplar.row_limit);
    key_.append(*details);
    const cache::KeyView key = key_.finish();
    const std::span awaited(trail.awaited_.data(), trail.awaited_count_);
    if (std::ranges::find(awaited, key.hash, &Trail::Awaited::key_hash) != awaited.end()) return;
    if (store_.glance(key, now_us / 1000).current) return model_.there(pair, row == 0);
    if (trail.awaited_count_ == trail.awaited_.size()) return;
    if (!sink_->prefetch({request.settings, exemplar.plan->made_from, exemplar.kind, exemplar.row_limit,
                          std::move(*details), std::chrono::microseconds(window_us_)}))
        return;
    model_.prefetched(pair);
    trail.awaited_[trail.awaited_count_++] = {pair, key.hash, now_us + window_us_, origin_us, rows > 1};
}

void Foresight::name(std::uint64_t statement, const Plan& plan, std::string_view database) {
    if (names_.size() >= kNamesMax) names_.clear();
    const sql::Template& made_from = *plan.made_from;
    std::string text = sql::shown_text(made_from.example.empty() ? made_from.text : made_from.example);
    if (text.size() > kTextShownMax) text.resize(kTextShownMax);
    names_.insert_or_assign(statement,
                            NextQueryName{made_from.analysis.digest, std::string(database), std::move(text)});
}

NextQueryName Foresight::name_of(std::uint64_t statement) const {
    const auto found = names_.find(statement);
    return found == names_.end() ? NextQueryName{} : found->second;
}

forecast::NextQueryCounts Foresight::counts() const {
    const std::lock_guard lock(mutex_);
    return model_.totals();
}

std::vector<NextQueryView> Foresight::rows(std::uint64_t now_us) const {
    const std::lock_guard lock(mutex_);
    std::vector<NextQueryView> rows;
    for (auto& row : model_.rows(now_us)) {
        auto from = name_of(row.pair.from), to = name_of(row.pair.to);
        rows.push_back({std::move(from), std::move(to), std::move(row)});
    }
    return rows;
}

Foresights::Foresights(std::size_t workers, const cache::Store& store, PrefetchSink* sink,
                       const NextQuerySettings& settings) {
    for (std::size_t i = 0; i < workers; ++i)
        each_.push_back(std::make_unique<Foresight>(store, sink, settings));
}

void Foresights::set(const NextQuerySettings& settings) {
    for (auto& each : each_) each->set(settings);
}

forecast::NextQueryCounts Foresights::counts() const {
    forecast::NextQueryCounts sum;
    for (const auto& each : each_) sum.add(each->counts());
    return sum;
}

std::vector<NextQueryView> Foresights::rows(std::uint64_t now_us) const {
    std::map<std::pair<std::uint64_t, std::uint64_t>, NextQueryView> sums;
    for (const auto& each : each_) {
        for (auto& view : each->rows(now_us)) {
            const std::pair key{view.row.pair.from, view.row.pair.to};
            const auto [at, is_new] = sums.try_emplace(key, view);
            if (is_new) continue;
            forecast::NextQueryRow& sum = at->second.row;
            // The worker that saw most of it stands for all in what is no count.
            if (view.row.seen > sum.seen) std::swap(sum, view.row);
            sum.seen += view.row.seen;
            sum.counts.add(view.row.counts);
        }
    }
    std::vector<NextQueryView> rows;
    for (auto& [key, view] : sums) rows.push_back(std::move(view));
    std::ranges::stable_sort(rows, [](const NextQueryView& a, const NextQueryView& b) {
        return a.row.counts.saved_us != b.row.counts.saved_us ? a.row.counts.saved_us > b.row.counts.saved_us
                                                              : a.row.seen > b.row.seen;
    });
    return rows;
}

}  // namespace warmfront::session
