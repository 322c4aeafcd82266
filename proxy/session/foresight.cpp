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

// The first message, where it is a DataRow; cut at the bound.
std::string_view first_row(std::string_view rows) {
    if (rows.size() < 5 || rows[0] != 'D') return {};
    const auto at = [&](std::size_t i) {
        return static_cast<std::size_t>(static_cast<unsigned char>(rows[i]));
    };
    const std::size_t size = 1 + (at(1) << 24 | at(2) << 16 | at(3) << 8 | at(4));
    return rows.substr(0, std::min(size, Trail::kPartBytesMax));
}

bool counts_as_request(sql::QueryClass query_class) {
    return query_class != sql::QueryClass::Transaction && query_class != sql::QueryClass::Session;
}

}  // namespace

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
    if (trail.awaited_count_ == 0) return;
    const std::lock_guard lock(mutex_);
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

    trail.last_ = (trail.last_ + 1) % trail.steps_.size();
    Trail::Step& step = trail.steps_[trail.last_];
    step.statement = pair.to;
    step.at_us = now_us;
    step.kind = request.kind;
    // Cut details would be malformed.
    step.details.assign(request.details.size() <= Trail::kPartBytesMax ? request.details
                                                                       : std::string_view{});
    step.row.assign(first_row(request.rows));
    if (sink_ != nullptr && request.settings && model_.leads(pair.to)) predict(trail, request, now_us);
}

// Of what the session waits for: this is it, or it asked for something else.
void Foresight::settle_awaited(Trail& trail, const Request& request, std::uint64_t now_us) {
    for (std::size_t i = 0; i < trail.awaited_count_; ++i) {
        const Trail::Awaited& awaited = trail.awaited_[i];
        const bool came = request.cacheable && awaited.key_hash == request.key_hash;
        if (came && now_us <= awaited.until_us && request.from_memory)
            model_.used(awaited.pair, awaited.origin_us, now_us);
        else if (came)
            model_.late(awaited.pair, now_us);
        else
            model_.wasted(awaited.pair, awaited.origin_us, now_us);
    }
    trail.awaited_count_ = 0;
}

std::span<const forecast::AnsweredRequest> Foresight::history(const Trail& trail, std::uint64_t now_us) {
    std::size_t count = 0;
    for (; count < history_.size(); ++count) {
        const std::size_t size = trail.steps_.size();
        const Trail::Step& step = trail.steps_[(trail.last_ + size - count) % size];
        if (step.statement == 0 || now_us - step.at_us > window_us_) break;
        texts_[count].read(step.kind, step.details, step.row);
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
        if (model_.pays(found[i].confidence, origin_us))
            want(trail, request, {statement, found[i].to}, known->second, origin_us, now_us);
    }
}

void Foresight::want(Trail& trail, const Request& request, forecast::QueryPair pair, const Exemplar& exemplar,
                     std::uint64_t origin_us, std::uint64_t now_us) {
    const auto values = model_.parameters(pair, history(trail, now_us));
    if (!values) return;
    auto details = with_values(exemplar.kind, exemplar.details, *values, request.settings->utf8);
    if (!details) return;
    key_.start(request.settings->fingerprint, exemplar.plan->made_from->id, exemplar.kind,
               exemplar.row_limit);
    key_.append(*details);
    const cache::KeyView key = key_.finish();
    const std::span awaited(trail.awaited_.data(), trail.awaited_count_);
    if (std::ranges::find(awaited, key.hash, &Trail::Awaited::key_hash) != awaited.end()) return;
    if (store_.glance(key, now_us / 1000).current) return model_.there(pair);
    if (trail.awaited_count_ == trail.awaited_.size()) return;
    if (!sink_->prefetch({request.settings, exemplar.plan->made_from, exemplar.kind, exemplar.row_limit,
                          std::move(*details), std::chrono::microseconds(window_us_)}))
        return;
    model_.prefetched(pair);
    trail.awaited_[trail.awaited_count_++] = {pair, key.hash, now_us + window_us_, origin_us};
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
