// proxy/session/settled.h: under which settings, and which catalog, PostgreSQL is known to run a prepared
// statement.
//
// What names mean, it finds out under the settings of each execution, and refuses if the result has other
// columns by then ("cached plan must not change result type"): a statement must have run once. But quoted
// literals, and the bodies of functions, it reads at moments of its own choice ("read once"); they mean what
// they meant then. Such a statement is served only while every use of it was under one and the same settings.
//
// Settings may be unknown at a use (not asked for yet). They are those of any other time between the same two
// changes: of the same Moment. Plain state; no thread rules.
#pragma once

#include <cstdint>

namespace warmfront::session {

// A session's settings at some time. fingerprint 0: not known.
struct SettingsSeen {
    struct Moment {
        std::uint64_t changes = 0;     // that the session made before
        std::uint64_t generation = 0;  // of the database's settings; 0: a change is under way
        bool operator==(const Moment&) const = default;
        [[nodiscard]] bool certain() const { return generation != 0; }
    };
    Moment moment;
    std::uint32_t fingerprint = 0;
    [[nodiscard]] bool same_as(const SettingsSeen& other) const {
        return (fingerprint != 0 && fingerprint == other.fingerprint) ||
               (moment.certain() && moment == other.moment);
    }
};

class Settled {
public:
    Settled() = default;
    // Read by PostgreSQL, or known to be as good as read, under these settings and this catalog.
    Settled(const SettingsSeen& now, std::uint64_t catalog_version) {
        used(now);
        ran(catalog_version);
    }
    // PostgreSQL is given the statement, to read or to execute, under these settings.
    void used(const SettingsSeen& now) {
        if (!last_.same_as(now)) catalog_version_ = 0;
        last_ = now;
        several_ = several_ || !now.moment.certain() || (unknown_.certain() && unknown_ != now.moment);
        unknown_ = now.fingerprint == 0 ? now.moment : SettingsSeen::Moment{};
        if (now.fingerprint == 0) return;
        several_ = several_ || (fingerprint_ != 0 && fingerprint_ != now.fingerprint);
        fingerprint_ = now.fingerprint;
    }
    // It has run without an error under the catalog of this version, and under the settings of its last use.
    void ran(std::uint64_t catalog_version) { catalog_version_ = catalog_version; }

    // Whether executed now it would give what any session with these settings gets from the same text.
    [[nodiscard]] bool holds(const SettingsSeen& now, std::uint64_t catalog_version, bool read_once) const {
        if (catalog_version == 0 || catalog_version_ != catalog_version) return false;
        if (now.fingerprint == 0 || !last_.same_as(now)) return false;
        if (!read_once) return true;
        return !several_ && (!unknown_.certain() || unknown_ == now.moment) &&
               (fingerprint_ == 0 || fingerprint_ == now.fingerprint);
    }

private:
    std::uint64_t catalog_version_ = 0;  // 0: it has not run under the settings of its last use
    SettingsSeen last_;                  // of its last use
    std::uint32_t fingerprint_ = 0;      // of all uses under known settings; 0: there was none
    SettingsSeen::Moment unknown_;       // of the uses since then, if they were unknown; else not certain
    bool several_ = false;               // used under different settings, or ones that nobody will know
};

}  // namespace warmfront::session
