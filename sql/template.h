// sql/template.h: the bounded table of statement templates and their analysis.
//
// Key: fingerprint (database, role, search path and all) and template text. Value: the analysis, made once,
// good for one catalog version. Thread-safe: one shared lock for a look-up. Sessions keep the pointer they
// got, and workers keep a small table of their own in front, so this lock is not on the hit path.
//
// Bounds: templates_max entries and templates_max * kTextBytesMean bytes of text, in two generations: when
// the newer one has half of either, it becomes the older one, and of the former older one only what was found
// since it was inserted survives, at most half a generation. What was dropped is analysed anew and gets
// another id. A text above kTextBytesMax is never kept: its analysis comes back as not cacheable.
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

inline constexpr std::size_t kTextBytesMax = 64 * 1024;
inline constexpr std::size_t kTextBytesMean = 4 * 1024;
inline constexpr std::size_t kExampleBytesMax = 4 * 1024;

struct Template {
    std::uint64_t id = 0;  // never reused in the process: equal ids mean equal text and fingerprint
    std::uint32_t fingerprint = 0;
    std::uint64_t catalog_version = 0;
    std::string text;     // as normalized (simple protocol) or as sent in Parse (extended)
    std::string example;  // the statement first seen, cut to kExampleBytesMax between characters
    Analysis analysis;
    std::uint64_t callables = 0;  // Catalog::callables() of the catalog
};

class TemplateTable {
public:
    explicit TemplateTable(std::size_t templates_max);

    // nullptr if absent or made for another catalog version. Allocates nothing.
    [[nodiscard]] std::shared_ptr<const Template> find(std::uint32_t fingerprint, std::string_view text,
                                                       std::uint64_t catalog_version) const;
    // Stores the analysis unless another thread was first, and returns what the table then holds for this
    // catalog version; where it holds one for a later version, what was made comes back and is not stored
    // (version 0, no catalog, is earlier than all). The id is given here. The id of an earlier catalog
    // version of the same key is kept: what is stored under it is judged by the write log.
    std::shared_ptr<const Template> insert(Template made);

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::uint64_t parsed_total() const;  // how many inserts there were

private:
    struct Key {
        std::uint32_t fingerprint;
        std::string_view text;  // of the Template that the entry holds
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const;
    };
    struct Entry {
        explicit Entry(std::shared_ptr<const Template> made) : made(std::move(made)) {}
        std::shared_ptr<const Template> made;
        mutable std::atomic<bool> found{false};  // since it was inserted
    };
    using Generation = std::unordered_map<Key, Entry, KeyHash>;

    const Entry* find_entry(const Key& key) const;
    // What falls out is given back, to be freed when the lock has gone.
    [[nodiscard]] Generation turn_generations();

    const std::size_t generation_max_;
    mutable std::shared_mutex mutex_;
    Generation newer_, older_;  // no key is in both
    std::size_t newer_text_bytes_ = 0;
    std::uint64_t next_id_ = 1;
    std::atomic<std::uint64_t> parsed_total_{0};
};

}  // namespace warmfront::sql
