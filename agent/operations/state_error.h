// Errors about files that are headgate's own.
#pragma once

#include <cerrno>
#include <string_view>

#include "headgate/result.h"

namespace headgate::operations {

/// As system_error, with who may where that is what is wrong.
[[nodiscard]] inline tl::unexpected<Error> state_error(int number, std::string_view what) {
    auto error = system_error(number, what);
    if (number == EACCES) error.value().message += ": this takes root (CAP_NET_ADMIN), or a running agent";
    return error;
}

}  // namespace headgate::operations
