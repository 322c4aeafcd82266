#include "proxy/session/comparison.h"

#include <algorithm>
#include <vector>

#include "cache/key.h"
#include "proxy/session/message_walk.h"

namespace warmfront::session {
namespace {

std::vector<std::string_view> sorted_messages(std::string_view bytes) {
    std::vector<std::string_view> messages;
    while (!bytes.empty()) messages.push_back(take_message(bytes).raw);
    std::ranges::sort(messages);
    return messages;
}

}  // namespace

bool same_answer(const Answer& a, const Answer& b) {
    if (!a.row_description.empty() && !b.row_description.empty() && a.row_description != b.row_description)
        return false;
    if (a.rows_and_close == b.rows_and_close) return true;
    return a.rows_and_close.size() == b.rows_and_close.size() &&
           sorted_messages(a.rows_and_close) == sorted_messages(b.rows_and_close);
}

std::uint64_t digest_of(const Answer& answer) {
    return cache::hash_of(answer.rows_and_close);
}

}  // namespace warmfront::session
