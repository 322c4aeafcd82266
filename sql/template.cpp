// Two generations instead of a list in order of use: a look-up then writes one flag and only once, and takes
// no more than the shared lock. Keys are views of the text that the Template owns, so nothing is stored or
// built twice.
#include "sql/template.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include <xxhash.h>

#include "sql/cacheability_labels.h"

namespace warmfront::sql {
namespace {

// Not between the bytes of one UTF-8 character.
void cut_example(std::string& example) {
    if (example.size() <= kExampleBytesMax) return;
    std::size_t length = kExampleBytesMax;
    while (length > 0 && (static_cast<unsigned char>(example[length]) & 0xC0) == 0x80) --length;
    example.resize(length);
}

}  // namespace

std::size_t TemplateTable::KeyHash::operator()(const Key& key) const {
    return XXH3_64bits_withSeed(key.text.data(), key.text.size(), key.fingerprint);
}

TemplateTable::TemplateTable(std::size_t templates_max)
    : generation_max_(std::max<std::size_t>(1, templates_max / 2)) {}

const TemplateTable::Entry* TemplateTable::find_entry(const Key& key) const {
    if (const auto found = newer_.find(key); found != newer_.end()) return &found->second;
    if (const auto found = older_.find(key); found != older_.end()) return &found->second;
    return nullptr;
}

std::shared_ptr<const Template> TemplateTable::find(std::uint32_t fingerprint, std::string_view text,
                                                    std::uint64_t catalog_version) const {
    const std::shared_lock lock(mutex_);
    const Entry* const entry = find_entry({fingerprint, text});
    if (entry == nullptr || entry->made->catalog_version != catalog_version) return nullptr;
    if (!entry->found.load(std::memory_order_relaxed)) entry->found.store(true, std::memory_order_relaxed);
    return entry->made;
}

std::shared_ptr<const Template> TemplateTable::insert(Template made) {
    parsed_total_.fetch_add(1, std::memory_order_relaxed);
    cut_example(made.example);
    const bool keep = made.text.size() <= kTextBytesMax;
    if (!keep && made.analysis.cacheable) {
        made.analysis.cacheable = false;
        made.analysis.refusal = {label::kTooLong, "its text is longer than 64 KiB"};
    }
    const auto kept = std::make_shared<Template>(std::move(made));
    const Key key{kept->fingerprint, kept->text};

    Generation dropped;
    const std::unique_lock lock(mutex_);
    if (const Entry* const former = find_entry(key)) {
        if (former->made->catalog_version == kept->catalog_version) return former->made;
        kept->id = former->made->id;
        if (former->made->catalog_version > kept->catalog_version) return kept;  // judged by less: not stored
        if (newer_.erase(key) != 0)
            newer_text_bytes_ -= key.text.size();
        else
            older_.erase(key);
    } else {
        kept->id = next_id_++;
    }
    if (!keep) return kept;
    if (newer_.size() >= generation_max_ || newer_text_bytes_ >= generation_max_ * kTextBytesMean)
        dropped = turn_generations();
    newer_text_bytes_ += key.text.size();
    newer_.try_emplace(key, kept);
    return kept;
}

TemplateTable::Generation TemplateTable::turn_generations() {
    Generation dropped = std::exchange(older_, std::exchange(newer_, {}));
    newer_text_bytes_ = 0;
    for (auto at = dropped.begin(); at != dropped.end();) {
        const auto candidate = at++;
        if (!candidate->second.found.load(std::memory_order_relaxed)) continue;
        const std::size_t text_bytes = candidate->first.text.size();
        if (newer_.size() + 1 > generation_max_ / 2 ||
            newer_text_bytes_ + text_bytes > generation_max_ / 2 * kTextBytesMean)
            break;
        candidate->second.found.store(false, std::memory_order_relaxed);
        newer_text_bytes_ += text_bytes;
        newer_.insert(dropped.extract(candidate));
    }
    return dropped;
}

std::size_t TemplateTable::size() const {
    const std::shared_lock lock(mutex_);
    return newer_.size() + older_.size();
}

std::uint64_t TemplateTable::parsed_total() const {
    return parsed_total_.load(std::memory_order_relaxed);
}

}  // namespace warmfront::sql
