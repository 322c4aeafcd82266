#include "config/nearest.h"

#include <algorithm>
#include <string>
#include <vector>

namespace warmfront {
namespace {

constexpr std::size_t kWordBytesMax = 64;  // a longer one is no slip; bounds the work too

std::string folded(std::string_view name) {
    std::string out;
    for (const char c : name) {
        const bool upper = c >= 'A' && c <= 'Z';
        out.push_back(c == '-' ? '_' : upper ? static_cast<char>(c - 'A' + 'a') : c);
    }
    return out;
}

// Optimal string alignment; three rows of the matrix are all that it looks back on.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(before, above);
        std::swap(above, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

std::string_view last_part(std::string_view name) {
    return name.substr(name.rfind('.') + 1);
}

std::size_t distance(std::string_view word, std::string_view name) {
    const std::size_t edits = edit_distance(word, name);
    return last_part(word) == last_part(name) ? std::min<std::size_t>(edits, 1) : edits;
}

}  // namespace

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> known) {
    if (word.empty() || word.size() > kWordBytesMax) return std::nullopt;
    const std::string meant = folded(word);
    std::optional<std::string_view> best;
    std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string_view name : known) {
        const std::size_t edits = distance(meant, folded(name));
        if (edits >= best_distance || edits >= word.size()) continue;
        best = name;
        best_distance = edits;
    }
    return best;
}

}  // namespace warmfront
