#include "proxy/session/exchange.h"

namespace warmfront::session {

void Capture::start(Options options) {
    options_ = options;
    too_large_ = false;
    row_description_.clear();
    rows_and_close_.clear();
    if (!options.extended)
        step_ = Step::RowDescription;
    else
        step_ = options.parse_complete ? Step::ParseComplete : Step::BindComplete;
}

void Capture::give_up() {
    step_ = Step::Off;
    row_description_ = {};
    rows_and_close_ = {};
}

void Capture::append(std::string& to, const wire::Piece& piece) {
    if (row_description_.size() + rows_and_close_.size() + piece.raw.size() > options_.bytes_max) {
        too_large_ = true;
        return give_up();
    }
    to.append(piece.raw);
}

void Capture::on_backend(const wire::Piece& piece) {
    switch (step_) {
        case Step::Off: return;
        case Step::ParseComplete:
            if (piece.type != '1') return give_up();
            step_ = Step::BindComplete;
            return;
        case Step::BindComplete:
            if (piece.type != '2') return give_up();
            step_ = after_bind();
            return;
        case Step::RowDescription:
            if (piece.type != 'T') return give_up();
            append(row_description_, piece);
            if (step_ != Step::Off && piece.last) step_ = Step::Rows;
            return;
        case Step::Rows:
            if (piece.type == 'D') return append(rows_and_close_, piece);
            if (piece.type != 'C' && !(piece.type == 's' && options_.row_limit)) return give_up();
            append(rows_and_close_, piece);
            if (step_ != Step::Off) step_ = Step::Closed;
            return;
        case Step::Closed: return give_up();  // nothing may follow before ReadyForQuery
    }
}

}  // namespace warmfront::session
