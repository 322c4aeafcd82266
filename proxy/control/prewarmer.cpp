#include "proxy/control/prewarmer.h"

#include <algorithm>
#include <cmath>
#include <ctime>

#include "cache/key.h"
#include "sql/choices.h"

namespace warmfront::control {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr double kBytesUnknown = 4096, kSavesUnknown_us = 1000;
constexpr double kCommandRate = 1;  // a second
// What is asked for soon with less than this share of its chance to be asked for at all can wait.
constexpr double kSoonShare = 0.05;
// Soon: within prewarm.lead and this part of the time ahead, since not each day begins on the second.
constexpr double kSoonPart = 0.125;
constexpr double kHotChance = 0.5, kColdChance = 0.05;  // of being asked for, to be hinted at the store
constexpr std::chrono::milliseconds kRequestGood{2'000};
constexpr std::size_t kStatementsMax = 10'000;

std::int64_t wall_s() {
    return static_cast<std::int64_t>(std::time(nullptr));
}

// How long a key is left alone after a fetch that came to this.
std::chrono::milliseconds rest_after(FetchOutcome outcome) {
    switch (outcome) {
        case FetchOutcome::Stored:
        case FetchOutcome::There:
        case FetchOutcome::Late: return 0ms;
        case FetchOutcome::UnderWay:
        case FetchOutcome::Overtaken: return 50ms;
        case FetchOutcome::Unreachable: return 1s;
        case FetchOutcome::Refused:
        case FetchOutcome::Failed: return 10s;
        case FetchOutcome::TooLarge: return 300s;
    }
    return 10s;
}

double seconds(std::chrono::milliseconds time) {
    return std::chrono::duration<double>(time).count();
}

// Text of the role's own name where the replay has one.
std::string role_of(const Replay& replay) {
    const std::string* const role = replay.setting("current_user");
    return role == nullptr ? "" : *role;
}

}  // namespace

struct Prewarmer::Watched {
    forecast::HotKey hot;
    std::shared_ptr<const Replay> replay;
    std::string key;  // in the cache, once it was fetched for the first time
    std::uint64_t digest = 0;
    double saves_us = 0, bytes = 0;
    double ttl_s = 0;     // 0: not known yet
    bool voided = false;  // by a write, since it was there
    bool asked = false;   // waits in the prefetcher, or is being fetched
    bool wanted = false;  // still hot, while the list is made anew
    Time rests_until{};
    std::string state = "absent", plan;
    std::string refused;  // why the last fetch came to nothing
};

Prewarmer::Prewarmer(session::Shared& shared, Options options)
    : shared_(shared),
      options_(std::move(options)),
      prefetcher_(shared,
                  {options_.conninfo_for, shared.settings()->prewarm.concurrency,
                   static_cast<double>(shared.settings()->prewarm.rate), options_.first_ledger_worker},
                  [this](const PrefetchRequest& request, const Fetched& fetched) {
                      const std::lock_guard lock(mutex_);
                      if (results_.size() < Prefetcher::kQueueMax) results_.emplace_back(request, fetched);
                      wake_.notify_one();
                  }),
      governor_({.rate_max = static_cast<double>(shared.settings()->prewarm.rate)}) {}

Prewarmer::~Prewarmer() {
    stop();
}

void Prewarmer::start() {
    misses_seen_ = options_.misses();
    prefetcher_.start();
    thread_ = std::thread([this] { run(); });
}

void Prewarmer::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    prefetcher_.stop();
}

Result<void> Prewarmer::prewarm(std::string_view text) {
    if (!shared_.settings()->prewarm.enabled) return fail("55000", "prewarm.enabled is off");
    // Whoever gives it learns whether a query of theirs fails, which is more than a console should tell.
    if (shared_.settings()->prewarm.roles != PrewarmRoles::All)
        return fail("42501", "PREWARM needs prewarm.roles: all");
    auto parsed = parse_replay(text);
    if (!parsed) return tl::unexpected(parsed.error());
    const auto replay = std::make_shared<const Replay>(std::move(*parsed));
    // Apart from the history's keys by its highest bit.
    const std::uint64_t key = cache::hash_of(text) | std::uint64_t{1} << 63;
    {
        const std::lock_guard lock(mutex_);
        if (commands_.size() >= kCommandsMax && !commands_.contains(key))
            return fail("53400", "too many answers are kept warm by PREWARM");
        commands_[key] = {replay, steady_clock::now() + kCommandHolds};
    }
    PrefetchRequest request;
    request.replay = replay;
    request.reason = PrefetchReason::Command;
    request.tag = key;
    if (!prefetcher_.submit(std::move(request))) return fail("53400", "too much waits to be fetched");
    return {};
}

