// sql/template.h: the bounded table of statement templates and their analysis.
//
// Key: fingerprint (database, role, search path and all) and template text. Value: the analysis, made once, good for one
// catalog version. Thread-safe: one shared lock for a look-up. Sessions keep the pointer they got, and workers keep a
// small table of their own in front, so this lock is not on the hit path.
// At templates_max entries the least recently inserted half of the table is dropped (statements are analysed anew).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sql/analysis.h"

namespace warmfront::sql {

struct Template {
    std::uint64_t id = 0;            // never reused in the process: equal ids mean equal text and fingerprint
    std::uint32_t fingerprint = 0;
    std::uint64_t catalog_version = 0;
    std::string text;                // as normalized (simple protocol) or as sent in Parse (extended)
    std::string example;             // the statement first seen, cut to 4 KiB
    Analysis analysis;
};

class TemplateTable {
public:
    explicit TemplateTable(std::size_t templates_max);

    // nullptr if absent or made for another catalog version.
    [[nodiscard]] std::shared_ptr<const Template> find(std::uint32_t fingerprint, std::string_view text,
                                                       std::uint64_t catalog_version) const;
    // Stores the analysis unless another thread was first; returns what the table holds afterwards.
    // The id of an earlier catalog version of the same key is kept: what is stored under it is judged by the write log.
    std::shared_ptr<const Template> insert(Template made);

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::uint64_t parsed_total() const;  // how many inserts there were

private:
    struct Shelf;
    std::size_t templates_max_;
    mutable std::shared_mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<const Template>> current_, older_;
    std::uint64_t next_id_ = 1;
    std::atomic<std::uint64_t> parsed_total_{0};
};

}  // namespace warmfront::sql
