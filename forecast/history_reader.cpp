#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "forecast/history.h"
#include "forecast/history_rows.h"
#include "forecast/history_schema.h"
#include "forecast/sqlite_file.h"

namespace warmfront::forecast {
namespace {

constexpr std::chrono::milliseconds kPatience{2'000};
constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();

// For every bucket, how many ms of it were recorded in steps that fit into it.
std::vector<std::int64_t> coverage(const std::vector<RecordedSpan>& spans, std::int64_t from_s,
                                   std::size_t buckets, std::int64_t step_s) {
    std::vector<std::int64_t> covered(buckets, 0);
    const std::int64_t begin_ms = from_s * 1000, step_ms = step_s * 1000;
    const std::int64_t end_ms = begin_ms + static_cast<std::int64_t>(buckets) * step_ms;
    for (const RecordedSpan& span : spans) {
        if (span.step_s > step_s || step_s % span.step_s != 0) continue;
        const std::int64_t until_ms = std::min(span.until_ms, end_ms);
        for (std::int64_t at = std::max(span.from_ms, begin_ms); at < until_ms;) {
            const std::int64_t place = (at - begin_ms) / step_ms;
            const std::int64_t next = std::min(until_ms, begin_ms + (place + 1) * step_ms);
            covered[static_cast<std::size_t>(place)] += next - at;
            at = next;
        }
    }
    return covered;
}

std::string_view column_of(Measure measure) {
    switch (measure) {
        case Measure::Requests: return "requests";
        case Measure::Reads: return "reads";
        case Measure::Writes: return "writes";
    }
    return {};
}

Result<std::vector<double>> sums(SqliteFile& file, const SeriesName& name, std::int64_t from_s,
                                 std::size_t buckets, std::int64_t step_s) {
    auto query = file.prepare("SELECT begin_s, " + std::string(column_of(name.measure)) +
                              " FROM loads WHERE subject = (SELECT id FROM subjects WHERE kind = ? AND "
                              "database = ? AND name = ?) AND begin_s >= ? AND begin_s < ? AND step_s <= ?");
    if (!query) return tl::unexpected(query.error());
    query->bind_text(1, name_of(name.kind))
        .bind_text(2, cut_text(name.database, kSubjectNameBytesMax))
        .bind_text(3, cut_text(name.name, kSubjectNameBytesMax));
    query->bind(4, from_s).bind(5, from_s + static_cast<std::int64_t>(buckets) * step_s).bind(6, step_s);
    std::vector<double> summed(buckets, 0);
    for (;;) {
        const auto row = query->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return summed;
        summed[static_cast<std::size_t>((query->number(0) - from_s) / step_s)] +=
            static_cast<double>(query->number(1));
    }
}

// What of a bucket was not recorded is not known, or extrapolated.
void make_up(Series& series, const std::vector<std::int64_t>& covered_ms) {
    const std::int64_t step_ms = series.step_s * 1000;
    for (std::size_t i = 0; i < series.size(); ++i) {
        if (2 * covered_ms[i] < step_ms)
            series.values[i] = kNotKnown;
        else if (covered_ms[i] < step_ms)
            series.values[i] *= static_cast<double>(step_ms) / static_cast<double>(covered_ms[i]);
    }
}

void drop_unknown_ends(Series& series) {
    const auto known = [](double value) { return !std::isnan(value); };
    const auto last = std::find_if(series.values.rbegin(), series.values.rend(), known);
    series.values.erase(last.base(), series.values.end());
    const auto first = std::find_if(series.values.begin(), series.values.end(), known);
    series.start_s += (first - series.values.begin()) * series.step_s;
    series.values.erase(series.values.begin(), first);
}

// What is read is of one moment, and the roll-up's writer goes on meanwhile.
class Snapshot {
public:
    explicit Snapshot(SqliteFile& file) : file_(file), begun_(file.execute("BEGIN")) {}
    ~Snapshot() { (void)file_.execute("ROLLBACK"); }
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    [[nodiscard]] const Result<void>& begun() const { return begun_; }

private:
    SqliteFile& file_;
    Result<void> begun_;
};

}  // namespace

HistoryReader::HistoryReader(std::unique_ptr<SqliteFile> file) : file_(std::move(file)) {}
HistoryReader::HistoryReader(HistoryReader&&) noexcept = default;
HistoryReader& HistoryReader::operator=(HistoryReader&&) noexcept = default;
HistoryReader::~HistoryReader() = default;

Result<HistoryReader> HistoryReader::open(const std::string& path) {
    auto file = SqliteFile::open(path, SqliteFile::Mode::Read, kPatience);
    if (!file) return tl::unexpected(file.error());
    if (auto is = check_is_history(**file); !is) return tl::unexpected(is.error());
    return HistoryReader(std::move(*file));
}

Result<Series> HistoryReader::series(const SeriesName& name, std::int64_t from_s, std::int64_t to_s,
                                     std::int64_t step_s) const {
    if (step_s <= 0 || from_s % step_s != 0 || to_s % step_s != 0 || to_s < from_s)
        return fail("22023", "a series begins and ends at multiples of its step");
    const auto buckets = static_cast<std::size_t>((to_s - from_s) / step_s);
    if (buckets > kSeriesMax) return fail("22023", "a series has at most 1000000 buckets");
    const Snapshot snapshot(*file_);
    if (!snapshot.begun()) return tl::unexpected(snapshot.begun().error());
    const auto spans = recorded_spans(*file_, from_s * 1000, to_s * 1000);
    if (!spans) return tl::unexpected(spans.error());
    auto values = sums(*file_, name, from_s, buckets, step_s);
    if (!values) return tl::unexpected(values.error());
    const auto covered_ms = coverage(*spans, from_s, buckets, step_s);
    Series series;
    series.start_s = from_s;
    series.step_s = step_s;
    series.values = std::move(*values);
    make_up(series, covered_ms);
    drop_unknown_ends(series);
    return series;
}

Result<std::vector<Series>> HistoryReader::series_of_all(std::span<const SeriesName> names,
                                                         std::int64_t from_s, std::int64_t to_s,
                                                         std::int64_t step_s) const {
    if (step_s <= 0 || from_s % step_s != 0 || to_s % step_s != 0 || to_s < from_s)
        return fail("22023", "a series begins and ends at multiples of its step");
    const auto buckets = static_cast<std::size_t>((to_s - from_s) / step_s);
    if (buckets * names.size() > kSeriesMax)
        return fail("22023", "series have at most 1000000 buckets in all");
    std::map<Subject, std::vector<std::size_t>> places;
    for (std::size_t i = 0; i < names.size(); ++i)
        places[{names[i].kind, names[i].database, names[i].name}].push_back(i);
    std::vector<Series> all(names.size(), {from_s, step_s, std::vector<double>(buckets, 0), {}});

    const Snapshot snapshot(*file_);
    if (!snapshot.begun()) return tl::unexpected(snapshot.begun().error());
    const auto spans = recorded_spans(*file_, from_s * 1000, to_s * 1000);
    if (!spans) return tl::unexpected(spans.error());
    auto query = file_->prepare(
        "SELECT s.kind, s.database, s.name, l.begin_s, l.requests, l.reads, l.writes FROM subjects s "
        "CROSS JOIN loads l ON l.subject = s.id AND l.begin_s >= ?1 AND l.begin_s < ?2 AND l.step_s <= ?3");
    if (!query) return tl::unexpected(query.error());
    query->bind(1, from_s).bind(2, to_s).bind(3, step_s);
    for (;;) {
        const auto row = query->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) break;
        const auto kind = kind_of(query->text(0));
        if (!kind) return tl::unexpected(kind.error());
        const auto found = places.find({*kind, std::string(query->text(1)), std::string(query->text(2))});
        if (found == places.end()) continue;
        const auto bucket = static_cast<std::size_t>((query->number(3) - from_s) / step_s);
        for (const std::size_t i : found->second) {
            const int column = names[i].measure == Measure::Requests ? 4
                               : names[i].measure == Measure::Reads  ? 5
                                                                     : 6;
            all[i].values[bucket] += static_cast<double>(query->number(column));
        }
    }
    const auto covered_ms = coverage(*spans, from_s, buckets, step_s);
    for (Series& series : all) {
        make_up(series, covered_ms);
        drop_unknown_ends(series);
    }
    return all;
}

Result<std::vector<HistoryReader::SubjectTotal>> HistoryReader::subjects(SeriesName::Kind kind,
                                                                         std::int64_t from_s,
                                                                         std::int64_t to_s,
                                                                         std::size_t count_max) const {
    auto query = file_->prepare(
        "SELECT s.database, s.name, s.label, sum(requests), sum(hits), sum(rows), sum(bytes), "
        "sum(origin_us), sum(reads), sum(writes) FROM subjects s CROSS JOIN loads l ON l.subject = s.id AND "
        "l.begin_s >= ?2 AND l.begin_s < ?3 WHERE s.kind = ?1 GROUP BY s.id "
        "ORDER BY sum(requests) + sum(reads) + sum(writes) DESC, s.database, s.name LIMIT ?4");
    if (!query) return tl::unexpected(query.error());
    query->bind_text(1, name_of(kind)).bind(2, from_s).bind(3, to_s);
    query->bind(4, std::uint64_t{count_max});
    std::vector<SubjectTotal> totals;
    for (;;) {
        const auto row = query->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return totals;
        SubjectTotal total;
        total.subject = {kind, std::string(query->text(0)), std::string(query->text(1))};
        total.label = query->text(2);
        total.counts = {query->count(3), query->count(4), query->count(5), query->count(6),
                        query->count(7), query->count(8), query->count(9)};
        totals.push_back(std::move(total));
    }
}

Result<std::uint64_t> HistoryReader::requests(const Subject& subject, std::int64_t from_s,
                                              std::int64_t to_s) const {
    auto query = file_->prepare(
        "SELECT coalesce(sum(requests), 0) FROM loads WHERE begin_s >= ?4 AND begin_s < ?5 AND subject = "
        "(SELECT id FROM subjects WHERE kind = ?1 AND database = ?2 AND name = ?3)");
    if (!query) return tl::unexpected(query.error());
    query->bind_text(1, name_of(subject.kind)).bind_text(2, subject.database).bind_text(3, subject.name);
    query->bind(4, from_s).bind(5, to_s);
    const auto row = query->step();
    if (!row) return tl::unexpected(row.error());
    return query->count(0);
}

static Result<void> add_steps(SqliteFile& file, HistoryReader::KeyHistory& key, std::int64_t from_s,
                              std::int64_t to_s) {
    auto query = file.prepare(
        "SELECT begin_s, step_s, requests FROM key_loads WHERE key = ? AND begin_s >= ? AND begin_s < ? "
        "ORDER BY begin_s");
    if (!query) return tl::unexpected(query.error());
    query->bind(1, key.id).bind(2, from_s).bind(3, to_s);
    for (;;) {
        const auto row = query->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return {};
        key.steps.push_back({query->number(0), query->number(1), query->count(2)});
    }
}

Result<void> HistoryReader::hot_keys(std::string_view database, std::string_view name, std::int64_t from_s,
                                     std::int64_t to_s, std::size_t count_max,
                                     const std::function<void(KeyHistory key)>& visit) const {
    const Snapshot snapshot(*file_);
    if (!snapshot.begun()) return tl::unexpected(snapshot.begun().error());
    auto query = file_->prepare(
        "SELECT k.id, k.key, k.replay, sum(l.requests) FROM keys k CROSS JOIN key_loads l ON l.key = k.id "
        "AND "
        "l.begin_s >= ?3 AND l.begin_s < ?4 WHERE k.template = (SELECT id FROM subjects WHERE kind = "
        "'template' AND database = ?1 AND name = ?2) GROUP BY k.id ORDER BY 4 DESC, k.id LIMIT ?5");
    if (!query) return tl::unexpected(query.error());
    query->bind_text(1, database).bind_text(2, name).bind(3, from_s).bind(4, to_s);
    query->bind(5, std::uint64_t{count_max});
    for (;;) {
        const auto row = query->step();
        if (!row) return tl::unexpected(row.error());
        if (!*row) return {};
        KeyHistory key;
        key.id = query->number(0);
        key.key = query->blob(1);
        key.replay = query->text(2);
        key.requests = query->count(3);
        if (auto added = add_steps(*file_, key, from_s, to_s); !added) return tl::unexpected(added.error());
        visit(std::move(key));
    }
}

Result<HistoryFileStats> HistoryReader::stats() const {
    return stats_of(*file_);
}

}  // namespace warmfront::forecast
