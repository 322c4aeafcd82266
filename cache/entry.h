// cache/entry.h: one result as the bytes that go to the client, and what they depend on.
//
// One allocation: header, Seen[], key, body. The body is RowDescription (may be absent), DataRows, then the closing
// message (CommandComplete or PortalSuspended), each as it came from PostgreSQL, type and length included.
// Immutable once made; shared by counted references (atomic), so that a slow client can go on reading a dropped entry.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "cache/key.h"
#include "cache/write_log.h"

namespace warmfront::cache {

class EntryRef;

class Entry {
public:
    // filled_at_ms: when the answer was asked for (its TTL counts from there), on the store's clock.
    [[nodiscard]] static EntryRef make(const KeyView& key, std::span<const Seen> seen,
                                       std::string_view row_description, std::string_view rows_and_close,
                                       std::uint64_t filled_at_ms);

    [[nodiscard]] KeyView key() const;
    [[nodiscard]] std::span<const Seen> seen() const;
    [[nodiscard]] bool has_row_description() const { return row_description_bytes_ != 0; }
    [[nodiscard]] std::string_view with_row_description() const;     // RowDescription, rows, close
    [[nodiscard]] std::string_view without_row_description() const;  // rows, close
    [[nodiscard]] std::uint64_t filled_at_ms() const { return filled_at_ms_; }
    // Bytes that the memory budget is charged with: this allocation and the store's own per-entry overhead.
    [[nodiscard]] std::size_t charge() const;
    // Every line still shows the number it was filled at.
    [[nodiscard]] bool current() const;

private:
    friend class EntryRef;
    Entry() = default;
    mutable std::atomic<std::uint32_t> references_{0};
    std::uint32_t seen_count_ = 0;
    std::uint32_t key_bytes_ = 0;
    std::uint32_t row_description_bytes_ = 0;
    std::uint64_t body_bytes_ = 0;  // row description included
    std::uint64_t hash_ = 0;
    std::uint64_t filled_at_ms_ = 0;
};

class EntryRef {
public:
    EntryRef() = default;
    explicit EntryRef(const Entry* entry);
    EntryRef(const EntryRef& other);
    EntryRef(EntryRef&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
    EntryRef& operator=(EntryRef other) noexcept { std::swap(entry_, other.entry_); return *this; }
    ~EntryRef();
    explicit operator bool() const { return entry_ != nullptr; }
    const Entry* operator->() const { return entry_; }
    const Entry& operator*() const { return *entry_; }
    [[nodiscard]] const Entry* get() const { return entry_; }

private:
    const Entry* entry_ = nullptr;
};

}  // namespace warmfront::cache
