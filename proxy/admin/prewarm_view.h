// proxy/admin/prewarm_view.h: what is shown of prewarming. Plain data, as of one moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace warmfront::admin {

struct HotRow {  // of SHOW HOT: a key that is predicted to be asked for, hottest first
    std::string database, template_digest;  // 16 hexadecimal digits
    std::string statement;                  // with the key's values, where they are literals
    std::string role;
    double rate_now = 0, rate_most = 0, requests = 0;  // see forecast/prewarm_plan.h
    double saves_us = 0, bytes = 0;
    std::string state;  // "there", "voided", "absent"
    std::string plan;   // what is done about it, and why
};

struct PrewarmView {
    bool enabled = false;
    std::vector<HotRow> hot;  // kHotRowsMax at most
    static constexpr std::size_t kHotRowsMax = 1'000;
    std::size_t hot_keys = 0;  // how many there are
    // Statements that are left out, by database and digest: why.
    std::map<std::pair<std::string, std::uint64_t>, std::string> off;
};

struct PrewarmNumbers {
    std::vector<std::pair<std::string_view, std::uint64_t>> outcomes;  // of fetches, by name
    std::vector<std::pair<std::string_view, std::uint64_t>> stored;    // by reason
    std::uint64_t dropped = 0;                                         // requests that found the queue full
    std::size_t waiting = 0;
    double rate = 0;  // fetches a second that are allowed now
    std::size_t hot_keys = 0, templates_off = 0;
};

}  // namespace warmfront::admin
