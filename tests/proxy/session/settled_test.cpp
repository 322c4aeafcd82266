#include "proxy/session/settled.h"

#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace warmfront::session;

namespace {

constexpr std::uint32_t kUnknown = 0, kHere = 7, kThere = 8;
constexpr std::uint64_t kVersion = 3;

// Settings after so many changes.
SettingsSeen seen(std::uint64_t changes, std::uint32_t fingerprint) {
    return {{changes, 1}, fingerprint};
}

}  // namespace

TEST_CASE("settled: what was used under one and the same settings, known or not at the time, is served") {
    struct Row {
        std::string_view name;
        std::vector<SettingsSeen> uses;
        SettingsSeen now;
        bool by_names, by_literals;
    };
    const SettingsSeen changing{{4, 0}, kUnknown};
    for (const auto& [name, uses, now, by_names, by_literals] : std::vector<Row>{
             {"known throughout", {seen(1, kHere), seen(1, kHere)}, seen(1, kHere), true, true},
             {"not known now", {seen(1, kHere)}, seen(2, kUnknown), false, false},
             {"known a change later, and equal", {seen(1, kHere)}, seen(2, kHere), true, true},
             {"not known at first", {seen(1, kUnknown)}, seen(1, kHere), true, true},
             {"never known before a change", {seen(1, kUnknown)}, seen(2, kHere), false, false},
             {"... and used since", {seen(1, kUnknown), seen(2, kHere)}, seen(2, kHere), true, false},
             {"not known in between", {seen(1, kHere), seen(2, kUnknown)}, seen(2, kHere), true, true},
             {"... and others", {seen(1, kHere), seen(2, kUnknown)}, seen(2, kThere), true, false},
             {"twice unknown", {seen(1, kUnknown), seen(2, kUnknown)}, seen(2, kHere), true, false},
             {"others", {seen(1, kHere)}, seen(2, kThere), false, false},
             {"used under both", {seen(1, kHere), seen(2, kThere)}, seen(2, kThere), true, false},
             {"... and back", {seen(1, kHere), seen(2, kThere)}, seen(3, kHere), false, false},
             {"while they changed", {seen(1, kHere), changing}, seen(1, kHere), false, false},
             {"... and used since", {changing, seen(5, kHere)}, seen(5, kHere), true, false}}) {
        CAPTURE(name);
        Settled settled;
        for (const auto& use : uses) settled.used(use);
        CHECK_FALSE(settled.holds(now, kVersion, false));  // has not run
        settled.ran(kVersion);
        CHECK(settled.holds(now, kVersion, false) == by_names);
        CHECK(settled.holds(now, kVersion, true) == by_literals);
        CHECK_FALSE(settled.holds(now, kVersion + 1, false));
        CHECK_FALSE(settled.holds(now, 0, false));
    }
}

TEST_CASE("settled: under other settings it has to run anew") {
    Settled settled;
    settled.used(seen(1, kUnknown));
    settled.ran(kVersion);
    settled.used(seen(2, kUnknown));
    CHECK_FALSE(settled.holds(seen(2, kHere), kVersion, false));
    settled.ran(kVersion);
    CHECK(settled.holds(seen(2, kHere), kVersion, false));
}
