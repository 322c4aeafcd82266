// Runs the steps of cache/write_protocol.h, the very templates that the write log is made of, in every order
// that writers and readers can take them, and judges each read. Mutants of the protocol must be caught by the
// same judge.
//
// A task (one write, one read) is a function that does its atomic operations through step(). It is run again
// from its start for each of its steps: the steps it has made give back what they gave, the next one is made,
// the one after that halts it. So a task needs no stack of its own, and a World is a value that can be copied
// and compared. Equal worlds have equal futures: each is explored once, and the number of orders is summed
// over it.
//
// The judge: a read may not return less than what was acknowledged, or returned by another read, before it
// began.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <doctest/doctest.h>

#include "cache/write_protocol.h"

namespace protocol = warmfront::cache::protocol;

namespace {

constexpr std::size_t kLines = 2;
using Values = std::array<std::uint8_t, kLines>;  // of each line, how many writes the holder knows

// How the protocol is broken, for the judge to notice.
enum class Mutant {
    None,
    BeginRaisesFirst,       // sequence before pending in begin()
    BeginDoesNotRaise,      // pending only
    BeginDoesNotPend,       // sequence only
    ObservePendingFirst,    // pending before sequence in observe()
    FillWhilePending,       // whether a writer is pending is not asked
    FillWithLateSequence,   // the fill rule is off: the numbers are those of the fill
    FindDoesNotCompare,     // an entry is given without comparing numbers
    AcknowledgeBeforeBegin  // the writer's client is answered before the log is told
};

struct AtomicCell {
    std::uint8_t value = 0;
};

struct Entry {
    bool there = false;
    Values values{};
    std::array<std::uint8_t, kLines> sequences{};
};

struct Task {
    enum class Kind { Write, Read } kind;
    std::vector<std::size_t> lines;
};

struct World {
    std::array<AtomicCell, kLines> sequence{}, pending{};
    Values database{};
    Entry entry;
    Values floor{};  // acknowledged to a writer or returned to a reader: no later read may return less
    struct Process {
        std::size_t task = 0;
        std::vector<std::uint64_t> made;  // what the current task's steps gave
    };
    std::vector<Process> processes;
    bool violated = false;
};

struct Halt {};

// One task of one process, brought one step further.
class Run {
public:
    Run(World& world, World::Process& process, Mutant mutant)
        : world_(world), process_(process), mutant_(mutant) {}

    template <class Operation>
    std::uint64_t step(const Operation& operation) {
        if (position_ < process_.made.size()) return process_.made[position_++];
        if (moved_) throw Halt{};
        moved_ = true;
        process_.made.push_back(operation(world_));
        return process_.made[position_++];
    }
    [[nodiscard]] bool is(Mutant mutant) const { return mutant_ == mutant; }

private:
    World& world_;
    World::Process& process_;
    Mutant mutant_;
    std::size_t position_ = 0;
    bool moved_ = false;
};

// What write_protocol.h takes for a line: each operation of its atomics is one step.
struct SteppedAtomic {
    Run& run;
    std::array<AtomicCell, kLines> World::*cells;
    std::size_t line;