void Prewarmer::run() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            // Many keys are looked at less often: never more than a hundredth of a core or so.
            wake_.wait_for(lock, kTick * (1 + watched_.size() / kKeysPerTick), [this] { return stopping_; });
            if (stopping_) return;
        }
        tick();
    }
}

bool Prewarmer::active() const {
    const auto settings = shared_.settings();
    return settings->prewarm.enabled && settings->cache.enabled && !shared_.switches.observing() &&
           options_.reachable();
}

// How long an answer that is fetched now is good for, as far as is known of all of them.
double Prewarmer::within_s() const {
    return seconds(shared_.settings()->cache.ttl);
}

void Prewarmer::tick() {
    take_results();
    const auto now = steady_clock::now();
    const bool plans = now - planned_ >= kPlanEvery;
    if (plans) {
        planned_ = now;
        replan();
        protect();
    }
    std::vector<forecast::PrewarmCandidate> candidates;
    double awaiting_bytes = 0;
    for (const auto& watched : watched_) candidates.push_back(candidate_of(*watched, awaiting_bytes));
    const auto settings = shared_.settings();
    const auto waiting = static_cast<double>(prefetcher_.totals().waiting);
    forecast::PrewarmLimits limits;
    // No more than the prefetcher can take up soon, so that what is urgent is not behind what is not.
    const double batch = std::ceil(governor_.rate() * 0.2) - waiting;
    limits.fetches_max = active() && batch > 0 ? static_cast<std::size_t>(batch) : 0;
    limits.bytes_max =
        settings->prewarm.memory_share * static_cast<double>(settings->cache.memory) - awaiting_bytes;
    limits.refresh_s = std::max(0.1, 0.1 * seconds(settings->cache.ttl));
    limits.explains = plans;
    const auto decision = forecast::prewarm_plan(candidates, limits);
    for (std::size_t i = 0; plans && i < watched_.size(); ++i)
        watched_[i]->plan = watched_[i]->refused.empty() ? decision.reasons[i] : watched_[i]->refused;
    for (const auto& fetch : decision.fetches) submit(fetch);
    if (plans) show();
}

void Prewarmer::take_results() {
    std::vector<std::pair<PrefetchRequest, Fetched>> results;
    {
        const std::lock_guard lock(mutex_);
        results.swap(results_);
    }
    for (const auto& [request, fetched] : results) take_result(request, fetched);
}

void Prewarmer::take_result(const PrefetchRequest& request, const Fetched& fetched) {
    if (fetched.account && fetched.digest != 0) {
        const StatementKey of{request.replay->database, fetched.digest};
        if (switches_.size() < kStatementsMax || switches_.contains(of))
            switches_.try_emplace(of, Switched{forecast::PrewarmSwitch(bucket_s()), nullptr})
                .first->second.account = fetched.account;
    }
    const auto found = by_key_.find(request.tag);
    if (found == by_key_.end()) return;
    Watched& watched = *found->second;
    watched.asked = false;
    watched.rests_until = steady_clock::now() + rest_after(fetched.outcome);
    if (fetched.digest != 0) watched.digest = fetched.digest;
    if (!fetched.key.empty()) watched.key = fetched.key;
    if (fetched.took_us != 0) watched.saves_us = static_cast<double>(fetched.took_us);
    const bool lasting = fetched.outcome == FetchOutcome::Refused ||
                         fetched.outcome == FetchOutcome::Failed || fetched.outcome == FetchOutcome::TooLarge;
    watched.refused = lasting ? std::string(name_of(fetched.outcome)) + ": " + fetched.reason : "";
    if (fetched.outcome == FetchOutcome::Stored) watched.voided = false;
}

// What will probably be asked for is evicted last, what hardly will goes to the disk tier first.
void Prewarmer::protect() const {
    cache::Hints hints;
    hints.until_ms = shared_.clock.now_ms() + kHintsHold.count();
    for (const auto& watched : watched_) {
        if (watched->key.empty()) continue;
        if (watched->hot.chance >= kHotChance) hints.hot.push_back(cache::hash_of(watched->key));
        if (watched->hot.chance < kColdChance) hints.cold.push_back(cache::hash_of(watched->key));
    }
    shared_.store.hint(hints);
}

