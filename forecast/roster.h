// forecast/roster.h: the models that there are, by name.
//
// A new model joins with one line in roster.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "forecast/model.h"

namespace warmfront::forecast {

struct RosterEntry {
    std::string_view name;
    std::unique_ptr<Model> (*make)();
    // Quick models fit within a few milliseconds and take part in every automatic choice; the others only
    // where the caller has time (AutomaticOptions::thorough) or asks for them by name.
    bool quick = true;
};

[[nodiscard]] std::span<const RosterEntry> roster();
// nullptr: no model is called so.
[[nodiscard]] const RosterEntry* find_model(std::string_view name);

}  // namespace warmfront::forecast