    std::uint64_t fetch_add(std::uint8_t n) const {
        return run.step([&](World& world) { return ((world.*cells)[line].value += n) - n; });
    }
    std::uint64_t fetch_sub(std::uint8_t n) const {
        return run.step([&](World& world) { return ((world.*cells)[line].value -= n) + n; });
    }
    [[nodiscard]] std::uint64_t load() const {
        return run.step([&](World& world) { return (world.*cells)[line].value; });
    }
};

struct SteppedLine {
    SteppedLine(Run& run, std::size_t line)
        : sequence{run, &World::sequence, line}, pending{run, &World::pending, line} {}
    SteppedAtomic sequence, pending;
};

std::uint64_t packed(const Values& values) {
    return values[0] | std::uint64_t{values[1]} << 8;
}
Values unpacked(std::uint64_t number) {
    return {static_cast<std::uint8_t>(number),
            static_cast<std::uint8_t>(number >> 8)};  // the rest is dropped
}

void raise(Values& floor, const Values& to) {
    for (std::size_t i = 0; i < kLines; ++i) floor[i] = std::max(floor[i], to[i]);
}

void begin(Run& run, SteppedLine& line) {
    if (run.is(Mutant::BeginRaisesFirst)) {
        line.sequence.fetch_add(1);
        line.pending.fetch_add(1);
    } else if (run.is(Mutant::BeginDoesNotRaise)) {
        line.pending.fetch_add(1);
    } else if (run.is(Mutant::BeginDoesNotPend)) {
        line.sequence.fetch_add(1);
    } else {
        protocol::begin(line);
    }
}

void end(Run& run, SteppedLine& line) {
    if (run.is(Mutant::BeginDoesNotPend)) {
        line.sequence.fetch_add(1);
    } else {
        protocol::end(line);
    }
}

protocol::Observed observe(Run& run, const SteppedLine& line) {
    if (run.is(Mutant::ObservePendingFirst)) {
        const bool quiet = line.pending.load() == 0;
        return {line.sequence.load(), quiet};
    }
    auto observed = protocol::observe(line);
    if (run.is(Mutant::FillWhilePending)) observed.quiet = true;
    return observed;
}

void write(Run& run, const Task& task) {
    const auto acknowledge = [&](std::uint64_t written) {
        run.step([&](World& world) { return raise(world.floor, unpacked(written)), 0; });
    };
    const auto become_visible = [&] {
        return run.step([&](World& world) {
            Values mine{};
            for (const std::size_t line : task.lines) mine[line] = ++world.database[line];
            return packed(mine);
        });
    };
    if (run.is(Mutant::AcknowledgeBeforeBegin)) acknowledge(become_visible());
    for (const std::size_t i : task.lines) {
        SteppedLine line(run, i);
        begin(run, line);
    }
    const std::uint64_t written = become_visible();
    for (const std::size_t i : task.lines) {
        SteppedLine line(run, i);
        end(run, line);
    }
    acknowledge(written);
}

// The read is over for its client here; filling the cache may take any time longer.
void judge(World& world, const Values& values, const Values& floor) {
    for (std::size_t i = 0; i < kLines; ++i) world.violated |= values[i] < floor[i];
    raise(world.floor, values);
}

Values of_lines(const Task& task, const Values& all) {
    Values some{};
    for (const std::size_t line : task.lines) some[line] = all[line];
    return some;
}

// Where a read touches the world first it also learns its floor, and where it has its values it returns them:
// no step of their own, which makes the judge stricter and the number of worlds smaller.
void read(Run& run, const Task& task) {
    const std::uint64_t looked_up = run.step([&](World& world) {
        const Entry& entry = world.entry;
        return packed(of_lines(task, world.floor)) | packed(entry.values) << 16 |
               packed(entry.sequences) << 32 | std::uint64_t{entry.there} << 48;
    });
    const Values floor = unpacked(looked_up);
    const Values kept_at = unpacked(looked_up >> 32);
    bool hit = looked_up >> 48 != 0;
    for (const std::size_t i : task.lines)
        hit =
            hit && (run.is(Mutant::FindDoesNotCompare) || protocol::current(SteppedLine(run, i), kept_at[i]));
    if (hit) {
        run.step([&](World& world) { return judge(world, unpacked(looked_up >> 16), floor), 0; });
        return;
    }

    Entry answer{.there = true};
    bool fillable = true;
    for (const std::size_t i : task.lines) {
        const auto [sequence, quiet] = observe(run, SteppedLine(run, i));
        answer.sequences[i] = static_cast<std::uint8_t>(sequence);
        fillable = fillable && quiet;
    }
    answer.values = unpacked(run.step([&](World& world) {
        const Values values = of_lines(task, world.database);
        judge(world, values, floor);
        return packed(values);
    }));
    if (run.is(Mutant::FillWithLateSequence)) {
        for (const std::size_t i : task.lines)
            answer.sequences[i] = static_cast<std::uint8_t>(SteppedLine(run, i).sequence.load());
        fillable = true;
    }
    if (fillable) run.step([&](World& world) { return world.entry = answer, 0; });
}

using Scenario = std::vector<std::vector<Task>>;  // per process, its tasks

class Explorer {
public:
    Explorer(Scenario scenario, Mutant mutant) : scenario_(std::move(scenario)), mutant_(mutant) {}

