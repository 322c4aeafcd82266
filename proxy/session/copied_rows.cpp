#include "proxy/session/copied_rows.h"

#include <utility>

namespace warmfront::session {

CopiedRows::CopiedRows(PlanRef plan, bool utf8)
    : plan_(std::move(plan)), utf8_(utf8), images_(plan_->analysis().copies.size()) {}

void CopiedRows::feed(std::string_view data) {
    while (!data.empty() && !any_row_) {
        const auto end = data.find('\n');
        if (end == std::string_view::npos) {
            partial_.append(data);
            any_row_ = partial_.size() > kLineBytesMax;
            return;
        }
        if (partial_.empty()) {
            line(data.substr(0, end));
        } else {
            partial_.append(data.substr(0, end));
            line(std::exchange(partial_, {}));
        }
        data.remove_prefix(end + 1);
    }
}

// A carriage return may be part of the line's end, a backslash of an escape that spans lines.
void CopiedRows::line(std::string_view text) {
    if (text == "\\.") return;
    if (text.ends_with('\r') || text.ends_with('\\')) any_row_ = true;
    const auto& copies = plan_->analysis().copies;
    for (std::size_t i = 0; i < copies.size(); ++i) {
        images_[i].push_back(sql::image_of_line(copies[i], text, utf8_));
        any_row_ |= images_[i].back().empty() || images_[i].size() > EffectSet::kImagesMax;
    }
}

EffectSet CopiedRows::finish() {
    if (!partial_.empty()) line(std::exchange(partial_, {}));
    if (any_row_) return plan_->effects({});
    EffectSet effects;
    const auto& copies = plan_->analysis().copies;
    for (const auto& write : plan_->writes) {
        for (std::size_t i = 0; i < copies.size(); ++i) {
            if (copies[i].relation != write.oid || images_[i].empty()) continue;
            sql::RowsChange rows;
            rows.any_row = false;
            rows.images = std::move(images_[i]);
            effects.add(*write.relation, std::move(rows));
        }
    }
    return effects;
}

}  // namespace warmfront::session
