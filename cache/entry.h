// cache/entry.h: one result as the bytes that go to the client, and what they depend on.
//
// One allocation: header (with the store's links), Seen[], key, body. The body is RowDescription (may be
// absent), DataRows, then the closing message (CommandComplete or PortalSuspended), each as it came from
// PostgreSQL, type and length included. Immutable once made; shared by counted references (atomic), so that a
// slow client can go on reading a dropped entry.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "cache/key.h"
#include "cache/policy.h"
#include "cache/residence.h"
#include "cache/worth.h"
#include "cache/write_log.h"
#include "sql/lifetime.h"

namespace warmfront::cache {

class EntryRef;

struct EntryTerms {
    sql::Lifetime lifetime{};        // its TTL, where that is not the store's
    Residence* residence = nullptr;  // whose it is; outlives it
    Worth* worth = nullptr;          // of one that nobody asked for yet; outlives it in a store
    std::uint32_t worth_us = 0;      // PostgreSQL's time that the first use saves
    bool stub = false;  // without the body, which it is charged for as if it had it: to see what would happen
};

class Entry {
public:
    // What the allocator keeps in front of every allocation (glibc).
    static constexpr std::size_t kAllocatorBytes = 8;

    // filled_at_ms: when the answer was asked for (its TTL counts from there), on the store's clock.
    // Null if memory is short, or for a key or RowDescription of 4 GiB and more.
    [[nodiscard]] static EntryRef make(const KeyView& key, std::span<const Seen> seen,
                                       std::string_view row_description, std::string_view rows_and_close,
                                       std::uint64_t filled_at_ms, EntryTerms terms = {});

    [[nodiscard]] KeyView key() const { return {{after_seen(), key_bytes_}, node_.hash}; }
    [[nodiscard]] std::span<const Seen> seen() const;
    [[nodiscard]] bool has_row_description() const { return row_description_bytes_ != 0; }
    [[nodiscard]] std::string_view with_row_description() const;     // RowDescription, rows, close
    [[nodiscard]] std::string_view without_row_description() const;  // rows, close
    [[nodiscard]] std::uint64_t filled_at_ms() const { return filled_at_ms_; }
    [[nodiscard]] sql::Lifetime lifetime() const { return {ttl_ms_, ttl_at_most_default_, stale_ms_}; }
    // Nobody has asked for it yet (Worth); only while it is in a store.
    [[nodiscard]] bool awaits_use() const { return worth_ != nullptr; }
    // Holds no answer: neither of the two above may be called.
    [[nodiscard]] bool is_stub() const { return is_stub_; }
    // Bytes that the memory budget is charged with: this allocation, the store's links within it. (The
    // store's table is paid for by the store.) Saturates at 4 GiB - 1.
    [[nodiscard]] std::size_t charge() const { return node_.charge; }
    // Every line still shows the number it was filled at.
    [[nodiscard]] bool current() const;
    // No write has overtaken it; PostgreSQL may have been lost sight of since.
    [[nodiscard]] bool unchanged() const;

private:
    friend class EntryRef;
    friend class Table;    // walks and relinks next_in_bucket_
    friend class Dropped;  // the same
    friend class Store;    // hands node_ to the policy

    Entry() = default;
    static void destroy(const Entry* entry) noexcept;
    [[nodiscard]] const char* after_seen() const {
        return reinterpret_cast<const char*>(this + 1) + seen_count_ * sizeof(Seen);
    }
    void came_into_table() const {
        if (worth_ != nullptr) worth_->fetched.fetch_add(1, std::memory_order_relaxed);
        if (residence_ != nullptr) residence_->came(charge());
    }
    // It is given to somebody; under the shard's lock.
    void found() const {
        if (worth_ == nullptr) [[likely]]
            return;
        worth_->used.fetch_add(1, std::memory_order_relaxed);
        worth_->saved_us.fetch_add(worth_us_, std::memory_order_relaxed);
        worth_ = nullptr;
    }
    void left_table() const {
        if (worth_ != nullptr) worth_->unused.fetch_add(1, std::memory_order_relaxed);
        worth_ = nullptr;
        if (residence_ != nullptr) residence_->left(charge());
    }
    static const Entry* of(const PolicyNode* node) { return reinterpret_cast<const Entry*>(node); }

    // The first member of a standard-layout class: its address is the entry's (`of`). Both links belong to
    // the shard that holds the entry and are used under its lock; the node's hash and charge never change.
    mutable PolicyNode node_;
    mutable const Entry* next_in_bucket_ = nullptr;
    std::uint64_t filled_at_ms_ = 0;
    std::uint64_t body_bytes_ = 0;  // row description included
    mutable std::atomic<std::uint32_t> references_{0};
    std::uint32_t key_bytes_ = 0;
    std::uint32_t row_description_bytes_ = 0;
    std::uint32_t ttl_ms_ = 0, stale_ms_ = 0;  // these three are its Lifetime
    bool ttl_at_most_default_ = true;
    bool is_stub_ = false;
    std::uint16_t seen_count_ = 0;
    std::uint32_t worth_us_ = 0;
    Residence* residence_ = nullptr;
    mutable Worth* worth_ = nullptr;  // until it is used; under the shard's lock
};

class EntryRef {
public:
    EntryRef() = default;
    explicit EntryRef(const Entry* entry) : entry_(entry) {
        // Whoever hands the pointer over holds a reference, so this needs no order with others.
        if (entry_ != nullptr) entry_->references_.fetch_add(1, std::memory_order_relaxed);
    }
    EntryRef(const EntryRef& other) : EntryRef(other.entry_) {}
    EntryRef(EntryRef&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
    EntryRef& operator=(EntryRef other) noexcept {
        std::swap(entry_, other.entry_);
        return *this;
    }
    ~EntryRef() {
        // Released by every owner, acquired by the last: all reading is over before the memory goes.
        if (entry_ != nullptr && entry_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            Entry::destroy(entry_);
    }
    explicit operator bool() const { return entry_ != nullptr; }
    const Entry* operator->() const { return entry_; }
    const Entry& operator*() const { return *entry_; }
    [[nodiscard]] const Entry* get() const { return entry_; }

    // Gives the reference up to a raw pointer, and takes it back.
    [[nodiscard]] const Entry* release() { return std::exchange(entry_, nullptr); }
    [[nodiscard]] static EntryRef adopt(const Entry* entry) {
        EntryRef reference;
        reference.entry_ = entry;
        return reference;
    }

private:
    const Entry* entry_ = nullptr;
};

}  // namespace warmfront::cache