    // In how many orders the steps can be taken; stops early at a violation.
    double explore() {
        World world;
        world.processes.resize(scenario_.size());
        return orders_from(world);
    }
    [[nodiscard]] bool violated() const { return violated_; }
    [[nodiscard]] std::size_t worlds() const { return known_.size(); }

private:
    double orders_from(const World& world) {
        if (violated_ |= world.violated) return 0;
        const auto [place, is_new] = known_.try_emplace(name_of(world), 0);
        if (!is_new) return place->second;
        double orders = 0;
        bool over = true;
        for (std::size_t i = 0; i < scenario_.size() && !violated_; ++i) {
            if (world.processes[i].task == scenario_[i].size()) continue;
            over = false;
            World next = world;
            advance(next, i);
            orders += orders_from(next);
        }
        return known_[name_of(world)] = over ? 1 : orders;
    }

    void advance(World& world, std::size_t process) const {
        auto& [task, made] = world.processes[process];
        try {
            Run run(world, world.processes[process], mutant_);
            const Task& doing = scenario_[process][task];
            doing.kind == Task::Kind::Write ? write(run, doing) : read(run, doing);
            ++task;
            made.clear();
        } catch (const Halt&) {
        }
    }

    static std::string name_of(const World& world) {
        std::string name;
        const auto add = [&](std::uint64_t number) {
            name.append(reinterpret_cast<const char*>(&number), sizeof number);
        };
        for (std::size_t i = 0; i < kLines; ++i) add(world.sequence[i].value | world.pending[i].value << 8);
        add(packed(world.database) | packed(world.floor) << 16 | packed(world.entry.values) << 32 |
            packed(world.entry.sequences) << 48);
        add(world.entry.there);
        for (const auto& [task, made] : world.processes) {
            add(task << 8 | made.size());
            for (const std::uint64_t each : made) add(each);
        }
        return name;
    }

    Scenario scenario_;
    Mutant mutant_;
    std::unordered_map<std::string, double> known_;
    bool violated_ = false;
};

const Task kWrite{Task::Kind::Write, {0}}, kRead{Task::Kind::Read, {0}};
const Task kWriteOther{Task::Kind::Write, {1}}, kReadBoth{Task::Kind::Read, {0, 1}};
const Task kWriteBoth{Task::Kind::Write, {0, 1}};

}  // namespace

TEST_CASE("interleavings: no order of steps shows a reader an old answer") {
    struct Row {
        std::string_view name;
        Scenario scenario;
    };
    for (const auto& [name, scenario] : std::vector<Row>{
             {"a writer, two readers that read twice", {{kWrite}, {kRead, kRead}, {kRead, kRead}}},
             {"a writer that writes twice, two readers", {{kWrite, kWrite}, {kRead, kRead}, {kRead}}},
             {"two writers of one line, a reader", {{kWrite}, {kWrite}, {kRead, kRead}}},
             {"two writers of two lines, readers of both",
              {{kWrite}, {kWriteOther}, {kReadBoth}, {kReadBoth}}},
             {"a writer of both lines, readers of both",
              {{kWriteBoth}, {kReadBoth, kReadBoth}, {kReadBoth}}}}) {
        CAPTURE(name);
        Explorer explorer(scenario, Mutant::None);
        const double orders = explorer.explore();
        CHECK_FALSE(explorer.violated());
        CHECK(orders > 1e5);
        MESSAGE(name << ": " << orders << " orders, " << explorer.worlds() << " worlds");
    }
}

TEST_CASE("interleavings: the judge notices every broken protocol") {
    struct Row {
        std::string_view name;
        Mutant mutant;
    };
    for (const auto& [name, mutant] :
         std::vector<Row>{{"begin raises the sequence first", Mutant::BeginRaisesFirst},
                          {"begin does not raise the sequence", Mutant::BeginDoesNotRaise},
                          {"begin leaves pending alone", Mutant::BeginDoesNotPend},
                          {"observe reads pending first", Mutant::ObservePendingFirst},
                          {"fills are taken while a write is pending", Mutant::FillWhilePending},
                          {"the fill rule is off", Mutant::FillWithLateSequence},
                          {"a look-up does not compare numbers", Mutant::FindDoesNotCompare},
                          {"the client is answered before the log knows", Mutant::AcknowledgeBeforeBegin}}) {
        CAPTURE(name);
        Explorer explorer({{kWrite}, {kRead, kRead}, {kRead, kRead}}, mutant);
        explorer.explore();
        CHECK(explorer.violated());
    }
}
