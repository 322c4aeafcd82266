#include "config/version.h"

namespace warmfront {

std::string_view version() {
    return WARMFRONT_VERSION;
}

}  // namespace warmfront