std::int64_t Prewarmer::bucket_s() const {
    return std::chrono::duration_cast<std::chrono::seconds>(shared_.settings()->forecast.bucket).count();
}

void Prewarmer::replan() {
    const auto settings = shared_.settings();
    governor_.set_rate_max(static_cast<double>(settings->prewarm.rate));
    const MissLoad load = options_.misses();
    prefetcher_.set_rate(
        governor_.step(load.misses - misses_seen_.misses, load.took_us - misses_seen_.took_us));
    misses_seen_ = load;
    judge_statements();

    for (const auto& watched : watched_) watched->wanted = false;
    std::vector<forecast::HotKey> hot;
    if (settings->prewarm.enabled)
        hot = options_.hot(
            {.now_s = wall_s(),
             .within_s = within_s(),
             .soon_s = std::min(seconds(settings->prewarm.lead) + kSoonPart * within_s(), within_s()),
             .keys_max = kKeysMax});
    if (hot.size() > kKeysMax) hot.resize(kKeysMax);
    add_commands(hot);
    for (const forecast::HotKey& each : hot) watch(each);
    std::erase_if(watched_, [this](const std::unique_ptr<Watched>& watched) {
        if (watched->wanted || watched->asked) return false;
        by_key_.erase(watched->hot.key);
        return true;
    });
    std::ranges::stable_sort(watched_,
                             [](const auto& a, const auto& b) { return a->hot.requests > b->hot.requests; });
}

void Prewarmer::add_commands(std::vector<forecast::HotKey>& hot) {
    const auto now = steady_clock::now();
    const std::lock_guard lock(mutex_);
    std::erase_if(commands_, [now](const auto& each) { return each.second.until < now; });
    for (const auto& [key, command] : commands_) {
        forecast::HotKey& each = hot.emplace_back();
        each.key = key;
        each.name.kind = forecast::SeriesName::Kind::Template;
        each.name.database = command.replay->database;
        each.rate_now = each.rate_most = kCommandRate;
        // As good as certain, however short its answer is good for.
        each.requests = std::max(kCommandRate * within_s(), 10.0);
        each.chance = each.chance_soon = 1;
    }
}

void Prewarmer::watch(const forecast::HotKey& hot) {
    auto& known = by_key_[hot.key];
    if (known == nullptr) {
        auto watched = std::make_unique<Watched>();
        {
            const std::lock_guard lock(mutex_);
            const auto command = commands_.find(hot.key);
            if (command != commands_.end()) {
                watched->replay = command->second.replay;
                // prewarm() asks for it.
                watched->rests_until = steady_clock::now() + kPlanEvery;
            }
        }
        if (!watched->replay) {
            const auto remembered = options_.known(hot.key);
            auto replay = remembered ? parse_replay(remembered->replay) : fail("22023", "");
            if (!replay) {
                by_key_.erase(hot.key);
                return;
            }
            watched->replay = std::make_shared<const Replay>(std::move(*replay));
            watched->saves_us = remembered->saves_us;
            watched->bytes = remembered->bytes;
            watched->digest = sql::parse_digest(hot.name.name).value_or(0);
        }
        known = watched.get();
        watched_.push_back(std::move(watched));
    }
    known->hot = hot;
    known->wanted = true;
}

void Prewarmer::judge_statements() {
    const double waste = shared_.settings()->prewarm.waste;
    for (auto& [of, switched] : switches_) {
        const cache::Worth& worth = *switched.account->worth();
        (void)switched.decides.judge(worth.used.load(std::memory_order_relaxed),
                                     worth.unused.load(std::memory_order_relaxed), waste, wall_s());
    }
}

