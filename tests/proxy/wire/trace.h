// tests/proxy/wire/trace.h: prints a connection's bytes as golden lines, one message a line.
//
// direction (F frontend, B backend), length as on the wire, message name, decoded fields; tabs between, in
// the manner of libpq's PQtrace:
//   F<tab>21<tab>Query<tab> "SELECT 1 AS one"
// What differs from run to run is masked: OIDs from 16384 on and transaction ids are NNNN, as are process ids
// and keys; source file and line of errors, salts, nonces, proofs and the bodies of replication data too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/wire/framer.h"

namespace warmfront::wire {

class Tracer {
public:
    // begins: whether the transcript begins with a startup packet or with typed messages.
    explicit Tracer(Framer::First begins);

    void frontend(std::string_view bytes);
    void backend(std::string_view bytes);
    [[nodiscard]] const std::string& lines() const { return lines_; }

private:
    void typed_frontend(std::string_view bytes);
    void frontend_message(const Piece& piece);
    void backend_message(const Piece& piece);
    void first_message(const Piece& piece);
    void line(char direction, const Piece& piece, std::string_view name, std::string_view fields);
    std::string password_name_and_fields(std::string_view body, std::string& name) const;

    Framer first_messages_, frontend_, backend_;
    bool startup_done_;
    bool encryption_asked_ = false;  // the backend's next byte is its answer
    bool copy_both_ = false;
    std::uint32_t authentication_ = 0;  // the backend's last request
    std::string lines_;
};

}  // namespace warmfront::wire