forecast::PrewarmCandidate Prewarmer::candidate_of(Watched& watched, double& awaiting_bytes) {
    forecast::PrewarmCandidate each;
    each.key = watched.hot.key;
    each.rate_now = watched.hot.rate_now;
    each.rate_most = watched.hot.rate_most;
    const std::uint64_t now_ms = shared_.clock.now_ms();
    cache::Store::Glance glance;
    if (!watched.key.empty())
        glance = shared_.store.glance({watched.key, cache::hash_of(watched.key)}, now_ms);
    if (glance.current) {
        watched.bytes = static_cast<double>(glance.charge);
        watched.ttl_s = static_cast<double>(glance.expires_at_ms - glance.filled_at_ms) / 1000;
        each.there = true;
        each.expires_in_s = static_cast<double>(glance.expires_at_ms - now_ms) / 1000;
        if (glance.awaits_use) awaiting_bytes += watched.bytes;
    }
    watched.voided = !glance.current && (watched.voided || glance.overtaken);
    watched.state = glance.current ? "there" : watched.voided ? "voided" : "absent";
    each.voided = watched.voided;
    const double within = within_s();
    const double good_for = watched.ttl_s == 0 ? within : std::min(within, watched.ttl_s);
    const double part = within == 0 ? 0 : good_for / within;
    each.requests = watched.hot.requests * part;
    each.chance = 1 - std::pow(1 - watched.hot.chance, part);
    each.later = watched.hot.chance_soon < kSoonShare * watched.hot.chance;
    each.saves_us = watched.saves_us == 0 ? kSavesUnknown_us : watched.saves_us;
    each.bytes = watched.bytes == 0 ? kBytesUnknown : watched.bytes;
    each.under_way = watched.asked || steady_clock::now() < watched.rests_until;
    const auto switched = switches_.find({watched.replay->database, watched.digest});
    const double waste = shared_.settings()->prewarm.waste;
    each.risk_max = switched == switches_.end() ? waste : switched->second.decides.risk(waste);
    each.switched_off = switched != switches_.end() && !switched->second.decides.on();
    return each;
}

void Prewarmer::submit(const forecast::PrewarmFetch& fetch) {
    Watched& watched = *by_key_.at(fetch.key);
    PrefetchRequest request;
    request.replay = watched.replay;
    request.tag = fetch.key;
    request.deadline = steady_clock::now() + kRequestGood;
    switch (fetch.why) {
        case forecast::PrewarmWhy::Write: request.reason = PrefetchReason::Write; break;
        case forecast::PrewarmWhy::Expiry: request.reason = PrefetchReason::Expiry; break;
        case forecast::PrewarmWhy::Rise: request.reason = PrefetchReason::Rise; break;
    }
    request.anew = fetch.why == forecast::PrewarmWhy::Expiry;
    watched.asked = prefetcher_.submit(std::move(request));
}

void Prewarmer::show() {
    auto view = std::make_shared<admin::PrewarmView>();
    view->enabled = shared_.settings()->prewarm.enabled;
    view->hot_keys = watched_.size();
    for (const auto& each : watched_) {
        if (view->hot.size() >= admin::PrewarmView::kHotRowsMax) break;
        admin::HotRow& row = view->hot.emplace_back();
        row.database = each->replay->database;
        row.template_digest = sql::digest_text(each->digest);
        row.statement = each->replay->statement;
        row.role = role_of(*each->replay);
        row.rate_now = each->hot.rate_now;
        row.rate_most = each->hot.rate_most;
        row.requests = each->hot.requests;
        row.saves_us = each->saves_us;
        row.bytes = each->bytes;
        row.state = each->state;
        row.plan = each->plan;
    }
    for (const auto& [of, switched] : switches_)
        if (!switched.decides.on()) view->off.emplace(of, switched.decides.reason());
    const std::lock_guard lock(mutex_);
    view_ = std::move(view);
}

std::shared_ptr<const admin::PrewarmView> Prewarmer::view() const {
    const std::lock_guard lock(mutex_);
    return view_;
}

admin::PrewarmNumbers Prewarmer::numbers() const {
    const PrefetchTotals totals = prefetcher_.totals();
    admin::PrewarmNumbers numbers;
    for (std::size_t i = 0; i < kFetchOutcomes; ++i)
        numbers.outcomes.emplace_back(name_of(static_cast<FetchOutcome>(i)), totals.outcomes[i]);
    for (std::size_t i = 0; i < kPrefetchReasons; ++i)
        numbers.stored.emplace_back(name_of(static_cast<PrefetchReason>(i)), totals.reasons[i]);
    numbers.dropped = totals.dropped;
    numbers.waiting = totals.waiting;
    numbers.rate = totals.rate;
    const auto seen = view();
    numbers.hot_keys = seen->hot_keys;
    numbers.templates_off = seen->off.size();
    return numbers;
}

}  // namespace warmfront::control
